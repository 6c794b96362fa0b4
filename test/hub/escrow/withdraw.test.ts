import { expect } from 'chai'
import { DEPOSIT, deployedMarketplace, deployHub, ethers, fundedAccounts, loadFixture, RLC } from '../../fixtures.ts'

describe('withdraw', () => {
  it('moves free balance out of the Hub, one to one', async () => {
    const { token, hub, requester } = await loadFixture(fundedAccounts)
    const supply = await hub.totalSupply()
    await expect(hub.connect(requester).withdraw(RLC))
      .to.emit(hub, 'Transfer')
      .withArgs(requester.address, ethers.ZeroAddress, RLC)
      .and.to.emit(token, 'Transfer')
      .withArgs(hub.target, requester.address, RLC)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT - RLC)
    expect(await token.balanceOf(requester)).to.equal(DEPOSIT + RLC)
    expect(await hub.totalSupply()).to.equal(supply - RLC)
  })

  it('gives back everything', async () => {
    const { hub, token, requester } = await loadFixture(fundedAccounts)
    await hub.connect(requester).withdraw(DEPOSIT)
    expect(await hub.balanceOf(requester)).to.equal(0n)
    expect(await token.balanceOf(requester)).to.equal(2n * DEPOSIT)
  })

  it('refuses more than the caller has', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).withdraw(DEPOSIT + 1n))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(requester.address, DEPOSIT, DEPOSIT + 1n)
  })

  it('refuses amounts far past the width of a balance', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    for (const amount of [2n ** 96n, 2n ** 128n, ethers.MaxUint256]) {
      await expect(hub.connect(requester).withdraw(amount))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(requester.address, DEPOSIT, amount)
    }
  })

  it('cannot be repeated by a token that calls back', async () => {
    const { owner, addresses } = await loadFixture(deployedMarketplace)
    const token = await ethers.deployContract('ReentrantToken', [owner, 1_000n * RLC])
    const { target } = await deployHub('Hub', { ...addresses, token: token.target.toString() })
    const hub = await ethers.getContractAt('IHub', target)
    // The token itself is a depositor, so that its call back could withdraw.
    await token.connect(owner).approve(hub, 10n * RLC)
    await hub.connect(owner).depositFor(RLC, token)
    await hub.connect(owner).deposit(9n * RLC)
    await token.prepare(hub, hub.interface.encodeFunctionData('withdrawTo', [2n * RLC, owner.address]))
    await hub.connect(owner).withdraw(9n * RLC)
    expect(await token.wasCalled()).to.equal(true)
    expect(await token.succeeded()).to.equal(false)
    expect(await hub.totalSupply()).to.equal(RLC)
    expect(await token.balanceOf(hub)).to.equal(RLC)
  })
})

describe('withdrawTo', () => {
  it('pays the target', async () => {
    const { token, hub, requester, anyone } = await loadFixture(fundedAccounts)
    await hub.connect(requester).withdrawTo(RLC, anyone)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT - RLC)
    expect(await token.balanceOf(anyone)).to.equal(RLC)
  })

  it('refuses a target that the token refuses, and keeps the balance', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).withdrawTo(RLC, ethers.ZeroAddress))
      .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
      .withArgs(hub.target, ethers.ZeroAddress, RLC)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT)
  })

  it('refuses the Hub, where tokens would be nobody’s', async () => {
    const { token, hub, requester } = await loadFixture(fundedAccounts)
    const before = await token.balanceOf(hub)
    await expect(hub.connect(requester).withdrawTo(RLC, hub))
      .to.be.revertedWithCustomError(hub, 'ERC20InvalidReceiver')
      .withArgs(hub.target)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT)
    expect(await token.balanceOf(hub)).to.equal(before)
  })

  it('refuses more than the caller has', async () => {
    const { hub, anyone } = await loadFixture(fundedAccounts)
    await expect(hub.connect(anyone).withdrawTo(1n, anyone))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(anyone.address, 0n, 1n)
  })
})
