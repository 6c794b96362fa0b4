import { expect } from 'chai'
import { DEPOSIT, ethers, loadFixture, RLC } from '../../fixtures.ts'
import { nativeAssets, UNIT, weiOf } from '../../native.ts'

describe('withdraw of native currency', () => {
  it('pays 10^9 wei for each unit of the free balance', async () => {
    const { native, requester } = await loadFixture(nativeAssets)
    const supply = await native.totalSupply()
    expect(await native.connect(requester).withdraw.staticCall(RLC)).to.equal(true)
    const withdrawing = native.connect(requester).withdraw(RLC)
    await expect(withdrawing).to.emit(native, 'Transfer').withArgs(requester.address, ethers.ZeroAddress, RLC)
    await expect(withdrawing).to.changeEtherBalances(ethers, [native, requester], [-RLC * UNIT, RLC * UNIT])
    expect(await native.balanceOf(requester)).to.equal(DEPOSIT - RLC)
    expect(await native.totalSupply()).to.equal(supply - RLC)
  })

  it('gives back everything, and nothing twice', async () => {
    const { native, requester } = await loadFixture(nativeAssets)
    await native.connect(requester).withdraw(DEPOSIT)
    await expect(native.connect(requester).withdraw(1n))
      .to.be.revertedWithCustomError(native, 'ERC20InsufficientBalance')
      .withArgs(requester.address, 0n, 1n)
    expect(await weiOf(native)).to.equal(4n * DEPOSIT * UNIT)
  })

  it('refuses amounts whose wei would wrap around', async () => {
    const { native, requester } = await loadFixture(nativeAssets)
    for (const amount of [DEPOSIT + 1n, 2n ** 96n, 2n ** 256n / UNIT + 1n, ethers.MaxUint256]) {
      await expect(native.connect(requester).withdraw(amount))
        .to.be.revertedWithCustomError(native, 'ERC20InsufficientBalance')
        .withArgs(requester.address, DEPOSIT, amount)
    }
  })

  it('reverts with NativeTransferFailed when the caller refuses to be paid, and keeps its balance', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const account = await ethers.deployContract('Meddler')
    await native.connect(anyone).depositFor(account, { value: 2n * UNIT })
    await account.refuse(true)
    await expect(account.execute(native, native.interface.encodeFunctionData('withdraw', [2n])))
      .to.be.revertedWithCustomError(native, 'NativeTransferFailed')
      .withArgs(account.target, 2n * UNIT)
    expect(await native.balanceOf(account)).to.equal(2n)
    await account.refuse(false)
    await account.execute(native, native.interface.encodeFunctionData('withdraw', [2n]))
    expect(await weiOf(account)).to.equal(2n * UNIT)
  })
})

describe('withdrawTo of native currency', () => {
  it('pays the target', async () => {
    const { native, requester, anyone } = await loadFixture(nativeAssets)
    expect(await native.connect(requester).withdrawTo.staticCall(RLC, anyone)).to.equal(true)
    await expect(native.connect(requester).withdrawTo(RLC, anyone)).to.changeEtherBalances(
      ethers,
      [native, anyone, requester],
      [-RLC * UNIT, RLC * UNIT, 0n],
    )
    expect(await native.balanceOf(requester)).to.equal(DEPOSIT - RLC)
  })

  it('reverts with ERC20InvalidReceiver for the Hub: its balance is not an account', async () => {
    const { native, requester } = await loadFixture(nativeAssets)
    await expect(native.connect(requester).withdrawTo(1n, native))
      .to.be.revertedWithCustomError(native, 'ERC20InvalidReceiver')
      .withArgs(native.target)
  })

  it('reverts with ERC20InsufficientBalance for more than the caller has', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    await expect(native.connect(anyone).withdrawTo(1n, anyone))
      .to.be.revertedWithCustomError(native, 'ERC20InsufficientBalance')
      .withArgs(anyone.address, 0n, 1n)
  })

  const [REVERTS, REVERTS_WITH_A_BOMB, RETURNS_A_BOMB, BURNS_GAS] = [0, 1, 2, 3]
  for (const [kind, name] of [
    [REVERTS, 'reverts'],
    [REVERTS_WITH_A_BOMB, 'reverts with a bomb'],
    [BURNS_GAS, 'burns all gas'],
  ] as const) {
    it(`reverts with NativeTransferFailed when the target ${name}`, async () => {
      const { native, requester } = await loadFixture(nativeAssets)
      const target = await ethers.deployContract('Troublemaker', [kind])
      await expect(native.connect(requester).withdrawTo(RLC, target))
        .to.be.revertedWithCustomError(native, 'NativeTransferFailed')
        .withArgs(target.target, RLC * UNIT)
      expect(await native.balanceOf(requester)).to.equal(DEPOSIT)
    })
  }

  it('does not read what a target that takes the payment answers', async () => {
    const { native, requester } = await loadFixture(nativeAssets)
    const target = await ethers.deployContract('Troublemaker', [RETURNS_A_BOMB])
    await native.connect(requester).withdrawTo(RLC, target)
    expect(await weiOf(target)).to.equal(RLC * UNIT)
  })
})

describe('recover of native currency', () => {
  /** Puts wei into the Hub without calling it, as a contract that destroys itself can. */
  async function forceWei(value: bigint) {
    const assets = await loadFixture(nativeAssets)
    const data = ethers.concat(['0x73', assets.native.target.toString(), '0xff'])
    await assets.anyone.sendTransaction({ data, value })
    return assets
  }

  it('credits the owner with whole units that nobody deposited', async () => {
    const { native, owner } = await forceWei(3n * UNIT + 5n)
    expect(await native.connect(owner).recover.staticCall()).to.equal(3n)
    await expect(native.connect(owner).recover())
      .to.emit(native, 'Transfer')
      .withArgs(ethers.ZeroAddress, owner.address, 3n)
    expect(await native.balanceOf(owner)).to.equal(3n)
    expect(await native.connect(owner).recover.staticCall()).to.equal(0n)
    await native.connect(owner).withdraw(3n)
    expect(await weiOf(native)).to.equal((await native.totalSupply()) * UNIT + 5n)
  })

  it('finds nothing that belongs to others', async () => {
    const { native, owner } = await loadFixture(nativeAssets)
    expect(await native.connect(owner).recover.staticCall()).to.equal(0n)
  })

  it('reverts with NotOwner for anyone else', async () => {
    const { native, owner, anyone } = await forceWei(UNIT)
    await expect(native.connect(anyone).recover())
      .to.be.revertedWithCustomError(native, 'NotOwner')
      .withArgs(anyone.address, owner.address)
  })
})
