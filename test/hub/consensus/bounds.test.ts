import { expect } from 'chai'
import { loadFixture, time, workerpoolPrice } from '../../fixtures.ts'
import {
  type Crewed,
  checkMoney,
  contribute,
  contributionOf,
  digestOf,
  hiredCrew,
  ofTrust,
  openTask,
  results,
  setScore,
  taskOf,
} from '../../replicas.ts'

type Task = Crewed & { taskId: string }

/** As many as may contribute. */
const limit = 64

/** What a transaction may use at most (EIP-7825). */
const gasLimit = 2n ** 24n

/** A score whose word weighs 999. */
const high = 3000n

/** How much the word of the highest score weighs that an account has room for. */
const heaviest = (2n ** 64n - 1n) / 3n - 1n

async function gasOf(sent: { wait(): Promise<{ gasUsed: bigint } | null> }): Promise<bigint> {
  return (await sent.wait())?.gasUsed ?? 0n
}

/** So many of the crew contribute, each what the letter of its number is. */
async function contributeMany(task: Task, count: number, letterOf: (index: number) => string): Promise<bigint> {
  let gas = 0n
  for (const [index, worker] of task.crew.slice(0, count).entries()) {
    gas = await gasOf(await contribute(task, worker, letterOf(index)))
  }
  return gas
}

/** 64 have contributed and agree; one fewer would not have been enough. */
async function crowdedTask() {
  const task = await taskOf(2n ** 64n)
  const last = await contributeMany(task, limit, () => 'A')
  return { ...task, last }
}

/** 64 have contributed, each something else. */
async function dividedTask() {
  const task = await taskOf(2n ** 64n)
  const last = await contributeMany(task, limit, (index) => `${index}`)
  return { ...task, last }
}

/** 25 workers of high score agree; the trust that is asked for is more than that. */
async function heavyTask(trust: bigint) {
  const task = await taskOf(trust)
  for (const worker of task.crew.slice(0, 26)) await setScore(task, worker, high)
  await contributeMany(task, 25, () => 'A')
  return task
}

describe('bounds of a replicated task', () => {
  describe('given as many contributors as there may be', () => {
    it('refuses one more with TooManyContributors, whatever was found', async () => {
      const { hub, taskId, crew, ...task } = await loadFixture(dividedTask)
      const late = crew[limit]
      for (const letter of ['1', 'new']) {
        const call = await contributionOf({ ...task, hub, taskId }, { address: late?.address ?? '' }, letter)
        await expect(hub.connect(late).contribute(...call))
          .to.be.revertedWithCustomError(hub, 'TooManyContributors')
          .withArgs(taskId, limit)
      }
    })

    it('can be claimed in one transaction, and all of them get their stakes back', async () => {
      const task = await loadFixture(dividedTask)
      const { hub, taskId, crew } = task
      await time.setNextBlockTimestamp((await hub.viewTask(taskId)).finalDeadline)
      const gas = await gasOf(await hub.claim(taskId, { gasLimit }))
      console.log(`      gas of ${limit} contributors: the last contribution ${task.last}, claim ${gas}`)
      const locked = await Promise.all(crew.map((worker) => hub.frozenOf(worker)))
      expect(locked).to.deep.equal(crew.map(() => 0n))
      await checkMoney(task)
    })

    it('can be finalized in one transaction, and all of them are paid', async () => {
      const task = await loadFixture(crowdedTask)
      const { hub, taskId, crew, scheduler } = task
      for (const worker of crew.slice(0, limit)) await hub.connect(worker).reveal(taskId, digestOf(task))
      const before = await Promise.all(crew.map((worker) => hub.balanceOf(worker)))
      const stake = (workerpoolPrice * 30n) / 100n
      const gas = await gasOf(await hub.connect(scheduler).finalize(taskId, results, '0x', { gasLimit }))
      console.log(`      gas of ${limit} winners: the last contribution ${task.last}, finalize ${gas}`)
      const gains = await Promise.all(crew.map(async (worker, i) => (await hub.balanceOf(worker)) - (before[i] ?? 0n)))
      const reward = (workerpoolPrice * 99n) / 100n / BigInt(limit)
      expect(gains).to.deep.equal(crew.map((_, index) => (index < limit ? reward + stake : 0n)))
      expect((await hub.viewTask(taskId)).contributors.length).to.equal(limit)
      await checkMoney(task)
    })

    it('can be finalized where one of them revealed, who gets all stakes', async () => {
      const task = await loadFixture(crowdedTask)
      const { hub, taskId, ann, scheduler } = task
      await hub.connect(ann).reveal(taskId, digestOf(task))
      await time.setNextBlockTimestamp((await hub.viewTask(taskId)).revealDeadline)
      const before = await hub.balanceOf(ann)
      const gas = await gasOf(await hub.connect(scheduler).finalize(taskId, results, '0x', { gasLimit }))
      console.log(`      gas of one winner of ${limit}: finalize ${gas}`)
      const stake = (workerpoolPrice * 30n) / 100n
      const pot = workerpoolPrice + stake * BigInt(limit - 1)
      expect((await hub.balanceOf(ann)) - before).to.equal((pot * 99n) / 100n + stake)
      await checkMoney(task)
    })

    it('can be reopened in one transaction, and then be claimed only', async () => {
      const task = await loadFixture(crowdedTask)
      const { hub, taskId, crew, scheduler } = task
      await time.setNextBlockTimestamp((await hub.viewTask(taskId)).revealDeadline)
      const gas = await gasOf(await hub.connect(scheduler).reopen(taskId, { gasLimit }))
      console.log(`      gas of ${limit} rejected: reopen ${gas}`)
      const late = crew[limit]
      const call = await contributionOf(task, { address: late?.address ?? '' })
      await expect(hub.connect(late).contribute(...call)).to.be.revertedWithCustomError(hub, 'TooManyContributors')
      await time.increase(3000)
      await hub.claim(taskId, { gasLimit })
      expect((await hub.viewTask(taskId)).status).to.equal(4n)
      await checkMoney(task)
    })
  })

  describe('given more trust than anybody can have', () => {
    it('is never agreed on, and can be claimed', async () => {
      const task = await taskOf(2n ** 256n - 1n)
      const { hub, taskId, dealId } = task
      expect((await hub.viewDeal(dealId)).trust).to.equal(2n ** 256n - 1n)
      await contributeMany(task, 12, (index) => (index % 5 === 4 ? 'B' : 'A'))
      expect((await hub.viewTask(taskId)).status).to.equal(1n)
      await time.increase(3000)
      await hub.claim(taskId)
      await checkMoney(task)
    })

    it('compares products that are wider than a word', async () => {
      const credibility = 999n ** 25n
      expect((await agreedAt(await heavyTask(credibility))).status).to.equal(2n)
      expect((await agreedAt(await heavyTask(credibility + 1n))).status).to.equal(1n)
    })
  })

  describe('given credibilities at the end of what a word holds', () => {
    it('reverts with CredibilityOverflow when one more agrees', async () => {
      const task = await heavyTask(2n ** 256n - 1n)
      const { hub, crew } = task
      const [next] = crew.slice(25)
      if (next === undefined) throw new Error('The crew is too small.')
      await expect(contribute(task, next))
        .to.be.revertedWithCustomError(hub, 'CredibilityOverflow')
        .withArgs(999n ** 25n, 999n)
    })

    it('takes another result, and can be claimed', async () => {
      const task = await heavyTask(2n ** 256n - 1n)
      const { hub, taskId, crew } = task
      const [next] = crew.slice(25)
      if (next === undefined) throw new Error('The crew is too small.')
      await contribute(task, next, 'B')
      expect((await hub.viewTask(taskId)).contributors.length).to.equal(26)
      await time.increase(3000)
      await hub.claim(taskId)
      await checkMoney(task)
    })

    it('reverts with CredibilityOverflow when all results together are too much', async () => {
      const task = await taskOf(2n ** 256n - 1n)
      const { hub, crew } = task
      // Four of the heaviest and one of 64: more than half of what a word holds.
      const credibility = heaviest ** 4n * 64n
      expect(credibility > 2n ** 255n && credibility < 2n ** 256n).to.equal(true)
      for (const [index, worker] of crew.slice(0, 10).entries()) {
        await setScore(task, worker, index % 5 === 4 ? 195n : 2n ** 64n - 1n)
      }
      await contributeMany(task, 9, (index) => (index < 5 ? 'A' : 'B'))
      const [last] = crew.slice(9)
      if (last === undefined) throw new Error('The crew is too small.')
      await expect(contribute(task, last, 'B'))
        .to.be.revertedWithCustomError(hub, 'CredibilityOverflow')
        .withArgs(1n + credibility, credibility)
      await contribute(task, last, 'C')
    })
  })

  describe('given a category longer than a slot has room for', () => {
    /** An active task whose result is agreed on at `agreedOn`, so that its reveal deadline is `deadline`. */
    async function agreedTask(deadline: bigint, agreedOn = 2n * 10n ** 9n + (deadline % 2n)) {
      const { hub, owner, ...assets } = await loadFixture(hiredCrew)
      const clock = (deadline - agreedOn) / 2n
      const category = await hub.countCategory()
      await hub.connect(owner).createCategory('long', '', clock)
      const wishes = ofTrust(1n, { workerpool: { category }, request: { category } })
      const task = await openTask({ ...assets, hub, owner }, wishes)
      const call = await contributionOf(task, task.ann)
      await time.setNextBlockTimestamp(agreedOn)
      await hub.connect(task.ann).contribute(...call)
      return { ...task, clock, deadline, agreedOn }
    }

    const last = 2n ** 40n - 1n
    for (const deadline of [last - 1n, last, last + 1n, 3n * 2n ** 40n, 2n ** 64n + 2n ** 33n]) {
      it(`keeps a reveal deadline of ${deadline} to the second`, async () => {
        const { hub, taskId, ann, ...task } = await agreedTask(deadline)
        expect((await hub.viewTask(taskId)).revealDeadline).to.equal(deadline)
        expect((await hub.viewTask(taskId)).timeref).to.equal(task.clock)
        expect(task.agreedOn + 2n * task.clock).to.equal(deadline)
        await hub.connect(ann).reveal(taskId, digestOf({ taskId }))
        expect((await hub.viewTask(taskId)).revealDeadline).to.equal(deadline)
      })
    }

    for (const deadline of [last - 1n, last, last + 1n]) {
      it(`takes a reveal a second before ${deadline}, and none at it`, async () => {
        const early = await agreedTask(deadline)
        await time.setNextBlockTimestamp(deadline - 1n)
        await early.hub.connect(early.ann).reveal(early.taskId, digestOf(early))
        const { hub, taskId, ann } = await agreedTask(deadline)
        await time.setNextBlockTimestamp(deadline)
        await expect(hub.connect(ann).reveal(taskId, digestOf({ taskId })))
          .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
          .withArgs(taskId, deadline)
      })

      it(`can be reopened at ${deadline}, and not a second before`, async () => {
        const { hub, taskId, scheduler } = await agreedTask(deadline)
        await time.setNextBlockTimestamp(deadline - 1n)
        await expect(hub.connect(scheduler).reopen(taskId))
          .to.be.revertedWithCustomError(hub, 'DeadlineNotReached')
          .withArgs(taskId, deadline)
        await time.setNextBlockTimestamp(deadline)
        await hub.connect(scheduler).reopen(taskId)
        const { status, revealDeadline } = await hub.viewTask(taskId)
        expect([status, revealDeadline]).to.deep.equal([1n, 0n])
      })
    }

    it('tells until when reveals are missing', async () => {
      const { hub, taskId, scheduler, deadline } = await agreedTask(3n * 2n ** 40n)
      await expect(hub.connect(scheduler).finalize(taskId, results, '0x'))
        .to.be.revertedWithCustomError(hub, 'RevealsMissing')
        .withArgs(taskId, 0n, 1n, deadline)
    })

    it('can be claimed at last', async () => {
      const task = await agreedTask(2n ** 40n)
      const { hub, taskId } = task
      const { finalDeadline } = await hub.viewTask(taskId)
      await time.setNextBlockTimestamp(finalDeadline)
      await hub.claim(taskId)
      expect((await hub.viewTask(taskId)).status).to.equal(4n)
      await checkMoney(task)
    })
  })
})

async function agreedAt({ hub, taskId }: Task) {
  return hub.viewTask(taskId)
}
