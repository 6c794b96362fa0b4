import { expect } from 'chai'
import {
  createdAssets,
  dealIdOf,
  ethers,
  hashOrder,
  loadFixture,
  makeDeal,
  signedOrders,
  time,
} from '../../fixtures.ts'

const stranger = '0x00000000000000000000000000000000DeaDBeef'

describe('viewDeal', () => {
  it('answers with zeros for a deal that does not exist', async () => {
    const { hub } = await loadFixture(createdAssets)
    const deal = await hub.viewDeal(ethers.id('nothing'))
    expect([deal.requester, deal.botSize, deal.startTime]).to.deep.equal([ethers.ZeroAddress, 0n, 0n])
  })

  it('answers with zeros for a request that was closed before its first deal', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders, domain, requester } = assets
    await hub.connect(requester).manageRequestOrder({ order: orders[3], operation: 1, sign: '0x' })
    const dealId = dealIdOf(hashOrder('request', orders[3], domain), 0n)
    expect((await hub.viewDeal(dealId)).requester).to.equal(ethers.ZeroAddress)
    await expect(hub.initialize(dealId, 0n)).to.be.revertedWithCustomError(hub, 'UnknownDeal').withArgs(dealId)
  })

  it('tells the same in the three shapes of old clients', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub } = assets
    await time.increase(1)
    const { dealId } = await makeDeal(assets, { request: { params: 'p', callback: stranger } })
    const deal = await hub.viewDeal(dealId)
    expect(await hub.viewDealABILegacy_pt1(dealId)).to.deep.equal([...deal.app, ...deal.dataset, ...deal.workerpool])
    expect(await hub.viewDealABILegacy_pt2(dealId)).to.deep.equal([
      deal.trust,
      deal.tag,
      deal.requester,
      deal.beneficiary,
      deal.callback,
      deal.params,
    ])
    expect(await hub.viewConfigABILegacy(dealId)).to.deep.equal([
      deal.category,
      deal.startTime,
      deal.botFirst,
      deal.botSize,
      deal.workerStake,
      deal.schedulerRewardRatio,
    ])
  })
})
