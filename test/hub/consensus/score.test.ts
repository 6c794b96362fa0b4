import { expect } from 'chai'
import { loadFixture, time } from '../../fixtures.ts'
import {
  contribute,
  contributedTask,
  eventsOf,
  finalize,
  hiredCrew,
  ofTrust,
  openTask,
  reopen,
  reveal,
  revealedTask,
  revealingTask,
  setScore,
  taskOf,
} from '../../replicas.ts'

/** The events about scores. */
const scored = (events: unknown[][]) =>
  events.filter(([name]) => name === 'AccurateContribution' || name === 'FaultyContribution')

/** Ann and Bob agree, Eve does not; Ann has revealed, and Bob's time is over. */
async function disputedTask(price?: bigint) {
  const wishes = price === undefined ? {} : { workerpool: { workerpoolprice: price } }
  const task = await taskOf(4n, wishes)
  const { ann, bob, cid, eve, hub, taskId } = task
  await contribute(task, eve, 'B')
  for (const worker of [ann, bob, cid]) await contribute(task, worker)
  // 8 * 4 is not more than 11 * 3: a fourth is needed.
  await contribute(task, task.dan)
  await reveal(task, ann)
  await time.setNextBlockTimestamp((await hub.viewTask(taskId)).revealDeadline)
  return task
}

describe('scores', () => {
  describe('given a task of several workers that is finalized', () => {
    it('are one higher for who revealed', async () => {
      const task = await loadFixture(revealedTask)
      const { hub, taskId, ann, bob, cid } = task
      await setScore(task, bob, 41n)
      const events = scored(await eventsOf(task, await finalize(task)))
      for (const worker of [ann, bob, cid]) {
        expect(events).to.deep.include(['AccurateContribution', worker.address, taskId])
      }
      const scores = await Promise.all([ann, bob, cid].map((worker) => hub.viewScore(worker)))
      expect(scores).to.deep.equal([1n, 42n, 1n])
    })

    for (const [before, after] of [
      [0n, 0n],
      [1n, 0n],
      [2n, 1n],
      [3n, 2n],
      [10n, 6n],
      [3000n, 2000n],
      [2n ** 64n - 1n, ((2n ** 64n - 1n) * 2n) / 3n],
    ] as const) {
      it(`fall from ${before} to ${after} for who found something else`, async () => {
        const task = await loadFixture(revealedTask)
        const { hub, taskId, eve } = task
        await setScore(task, eve, before)
        const [first] = scored(await eventsOf(task, await finalize(task)))
        expect(first).to.deep.equal(['FaultyContribution', eve.address, taskId])
        expect(await hub.viewScore(eve)).to.equal(after)
      })
    }

    it('fall for who agreed and did not reveal in time', async () => {
      const task = await disputedTask()
      const { hub, taskId, ann, bob } = task
      await setScore(task, bob, 9n)
      const events = scored(await eventsOf(task, await finalize(task)))
      expect(events).to.deep.include(['FaultyContribution', bob.address, taskId])
      expect(await hub.viewScore(bob)).to.equal(6n)
      expect(await hub.viewScore(ann)).to.equal(1n)
    })

    it('fall for who was rejected, and rise for who came after, even alone', async () => {
      const task = await taskOf(1n)
      const { hub, taskId, ann, bob } = task
      await setScore(task, ann, 30n)
      await contribute(task, ann)
      await reopen(task)
      await contribute(task, bob, 'B')
      await reveal(task, bob, 'B')
      expect(scored(await eventsOf(task, await finalize(task)))).to.deep.equal([
        ['FaultyContribution', ann.address, taskId],
        ['AccurateContribution', bob.address, taskId],
      ])
      expect([await hub.viewScore(ann), await hub.viewScore(bob)]).to.deep.equal([20n, 1n])
    })

    it('weigh from the next contribution on', async () => {
      const assets = await loadFixture(hiredCrew)
      const { hub, ann } = assets
      // 11 weighs 2, and 12 weighs 3: alone it is enough for a trust of 3.
      await setScore(assets, ann, 11n)
      const first = await openTask(assets, ofTrust(4n))
      await contribute(first, ann)
      await contribute(first, assets.bob)
      for (const worker of [ann, assets.bob]) await reveal(first, worker)
      const second = await openTask(assets, ofTrust(3n))
      await finalize(first)
      await contribute(second, ann)
      expect((await hub.viewTask(second.taskId)).status).to.equal(2n)
    })
  })

  describe('given a task of one worker', () => {
    it('stay as they are', async () => {
      const task = await taskOf(1n)
      const { hub, ann } = task
      await setScore(task, ann, 5n)
      await contribute(task, ann)
      await reveal(task, ann)
      expect(scored(await eventsOf(task, await finalize(task)))).to.deep.equal([])
      expect(await hub.viewScore(ann)).to.equal(5n)
    })
  })

  describe('given a task whose work has no price', () => {
    it('stay as they are, of the right and of the wrong', async () => {
      const task = await disputedTask(0n)
      const { hub, ann, bob, eve } = task
      for (const worker of [ann, bob, eve]) await setScore(task, worker, 50n)
      expect(scored(await eventsOf(task, await finalize(task)))).to.deep.equal([])
      const scores = await Promise.all([ann, bob, eve].map((worker) => hub.viewScore(worker)))
      expect(scores).to.deep.equal([50n, 50n, 50n])
    })

    it('change for the least price that there is', async () => {
      const task = await disputedTask(1n)
      const { hub, ann, eve } = task
      for (const worker of [ann, eve]) await setScore(task, worker, 50n)
      await finalize(task)
      expect([await hub.viewScore(ann), await hub.viewScore(eve)]).to.deep.equal([51n, 33n])
    })
  })

  describe('given a task that is not finalized', () => {
    it('stay as they are when it is claimed', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, ann, eve } = task
      for (const worker of [ann, eve]) await setScore(task, worker, 50n)
      await time.increase(3000)
      expect(scored(await eventsOf(task, await hub.claim(taskId)))).to.deep.equal([])
      expect([await hub.viewScore(ann), await hub.viewScore(eve)]).to.deep.equal([50n, 50n])
    })

    it('stay as they are when it is reopened', async () => {
      const task = await loadFixture(revealingTask)
      await setScore(task, task.ann, 50n)
      expect(scored(await eventsOf(task, await reopen(task)))).to.deep.equal([])
      expect(await task.hub.viewScore(task.ann)).to.equal(50n)
    })
  })

  describe('given an account that never worked', () => {
    it('are zero', async () => {
      const { hub, anyone } = await loadFixture(contributedTask)
      expect(await hub.viewScore(anyone)).to.equal(0n)
    })
  })
})
