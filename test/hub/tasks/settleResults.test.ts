import { expect } from 'chai'
import fc from 'fast-check'
import {
  checkSolvency,
  dealOf,
  dealOfThree,
  forFree,
  moneyAfter,
  moneyOf,
  ofVolume,
  settlementsOf,
} from '../../deals.ts'
import {
  ethers,
  loadFixture,
  matchDeal,
  matchedDeal,
  type Settled,
  settleArguments,
  settlementOf,
  signOrders,
  taskIdOf,
} from '../../fixtures.ts'

/** What a blob holds (EIP-170), and what it takes beside the results: a zero, digest, worker, enclave, a length. */
const LIMIT = 24_576
const OVERHEAD = 1 + 32 + 20 + 20 + 2

/** Workers that are something else, too; the pool may even let nobody work. */
const roles = ['worker', 'worker2', 'anyone', 'scheduler', 'requester', 'appOwner', 'datasetOwner'] as const
const authors = [...roles, 'nobody'] as const

function bytes(length: number, value = 1): string {
  return ethers.hexlify(new Uint8Array(length).fill(value))
}

/** A deal of so many tasks that the last index is past every place for one. */
async function endlessDeal() {
  return dealOf(ofVolume(ethers.MaxUint256, forFree()))
}

describe('the results of what is settled', () => {
  describe('given results of any size', () => {
    const fitting: [string, number, number][] = [
      ['nothing at all', 0, 0],
      ['one byte of results', 1, 0],
      ['one byte of callback data', 0, 1],
      ['all results that a blob holds', LIMIT - OVERHEAD, 0],
      ['all callback data that a blob holds', 0, LIMIT - OVERHEAD],
      ['half and half', 12_250, LIMIT - OVERHEAD - 12_250],
    ]
    for (const [name, length, callbackLength] of fitting) {
      it(`keeps ${name}`, async () => {
        const deal = await loadFixture(matchedDeal)
        const { hub } = deal
        const [results, resultsCallback] = [bytes(length), bytes(callbackLength, 2)]
        const settled = await settlementOf(deal, { ...deal, results, resultsCallback })
        await expect(hub.settle(...settleArguments(settled)))
          .to.emit(hub, 'TaskFinalize')
          .withArgs(settled.taskId, results)
        const task = await hub.viewTask(settled.taskId)
        expect([task.results, task.resultsCallback, task.resultDigest]).to.deep.equal([
          results,
          resultsCallback,
          settled.resultDigest,
        ])
        expect(await hub.resultFor(settled.taskId)).to.equal(resultsCallback)
      })
    }

    const unfitting: [number, number][] = [
      [LIMIT - OVERHEAD + 1, 0],
      [0, LIMIT - OVERHEAD + 1],
      [LIMIT, LIMIT],
      [65_535, 0],
      [65_536, 0],
      [0, 65_536],
      [65_536 + 10, 20],
    ]
    for (const [length, callbackLength] of unfitting) {
      it(`reverts with BlobNotWritten for ${length} bytes of results and ${callbackLength} of callback data`, async () => {
        const deal = await loadFixture(matchedDeal)
        const { hub, dealId } = deal
        const [results, resultsCallback] = [bytes(length), bytes(callbackLength)]
        const settled = await settlementOf(deal, { ...deal, results, resultsCallback })
        const blobLength = OVERHEAD + length + callbackLength
        for (const sending of [hub.settle(...settleArguments(settled)), hub.settleBatch(dealId, [settled])]) {
          await expect(sending).to.be.revertedWithCustomError(hub, 'BlobNotWritten').withArgs(blobLength, LIMIT)
        }
        expect((await hub.viewTask(settled.taskId)).status).to.equal(0n)
      })
    }

    it('reads back whatever was settled (property)', async () => {
      const result = fc.uint8Array({ maxLength: 300 })
      await fc.assert(
        fc.asyncProperty(result, result, fc.boolean(), async (results, resultsCallback, active) => {
          const deal = await loadFixture(matchedDeal)
          const { hub, dealId, worker } = deal
          if (active) await hub.initialize(dealId, 0n)
          const given = { results: ethers.hexlify(results), resultsCallback: ethers.hexlify(resultsCallback) }
          const settled = await settlementOf(deal, { ...deal, ...given })
          await hub.settle(...settleArguments(settled))
          const task = await hub.viewTask(settled.taskId)
          expect([task.results, task.resultsCallback]).to.deep.equal([given.results, given.resultsCallback])
          const contribution = await hub.viewContribution(settled.taskId, worker)
          expect([contribution.resultHash, contribution.resultSeal, contribution.enclaveChallenge]).to.deep.equal([
            settled.resultHash,
            settled.resultSeal,
            settled.enclaveChallenge,
          ])
        }),
        { numRuns: 40 },
      )
    }).timeout(60_000)
  })

  describe('given a batch', () => {
    it('reads each back, empty ones and callback data too', async () => {
      const lengths: [number, number][] = [
        [0, 0],
        [1, 0],
        [0, 1],
        [32, 31],
        [300, 0],
        [0, 700],
        [65, 66],
        [0, 0],
      ]
      const deal = await dealOf(ofVolume(BigInt(lengths.length)))
      const { hub, dealId } = deal
      const wishes = lengths.map(([length, callbackLength], index) => ({
        results: ethers.hexlify(new Uint8Array(length).fill(index + 1)),
        resultsCallback: ethers.hexlify(new Uint8Array(callbackLength).fill(255 - index)),
      }))
      const settlements = await settlementsOf(deal, wishes)
      await hub.settleBatch(dealId, settlements)
      for (const { taskId, worker, ...settled } of settlements) {
        const task = await hub.viewTask(taskId)
        expect([task.results, task.resultsCallback, task.resultDigest, task.consensusValue]).to.deep.equal([
          settled.results,
          settled.resultsCallback,
          settled.resultDigest,
          settled.resultHash,
        ])
        expect(await hub.resultFor(taskId)).to.equal(settled.resultsCallback)
        const { resultHash, resultSeal, enclaveChallenge } = settled
        expect(await hub.viewContribution(taskId, worker)).to.deep.equal([
          2n,
          resultHash,
          resultSeal,
          enclaveChallenge,
          0n,
        ])
      }
    })

    it('takes results that fill a blob to the last byte, and reverts with BlobNotWritten for one more', async () => {
      const deal = await loadFixture(dealOfThree)
      const { hub, dealId } = deal
      // A zero byte and the worker once, then digest, enclave and length of each.
      const rest = 24_576 - 21 - 3 * 54
      for (const extra of [1, 0]) {
        const lengths = [8_000, 0, rest - 8_000 + extra]
        const wishes = lengths.map((length) => ({ results: ethers.hexlify(new Uint8Array(length).fill(length % 251)) }))
        const settlements = await settlementsOf(deal, wishes)
        const sending = hub.settleBatch(dealId, settlements)
        if (extra > 0)
          await expect(sending).to.be.revertedWithCustomError(hub, 'BlobNotWritten').withArgs(24_577n, 24_576n)
        else await sending
        for (const { taskId, results } of settlements) {
          expect((await hub.viewTask(taskId)).results).to.equal(extra > 0 ? '0x' : results)
        }
      }
    })

    it('reads back and pays for random batches (property)', async () => {
      const item = fc.record({
        results: fc.uint8Array({ maxLength: 120 }).map((data) => ethers.hexlify(data)),
        resultsCallback: fc.uint8Array({ maxLength: 120 }).map((data) => ethers.hexlify(data)),
        by: fc.constantFrom(...authors),
        active: fc.boolean(),
        batch: fc.integer({ min: 0, max: 2 }),
        rank: fc.nat(),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 8 }), async (items) => {
          const deal = await dealOf(ofVolume(BigInt(items.length)))
          const { hub, dealId } = deal
          const addresses = items.map(({ by }) => (by === 'nobody' ? ethers.ZeroAddress : deal[by].address))
          const expected = await moneyAfter(deal, addresses)
          for (const [i, { active }] of items.entries()) if (active) await hub.initialize(dealId, BigInt(i))
          const settlements = await settlementsOf(
            deal,
            items.map((wish, i) => ({ ...wish, worker: { address: addresses[i] ?? '' } })),
          )
          const ranked = items.map((each, i) => ({ ...each, i })).sort((a, b) => a.rank - b.rank)
          for (const batch of [0, 1, 2]) {
            const chosen = ranked.filter((each) => each.batch === batch).map(({ i }) => settlements[i] as Settled)
            if (chosen.length === 0) continue
            await hub.settleBatch(dealId, chosen)
          }
          for (const { taskId, idx, worker, results, resultsCallback, resultDigest } of settlements) {
            const task = await hub.viewTask(taskId)
            expect([task.status, task.idx, task.results, task.resultsCallback, task.resultDigest]).to.deep.equal([
              3n,
              idx,
              results,
              resultsCallback,
              resultDigest,
            ])
            expect([...task.contributors]).to.deep.equal([worker])
          }
          expect([...(await moneyOf(deal))]).to.deep.equal([...expected])
          await checkSolvency(deal)
        }),
        { numRuns: 25 },
      )
    }).timeout(120_000)
  })

  describe('given a deal whose terms are wider than their places', () => {
    for (const index of [0n, 2n ** 32n - 2n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 256n - 2n]) {
      it(`settles task ${index}, alone and in a batch`, async () => {
        for (const batch of [false, true]) {
          const deal = await endlessDeal()
          const { hub, dealId, worker } = deal
          const settled = await settlementOf(deal, { ...deal, index })
          await (batch ? hub.settleBatch(dealId, [settled]) : hub.settle(...settleArguments(settled)))
          const task = await hub.viewTask(settled.taskId)
          expect([task.status, task.dealid, task.idx]).to.deep.equal([3n, dealId, index])
          expect([task.results, [...task.contributors]]).to.deep.equal([settled.results, [worker.address]])
        }
      })
    }

    it('reverts with IndexOutOfDeal for the one index that it does not have', async () => {
      const deal = await endlessDeal()
      const { hub, dealId } = deal
      const index = ethers.MaxUint256
      const settled = await settlementOf(deal, { ...deal, index })
      for (const sending of [hub.settle(...settleArguments(settled)), hub.settleBatch(dealId, [settled])]) {
        await expect(sending)
          .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
          .withArgs(dealId, index, 0n, ethers.MaxUint256)
      }
    })

    for (const first of [2n ** 32n - 1n, 2n ** 32n, 2n ** 255n]) {
      it(`settles the tasks of a deal that begins at ${first}, and none before`, async () => {
        const wishes = ofVolume(ethers.MaxUint256, forFree({ request: { volume: first + 3n } }))
        const deal = await dealOf({ ...wishes, workerpool: { volume: first, workerpoolprice: 0n } })
        const { hub, orders } = deal
        const [, , rest] = await signOrders(deal, { workerpool: { volume: 9n, workerpoolprice: 0n } })
        const { dealId } = await matchDeal(deal, [orders[0], orders[1], rest, orders[3]])
        const settlements = await Promise.all(
          [first, first + 1n, first + 2n].map((index) => settlementOf(deal, { ...deal, dealId, index })),
        )
        const [before, after] = await Promise.all(
          [first - 1n, first + 3n].map((index) => settlementOf(deal, { ...deal, dealId, index })),
        )
        for (const outside of [before, after]) {
          if (outside === undefined) throw new Error('There are two settlements outside.')
          await expect(hub.settle(...settleArguments(outside)))
            .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
            .withArgs(dealId, outside.idx, first, 3n)
        }
        await hub.settleBatch(dealId, settlements)
        for (const { taskId, idx } of settlements) {
          const task = await hub.viewTask(taskId)
          expect([task.status, task.idx]).to.deep.equal([3n, idx])
        }
      })
    }

    it('pays by a stake ratio and in a category that are wide', async () => {
      const deal = await dealOf(async ({ hub, owner, workerpool, scheduler }) => {
        await hub.connect(owner).createCategory('long', '', 2n ** 33n)
        await workerpool.connect(scheduler).changePolicy(2n ** 17n, 100n)
        return { workerpool: { category: 5n }, request: { category: 5n } }
      })
      const { hub, dealId, worker, scheduler } = deal
      const before = [await hub.balanceOf(worker), await hub.balanceOf(scheduler)] as const
      await hub.settle(...settleArguments(await settlementOf(deal, deal)))
      const task = await hub.viewTask(taskIdOf(dealId, 0n))
      expect([task.status, task.timeref]).to.deep.equal([3n, 2n ** 33n])
      const { workerpool, workerStake } = await hub.viewDeal(dealId)
      expect(workerStake).to.equal((workerpool.price * 2n ** 17n) / 100n)
      expect(await hub.balanceOf(worker)).to.equal(before[0])
      expect(await hub.balanceOf(scheduler)).to.equal(before[1] + (workerpool.price * 130n) / 100n)
      await checkSolvency(deal)
    })
  })
})
