import { expect } from 'chai'
import { DEPOSIT, deployedMarketplace, deployHub, ethers, fundedAccounts, loadFixture, RLC } from '../../fixtures.ts'

const WIDEST = 2n ** 96n - 1n

/** `anyone` has tokens and has approved the Hub to take them. */
async function approvedTokens() {
  const market = await loadFixture(fundedAccounts)
  const { token, hub, owner, anyone } = market
  await token.connect(owner).transfer(anyone, DEPOSIT)
  await token.connect(anyone).approve(hub, DEPOSIT)
  return market
}

/** A second Hub over a token that behaves as the test wants. */
async function hubOver(tokenName: 'ReentrantToken' | 'RefusingToken', supply = 1_000n * RLC) {
  const market = await loadFixture(deployedMarketplace)
  const { owner, addresses } = market
  const token =
    tokenName === 'ReentrantToken'
      ? await ethers.deployContract('ReentrantToken', [owner, supply])
      : await ethers.deployContract('RefusingToken')
  const deployed = await deployHub('Hub', { ...addresses, token: token.target.toString() })
  return { ...market, badToken: token, badHub: await ethers.getContractAt('IHub', deployed.target) }
}

describe('deposit', () => {
  it('moves tokens into the Hub and credits the caller one to one', async () => {
    const { token, hub, anyone } = await loadFixture(approvedTokens)
    const supply = await hub.totalSupply()
    await expect(hub.connect(anyone).deposit(3n * RLC))
      .to.emit(token, 'Transfer')
      .withArgs(anyone.address, hub.target, 3n * RLC)
      .and.to.emit(hub, 'Transfer')
      .withArgs(ethers.ZeroAddress, anyone.address, 3n * RLC)
    expect(await hub.balanceOf(anyone)).to.equal(3n * RLC)
    expect(await hub.totalSupply()).to.equal(supply + 3n * RLC)
    expect(await token.balanceOf(anyone)).to.equal(DEPOSIT - 3n * RLC)
  })

  it('accepts nothing at all', async () => {
    const { hub, anyone } = await loadFixture(approvedTokens)
    await expect(hub.connect(anyone).deposit(0n))
      .to.emit(hub, 'Transfer')
      .withArgs(ethers.ZeroAddress, anyone.address, 0n)
  })

  it('refuses more than the caller approved, and moves nothing', async () => {
    const { hub, token, anyone } = await loadFixture(approvedTokens)
    await expect(hub.connect(anyone).deposit(DEPOSIT + 1n))
      .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
      .withArgs(anyone.address, hub.target, DEPOSIT + 1n)
    expect(await token.balanceOf(anyone)).to.equal(DEPOSIT)
  })

  it('refuses a token that answers false', async () => {
    const { badHub, owner } = await hubOver('RefusingToken')
    await expect(badHub.connect(owner).deposit(1n))
      .to.be.revertedWithCustomError(badHub, 'TokenTransferFailed')
      .withArgs(owner.address, badHub.target, 1n)
  })

  it('lets a token that calls back find nothing credited yet', async () => {
    const { badHub, badToken, owner } = await hubOver('ReentrantToken')
    const token = await ethers.getContractAt('ReentrantToken', badToken.target.toString())
    await token.connect(owner).approve(badHub, RLC)
    await token.prepare(badHub, badHub.interface.encodeFunctionData('withdrawTo', [RLC, owner.address]))
    await badHub.connect(owner).deposit(RLC)
    expect(await token.wasCalled()).to.equal(true)
    expect(await token.succeeded()).to.equal(false)
    const reason = badHub.interface.parseError(await token.answer())
    expect(reason?.name).to.equal('ERC20InsufficientBalance')
    expect(await badHub.totalSupply()).to.equal(await token.balanceOf(badHub))
  })

  it('takes a supply of 96 bits, and refuses one unit more', async () => {
    const { badHub, badToken, owner } = await hubOver('ReentrantToken', WIDEST + 1n)
    const token = await ethers.getContractAt('ReentrantToken', badToken.target.toString())
    await token.connect(owner).approve(badHub, ethers.MaxUint256)
    await badHub.connect(owner).deposit(WIDEST)
    expect(await badHub.balanceOf(owner)).to.equal(WIDEST)
    await expect(badHub.connect(owner).deposit(1n))
      .to.be.revertedWithCustomError(badHub, 'SupplyTooLarge')
      .withArgs(WIDEST + 1n, WIDEST)
  })
})

describe('depositFor', () => {
  it('credits the target with tokens of the caller', async () => {
    const { hub, anyone, beneficiary } = await loadFixture(approvedTokens)
    await expect(hub.connect(anyone).depositFor(RLC, beneficiary))
      .to.emit(hub, 'Transfer')
      .withArgs(ethers.ZeroAddress, beneficiary.address, RLC)
    expect(await hub.balanceOf(beneficiary)).to.equal(RLC)
    expect(await hub.balanceOf(anyone)).to.equal(0n)
  })

  it('refuses to credit nobody', async () => {
    const { hub, anyone } = await loadFixture(approvedTokens)
    await expect(hub.connect(anyone).depositFor(RLC, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(hub, 'ERC20InvalidReceiver')
      .withArgs(ethers.ZeroAddress)
  })
})

describe('depositForArray', () => {
  it('credits each target with its amount', async () => {
    const { hub, anyone, beneficiary, broker } = await loadFixture(approvedTokens)
    await hub.connect(anyone).depositForArray([1n, 2n], [beneficiary, broker])
    expect(await hub.balanceOf(beneficiary)).to.equal(1n)
    expect(await hub.balanceOf(broker)).to.equal(2n)
  })

  it('refuses arrays of different lengths', async () => {
    const { hub, anyone, beneficiary } = await loadFixture(approvedTokens)
    await expect(hub.connect(anyone).depositForArray([1n, 2n], [beneficiary]))
      .to.be.revertedWithCustomError(hub, 'LengthMismatch')
      .withArgs(2n, 1n)
  })

  it('credits nobody when one deposit fails', async () => {
    const { hub, anyone, beneficiary, broker } = await loadFixture(approvedTokens)
    await expect(
      hub.connect(anyone).depositForArray([1n, DEPOSIT], [beneficiary, broker]),
    ).to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
    expect(await hub.balanceOf(beneficiary)).to.equal(0n)
  })
})

describe('a plain transfer of native currency', () => {
  it('is refused, with and without data', async () => {
    const { hub, anyone } = await loadFixture(deployedMarketplace)
    for (const data of ['0x', '0x12345678']) {
      await expect(anyone.sendTransaction({ to: hub, value: 5n, data }))
        .to.be.revertedWithCustomError(hub, 'NativeNotAccepted')
        .withArgs(5n)
    }
  })

  it('is refused to a function that takes none', async () => {
    const { hub, anyone } = await loadFixture(deployedMarketplace)
    const data = hub.interface.encodeFunctionData('deposit', [0n])
    await expect(anyone.sendTransaction({ to: hub, value: 5n, data })).to.revert(ethers)
  })
})
