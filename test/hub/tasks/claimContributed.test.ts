import { expect } from 'chai'
import { loadFixture, price, schedulerStake, taskIdOf, time, workerpoolPrice } from '../../fixtures.ts'
import {
  type Crewed,
  checkMoney,
  contribute,
  contributedTask,
  eventsOf,
  finalize,
  hiredCrew,
  ofTrust,
  openTask,
  reopen,
  reopenedTask,
  reveal,
  revealedTask,
  revealingTask,
  taskOf,
  type Worker,
} from '../../replicas.ts'

const stake = (workerpoolPrice * 30n) / 100n

/** Some of the winners have revealed, and the pool did not finalize. */
async function partlyRevealedTask() {
  const task = await loadFixture(revealingTask)
  await reveal(task, task.ann)
  return task
}

/** A task of trust 1 whose only worker did not reveal. */
async function agreedSoloTask() {
  const task = await taskOf(1n)
  await contribute(task, task.ann)
  return task
}

/** The same, reopened. */
async function reopenedSoloTask() {
  const task = await agreedSoloTask()
  await reopen(task)
  return task
}

/** The same, with the result of somebody else agreed on. */
async function agreedAgainTask() {
  const task = await reopenedSoloTask()
  await contribute(task, task.bob, 'B')
  return task
}

/** Claims a task at its final deadline. */
async function claim({ hub, taskId, anyone }: Crewed & { taskId: string }) {
  const { finalDeadline } = await hub.viewTask(taskId)
  await time.setNextBlockTimestamp(finalDeadline)
  return hub.connect(anyone).claim(taskId)
}

describe('claim, of a task with contributions', () => {
  // Whatever a worker found, said or did not say.
  const states: [string, () => Promise<Crewed & { taskId: string }>, (task: Crewed) => Worker[]][] = [
    ['one of whose workers contributed', () => loadFixture(contributedTask), ({ eve }) => [eve]],
    [
      'whose result nobody revealed',
      () => loadFixture(revealingTask),
      ({ eve, ann, bob, cid }) => [eve, ann, bob, cid],
    ],
    ['whose result some revealed', partlyRevealedTask, ({ eve, ann, bob, cid }) => [eve, ann, bob, cid]],
    ['whose result all revealed', () => loadFixture(revealedTask), ({ eve, ann, bob, cid }) => [eve, ann, bob, cid]],
    ['that was reopened', () => loadFixture(reopenedTask), ({ eve, ann, bob, cid }) => [eve, ann, bob, cid]],
    ['of trust 1 whose result was not revealed', agreedSoloTask, ({ ann }) => [ann]],
    ['of trust 1 that was reopened', reopenedSoloTask, ({ ann }) => [ann]],
    ['of trust 1 that was reopened and agreed on again', agreedAgainTask, ({ ann, bob }) => [ann, bob]],
  ]
  for (const [name, make, workersOf] of states) {
    describe(`given a task ${name}`, () => {
      it('refunds the payer, fills the kitty and gives every worker its stake, in that order', async () => {
        const task = await make()
        const { hub, taskId, requester, scheduler } = task
        const kitty = await hub.kitty_address()
        expect(await eventsOf(task, await claim(task))).to.deep.equal([
          ['Transfer', hub.target, requester.address, price],
          ['Unlock', requester.address, price],
          ['Seize', scheduler.address, schedulerStake, taskId],
          ['Reward', kitty, schedulerStake, taskId],
          ['Lock', kitty, schedulerStake],
          ...workersOf(task).flatMap(({ address }) => [
            ['Transfer', hub.target, address, stake],
            ['Unlock', address, stake],
          ]),
          ['TaskClaimed', taskId],
        ])
      })

      it('leaves nobody anything locked but the kitty', async () => {
        const task = await make()
        const { hub, requester, scheduler, crew } = task
        await claim(task)
        const locked = await Promise.all([...crew, requester, scheduler].map((each) => hub.frozenOf(each)))
        expect(new Set(locked)).to.deep.equal(new Set([0n]))
        expect(await hub.frozenOf(await hub.kitty_address())).to.equal(schedulerStake)
        expect(await hub.balanceOf(hub)).to.equal(schedulerStake)
        await checkMoney(task)
      })

      it('keeps what was contributed, agreed on and revealed', async () => {
        const task = await make()
        const { hub, taskId } = task
        const before = await hub.viewTask(taskId)
        const contributions = () =>
          Promise.all(workersOf(task).map(async (worker) => [...(await hub.viewContribution(taskId, worker))]))
        const contributed = await contributions()
        await claim(task)
        const after = await hub.viewTask(taskId)
        expect(after.status).to.equal(4n)
        expect([...after].slice(1)).to.deep.equal([...before].slice(1))
        expect(await contributions()).to.deep.equal(contributed)
      })

      it('reverts with DeadlineNotReached one second before the final deadline', async () => {
        const { hub, taskId } = await make()
        const { finalDeadline } = await hub.viewTask(taskId)
        await time.setNextBlockTimestamp(finalDeadline - 1n)
        await expect(hub.claim(taskId))
          .to.be.revertedWithCustomError(hub, 'DeadlineNotReached')
          .withArgs(taskId, finalDeadline)
      })
    })
  }

  describe('given a completed task', () => {
    it('reverts with WrongStatus', async () => {
      const task = await loadFixture(revealedTask)
      await finalize(task)
      await time.increase(3000)
      await expect(task.hub.claim(task.taskId))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 3n)
    })
  })

  describe('given a claimed task', () => {
    it('reverts with WrongStatus, and gives no stake twice', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, ann } = task
      await claim(task)
      const before = await hub.viewAccount(ann)
      await expect(hub.claim(taskId)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 4n)
      expect(await hub.viewAccount(ann)).to.deep.equal(before)
    })
  })

  describe('given a pool that asked for no stake', () => {
    it('unlocks nothing, of each worker', async () => {
      const task = await taskOf(3n, {}, { workerStake: 0n })
      const { hub, ann } = task
      await contribute(task, ann)
      expect(await eventsOf(task, await claim(task))).to.deep.include(['Unlock', ann.address, 0n])
      expect(await hub.frozenOf(ann)).to.equal(0n)
      await checkMoney(task)
    })
  })

  describe('given one account that is worker, pool and payer', () => {
    it('loses the stake of the pool, and no more', async () => {
      const { scheduler } = await loadFixture(hiredCrew)
      const task = await taskOf(3n, { request: { requester: scheduler.address }, signers: { request: scheduler } })
      const { hub } = task
      const [free, locked] = await hub.viewAccount(scheduler)
      await contribute(task, scheduler)
      await claim(task)
      expect(await hub.viewAccount(scheduler)).to.deep.equal([free + locked - schedulerStake, 0n])
      await checkMoney(task)
    })
  })

  describe('given several tasks of which some have contributions', () => {
    it('claims all of them at once', async () => {
      const volume = { volume: 3n }
      const assets = await loadFixture(hiredCrew)
      const wishes = ofTrust(3n, { app: volume, dataset: volume, workerpool: volume, request: volume })
      const task = await openTask(assets, wishes)
      const { hub, dealId, taskId, ann, bob, requester, scheduler } = task
      const [second, third] = [taskIdOf(dealId, 1n), taskIdOf(dealId, 2n)]
      await hub.initialize(dealId, 1n)
      await contribute(task, ann)
      for (const worker of [ann, bob]) await contribute({ ...task, taskId: second }, worker)
      expect(await hub.frozenOf(ann)).to.equal(2n * stake)
      await time.increase(3000)
      await hub.claimArray([taskId, second])
      await hub.initializeAndClaimArray([dealId], [2n])
      const statuses = await Promise.all([taskId, second, third].map(async (id) => (await hub.viewTask(id)).status))
      expect(statuses).to.deep.equal([4n, 4n, 4n])
      const locked = await Promise.all([ann, bob, requester, scheduler].map((each) => hub.frozenOf(each)))
      expect(locked).to.deep.equal([0n, 0n, 0n, 0n])
      await checkMoney(task)
    })
  })
})
