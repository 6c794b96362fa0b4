import { expect } from 'chai'
import {
  createdAssets,
  ethers,
  loadFixture,
  makeDeal,
  RLC,
  SCONE,
  signOrder,
  signOrders,
  TEE,
  tag,
  type Wishes,
} from '../../fixtures.ts'

const stranger = '0x00000000000000000000000000000000DeaDBeef'

describe('assertDatasetDealCompatibility', () => {
  const reasons: [string, (assets: Awaited<ReturnType<typeof createdAssets>>) => Promise<Wishes['dataset']>][] = [
    ['App restriction not satisfied', async () => ({ apprestrict: stranger })],
    ['Workerpool restriction not satisfied', async () => ({ workerpoolrestrict: stranger })],
    ['Requester restriction not satisfied', async () => ({ requesterrestrict: stranger })],
    ['Tag compatibility not satisfied', async () => ({ tag: tag(TEE | 64n) })],
  ]

  it('accepts a dataset order that fits a deal without dataset, whatever its price', async () => {
    const assets = await loadFixture(createdAssets)
    const { dealId } = await makeDeal(assets, { dataset: null })
    const wishes = { dataset: { datasetprice: RLC * 10n ** 9n, tag: tag(TEE | SCONE), apprestrict: assets.app.target } }
    const [, order] = await signOrders(assets, wishes as Wishes)
    await assets.hub.assertDatasetDealCompatibility(order, dealId)
  })

  for (const [reason, wishes] of reasons) {
    it(`refuses: ${reason}`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const { dealId } = await makeDeal(assets, { dataset: null })
      const [, order] = await signOrders(assets, { dataset: (await wishes(assets)) ?? {} })
      await expect(hub.assertDatasetDealCompatibility(order, dealId))
        .to.be.revertedWithCustomError(hub, 'IncompatibleDatasetOrder')
        .withArgs(reason)
    })
  }

  it('refuses an order that is closed, forged, for no deal or for a deal that has a dataset', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, domain, anyone, datasetOwner } = assets
    const refusal = async (order: Awaited<ReturnType<typeof signOrders>>[1], dealId: string, reason: string) =>
      expect(hub.assertDatasetDealCompatibility(order, dealId))
        .to.be.revertedWithCustomError(hub, 'IncompatibleDatasetOrder')
        .withArgs(reason)
    const { dealId } = await makeDeal(assets, { dataset: null })
    const [, order] = await signOrders(assets)
    await refusal(order, ethers.id('no deal'), 'Deal not found')
    const occupied = await makeDeal(assets)
    await refusal(order, occupied.dealId, 'Deal already has a dataset')
    const forged = await signOrder('dataset', order, { signer: anyone, domain })
    await refusal(forged, dealId, 'Invalid dataset order signature')
    await hub.connect(datasetOwner).manageDatasetOrder({ order, operation: 1, sign: '0x' })
    await refusal(order, dealId, 'Dataset order is revoked or fully consumed')
  })
})
