import { expect } from 'chai'
import {
  contributeArguments,
  contributionTo,
  createdAssets,
  ethers,
  finalArguments,
  loadFixture,
  matchDeal,
  price,
  settleArguments,
  settlementOf,
  signOrders,
  taskIdOf,
  workerpoolPrice,
} from '../fixtures.ts'
import { everybody, expectSound } from './ledger.ts'
import { type Attempt, attemptsOn, expectOutcomes, newMeddler } from './meddling.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])
const workerReward = (workerpoolPrice * 99n) / 100n

/** A deal whose callback tries everything, with all the gas it takes; each settling way ends with the same payments. */
async function meddlingDeal(trust = 1n) {
  const assets = await loadFixture(createdAssets)
  const { hub, owner, worker } = assets
  await hub.connect(owner).setCallbackGas(9_000_000n)
  const meddler = await newMeddler(assets)
  const callback = await meddler.getAddress()
  const orders = await signOrders(assets, { workerpool: { trust }, request: { callback, trust } })
  const { dealId } = await matchDeal(assets, orders)
  const settled = await settlementOf(assets, { dealId, worker, resultsCallback: answer })
  const attempts = await attemptsOn(assets, { settled, meddler, orders })
  await meddler.prepare(attempts.map(({ data }) => ({ target: hub, data })))
  return { ...assets, meddler, dealId, settled, attempts, taskId: settled.taskId }
}

type Meddling = Awaited<ReturnType<typeof meddlingDeal>>

/** The attempts failed but for the meddler's rights; everybody was paid once, for the task and for nothing else. */
async function expectUnmoved(deal: Meddling, attempts: Attempt[] = deal.attempts) {
  const { hub, meddler, worker, requester, taskId } = deal
  await expectOutcomes(hub, meddler, attempts)
  await expectSound(hub, [...everybody(deal), meddler])
  expect((await hub.viewTask(taskId)).status).to.equal(3n)
  expect((await hub.viewAccount(worker)).stake - (await hub.viewAccount(deal.worker2)).stake).to.equal(workerReward)
  // The one deal that the meddler could make, as anybody can, is locked and nothing else.
  expect(await hub.frozenOf(requester)).to.equal(price)
}

const gasLimit = 16_000_000n

describe('a callback that calls the Hub back', () => {
  it('gets nothing but its own out of settle', async () => {
    const deal = await meddlingDeal()
    await deal.hub.settle(...settleArguments(deal.settled), { gasLimit })
    await expectUnmoved(deal)
  })

  it('gets nothing but its own out of settleBatch', async () => {
    const deal = await meddlingDeal()
    await deal.hub.settleBatch(deal.dealId, [deal.settled], { gasLimit })
    await expectUnmoved(deal)
  })

  it('gets nothing but its own out of settle in a multicall', async () => {
    const deal = await meddlingDeal()
    const { hub, settled, worker } = deal
    const data = hub.interface.encodeFunctionData('settle', [...settleArguments(settled)])
    await hub.connect(worker).multicall([data], { gasLimit })
    await expectUnmoved(deal)
  })

  it('gets nothing but its own out of contributeAndFinalize', async () => {
    const deal = await meddlingDeal()
    const { hub, worker, taskId, dealId } = deal
    await hub.initialize(dealId, 0n)
    const result = await contributionTo(deal, { taskId, worker, resultsCallback: answer })
    await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result), { gasLimit })
    await expectUnmoved(deal)
  })

  it('gets nothing but its own out of finalize', async () => {
    const deal = await meddlingDeal(2n)
    const { hub, worker, scheduler, taskId, dealId } = deal
    await hub.initialize(dealId, 0n)
    const result = await contributionTo(deal, { taskId, worker, resultsCallback: answer })
    await hub.connect(worker).contribute(...contributeArguments(taskId, result))
    await hub.connect(worker).reveal(taskId, result.resultDigest)
    await hub.connect(scheduler).finalize(taskId, '0x', answer, { gasLimit })
    await expectUnmoved(deal)
  })

  it('finds every task of a batch over, also those whose callback is yet to come', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, owner, worker } = assets
    await hub.connect(owner).setCallbackGas(5_000_000n)
    const meddler = await newMeddler(assets)
    const volume = 2n
    const orders = await signOrders(assets, {
      app: { volume },
      dataset: { volume },
      workerpool: { volume },
      request: { volume, callback: await meddler.getAddress() },
    })
    const { dealId } = await matchDeal(assets, orders)
    const first = await settlementOf(assets, { dealId, index: 0n, worker })
    const second = await settlementOf(assets, { dealId, index: 1n, worker })
    const settling = hub.interface.encodeFunctionData('settle', [...settleArguments(second)])
    const claim = hub.interface.encodeFunctionData('claim', [taskIdOf(dealId, 1n)])
    await meddler.prepare([settling, claim].map((data) => ({ target: hub, data })))
    await hub.settleBatch(dealId, [first, second], { gasLimit })
    const refusal = hub.interface.encodeErrorResult('WrongStatus', [taskIdOf(dealId, 1n), 3n])
    expect((await meddler.outcomes()).map((outcome) => outcome.answer)).to.deep.equal([refusal, refusal])
    expect(await meddler.calls()).to.equal(2n)
    await expectSound(hub, [...everybody(assets), meddler])
    expect(await hub.frozenOf(assets.requester)).to.equal(0n)
  })
})
