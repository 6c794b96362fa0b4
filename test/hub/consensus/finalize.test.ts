import { expect } from 'chai'
import {
  appPrice,
  datasetPrice,
  loadFixture,
  price,
  schedulerStake,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'
import {
  checkMoney,
  contribute,
  contributedTask,
  eventsOf,
  finalize,
  ofTrust,
  openTask,
  reopenedTask,
  replicatedDeal,
  results,
  reveal,
  revealedTask,
  revealingTask,
  walletPool,
} from '../../replicas.ts'

const stake = (workerpoolPrice * 30n) / 100n

/** Ann has revealed; Bob and Cid, who found the same, have not. */
async function partlyRevealedTask() {
  const task = await loadFixture(revealingTask)
  await reveal(task, task.ann)
  const { revealDeadline } = await task.hub.viewTask(task.taskId)
  return { ...task, revealDeadline }
}

describe('finalize', () => {
  describe('given a task whose result all winners revealed', () => {
    it('pays everybody, worker by worker in the order of their contributions, and says so', async () => {
      const task = await loadFixture(revealedTask)
      const { hub, taskId, requester, appOwner, datasetOwner, scheduler, ann, bob, cid, eve } = task
      const share = ((workerpoolPrice + stake) * 99n) / 100n
      const reward = share / 3n
      const rest = workerpoolPrice + stake - 3n * reward
      const paid = (account: { address: string }, amount: bigint) => [
        ['Transfer', hub.target, account.address, amount],
        ['Reward', account.address, amount, taskId],
      ]
      const freed = (account: { address: string }, amount: bigint) => [
        ['Transfer', hub.target, account.address, amount],
        ['Unlock', account.address, amount],
      ]
      expect(await eventsOf(task, await finalize(task))).to.deep.equal([
        ['Seize', requester.address, price, taskId],
        ...paid(appOwner, appPrice),
        ...paid(datasetOwner, datasetPrice),
        ...freed(scheduler, schedulerStake),
        ['Seize', eve.address, stake, taskId],
        ['FaultyContribution', eve.address, taskId],
        ...[ann, bob, cid].flatMap((worker) => [
          ...freed(worker, stake),
          ...paid(worker, reward),
          ['AccurateContribution', worker.address, taskId],
        ]),
        ...paid(scheduler, rest),
        ['TaskFinalize', taskId, results],
      ])
      await checkMoney(task)
    })

    it('completes it, and keeps the results', async () => {
      const task = await loadFixture(revealedTask)
      const before = await task.hub.viewTask(task.taskId)
      await finalize(task)
      const after = await task.hub.viewTask(task.taskId)
      expect([after.status, after.results, after.resultsCallback]).to.deep.equal([3n, results, '0x'])
      expect([...after].slice(1, 12)).to.deep.equal([...before].slice(1, 12))
    })

    it('is possible before the time to reveal is over', async () => {
      const task = await loadFixture(revealedTask)
      await finalize(task)
      expect(BigInt(await time.latest()) < (await task.hub.viewTask(task.taskId)).revealDeadline).to.equal(true)
    })

    it('is possible one second before the final deadline', async () => {
      const task = await loadFixture(revealedTask)
      const { finalDeadline } = await task.hub.viewTask(task.taskId)
      await time.setNextBlockTimestamp(finalDeadline - 1n)
      await finalize(task)
      expect((await task.hub.viewTask(task.taskId)).status).to.equal(3n)
    })

    it('reverts with DeadlinePassed at the final deadline: it can be claimed from then on', async () => {
      const task = await loadFixture(revealedTask)
      const { hub, taskId } = task
      const { finalDeadline } = await hub.viewTask(taskId)
      await time.setNextBlockTimestamp(finalDeadline)
      await expect(finalize(task)).to.be.revertedWithCustomError(hub, 'DeadlinePassed').withArgs(taskId, finalDeadline)
      await hub.claim(taskId)
    })

    it('reverts with WrongStatus the second time', async () => {
      const task = await loadFixture(revealedTask)
      await finalize(task)
      await expect(finalize(task)).to.be.revertedWithCustomError(task.hub, 'WrongStatus').withArgs(task.taskId, 3n)
    })

    it('reverts with NotPoolOwner when a worker, the payer or anyone asks for it', async () => {
      const { hub, taskId, scheduler, ann, requester, anyone } = await loadFixture(revealedTask)
      for (const caller of [ann, requester, anyone]) {
        await expect(hub.connect(caller).finalize(taskId, results, '0x'))
          .to.be.revertedWithCustomError(hub, 'NotPoolOwner')
          .withArgs(taskId, caller.address, scheduler.address)
      }
    })

    it('is up to who owned the pool when the deal was made, who is paid', async () => {
      const task = await loadFixture(revealedTask)
      const { hub, taskId, scheduler, anyone, workerpool, workerpoolRegistry } = task
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, anyone, workerpool.target.toString())
      await expect(hub.connect(anyone).finalize(taskId, results, '0x'))
        .to.be.revertedWithCustomError(hub, 'NotPoolOwner')
        .withArgs(taskId, anyone.address, scheduler.address)
      await finalize(task)
      expect(await hub.balanceOf(anyone)).to.equal(0n)
    })

    it('is up to a contract where that owns the pool, which is paid', async () => {
      const task = await openTask(await loadFixture(walletPool), ofTrust(1n))
      const { hub, taskId, scheduler, wallet, ann } = task
      await contribute(task, ann)
      await reveal(task, ann)
      await expect(finalize(task))
        .to.be.revertedWithCustomError(hub, 'NotPoolOwner')
        .withArgs(taskId, scheduler.address, wallet.target)
      const before = await hub.balanceOf(wallet)
      const call = hub.interface.encodeFunctionData('finalize', [taskId, results, '0x'])
      await wallet.connect(scheduler).execute(hub, call)
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
      expect(await hub.viewAccount(wallet)).to.deep.equal([before + schedulerStake + workerpoolPrice / 100n, 0n])
    })

    it('is the same in a multicall', async () => {
      const task = await loadFixture(revealedTask)
      const { hub, taskId, scheduler } = task
      const call = hub.interface.encodeFunctionData('finalize', [taskId, results, '0x'])
      await hub.connect(scheduler).multicall([call])
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })

    it('may publish nothing', async () => {
      const { hub, taskId, scheduler } = await loadFixture(revealedTask)
      await hub.connect(scheduler).finalize(taskId, '0x', '0x')
      const { status, results: published } = await hub.viewTask(taskId)
      expect([status, published]).to.deep.equal([3n, '0x'])
    })

    it('publishes as much as a contract can be long, and reverts with BlobNotWritten past that', async () => {
      const { hub, taskId, scheduler } = await loadFixture(revealedTask)
      // A zero byte and the length of the results come before them.
      const most = 24_576 - 3
      await expect(hub.connect(scheduler).finalize(taskId, `0x${'11'.repeat(most + 1)}`, '0x'))
        .to.be.revertedWithCustomError(hub, 'BlobNotWritten')
        .withArgs(24_577n, 24_576n)
      await hub.connect(scheduler).finalize(taskId, `0x${'11'.repeat(most)}`, '0x')
      expect((await hub.viewTask(taskId)).results).to.equal(`0x${'11'.repeat(most)}`)
    })

    it('reverts with BlobNotWritten where the length of the results does not fit its place', async () => {
      const { hub, taskId, scheduler } = await loadFixture(revealedTask)
      await expect(hub.connect(scheduler).finalize(taskId, `0x${'11'.repeat(65_536)}`, '0x'))
        .to.be.revertedWithCustomError(hub, 'BlobNotWritten')
        .withArgs(65_539n, 24_576n)
    })
  })

  describe('given a result that some winners revealed', () => {
    it('reverts with RevealsMissing one second before the others are late', async () => {
      const task = await partlyRevealedTask()
      const { hub, taskId, revealDeadline } = task
      await time.setNextBlockTimestamp(revealDeadline - 1n)
      await expect(finalize(task))
        .to.be.revertedWithCustomError(hub, 'RevealsMissing')
        .withArgs(taskId, 1n, 3n, revealDeadline)
    })

    it('reverts with RevealsMissing while one of them is missing', async () => {
      const task = await partlyRevealedTask()
      const { hub, taskId, bob, revealDeadline } = task
      await reveal(task, bob)
      await expect(finalize(task))
        .to.be.revertedWithCustomError(hub, 'RevealsMissing')
        .withArgs(taskId, 2n, 3n, revealDeadline)
    })

    it('pays who revealed once the others are late, who lose their stakes to them', async () => {
      const task = await partlyRevealedTask()
      const { hub, taskId, ann, bob, cid, eve, revealDeadline } = task
      await time.setNextBlockTimestamp(revealDeadline)
      const before = await hub.balanceOf(ann)
      const events = await eventsOf(task, await finalize(task))
      for (const worker of [bob, cid, eve]) {
        expect(events).to.deep.include(['Seize', worker.address, stake, taskId])
        expect(events).to.deep.include(['FaultyContribution', worker.address, taskId])
        expect(await hub.frozenOf(worker)).to.equal(0n)
      }
      const reward = ((workerpoolPrice + 3n * stake) * 99n) / 100n
      expect(await hub.viewAccount(ann)).to.deep.equal([before + stake + reward, 0n])
      expect((await hub.viewTask(taskId)).revealCounter).to.equal(1n)
      await checkMoney(task)
    })

    it('leaves the contributions of those who are late as they were', async () => {
      const task = await partlyRevealedTask()
      const { hub, taskId, ann, bob, revealDeadline } = task
      await time.setNextBlockTimestamp(revealDeadline)
      await finalize(task)
      expect((await hub.viewContribution(taskId, ann)).status).to.equal(2n)
      expect((await hub.viewContribution(taskId, bob)).status).to.equal(1n)
    })
  })

  describe('given a result that nobody revealed', () => {
    for (const late of [false, true]) {
      it(`reverts with RevealsMissing, in time or not (late: ${late})`, async () => {
        const task = await loadFixture(revealingTask)
        const { hub, taskId } = task
        const { revealDeadline } = await hub.viewTask(taskId)
        if (late) await time.setNextBlockTimestamp(revealDeadline)
        await expect(finalize(task))
          .to.be.revertedWithCustomError(hub, 'RevealsMissing')
          .withArgs(taskId, 0n, 3n, revealDeadline)
      })
    }
  })

  describe('given a task without a result', () => {
    it('reverts with WrongStatus when it was never opened', async () => {
      const deal = await loadFixture(replicatedDeal)
      const task = { ...deal, taskId: taskIdOf(deal.dealId, 0n) }
      await expect(finalize(task)).to.be.revertedWithCustomError(task.hub, 'WrongStatus').withArgs(task.taskId, 0n)
    })

    for (const fixture of [contributedTask, reopenedTask]) {
      it(`reverts with WrongStatus when nothing is agreed on (${fixture.name})`, async () => {
        const task = await loadFixture<Awaited<ReturnType<typeof contributedTask>>>(fixture)
        await expect(finalize(task)).to.be.revertedWithCustomError(task.hub, 'WrongStatus').withArgs(task.taskId, 1n)
      })
    }

    it('reverts with WrongStatus when it has failed', async () => {
      const task = await loadFixture(revealedTask)
      await time.increase(3000)
      await task.hub.claim(task.taskId)
      await expect(finalize(task)).to.be.revertedWithCustomError(task.hub, 'WrongStatus').withArgs(task.taskId, 4n)
    })
  })
})
