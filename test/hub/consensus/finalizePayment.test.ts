import { expect } from 'chai'
import {
  appPrice,
  datasetPrice,
  loadFixture,
  makeDeal,
  RLC,
  schedulerStake,
  signOrders,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'
import {
  type Crewed,
  checkMoney,
  contribute,
  eventsOf,
  finalize,
  hiredCrew,
  ofTrust,
  openTask,
  type Policy,
  reveal,
  setScore,
  taskOf,
} from '../../replicas.ts'

const sum = (amounts: bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)

/** What the word of a score weighs. */
const wordOf = (score: bigint) => (score / 3n > 3n ? score / 3n : 3n) - 1n

/** What so many accounts of the crew, and then the scheduler, have in all. */
async function wealthOf({ hub, crew, scheduler }: Crewed, workers: number): Promise<bigint[]> {
  const accounts = await Promise.all([...crew.slice(0, workers), scheduler].map((each) => hub.viewAccount(each)))
  return accounts.map(([free, locked]) => free + locked)
}

/**
 * A task whose workers have these scores and agree, all of them and not one fewer; those named in `late` never reveal.
 * Tells what workers and scheduler gained by it being finalized.
 */
async function gainsOf({
  scores,
  price = workerpoolPrice,
  late = [],
  ...policy
}: Policy & { scores: bigint[]; price?: bigint; late?: number[] }) {
  const trust = scores.map(wordOf).reduce((product, weight) => product * weight, 1n)
  const wishes = { workerpool: { workerpoolprice: price }, request: { workerpoolmaxprice: price } }
  const task = await taskOf(trust, wishes, policy)
  const workers = task.crew.slice(0, scores.length)
  for (const [index, worker] of workers.entries()) await setScore(task, worker, scores[index] ?? 0n)
  const before = await wealthOf(task, workers.length)
  for (const worker of workers) await contribute(task, worker)
  for (const [index, worker] of workers.entries()) if (!late.includes(index)) await reveal(task, worker)
  const { revealDeadline, winnerCounter } = await task.hub.viewTask(task.taskId)
  expect(winnerCounter).to.equal(workers.length)
  if (late.length > 0) await time.setNextBlockTimestamp(revealDeadline)
  await finalize(task)
  await checkMoney(task)
  const after = await wealthOf(task, workers.length)
  return after.map((amount, index) => amount - (before[index] ?? 0n))
}

/** The kitty has `amount`: the pool lost it on a task that nobody worked on. */
async function crewWithKitty(amount: bigint) {
  const assets = await loadFixture(hiredCrew)
  const { hub } = assets
  const price = (amount * 10n) / 3n
  if (amount > 0n) {
    const wishes = { workerpool: { workerpoolprice: price }, request: { workerpoolmaxprice: price } }
    const { dealId } = await makeDeal(assets, wishes)
    await time.increase(3000)
    await hub.initializeAndClaimArray([dealId], [0n])
  }
  const kitty = await hub.kitty_address()
  expect(await hub.frozenOf(kitty)).to.equal(amount)
  return { ...assets, kitty }
}

/** A task of that price, of one worker, at its end. */
async function finalizeWithKitty(amount: bigint, price: bigint) {
  const assets = await crewWithKitty(amount)
  const wishes = { workerpool: { workerpoolprice: price }, request: { workerpoolmaxprice: price } }
  const task = await openTask(assets, ofTrust(1n, wishes))
  await contribute(task, task.ann)
  await reveal(task, task.ann)
  const events = await eventsOf(task, await finalize(task))
  await checkMoney(task)
  const left = await task.hub.frozenOf(task.kitty)
  return { ...task, events, left, bonus: amount - left }
}

describe('what finalize pays', () => {
  describe('given workers who all revealed', () => {
    // Scores, price, what the pool keeps in percent; then what each worker and the pool gain.
    const cases: [string, bigint[], bigint, bigint, bigint[]][] = [
      ['one worker', [0n], RLC, 1n, [990_000_000n, 10_000_000n]],
      ['two workers, who share what cannot be halved', [0n, 0n], 4n, 1n, [1n, 1n, 2n]],
      ['two workers, who share evenly', [0n, 0n], RLC, 0n, [500_000_000n, 500_000_000n, 0n]],
      ['three workers, with dust for a pool that asks for nothing', [0n, 0n, 0n], 100n, 0n, [33n, 33n, 33n, 1n]],
      ['three workers for a pool that keeps all', [0n, 0n, 0n], RLC, 100n, [0n, 0n, 0n, RLC]],
      ['three workers of different weight: 1, 2 and 5', [0n, 15n, 100n], 1_000n, 10n, [112n, 225n, 562n, 101n]],
      ['two workers of almost the same weight: 3 and 4', [29n, 51n], 700n, 0n, [300n, 400n, 0n]],
      ['a worker of weight 9 beside one of 1', [3000n, 0n], RLC, 1n, [891_000_000n, 99_000_000n, 10_000_000n]],
      ['ten workers', Array(10).fill(0n), RLC + 7n, 1n, [...Array(10).fill(99_000_000n), 10_000_007n]],
      ['a price that is too small to share', [0n, 0n, 0n], 3n, 1n, [0n, 0n, 0n, 3n]],
      ['nothing', [0n, 0n], 0n, 1n, [0n, 0n, 0n]],
    ]
    for (const [name, scores, price, schedulerReward, gains] of cases) {
      it(`divides the price by weight: ${name}`, async () => {
        expect(sum(gains)).to.equal(price)
        expect(await gainsOf({ scores, price, schedulerReward })).to.deep.equal(gains)
      })
    }

    it('frees their stakes, however high, and divides none of them', async () => {
      const gains = await gainsOf({ scores: [0n, 0n], workerStake: 20_000n })
      expect(gains).to.deep.equal([495_000_000n, 495_000_000n, 10_000_000n])
    })
  })

  describe('given workers some of whom did not reveal', () => {
    it('divides their stakes with the price', async () => {
      const gains = await gainsOf({ scores: [0n, 0n, 0n], price: 1_000n, late: [1], workerStake: 50n })
      // 99 percent of 1000 + 500, by two; the pool has the rest.
      expect(gains).to.deep.equal([742n, -500n, 742n, 16n])
    })

    it('gives all of it to the only one who did', async () => {
      const gains = await gainsOf({ scores: [100n, 0n, 0n], price: 1_000n, late: [0, 1], workerStake: 100n })
      expect(gains).to.deep.equal([-1_000n, -1_000n, 2_970n, 30n])
    })

    it('gives none of it to workers of a pool that keeps all', async () => {
      const gains = await gainsOf({ scores: [0n, 0n], price: 1_000n, late: [0], schedulerReward: 100n })
      expect(gains).to.deep.equal([-300n, 0n, 1_300n])
    })

    it('has the price only where there are no stakes', async () => {
      const gains = await gainsOf({ scores: [0n, 0n], price: 1_000n, late: [0], workerStake: 0n })
      expect(gains).to.deep.equal([0n, 990n, 10n])
    })

    it('weighs who revealed against each other only', async () => {
      const gains = await gainsOf({
        scores: [100n, 15n, 0n],
        price: 900n,
        late: [0],
        schedulerReward: 0n,
        workerStake: 0n,
      })
      expect(gains).to.deep.equal([0n, 600n, 300n, 0n])
    })
  })

  describe('given terms of the pool that changed since', () => {
    it('pays by those of the deal', async () => {
      const task = await taskOf(1n, {}, { workerStake: 10n, schedulerReward: 20n })
      const { hub, ann, scheduler, workerpool } = task
      await workerpool.connect(scheduler).changePolicy(90n, 80n)
      const before = await hub.balanceOf(ann)
      await contribute(task, ann)
      expect(await hub.frozenOf(ann)).to.equal(workerpoolPrice / 10n)
      await reveal(task, ann)
      await finalize(task)
      expect(await hub.viewAccount(ann)).to.deep.equal([before + (workerpoolPrice * 80n) / 100n, 0n])
    })
  })

  describe('given one account in several roles', () => {
    it('pays a worker who is pool and payer from and to itself', async () => {
      const { scheduler } = await loadFixture(hiredCrew)
      const task = await taskOf(3n, { request: { requester: scheduler.address }, signers: { request: scheduler } })
      const { hub, ann } = task
      const [before, annBefore] = [await hub.viewAccount(scheduler), await hub.viewAccount(ann)]
      await contribute(task, ann)
      await contribute(task, scheduler)
      await reveal(task, ann)
      await reveal(task, scheduler)
      await finalize(task)
      const reward = (workerpoolPrice * 99n) / 200n
      expect(await hub.viewAccount(ann)).to.deep.equal([annBefore[0] + reward, 0n])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([
        before[0] + schedulerStake + workerpoolPrice - reward,
        0n,
      ])
      await checkMoney(task)
    })

    it('leaves locked what a worker has locked in another task', async () => {
      const assets = await loadFixture(hiredCrew)
      const first = await openTask(assets, ofTrust(3n))
      const second = await openTask(assets, ofTrust(1n))
      const { hub, ann } = assets
      await contribute(first, ann)
      await contribute(second, ann)
      await reveal(second, ann)
      await finalize(second)
      expect(await hub.frozenOf(ann)).to.equal((workerpoolPrice * 30n) / 100n)
      await checkMoney(second)
    })
  })

  describe('given what app and dataset cost', () => {
    it('pays neither where both are free', async () => {
      const task = await taskOf(1n, { app: { appprice: 0n }, dataset: { datasetprice: 0n } })
      await contribute(task, task.ann)
      await reveal(task, task.ann)
      const events = await eventsOf(task, await finalize(task))
      expect(events.filter(([name]) => name === 'Reward').length).to.equal(2)
    })

    it('pays no dataset where there is none', async () => {
      const task = await taskOf(1n, { dataset: null })
      const { hub, appOwner, datasetOwner, requester, ann } = task
      await contribute(task, ann)
      await reveal(task, ann)
      const events = await eventsOf(task, await finalize(task))
      expect(events[0]).to.deep.equal(['Seize', requester.address, appPrice + workerpoolPrice, task.taskId])
      expect([await hub.balanceOf(appOwner), await hub.balanceOf(datasetOwner)]).to.deep.equal([appPrice, 0n])
    })

    it('takes it from a sponsor, not from the requester', async () => {
      const assets = await loadFixture(hiredCrew)
      const { hub, sponsor, requester } = assets
      const orders = await signOrders(assets, ofTrust(1n))
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      await hub.initialize(dealId, 0n)
      const task = { ...assets, taskId: taskIdOf(dealId, 0n) }
      const before = await hub.viewAccount(requester)
      await contribute(task, task.ann)
      await reveal(task, task.ann)
      const [seized] = await eventsOf(task, await finalize(task))
      const price = appPrice + datasetPrice + workerpoolPrice
      expect(seized).to.deep.equal(['Seize', sponsor.address, price, task.taskId])
      expect(await hub.frozenOf(sponsor)).to.equal(0n)
      expect(await hub.viewAccount(requester)).to.deep.equal(before)
    })
  })

  describe('given a kitty', () => {
    // What it has, the price of the work, what the pool draws: a tenth, at least one token, at most either of the two.
    const cases = [
      [6n * RLC, RLC, RLC],
      [6n * RLC, 5n * RLC, RLC],
      [6n * RLC, RLC / 2n, RLC / 2n],
      [30n * RLC, 10n * RLC, 3n * RLC],
      [30n * RLC, 2n * RLC, 2n * RLC],
      [3n * 10n ** 8n, RLC, 3n * 10n ** 8n],
      [30n * RLC, 0n, 0n],
      [0n, RLC, 0n],
    ] as const
    for (const [amount, price, bonus] of cases) {
      it(`gives the pool ${bonus} of ${amount} for a task of ${price}`, async () => {
        const { hub, taskId, scheduler, kitty, events, left, ...task } = await finalizeWithKitty(amount, price)
        expect([task.bonus, left]).to.deep.equal([bonus, amount - bonus])
        const drawn = events.filter(([name, account]) => name === 'Seize' && account === kitty)
        expect(drawn).to.deep.equal(bonus === 0n ? [] : [['Seize', kitty, bonus, taskId]])
        const index = events.findIndex(([name, account]) => name === 'Seize' && account === kitty)
        if (bonus > 0n) {
          expect(events[index - 1]?.[0]).to.equal('Unlock')
          expect(events.slice(index + 1, index + 3)).to.deep.equal([
            ['Transfer', hub.target, scheduler.address, bonus],
            ['Reward', scheduler.address, bonus, taskId],
          ])
        }
      })
    }
  })
})
