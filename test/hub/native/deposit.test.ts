import { expect } from 'chai'
import { DEPOSIT, ethers, loadFixture, RLC, setBalance } from '../../fixtures.ts'
import { nativeAssets, UNIT, weiOf } from '../../native.ts'

const WIDEST = 2n ** 96n - 1n

/** A contract that can deposit, and refuses to be paid. */
async function refusingDepositor() {
  const assets = await loadFixture(nativeAssets)
  const depositor = await ethers.deployContract('Meddler')
  await depositor.refuse(true)
  return { ...assets, depositor }
}

describe('deposit of native currency', () => {
  it('credits the caller with one unit for 10^9 wei', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const supply = await native.totalSupply()
    const depositing = native.connect(anyone).deposit({ value: 3n * RLC * UNIT })
    await expect(depositing)
      .to.emit(native, 'Transfer')
      .withArgs(ethers.ZeroAddress, anyone.address, 3n * RLC)
    await expect(depositing).to.changeEtherBalances(ethers, [anyone, native], [-3n * RLC * UNIT, 3n * RLC * UNIT])
    expect(await native.balanceOf(anyone)).to.equal(3n * RLC)
    expect(await native.totalSupply()).to.equal(supply + 3n * RLC)
  })

  it('answers true, also to nothing at all', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    expect(await native.connect(anyone).deposit.staticCall({ value: 1n })).to.equal(true)
    await expect(native.connect(anyone).deposit())
      .to.emit(native, 'Transfer')
      .withArgs(ethers.ZeroAddress, anyone.address, 0n)
  })

  for (const rest of [1n, UNIT - 1n]) {
    it(`gives ${rest} wei that are no unit back to the caller`, async () => {
      const { native, anyone } = await loadFixture(nativeAssets)
      const depositing = native.connect(anyone).deposit({ value: 2n * UNIT + rest })
      await expect(depositing).to.changeEtherBalances(ethers, [anyone, native], [-2n * UNIT, 2n * UNIT])
      expect(await native.balanceOf(anyone)).to.equal(2n)
    })
  }

  it('credits nothing where all is change', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const depositing = native.connect(anyone).deposit({ value: UNIT - 1n })
    await expect(depositing).to.changeEtherBalances(ethers, [anyone, native], [0n, 0n])
    expect(await native.balanceOf(anyone)).to.equal(0n)
  })

  it('reverts with NativeTransferFailed when the caller refuses its change', async () => {
    const { native, depositor } = await loadFixture(refusingDepositor)
    const data = native.interface.encodeFunctionData('deposit')
    await expect(depositor.execute(native, data, { value: UNIT + 7n }))
      .to.be.revertedWithCustomError(native, 'NativeTransferFailed')
      .withArgs(depositor.target, 7n)
    expect(await native.balanceOf(depositor)).to.equal(0n)
  })

  it('sends nothing to a caller without change, who may refuse to be paid', async () => {
    const { native, depositor } = await loadFixture(refusingDepositor)
    await depositor.execute(native, native.interface.encodeFunctionData('deposit'), { value: UNIT })
    expect(await native.balanceOf(depositor)).to.equal(1n)
    expect(await depositor.calls()).to.equal(0n)
  })

  it('takes a supply of 96 bits, and refuses one unit more', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const room = WIDEST - (await native.totalSupply())
    await setBalance(anyone.address, (room + RLC) * UNIT)
    await native.connect(anyone).deposit({ value: room * UNIT })
    expect(await native.totalSupply()).to.equal(WIDEST)
    expect(await native.balanceOf(anyone)).to.equal(room)
    await expect(native.connect(anyone).deposit({ value: UNIT }))
      .to.be.revertedWithCustomError(native, 'SupplyTooLarge')
      .withArgs(WIDEST + 1n, WIDEST)
  })
})

describe('depositFor of native currency', () => {
  it('credits the target, and gives the change to the caller', async () => {
    const { native, anyone, beneficiary } = await loadFixture(nativeAssets)
    expect(await native.connect(anyone).depositFor.staticCall(beneficiary)).to.equal(true)
    const depositing = native.connect(anyone).depositFor(beneficiary, { value: 5n * UNIT + 4n })
    await expect(depositing).to.emit(native, 'Transfer').withArgs(ethers.ZeroAddress, beneficiary.address, 5n)
    await expect(depositing).to.changeEtherBalances(ethers, [anyone, beneficiary], [-5n * UNIT, 0n])
    expect([await native.balanceOf(beneficiary), await native.balanceOf(anyone)]).to.deep.equal([5n, 0n])
  })

  it('reverts with ERC20InvalidReceiver for nobody', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    await expect(native.connect(anyone).depositFor(ethers.ZeroAddress, { value: UNIT }))
      .to.be.revertedWithCustomError(native, 'ERC20InvalidReceiver')
      .withArgs(ethers.ZeroAddress)
  })
})

describe('depositForArray of native currency', () => {
  it('credits each target with its amount, and gives the rest to the caller', async () => {
    const { native, anyone, beneficiary, broker } = await loadFixture(nativeAssets)
    const calling = native.connect(anyone)
    expect(await calling.depositForArray.staticCall([], [])).to.equal(true)
    const depositing = calling.depositForArray([1n, 0n, 2n], [beneficiary, anyone, broker], { value: 10n * UNIT + 1n })
    await expect(depositing).to.emit(native, 'Transfer').withArgs(ethers.ZeroAddress, beneficiary.address, 1n)
    await expect(depositing).to.emit(native, 'Transfer').withArgs(ethers.ZeroAddress, anyone.address, 0n)
    await expect(depositing).to.emit(native, 'Transfer').withArgs(ethers.ZeroAddress, broker.address, 2n)
    await expect(depositing).to.changeEtherBalances(ethers, [anyone, native], [-3n * UNIT, 3n * UNIT])
    expect(await native.balanceOf(broker)).to.equal(2n)
  })

  it('takes an amount that leaves nothing, and sends nothing back', async () => {
    const { native, depositor, beneficiary } = await loadFixture(refusingDepositor)
    const data = native.interface.encodeFunctionData('depositForArray', [
      [1n, 2n],
      [beneficiary.address, beneficiary.address],
    ])
    await depositor.execute(native, data, { value: 3n * UNIT })
    expect(await native.balanceOf(beneficiary)).to.equal(3n)
  })

  it('reverts with NativeTransferFailed when the caller refuses the rest', async () => {
    const { native, depositor, beneficiary } = await loadFixture(refusingDepositor)
    const data = native.interface.encodeFunctionData('depositForArray', [[1n], [beneficiary.address]])
    await expect(depositor.execute(native, data, { value: 3n * UNIT }))
      .to.be.revertedWithCustomError(native, 'NativeTransferFailed')
      .withArgs(depositor.target, 2n * UNIT)
  })

  it('reverts with LengthMismatch for arrays of different lengths', async () => {
    const { native, anyone, broker } = await loadFixture(nativeAssets)
    await expect(native.connect(anyone).depositForArray([1n, 2n], [broker], { value: 3n * UNIT }))
      .to.be.revertedWithCustomError(native, 'LengthMismatch')
      .withArgs(2n, 1n)
  })

  it('reverts with ValueTooSmall where the amounts are more than what came along, with what was left', async () => {
    const { native, anyone, beneficiary, broker } = await loadFixture(nativeAssets)
    const calling = native.connect(anyone)
    const value = 5n * UNIT - 1n
    await expect(calling.depositForArray([2n, 3n], [beneficiary, broker], { value }))
      .to.be.revertedWithCustomError(native, 'ValueTooSmall')
      .withArgs(3n, 2n)
    expect(await native.balanceOf(beneficiary)).to.equal(0n)
  })

  it('does not wrap around at amounts of any size', async () => {
    const { native, anyone, broker } = await loadFixture(nativeAssets)
    // 2^256 / 10^9, rounded up: times the unit it would wrap to almost nothing.
    for (const amount of [2n ** 256n / UNIT + 1n, 2n ** 255n, ethers.MaxUint256]) {
      await expect(native.connect(anyone).depositForArray([amount], [broker], { value: UNIT }))
        .to.be.revertedWithCustomError(native, 'ValueTooSmall')
        .withArgs(amount, 1n)
    }
  })

  it('reverts with ERC20InvalidReceiver for nobody, and credits nobody else', async () => {
    const { native, anyone, broker } = await loadFixture(nativeAssets)
    await expect(native.connect(anyone).depositForArray([1n, 1n], [broker, ethers.ZeroAddress], { value: 2n * UNIT }))
      .to.be.revertedWithCustomError(native, 'ERC20InvalidReceiver')
      .withArgs(ethers.ZeroAddress)
    expect(await native.balanceOf(broker)).to.equal(0n)
  })
})

describe('the deposits of a fixture', () => {
  it('are all that the Hub holds', async () => {
    const { native } = await loadFixture(nativeAssets)
    expect(await native.totalSupply()).to.equal(5n * DEPOSIT)
    expect(await weiOf(native)).to.equal(5n * DEPOSIT * UNIT)
  })
})
