import { expect } from 'chai'
import fc from 'fast-check'
import {
  contributionTo,
  ethers,
  finalArguments,
  loadFixture,
  matchedDeal,
  settleArguments,
  settlementOf,
  taskIdOf,
  time,
} from '../../fixtures.ts'
import { attachedTask, bulkDeal, grantOf, prices } from './grants.ts'

describe('viewDatasets', () => {
  it('tells dataset, owner and price of each, in their order', async () => {
    const { hub, dealId, owned } = await loadFixture(attachedTask)
    expect(await hub.viewDatasets(taskIdOf(dealId, 0n))).to.deep.equal(
      owned.map(({ dataset, owner }, i) => [dataset, owner.address, prices[i]]),
    )
  })

  it('answers with nothing for a task that has none: of this deal, of another, of no deal', async () => {
    const { hub, dealId } = await loadFixture(attachedTask)
    expect(await hub.viewDatasets(taskIdOf(dealId, 1n))).to.deep.equal([])
    expect(await hub.viewDatasets(ethers.id('nothing'))).to.deep.equal([])
    const deal = await loadFixture(matchedDeal)
    await deal.hub.initialize(deal.dealId, 0n)
    expect(await deal.hub.viewDatasets(taskIdOf(deal.dealId, 0n))).to.deep.equal([])
  })

  it('tells the same while the task is active, when it is completed and when it has failed', async () => {
    for (const end of ['completed', 'failed'] as const) {
      const deal = await loadFixture(attachedTask)
      const { hub, worker, dealId } = deal
      const taskId = taskIdOf(dealId, 0n)
      const attached = [...(await hub.viewDatasets(taskId))]
      await hub.initialize(dealId, 0n)
      expect(await hub.viewDatasets(taskId)).to.deep.equal(attached)
      if (end === 'failed') {
        await time.increase(3000)
        await hub.claim(taskId)
      } else {
        const result = await contributionTo(deal, { taskId, worker })
        await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      }
      expect(await hub.viewDatasets(taskId)).to.deep.equal(attached)
    }
  })

  it('tells who owned a dataset when it was attached, whoever owns it now', async () => {
    const { hub, datasetRegistry, dealId, owned, anyone, owner: rich } = await loadFixture(attachedTask)
    const [first] = owned
    if (first === undefined) throw new Error('There are three datasets.')
    await rich.sendTransaction({ to: first.owner.address, value: ethers.parseEther('1') })
    const seller = new ethers.Wallet(ethers.id('the key of data owner 0'), ethers.provider)
    await datasetRegistry.connect(seller).transferFrom(seller, anyone, first.dataset)
    expect((await hub.viewDatasets(taskIdOf(dealId, 0n)))[0]?.owner).to.equal(seller.address)
  })

  it('reads back any number of datasets at any price that can be paid (property)', async () => {
    const item = fc.record({
      which: fc.nat(2),
      datasetprice: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 10n ** 11n)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 7 }), async (items) => {
        const deal = await loadFixture(bulkDeal)
        const { hub, requester, dealId, owned } = deal
        const chosen = items.map(({ which, datasetprice }) => ({ ...(owned[which] ?? fail()), datasetprice }))
        const orders = await Promise.all(chosen.map((each) => grantOf(deal, each, { datasetprice: each.datasetprice })))
        const total = chosen.reduce((sum, { datasetprice }) => sum + datasetprice, 0n)
        await hub.connect(requester).attachDatasets(dealId, 0n, orders, total)
        const told = chosen.map(({ dataset, owner, datasetprice }) => [dataset, owner.address, datasetprice])
        expect(await hub.viewDatasets(taskIdOf(dealId, 0n))).to.deep.equal(told)
        await hub.settle(...settleArguments(await settlementOf(deal, deal)))
        for (const { owner } of owned) {
          const due = chosen.filter((each) => each.owner === owner).reduce((sum, each) => sum + each.datasetprice, 0n)
          expect(await hub.balanceOf(owner.address)).to.equal(due)
        }
      }),
      { numRuns: 25 },
    )
  }).timeout(60_000)
})

function fail(): never {
  throw new Error('There are three datasets.')
}
