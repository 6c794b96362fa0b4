import { expect } from 'chai'
import {
  type Assets,
  contributionTo,
  createdAssets,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  TDX,
  TEE,
  tag,
  taskIdOf,
  time,
  type Wishes,
} from '../fixtures.ts'

const encoded = (value: bigint) => ethers.AbiCoder.defaultAbiCoder().encode(['int256'], [value])
const maxAge = 600n
/** Callbacks are limited by another test: these are of what the feed takes, on whatever instruments it. */
const plenty = 3_000_000n
const somebody = '0x00000000000000000000000000000000000000AA'

type Terms = Record<'requester' | 'app' | 'dataset' | 'workerpool' | 'tag', string> & { maxAge: bigint }

async function feedOf(wishes: Partial<Terms> = {}) {
  const assets = await loadFixture(createdAssets)
  const { hub, owner, callbackRelay, requester, app, dataset, workerpool } = assets
  await hub.connect(owner).setCallbackGas(plenty)
  const terms = {
    requester: requester.address,
    app: app.target.toString(),
    dataset: dataset.target.toString(),
    workerpool: workerpool.target.toString(),
    tag: tag(TEE | TDX),
    maxAge,
    ...wishes,
  }
  const feed = await ethers.deployContract('OracleFeed', [hub, callbackRelay, terms])
  return { ...assets, terms, feed }
}

/** An active task whose result goes to the feed, with what completes it. */
async function taskFor(assets: Assets, feed: { target: unknown }, value = -42n, wishes: Wishes = {}) {
  const request = { callback: String(feed.target), ...wishes.request }
  const { dealId } = await makeDeal(assets, { ...wishes, request })
  const { hub, worker } = assets
  await hub.initialize(dealId, 0n)
  const taskId = taskIdOf(dealId, 0n)
  const { startTime } = await hub.viewDeal(dealId)
  const result = await contributionTo(assets, { taskId, worker, resultsCallback: encoded(value) })
  return {
    taskId,
    startTime,
    complete: () => hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result)),
  }
}

describe('OracleFeed', () => {
  it('takes the result of a deal as wanted, in the callback of the Hub', async () => {
    const { feed, terms, hub, callbackRelay, ...assets } = await feedOf()
    expect([await feed.hub(), await feed.relay()]).to.deep.equal([hub.target, callbackRelay.target])
    expect(await feed.terms()).to.deep.equal(Object.values(terms))
    const { taskId, startTime, complete } = await taskFor({ ...assets, hub, callbackRelay }, feed)
    await expect(complete()).to.emit(feed, 'Updated').withArgs(taskId, -42n, startTime)
    expect(await feed.read(maxAge)).to.equal(-42n)
    expect([await feed.askedAt(), await feed.source()]).to.deep.equal([startTime, taskId])
  })

  it('is content with the gas that a new Hub gives to callbacks', async () => {
    const { feed, hub, owner, ...assets } = await feedOf()
    await hub.connect(owner).setCallbackGas(200_000n)
    const { complete } = await taskFor({ ...assets, hub, owner }, feed)
    await expect(complete()).to.emit(feed, 'Updated')
  })

  it('tells readers when the value is too old for them, or was never set', async () => {
    const { feed, ...assets } = await feedOf()
    await expect(feed.read(2n ** 255n))
      .to.be.revertedWithCustomError(feed, 'Stale')
      .withArgs(0n, 2n ** 255n)
    const { startTime, complete } = await taskFor(assets, feed)
    await complete()
    await time.increaseTo(startTime + 1_000n)
    expect(await feed.read(1_000n)).to.equal(-42n)
    await expect(feed.read(999n)).to.be.revertedWithCustomError(feed, 'Stale').withArgs(startTime, 999n)
  })

  it('takes nothing but from the Hub and the relay', async () => {
    const { feed, anyone, ...assets } = await feedOf()
    const { taskId, complete } = await taskFor({ ...assets, anyone }, feed)
    await complete()
    await expect(feed.connect(anyone).receiveResult(taskId, encoded(7n)))
      .to.be.revertedWithCustomError(feed, 'NotDelivered')
      .withArgs(anyone.address)
    expect(await feed.read(maxAge)).to.equal(-42n)
  })

  const others: Partial<Terms>[] = [
    { requester: somebody },
    { app: somebody },
    { dataset: somebody },
    { dataset: ethers.ZeroAddress },
    { workerpool: somebody },
    { tag: tag(TEE | TDX | 256n) },
  ]
  for (const wanted of others) {
    const [[field = '', value] = []] = Object.entries(wanted)
    it(`refuses a deal whose ${field} is not ${value}, and does not wait for its result`, async () => {
      const { feed, callbackRelay, ...assets } = await feedOf(wanted)
      const { taskId, complete } = await taskFor({ ...assets, callbackRelay }, feed)
      await complete()
      expect(await feed.askedAt()).to.equal(0n)
      await expect(feed.relayFor(taskId)).to.be.revertedWithCustomError(feed, 'NotAsWanted').withArgs(taskId, field)
      await expect(callbackRelay.relay(taskId)).to.be.revertedWithCustomError(callbackRelay, 'NotAwaited')
    })
  }

  it('refuses a result that took too long, to the second', async () => {
    for (const [late, isTaken] of [
      [0n, true],
      [1n, false],
    ] as const) {
      const { feed, ...assets } = await feedOf()
      const { taskId, startTime, complete } = await taskFor(assets, feed)
      await time.setNextBlockTimestamp(startTime + maxAge + late)
      await complete()
      expect(await feed.askedAt()).to.equal(isTaken ? startTime : 0n)
      if (isTaken) continue
      await expect(feed.relayFor(taskId))
        .to.be.revertedWithCustomError(feed, 'TooOld')
        .withArgs(taskId, (age: bigint) => age >= maxAge + 1n, maxAge)
    }
  })

  it('never goes back to what was asked for earlier', async () => {
    const { feed, ...assets } = await feedOf()
    const salted = (word: string) => ({ request: { salt: ethers.id(word) } })
    const wide = { app: { volume: 2n }, dataset: { volume: 2n }, workerpool: { volume: 2n } }
    const early = await taskFor(assets, feed, 1n, { ...wide, ...salted('early') })
    await time.increase(10)
    const late = await taskFor(assets, feed, 2n, { ...wide, ...salted('late') })
    await late.complete()
    await early.complete()
    expect(await feed.read(maxAge)).to.equal(2n)
    await expect(feed.relayFor(early.taskId))
      .to.be.revertedWithCustomError(feed, 'NotNewer')
      .withArgs(early.taskId, early.startTime, late.startTime)
    await expect(feed.relayFor(late.taskId)).to.be.revertedWithCustomError(feed, 'NotNewer')
  })

  it('waits for no task without result, and for none whose result is for others', async () => {
    const { feed, ...assets } = await feedOf()
    const own = await taskFor(assets, feed)
    await expect(feed.relayFor(own.taskId)).to.be.revertedWithCustomError(feed, 'NotCompleted').withArgs(own.taskId, 1n)
    const other = await ethers.deployContract('ResultConsumer')
    const foreign = await taskFor(assets, other, 5n, { request: { salt: ethers.id('foreign') } })
    await foreign.complete()
    expect(await feed.relayFor(foreign.taskId)).to.equal(ethers.ZeroAddress)
  })

  it('takes by the relay what the Hub could not bring, once', async () => {
    const { feed, callbackRelay, hub, owner, ...assets } = await feedOf()
    const all = { ...assets, callbackRelay, hub, owner }
    const { taskId, complete } = await taskFor(all, feed)
    await hub.connect(owner).setCallbackGas(30_000n)
    await complete()
    expect(await feed.askedAt()).to.equal(0n)
    expect(await feed.relayFor(taskId)).to.equal(callbackRelay.target)
    await callbackRelay.relay(taskId)
    expect(await feed.read(maxAge)).to.equal(-42n)
    await expect(callbackRelay.relay(taskId)).to.be.revertedWithCustomError(callbackRelay, 'NotAwaited')
  })
})
