import { anyValue } from '@nomicfoundation/hardhat-ethers-chai-matchers/withArgs'
import { expect } from 'chai'
import type { Addressable } from 'ethers'
import { checkSolvency, dealOf, ofVolume, settlementsOf } from '../../deals.ts'
import { DEPOSIT, ethers, makeDeal, price, type Settled, taskIdOf, workerpoolPrice } from '../../fixtures.ts'

const workerReward = (workerpoolPrice * 99n) / 100n

/** More than any reentering or observing call needs. */
const PLENTY = 3_000_000n

function word(value: number): string {
  return ethers.toBeHex(value, 32)
}

/** A deal of five tasks whose results go to what `deploy` makes, and one word of callback data for each. */
async function batchCallingBack<Callback>(deploy: () => Promise<Callback & Addressable>) {
  let callback: (Callback & Addressable) | undefined
  const deal = await dealOf(async () => {
    callback = await deploy()
    return ofVolume(5n, { request: { callback: await callback.getAddress() } })
  })
  if (callback === undefined) throw new Error('Wishes are asked for.')
  const wishes = [0, 1, 2, 3, 4].map((index) => ({ resultsCallback: word(index) }))
  return { ...deal, callback, settlements: await settlementsOf(deal, wishes) }
}

const consuming = () => ethers.deployContract('ResultConsumer')
const observing = () => ethers.deployContract('BatchObserver')
const reentering = () => ethers.deployContract('Reentrant')

describe('the callbacks of a batch', () => {
  it('are called in the order of the batch, each with its own data', async () => {
    const { callback: consumer, hub, dealId, settlements } = await batchCallingBack(consuming)
    const [a, b, c, d, e] = settlements as [Settled, Settled, Settled, Settled, Settled]
    const order = [c, a, e, b, d]
    const sent = await hub.settleBatch(dealId, order)
    const logs = await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0)
    expect(logs.map(({ args }) => [args.taskId, args.result])).to.deep.equal(
      order.map(({ taskId, resultsCallback }) => [taskId, resultsCallback]),
    )
    for (const { args } of logs) expect(Number(args.gas)).to.be.within(199_000, 200_000)
    expect(await consumer.sender()).to.equal(hub.target)
  })

  it('come when every task of the batch is completed, kept and paid', async () => {
    for (const [name, free] of [
      ['worker', DEPOSIT + 5n * workerReward],
      ['requester', DEPOSIT - 5n * price],
      ['scheduler', DEPOSIT + 5n * (workerpoolPrice - workerReward)],
    ] as const) {
      const { callback: observer, settlements, ...deal } = await batchCallingBack(observing)
      const { hub, owner, dealId } = deal
      await hub.connect(owner).setCallbackGas(PLENTY)
      const taskIds = settlements.map(({ taskId }) => taskId)
      await observer.watch(hub, deal[name], taskIds)
      const sent = await hub.settleBatch(dealId, settlements)
      const logs = await observer.queryFilter(observer.filters.Observed(), sent.blockNumber ?? 0)
      expect(logs.map(({ args }) => [...args])).to.deep.equal(taskIds.map((taskId) => [taskId, 5n, word(4), free, 0n]))
    }
  })

  it('cannot keep the others from being called or anybody from being paid', async () => {
    for (const kind of [0, 1, 2, 3]) {
      const deal = await batchCallingBack(() => ethers.deployContract('Troublemaker', [kind]))
      const { hub, dealId, worker, settlements } = deal
      await hub.settleBatch(dealId, settlements)
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + 5n * workerReward)
      await checkSolvency(deal)
    }
  })

  it('find the tasks over, and may settle those of another deal', async () => {
    const { callback: reentrant, settlements, ...deal } = await batchCallingBack(reentering)
    const { hub, owner, dealId, worker } = deal
    const [first, second, ...others] = settlements as [Settled, Settled, ...Settled[]]
    await hub.connect(owner).setCallbackGas(PLENTY)
    await reentrant.prepare(hub, hub.interface.encodeFunctionData('settleBatch', [dealId, [second]]))
    await hub.settleBatch(dealId, [first, second])
    expect(await reentrant.answer()).to.equal(hub.interface.encodeErrorResult('WrongStatus', [second.taskId, 3n]))

    const { dealId: otherDeal } = await makeDeal(deal, ofVolume(2n))
    const batch = await settlementsOf({ ...deal, dealId: otherDeal }, [{}, {}])
    await reentrant.prepare(hub, hub.interface.encodeFunctionData('settleBatch', [otherDeal, batch]))
    // Of three callbacks the first settles the other deal; the last finds that done.
    await hub.settleBatch(dealId, others)
    expect(await reentrant.answer()).to.equal(
      hub.interface.encodeErrorResult('WrongStatus', [taskIdOf(otherDeal, 0n), 3n]),
    )
    expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + 7n * workerReward)
    const kept = await Promise.all([...settlements, ...batch].map(({ taskId }) => hub.viewTask(taskId)))
    expect(kept.map(({ results, resultsCallback }) => [results, resultsCallback])).to.deep.equal(
      [...settlements, ...batch].map(({ results, resultsCallback }) => [results, resultsCallback]),
    )
    await checkSolvency(deal)
  })

  it('act as themselves when they call multicall', async () => {
    const { callback: reentrant, settlements, hub, dealId, owner, worker, anyone } = await batchCallingBack(reentering)
    await hub.connect(owner).setCallbackGas(PLENTY)
    const steal = hub.interface.encodeFunctionData('transfer', [anyone.address, 1n])
    await reentrant.prepare(hub, hub.interface.encodeFunctionData('multicall', [[steal]]))
    const batch = hub.interface.encodeFunctionData('settleBatch', [dealId, settlements])
    await hub.connect(worker).multicall([batch])
    const poor = hub.interface.encodeErrorResult('ERC20InsufficientBalance', [reentrant.target, 0n, 1n])
    expect(await reentrant.answer()).to.equal(hub.interface.encodeErrorResult('CallFailed', [0n, poor]))
    expect(await hub.balanceOf(anyone)).to.equal(0n)
  })

  it('get all their gas, each of them, or nothing is settled: CallbackStarved', async () => {
    const ends = new Set<string>()
    for (let step = 0n; step < 14n; ++step) {
      const { callback: consumer, hub, dealId, settlements } = await batchCallingBack(consuming)
      const enough = await hub.settleBatch.estimateGas(dealId, settlements)
      const sending = hub.settleBatch(dealId, settlements, { gasLimit: enough + 20_000n - 6_000n * step })
      const sent = await sending.catch(() => undefined)
      const logs = sent ? await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0) : []
      for (const { args } of logs) expect(Number(args.gas)).to.be.within(199_000, 200_000)
      if (sent) expect(logs.length).to.equal(5)
      else await expect(sending).to.be.revertedWithCustomError(hub, 'CallbackStarved').withArgs(anyValue, 200_000n)
      ends.add(sent ? 'settled' : 'starved')
    }
    expect([...ends]).to.deep.equal(['settled', 'starved'])
  })
})
