import { expect } from 'chai'
import fc from 'fast-check'
import { checkSolvency, completeTask, moneyOf } from '../../deals.ts'
import { DEPOSIT, RLC, settleArguments, settlementOf, taskIdOf, time } from '../../fixtures.ts'
import { attestedFailure, failureArguments } from '../failures/failure.ts'
import { bulkDealOf, grantOf } from './grants.ts'

const ends = ['settle', 'settleBatch', 'contributeAndFinalize', 'settleFailure', 'claim', 'nothing'] as const

/** What happens to one of two tasks: what is attached to it, and how it ends. */
const story = fc.record({
  attached: fc.array(fc.record({ which: fc.nat(2), datasetprice: fc.bigInt(0n, 3n * RLC) }), { maxLength: 5 }),
  end: fc.constantFrom(...ends),
})

type Deal = Awaited<ReturnType<typeof bulkDealOf>>

async function finish(deal: Deal, index: bigint, end: (typeof ends)[number]) {
  const { hub, dealId } = deal
  if (end === 'settle') await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, index })))
  if (end === 'settleBatch') await hub.settleBatch(dealId, [await settlementOf(deal, { ...deal, index })])
  if (end === 'settleFailure')
    await hub.settleFailure(...failureArguments(await attestedFailure(deal, { ...deal, index })))
  if (end === 'contributeAndFinalize') {
    await hub.initialize(dealId, index)
    await completeTask(deal, dealId, index)
  }
}

describe('the money of tasks with attached datasets', () => {
  it('is the payer’s, then the owners’ or the payer’s again, to the unit (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(story, story), fc.bigInt(0n, RLC), fc.bigInt(0n, RLC), async (stories, app, pool) => {
        const asked = { workerpool: { workerpoolprice: pool }, request: { appmaxprice: app, workerpoolmaxprice: pool } }
        const deal = await bulkDealOf({ app: { appprice: app }, ...asked })
        const { hub, requester, dealId, owned, owners } = deal
        const due = new Map(owners.map((owner) => [owner, 0n]))
        let spent = 0n
        let frozen = 0n
        for (const [index, { attached, end }] of stories.entries()) {
          const chosen = attached.map(({ which, datasetprice }) => ({ ...(owned[which] ?? none()), datasetprice }))
          const orders = await Promise.all(
            chosen.map((each) => grantOf(deal, each, { datasetprice: each.datasetprice })),
          )
          const total = chosen.reduce((sum, { datasetprice }) => sum + datasetprice, 0n)
          await hub.connect(requester).attachDatasets(dealId, BigInt(index), orders, total)
          await finish(deal, BigInt(index), end)
          const completed = !['settleFailure', 'claim', 'nothing'].includes(end)
          if (completed) {
            spent += app + pool + total
            for (const { owner, datasetprice } of chosen) {
              due.set(owner.address, (due.get(owner.address) ?? 0n) + datasetprice)
            }
          } else if (end !== 'settleFailure') frozen += app + pool + total
          await checkSolvency(deal, owners)
        }
        for (const [owner, amount] of due) expect(await hub.balanceOf(owner)).to.equal(amount)
        expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - spent - frozen, frozen])
        await time.increase(3000)
        for (const [index, { end }] of stories.entries()) {
          if (end === 'claim') await hub.initializeAndClaimArray([dealId], [BigInt(index)])
          if (end !== 'nothing') continue
          await hub.initialize(dealId, BigInt(index))
          await hub.claim(taskIdOf(dealId, BigInt(index)))
        }
        expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - spent, 0n])
        const money = await moneyOf(deal, owners)
        const kitty = await hub.kitty_address()
        for (const [account, [, locked]] of money) if (account !== kitty) expect(locked).to.equal(0n)
        expect(await hub.balanceOf(hub)).to.equal(await hub.frozenOf(kitty))
        await checkSolvency(deal, owners)
      }),
      { numRuns: 30 },
    )
  }).timeout(180_000)
})

function none(): never {
  throw new Error('There are three datasets.')
}
