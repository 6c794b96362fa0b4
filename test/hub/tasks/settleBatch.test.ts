import { expect } from 'chai'
import {
  checkSolvency,
  dealOf,
  dealOfThree,
  filledKitty,
  moneyOf,
  ofVolume,
  settlementsOf,
  withoutEnclave,
} from '../../deals.ts'
import {
  type Assets,
  appPrice,
  connection,
  DEPOSIT,
  datasetPrice,
  ethers,
  loadFixture,
  makeDeal,
  price,
  type Settled,
  settleArguments,
  settlementOf,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'

/** What a chain lets one transaction use (EIP-7825); the chain of these tests does, too. */
const TRANSACTION_GAS = 16_777_216

const workerReward = (workerpoolPrice * 99n) / 100n

/** As long as results are on real networks. */
const usualResults = ethers.hexlify(new Uint8Array(85).fill(7))

/** A deal of three tasks, and results for all of them. */
async function batchOfThree() {
  const deal = await loadFixture(dealOfThree)
  return { ...deal, settlements: await settlementsOf(deal, [{}, {}, {}]) }
}

/** Sends twice from one state; returns what was logged, told and paid each time. */
async function outcomeOf(
  { hub, ...deal }: Assets & { dealId: string; settlements: Settled[] },
  send: () => Promise<Sent>,
) {
  const id = await connection.provider.request({ method: 'evm_snapshot' })
  const { startTime } = await hub.viewDeal(deal.dealId)
  await time.setNextBlockTimestamp(startTime + 1000n)
  const receipt = await (await send()).wait()
  const taskIds = deal.settlements.map(({ taskId }) => taskId)
  const told = {
    logs: receipt?.logs.map(({ topics, data }) => [[...topics], data]),
    tasks: await Promise.all(taskIds.map(async (taskId) => [...(await hub.viewTask(taskId))])),
    money: [...(await moneyOf({ hub, ...deal }))],
  }
  await connection.provider.request({ method: 'evm_revert', params: [id] })
  return told
}

type Sent = { wait(): Promise<{ logs: readonly { topics: readonly string[]; data: string }[] } | null> }

describe('settleBatch', () => {
  describe('given new and active tasks', () => {
    it('completes them all, and opens those that are new', async () => {
      const { hub, dealId, workerpool, worker, anyone, settlements } = await loadFixture(batchOfThree)
      await hub.initialize(dealId, 1n)
      const sending = hub.connect(anyone).settleBatch(dealId, settlements)
      for (const { taskId, resultHash, resultDigest, results } of settlements) {
        await expect(sending).to.emit(hub, 'TaskContribute').withArgs(taskId, worker.address, resultHash)
        await expect(sending).to.emit(hub, 'TaskConsensus').withArgs(taskId, resultHash)
        await expect(sending).to.emit(hub, 'TaskReveal').withArgs(taskId, worker.address, resultDigest)
        await expect(sending).to.emit(hub, 'TaskFinalize').withArgs(taskId, results)
        expect((await hub.viewTask(taskId)).status).to.equal(3n)
      }
      await expect(sending)
        .to.emit(hub, 'TaskInitialize')
        .withArgs(taskIdOf(dealId, 0n), workerpool.target)
        .and.to.emit(hub, 'TaskInitialize')
        .withArgs(taskIdOf(dealId, 2n), workerpool.target)
      const opened = await hub.queryFilter(hub.filters.TaskInitialize(taskIdOf(dealId, 1n)))
      expect(opened.length).to.equal(1)
    })

    it('says and leaves what settle does for one after the other, also while the kitty lasts', async () => {
      const assets = await loadFixture(filledKitty)
      const { dealId } = await makeDeal(assets, ofVolume(3n))
      const settlements = await settlementsOf({ ...assets, dealId }, [{}, {}, {}])
      const deal = { ...assets, dealId, settlements }
      const calls = settlements.map((each) =>
        assets.hub.interface.encodeFunctionData('settle', [...settleArguments(each)]),
      )
      const atOnce = await outcomeOf(deal, () => assets.hub.settleBatch(dealId, settlements))
      expect(await outcomeOf(deal, () => assets.hub.multicall(calls))).to.deep.equal(atOnce)
      expect(atOnce.tasks.map(([status]) => status)).to.deep.equal([3n, 3n, 3n])
    })

    it('pays each worker, app, dataset and pool for each task', async () => {
      const deal = await loadFixture(batchOfThree)
      const { hub, dealId, worker, worker2, anyone, appOwner, datasetOwner, scheduler, requester } = deal
      const settlements = await settlementsOf(deal, [{ worker: worker2 }, { worker: anyone }, { worker: worker2 }])
      await hub.settleBatch(dealId, settlements)
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT)
      expect(await hub.balanceOf(worker2)).to.equal(DEPOSIT + 2n * workerReward)
      expect(await hub.balanceOf(anyone)).to.equal(workerReward)
      expect(await hub.balanceOf(appOwner)).to.equal(3n * appPrice)
      expect(await hub.balanceOf(datasetOwner)).to.equal(3n * datasetPrice)
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT + (3n * workerpoolPrice) / 100n, 0n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 3n * price, 0n])
      for (const { taskId, worker: author } of settlements) {
        expect([...(await hub.viewTask(taskId)).contributors]).to.deep.equal([author])
        expect((await hub.viewContribution(taskId, author)).status).to.equal(2n)
      }
      await checkSolvency(deal)
    })

    it('settles some now and others later, in any order', async () => {
      const { hub, dealId, requester, settlements } = await loadFixture(batchOfThree)
      const [first, second, third] = settlements as [Settled, Settled, Settled]
      await hub.settleBatch(dealId, [third, first])
      expect(await hub.frozenOf(requester)).to.equal(price)
      await hub.settleBatch(dealId, [second])
      for (const { taskId, results, idx } of settlements) {
        const task = await hub.viewTask(taskId)
        expect([task.status, task.results, task.idx]).to.deep.equal([3n, results, idx])
      }
    })
  })

  describe('when it is given nothing', () => {
    it('reverts with NothingToSettle', async () => {
      const { hub, dealId } = await loadFixture(batchOfThree)
      await expect(hub.settleBatch(dealId, [])).to.be.revertedWithCustomError(hub, 'NothingToSettle').withArgs(dealId)
      const nothing = ethers.id('nothing')
      await expect(hub.settleBatch(nothing, [])).to.be.revertedWithCustomError(hub, 'UnknownDeal').withArgs(nothing)
    })
  })

  describe('when one item cannot be settled', () => {
    type Case = [string, (deal: Awaited<ReturnType<typeof batchOfThree>>, good: Settled) => Promise<Settled>, string]
    const cases: Case[] = [
      ['has a forged result', async (_, good) => ({ ...good, results: '0x' }), 'NotSignedByEnclave'],
      ['is not authorized', async ({ worker2 }, good) => ({ ...good, worker: worker2.address }), 'NotAuthorized'],
      ['is out of the deal', (deal) => settlementOf(deal, { ...deal, index: 3n }), 'IndexOutOfDeal'],
      ['is there twice', async ({ settlements: [first] }, good) => first ?? good, 'WrongStatus'],
      ['has no enclave', (deal) => settlementOf(deal, { ...deal, index: 2n, enclave: null }), 'EnclaveRequired'],
    ]
    for (const [name, spoil, error] of cases) {
      it(`reverts with ${error} for one that ${name}, and settles none`, async () => {
        const deal = await loadFixture(batchOfThree)
        const { hub, dealId, worker, settlements } = deal
        const [first, second, third] = settlements as [Settled, Settled, Settled]
        const before = [...(await moneyOf(deal))]
        const bad = await spoil(deal, third)
        for (const batch of [
          [first, second, bad],
          [first, bad, second],
        ]) {
          await expect(hub.connect(worker).settleBatch(dealId, batch)).to.be.revertedWithCustomError(hub, error)
        }
        expect((await hub.viewTask(first.taskId)).status).to.equal(0n)
        expect([...(await moneyOf(deal))]).to.deep.equal(before)
      })
    }

    it('names the task that was there twice, or was over before', async () => {
      const { hub, dealId, settlements } = await loadFixture(batchOfThree)
      const [first, second] = settlements as [Settled, Settled]
      await expect(hub.settleBatch(dealId, [first, first]))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(first.taskId, 3n)
      await hub.settle(...settleArguments(second))
      await expect(hub.settleBatch(dealId, [first, second]))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(second.taskId, 3n)
    })

    it('reverts with DeadlinePassed from the deadline on, with TrustNotOne for replicated tasks', async () => {
      const late = await loadFixture(batchOfThree)
      const deadline = (await late.hub.viewDeal(late.dealId)).startTime + 2100n
      await time.setNextBlockTimestamp(deadline)
      await expect(late.hub.settleBatch(late.dealId, late.settlements))
        .to.be.revertedWithCustomError(late.hub, 'DeadlinePassed')
        .withArgs(taskIdOf(late.dealId, 0n), deadline)
      const deal = await dealOf(ofVolume(2n, { workerpool: { trust: 2n }, request: { trust: 2n } }))
      await expect(deal.hub.settleBatch(deal.dealId, await settlementsOf(deal, [{}, {}])))
        .to.be.revertedWithCustomError(deal.hub, 'TrustNotOne')
        .withArgs(taskIdOf(deal.dealId, 0n), 2n)
    })

    it("reverts with NotWorker for another worker's result without enclave", async () => {
      const deal = await dealOf(ofVolume(2n, withoutEnclave))
      const { hub, dealId, worker, worker2 } = deal
      const own = { enclave: null, worker }
      const settlements = await settlementsOf(deal, [own, { enclave: null, worker: worker2 }])
      await expect(hub.connect(worker).settleBatch(dealId, settlements))
        .to.be.revertedWithCustomError(hub, 'NotWorker')
        .withArgs(taskIdOf(dealId, 1n), worker.address, worker2.address)
      await hub.connect(worker).settleBatch(dealId, await settlementsOf(deal, [own, own]))
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + 2n * workerReward)
    })
  })

  describe('given many tasks', () => {
    for (const count of [1, 2, 50, 150]) {
      it(`settles ${count} within one transaction`, async () => {
        const deal = await dealOf(ofVolume(BigInt(count)))
        const { hub, dealId, requester, scheduler, anyone } = deal
        const settlements = await settlementsOf(
          deal,
          Array.from({ length: count }, () => ({ results: usualResults })),
        )
        const receipt = await (await hub.connect(anyone).settleBatch(dealId, settlements)).wait()
        console.log(`      ${count} tasks: ${receipt?.gasUsed} gas, ${Number(receipt?.gasUsed) / count} each`)
        expect(Number(receipt?.gasUsed)).to.be.below(TRANSACTION_GAS)
        expect([await hub.frozenOf(requester), await hub.frozenOf(scheduler)]).to.deep.equal([0n, 0n])
        expect((await hub.viewTask(taskIdOf(dealId, BigInt(count - 1)))).results).to.equal(usualResults)
      }).timeout(60_000)
    }

    it('settles 125 within one transaction although each has another worker, new to the Hub', async () => {
      const count = 125
      const deal = await dealOf(ofVolume(BigInt(count)))
      const { hub, dealId, anyone } = deal
      const wishes = Array.from({ length: count }, () => ({
        results: usualResults,
        worker: ethers.Wallet.createRandom(),
      }))
      const settlements = await settlementsOf(deal, wishes)
      const receipt = await (await hub.connect(anyone).settleBatch(dealId, settlements)).wait()
      console.log(`      ${count} tasks of ${count} workers: ${receipt?.gasUsed} gas`)
      expect(Number(receipt?.gasUsed)).to.be.below(TRANSACTION_GAS)
      for (const { worker } of wishes) expect(await hub.balanceOf(worker.address)).to.equal(workerReward)
    }).timeout(60_000)
  })
})
