import { expect } from 'chai'
import { DEPOSIT, dealIdOf, hashOrder, loadFixture, price, signedOrders } from '../../fixtures.ts'

describe('sponsorMatchOrders', () => {
  it('locks the price from the caller, and says so', async () => {
    const { orders, hub, sponsor, requester, domain } = await loadFixture(signedOrders)
    const dealId = dealIdOf(hashOrder('request', orders[3], domain), 0n)
    await expect(hub.connect(sponsor).sponsorMatchOrders(...orders))
      .to.emit(hub, 'DealSponsored')
      .withArgs(dealId, sponsor.address)
      .to.emit(hub, 'Lock')
      .withArgs(sponsor.address, price)
    expect(await hub.frozenOf(requester)).to.equal(0n)
    expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT - price, price])
    const deal = await hub.viewDeal(dealId)
    expect([deal.requester, deal.sponsor]).to.deep.equal([requester.address, sponsor.address])
  })

  it('reverts when the sponsor has too little, although the requester has enough', async () => {
    const { orders, hub, anyone } = await loadFixture(signedOrders)
    await expect(hub.connect(anyone).sponsorMatchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(anyone.address, 0n, price)
  })

  it('costs the sponsor nothing when somebody matches the request first', async () => {
    const { orders, hub, sponsor, anyone } = await loadFixture(signedOrders)
    await hub.connect(anyone).matchOrders(...orders)
    await expect(hub.connect(sponsor).sponsorMatchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NothingLeft')
    expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT, 0n])
  })

  it('does not say so when the requester pays', async () => {
    const { orders, hub } = await loadFixture(signedOrders)
    await expect(hub.matchOrders(...orders)).not.to.emit(hub, 'DealSponsored')
  })
})
