import { expect } from 'chai'
import { ethers, loadFixture, taskIdOf, time, workerpoolPrice } from '../../fixtures.ts'
import {
  checkMoney,
  contribute,
  contributedTask,
  contributionOf,
  eventsOf,
  finalize,
  hashOf,
  reopenedTask,
  replicatedDeal,
  replicatedTask,
  reveal,
  revealedTask,
  revealingTask,
  sealOf,
  taskOf,
} from '../../replicas.ts'

/** What the pool asks of a worker: 30 percent. */
const stake = (workerpoolPrice * 30n) / 100n
const zero = ethers.ZeroAddress

describe('contribute', () => {
  describe('given an active task', () => {
    it('locks the stake of the worker and says which result it commits to', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann } = task
      const [free] = await hub.viewAccount(ann)
      expect(await eventsOf(task, await contribute(task, ann))).to.deep.equal([
        ['Transfer', ann.address, hub.target, stake],
        ['Lock', ann.address, stake],
        ['TaskContribute', taskId, ann.address, hashOf(task)],
      ])
      expect(await hub.viewAccount(ann)).to.deep.equal([free - stake, stake])
      await checkMoney(task)
    })

    it('keeps the hash, the seal and what the reward will be weighed with', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann } = task
      await contribute(task, ann)
      const kept = [1n, hashOf(task), sealOf(task, ann), zero, 1n]
      expect(await hub.viewContribution(taskId, ann)).to.deep.equal(kept)
    })

    it('leaves it active while too few agree', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann } = task
      const before = await hub.viewTask(taskId)
      await contribute(task, ann)
      const after = await hub.viewTask(taskId)
      expect([after.status, after.consensusValue, after.revealDeadline]).to.deep.equal([1n, ethers.ZeroHash, 0n])
      expect(after.contributors).to.deep.equal([ann.address])
      expect([...after].toSpliced(10, 1)).to.deep.equal([...before].toSpliced(10, 1))
    })

    it('ends the contributions when enough agree, and leaves twice the time of the category to reveal', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann, bob, cid } = task
      await contribute(task, ann)
      await contribute(task, bob)
      const sent = await contribute(task, cid)
      const agreedOn = BigInt(await time.latest())
      expect(await eventsOf(task, sent)).to.deep.equal([
        ['Transfer', cid.address, hub.target, stake],
        ['Lock', cid.address, stake],
        ['TaskContribute', taskId, cid.address, hashOf(task)],
        ['TaskConsensus', taskId, hashOf(task)],
      ])
      const { status, revealDeadline, consensusValue, revealCounter, winnerCounter, resultDigest } =
        await hub.viewTask(taskId)
      expect([status, revealDeadline, consensusValue]).to.deep.equal([2n, agreedOn + 600n, hashOf(task)])
      expect([revealCounter, winnerCounter, resultDigest]).to.deep.equal([0n, 3n, ethers.ZeroHash])
    })

    it('locks nothing where the pool asks for no stake', async () => {
      const task = await taskOf(3n, {}, { workerStake: 0n })
      const { hub, taskId, ann } = task
      expect(await eventsOf(task, await contribute(task, ann))).to.deep.equal([
        ['Transfer', ann.address, hub.target, 0n],
        ['Lock', ann.address, 0n],
        ['TaskContribute', taskId, ann.address, hashOf(task)],
      ])
      expect(await hub.frozenOf(ann)).to.equal(0n)
    })

    it('lets one account be worker, pool and payer', async () => {
      const { scheduler } = await loadFixture(replicatedTask)
      const task = await taskOf(1n, { request: { requester: scheduler.address }, signers: { request: scheduler } })
      const before = await task.hub.frozenOf(scheduler)
      await contribute(task, scheduler)
      expect(await task.hub.frozenOf(scheduler)).to.equal(before + stake)
      await checkMoney(task)
    })

    it('is the same among the calls of a multicall', async () => {
      const task = await loadFixture(replicatedDeal)
      const { hub, dealId, ann } = task
      const taskId = taskIdOf(dealId, 0n)
      const calls = [
        hub.interface.encodeFunctionData('initialize', [dealId, 0n]),
        hub.interface.encodeFunctionData('contribute', [...(await contributionOf({ ...task, taskId }, ann))]),
      ]
      await hub.connect(ann).multicall(calls)
      expect((await hub.viewContribution(taskId, ann)).status).to.equal(1n)
    })
  })

  describe('given an active task whose time for contributions ends', () => {
    it('takes a contribution one second before the deadline', async () => {
      const task = await loadFixture(contributedTask)
      const { contributionDeadline } = await task.hub.viewTask(task.taskId)
      await time.setNextBlockTimestamp(contributionDeadline - 1n)
      await contribute(task, task.ann)
      expect((await task.hub.viewTask(task.taskId)).contributors.length).to.equal(2)
    })

    it('reverts with DeadlinePassed at the deadline', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann } = task
      const { contributionDeadline } = await hub.viewTask(taskId)
      await time.setNextBlockTimestamp(contributionDeadline)
      await expect(contribute(task, ann))
        .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
        .withArgs(taskId, contributionDeadline)
    })
  })

  describe('given a task that takes no contributions', () => {
    it('reverts with WrongStatus when it was never opened', async () => {
      const deal = await loadFixture(replicatedDeal)
      const task = { ...deal, taskId: taskIdOf(deal.dealId, 0n) }
      await expect(contribute(task, task.dan))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 0n)
    })

    it('reverts with WrongStatus when a result is agreed on', async () => {
      const task = await loadFixture(revealingTask)
      await expect(contribute(task, task.dan))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 2n)
    })

    it('reverts with WrongStatus when it is completed', async () => {
      const task = await loadFixture(revealedTask)
      await finalize(task)
      await expect(contribute(task, task.dan))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 3n)
    })

    it('reverts with WrongStatus when it has failed', async () => {
      const task = await loadFixture(contributedTask)
      await time.increase(3000)
      await task.hub.claim(task.taskId)
      await expect(contribute(task, task.dan))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 4n)
    })
  })

  describe('when the worker has contributed before', () => {
    for (const name of ['B', 'A']) {
      it(`reverts with AlreadyContributed, whether it changed its mind or not: ${name}`, async () => {
        const task = await loadFixture(contributedTask)
        const { hub, taskId, eve } = task
        await expect(contribute(task, eve, name))
          .to.be.revertedWithCustomError(hub, 'AlreadyContributed')
          .withArgs(taskId, eve.address)
      })
    }

    it('reverts with AlreadyContributed although what it found was rejected', async () => {
      const task = await loadFixture(reopenedTask)
      const { hub, taskId, ann } = task
      expect((await hub.viewContribution(taskId, ann)).status).to.equal(3n)
      await expect(contribute(task, ann, 'B'))
        .to.be.revertedWithCustomError(hub, 'AlreadyContributed')
        .withArgs(taskId, ann.address)
    })
  })

  describe('when the worker cannot pay the stake', () => {
    it('reverts with what it has and what it needs', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, ann } = task
      await hub.connect(ann).withdraw((await hub.balanceOf(ann)) - stake + 1n)
      await expect(contribute(task, ann))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(ann.address, stake - 1n, stake)
    })

    it('takes the last of what it has', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, ann } = task
      await hub.connect(ann).withdraw((await hub.balanceOf(ann)) - stake)
      await contribute(task, ann)
      expect(await hub.viewAccount(ann)).to.deep.equal([0n, stake])
    })
  })

  describe('when the seal is not made of the hash', () => {
    it('takes it, for nobody can tell; but it is never revealed', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann, bob } = task
      await contribute(task, ann)
      const [, hash, , ...rest] = await contributionOf(task, bob)
      await hub.connect(bob).contribute(taskId, hash, sealOf(task, ann), ...rest)
      expect((await hub.viewTask(taskId)).status).to.equal(2n)
      await expect(reveal(task, bob)).to.be.revertedWithCustomError(hub, 'WrongDigest')
    })
  })
})
