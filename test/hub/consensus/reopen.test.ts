import { expect } from 'chai'
import {
  contributionTo,
  ethers,
  finalArguments,
  loadFixture,
  settleArguments,
  settlementOf,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'
import {
  checkMoney,
  contribute,
  contributedTask,
  digestOf,
  eventsOf,
  finalize,
  hashOf,
  ofTrust,
  openTask,
  reopen,
  reopenedTask,
  replicatedDeal,
  reveal,
  revealedTask,
  revealingTask,
  sealOf,
  taskOf,
  walletPool,
} from '../../replicas.ts'

const stake = (workerpoolPrice * 30n) / 100n

/** Nobody revealed in time. */
async function unrevealedTask() {
  const task = await loadFixture(revealingTask)
  const { revealDeadline, finalDeadline } = await task.hub.viewTask(task.taskId)
  await time.setNextBlockTimestamp(revealDeadline)
  return { ...task, revealDeadline, finalDeadline }
}

/** A task of trust 1 whose only worker did not reveal, and which was reopened. */
async function reopenedSoloTask() {
  const task = await taskOf(1n)
  await contribute(task, task.ann)
  await reopen(task)
  return task
}

describe('reopen', () => {
  describe('given a result that nobody revealed in time', () => {
    it('says so, and nothing else', async () => {
      const task = await unrevealedTask()
      const sent = await task.hub.connect(task.scheduler).reopen(task.taskId)
      expect(await eventsOf(task, sent)).to.deep.equal([['TaskReopen', task.taskId]])
    })

    it('rejects who found it, and nobody else', async () => {
      const task = await unrevealedTask()
      const { hub, taskId, ann, bob, cid, dan, eve } = task
      await reopen(task)
      const statuses = await Promise.all(
        [ann, bob, cid, dan, eve].map(async (worker) => (await hub.viewContribution(taskId, worker)).status),
      )
      expect(statuses).to.deep.equal([3n, 3n, 3n, 0n, 1n])
      const kept = [3n, hashOf(task), sealOf(task, ann), ethers.ZeroAddress, 1n]
      expect(await hub.viewContribution(taskId, ann)).to.deep.equal(kept)
    })

    it('leaves the task as it was before the agreement, but for its contributors', async () => {
      const task = await unrevealedTask()
      const { hub, taskId, dealId, ann, bob, cid, eve } = task
      const { startTime } = await hub.viewDeal(dealId)
      await hub.connect(task.scheduler).reopen(taskId)
      expect(await hub.viewTask(taskId)).to.deep.equal([
        1n,
        dealId,
        0n,
        300n,
        startTime + 2100n,
        0n,
        startTime + 3000n,
        ethers.ZeroHash,
        0n,
        0n,
        [eve, ann, bob, cid].map(({ address }) => address),
        ethers.ZeroHash,
        '0x',
        0n,
        '0x',
      ])
    })

    it('keeps the stakes locked', async () => {
      const task = await unrevealedTask()
      await reopen(task)
      for (const worker of [task.ann, task.eve]) expect(await task.hub.frozenOf(worker)).to.equal(stake)
      await checkMoney(task)
    })

    it('is possible one second before the final deadline', async () => {
      const task = await unrevealedTask()
      await time.setNextBlockTimestamp(task.finalDeadline - 1n)
      await task.hub.connect(task.scheduler).reopen(task.taskId)
      expect((await task.hub.viewTask(task.taskId)).status).to.equal(1n)
    })

    it('reverts with DeadlinePassed at the final deadline', async () => {
      const { hub, scheduler, taskId, finalDeadline } = await unrevealedTask()
      await time.setNextBlockTimestamp(finalDeadline)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
        .withArgs(taskId, finalDeadline)
    })

    it('reverts with NotPoolOwner when a worker, the payer or anyone asks for it', async () => {
      const { hub, taskId, ann, requester, anyone, scheduler } = await unrevealedTask()
      for (const caller of [ann, requester, anyone]) {
        await expect(hub.connect(caller).reopen(taskId))
          .to.be.revertedWithCustomError(hub, 'NotPoolOwner')
          .withArgs(taskId, caller.address, scheduler.address)
      }
    })

    it('is up to who owned the pool when the deal was made', async () => {
      const task = await unrevealedTask()
      const { hub, taskId, scheduler, anyone, workerpool, workerpoolRegistry } = task
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, anyone, workerpool.target.toString())
      await expect(hub.connect(anyone).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'NotPoolOwner')
        .withArgs(taskId, anyone.address, scheduler.address)
      await hub.connect(scheduler).reopen(taskId)
    })

    it('is up to a contract where that owns the pool', async () => {
      const task = await openTask(await loadFixture(walletPool), ofTrust(1n))
      const { hub, taskId, scheduler, wallet, ann } = task
      await contribute(task, ann)
      const { revealDeadline } = await hub.viewTask(taskId)
      await time.setNextBlockTimestamp(revealDeadline)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'NotPoolOwner')
        .withArgs(taskId, scheduler.address, wallet.target)
      await wallet.connect(scheduler).execute(hub, hub.interface.encodeFunctionData('reopen', [taskId]))
      expect((await hub.viewTask(taskId)).status).to.equal(1n)
    })
  })

  describe('given a result that may still be revealed', () => {
    it('reverts with DeadlineNotReached one second before the deadline', async () => {
      const { hub, scheduler, taskId, revealDeadline } = await unrevealedTask()
      await time.setNextBlockTimestamp(revealDeadline - 1n)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'DeadlineNotReached')
        .withArgs(taskId, revealDeadline)
    })
  })

  describe('given a result that somebody revealed', () => {
    it('reverts with AlreadyRevealed', async () => {
      const task = await loadFixture(revealingTask)
      const { hub, taskId, scheduler, bob } = task
      await reveal(task, bob)
      await time.setNextBlockTimestamp((await hub.viewTask(taskId)).revealDeadline)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'AlreadyRevealed')
        .withArgs(taskId)
    })
  })

  describe('given a task without a result', () => {
    it('reverts with WrongStatus when it was never opened', async () => {
      const { hub, scheduler, dealId } = await loadFixture(replicatedDeal)
      const taskId = taskIdOf(dealId, 0n)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskId, 0n)
    })

    it('reverts with WrongStatus when nothing is agreed on', async () => {
      const { hub, scheduler, taskId } = await loadFixture(contributedTask)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskId, 1n)
    })

    it('reverts with WrongStatus the second time', async () => {
      const { hub, scheduler, taskId } = await loadFixture(reopenedTask)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskId, 1n)
    })

    it('reverts with WrongStatus when it has failed', async () => {
      const { hub, scheduler, taskId } = await loadFixture(revealingTask)
      await time.increase(3000)
      await hub.claim(taskId)
      await expect(hub.connect(scheduler).reopen(taskId))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskId, 4n)
    })
  })

  describe('given a completed task', () => {
    it('reverts with WrongStatus', async () => {
      const task = await loadFixture(revealedTask)
      await finalize(task)
      await expect(task.hub.connect(task.scheduler).reopen(task.taskId))
        .to.be.revertedWithCustomError(task.hub, 'WrongStatus')
        .withArgs(task.taskId, 3n)
    })
  })
})

describe('a reopened task', () => {
  it('counts the result that was given up from one again', async () => {
    const task = await loadFixture(reopenedTask)
    const { hub, taskId, dan, crew } = task
    const [, , , , , sixth, seventh] = crew
    if (!(sixth && seventh)) throw new Error('The crew is too small.')
    // Against the one B, it takes three to agree, as it did before; those who were rejected do not count.
    await contribute(task, dan)
    await contribute(task, sixth)
    expect((await hub.viewTask(taskId)).status).to.equal(1n)
    await contribute(task, seventh)
    const { status, winnerCounter, contributors, consensusValue } = await hub.viewTask(taskId)
    expect([status, winnerCounter, consensusValue]).to.deep.equal([2n, 3n, hashOf(task)])
    expect(contributors.length).to.equal(7)
  })

  it('frees the other results of what stood against them', async () => {
    const task = await loadFixture(reopenedTask)
    await contribute(task, task.dan, 'B')
    const { status, winnerCounter } = await task.hub.viewTask(task.taskId)
    expect([status, winnerCounter]).to.deep.equal([2n, 2n])
  })

  it('has a new reveal deadline with its new agreement, and can be reopened again', async () => {
    const task = await loadFixture(reopenedTask)
    const { hub, taskId, ann, dan, eve } = task
    await contribute(task, dan, 'B')
    const agreedOn = BigInt(await time.latest())
    expect((await hub.viewTask(taskId)).revealDeadline).to.equal(agreedOn + 600n)
    await reopen(task)
    const statuses = await Promise.all(
      [ann, dan, eve].map(async (each) => (await hub.viewContribution(taskId, each))[0]),
    )
    expect(statuses).to.deep.equal([3n, 3n, 3n])
    expect((await hub.viewTask(taskId)).status).to.equal(1n)
  })

  it('is finalized by its second result: who was rejected loses its stake as well', async () => {
    const task = await loadFixture(reopenedTask)
    const { hub, taskId, ann, bob, cid, dan, eve } = task
    const before = await Promise.all([dan, eve].map((worker) => hub.balanceOf(worker)))
    await contribute(task, dan, 'B')
    await reveal(task, dan, 'B')
    await reveal(task, eve, 'B')
    await finalize(task)
    const reward = ((workerpoolPrice + 3n * stake) * 99n) / 100n / 2n
    expect(await hub.viewAccount(dan)).to.deep.equal([(before[0] ?? 0n) + reward, 0n])
    expect(await hub.viewAccount(eve)).to.deep.equal([(before[1] ?? 0n) + stake + reward, 0n])
    for (const worker of [ann, bob, cid]) expect(await hub.frozenOf(worker)).to.equal(0n)
    expect((await hub.viewTask(taskId)).resultDigest).to.equal(digestOf(task, 'B'))
    await checkMoney(task)
  })

  it('takes no result of one worker alone any more: HasContributions', async () => {
    const task = await reopenedSoloTask()
    const { hub, dealId, taskId, worker } = task
    const alone = await contributionTo(task, { taskId, worker, enclave: null })
    await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, alone)))
      .to.be.revertedWithCustomError(hub, 'HasContributions')
      .withArgs(taskId)
    const settled = await settlementOf(task, { dealId, worker, enclave: null })
    await expect(hub.connect(worker).settle(...settleArguments(settled)))
      .to.be.revertedWithCustomError(hub, 'HasContributions')
      .withArgs(taskId)
  })

  it('takes another worker of a task of trust 1, who agrees with itself', async () => {
    const task = await reopenedSoloTask()
    const { hub, taskId, bob } = task
    await contribute(task, bob, 'B')
    const { status, winnerCounter, consensusValue } = await hub.viewTask(taskId)
    expect([status, winnerCounter, consensusValue]).to.deep.equal([2n, 1n, hashOf(task, 'B')])
  })
})
