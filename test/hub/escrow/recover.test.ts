import { expect } from 'chai'
import { ethers, fundedAccounts, loadFixture, matchedDeal, RLC } from '../../fixtures.ts'

describe('recover', () => {
  it('credits the owner with tokens that were sent by mistake', async () => {
    const { hub, token, owner, requester } = await loadFixture(fundedAccounts)
    await token.connect(requester).transfer(hub, 7n * RLC)
    expect(await hub.connect(owner).recover.staticCall()).to.equal(7n * RLC)
    await expect(hub.connect(owner).recover())
      .to.emit(hub, 'Transfer')
      .withArgs(ethers.ZeroAddress, owner.address, 7n * RLC)
    expect(await hub.balanceOf(owner)).to.equal(7n * RLC)
    expect(await hub.totalSupply()).to.equal(await token.balanceOf(hub))
  })

  it('finds nothing that belongs to others, free or locked', async () => {
    const { hub, owner } = await loadFixture(matchedDeal)
    expect(await hub.connect(owner).recover.staticCall()).to.equal(0n)
  })

  it('refuses anyone but the owner', async () => {
    const { hub, owner, anyone } = await loadFixture(fundedAccounts)
    await expect(hub.connect(anyone).recover())
      .to.be.revertedWithCustomError(hub, 'NotOwner')
      .withArgs(anyone.address, owner.address)
  })
})
