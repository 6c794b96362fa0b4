import { expect } from 'chai'
import {
  contributionTo,
  createdAssets,
  DEPOSIT,
  finalArguments,
  initializedTask,
  loadFixture,
  makeDeal,
  matchedDeal,
  price,
  schedulerStake,
  signedOrders,
  taskIdOf,
  time,
} from '../../fixtures.ts'

/** An active task whose final deadline has passed. */
async function overdueTask() {
  const task = await loadFixture(initializedTask)
  const { finalDeadline } = await task.hub.viewTask(task.taskId)
  await time.setNextBlockTimestamp(finalDeadline)
  return task
}

/** A deal of three tasks that are overdue and not even open. */
async function overdueDeal() {
  const assets = await loadFixture(createdAssets)
  const volume = 3n
  const wishes = { app: { volume }, dataset: { volume }, workerpool: { volume }, request: { volume } }
  const { dealId } = await makeDeal(assets, wishes)
  await time.increase(3000)
  return { ...assets, dealId }
}

describe('claim', () => {
  describe('given an active task past its final deadline', () => {
    it('refunds the payer and gives the stake of the pool to the kitty', async () => {
      const { hub, taskId, requester, scheduler, anyone } = await overdueTask()
      const kitty = await hub.kitty_address()
      const claiming = hub.connect(anyone).claim(taskId)
      await expect(claiming).to.emit(hub, 'TaskClaimed').withArgs(taskId)
      await expect(claiming).to.emit(hub, 'Unlock').withArgs(requester.address, price)
      await expect(claiming).to.emit(hub, 'Transfer').withArgs(hub.target, requester.address, price)
      await expect(claiming).to.emit(hub, 'Seize').withArgs(scheduler.address, schedulerStake, taskId)
      await expect(claiming).to.emit(hub, 'Reward').withArgs(kitty, schedulerStake, taskId)
      await expect(claiming).to.emit(hub, 'Lock').withArgs(kitty, schedulerStake)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - schedulerStake, 0n])
      expect(await hub.viewAccount(kitty)).to.deep.equal([0n, schedulerStake])
      expect(await hub.balanceOf(hub)).to.equal(schedulerStake)
      expect((await hub.viewTask(taskId)).status).to.equal(4n)
    })

    it('reverts with WrongStatus the second time', async () => {
      const { hub, taskId } = await overdueTask()
      await hub.claim(taskId)
      await expect(hub.claim(taskId)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 4n)
    })

    it('is the end: no result is accepted, and no second opening', async () => {
      const task = await overdueTask()
      const { hub, taskId, dealId, worker } = task
      await hub.claim(taskId)
      const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
      await expect(hub.connect(worker).contributeAndFinalize(...call))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskId, 4n)
      await expect(hub.initialize(dealId, 0n)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 4n)
    })

    it('refunds a sponsor, not the requester', async () => {
      const { hub, orders, sponsor, requester } = await loadFixture(signedOrders)
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT, 0n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    })
  })

  describe('given a task that may not be claimed', () => {
    it('reverts with DeadlineNotReached one second before the deadline', async () => {
      const { hub, taskId } = await loadFixture(initializedTask)
      const { finalDeadline } = await hub.viewTask(taskId)
      await time.setNextBlockTimestamp(finalDeadline - 1n)
      await expect(hub.claim(taskId))
        .to.be.revertedWithCustomError(hub, 'DeadlineNotReached')
        .withArgs(taskId, finalDeadline)
    })

    it('reverts with WrongStatus when it was never opened', async () => {
      const { hub, dealId } = await loadFixture(matchedDeal)
      const taskId = taskIdOf(dealId, 0n)
      await expect(hub.claim(taskId)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 0n)
    })

    it('reverts with WrongStatus when it is completed', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
      await hub.connect(worker).contributeAndFinalize(...call)
      await time.increase(3000)
      await expect(hub.claim(taskId)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 3n)
    })
  })
})

describe('initializeArray', () => {
  it('opens several tasks', async () => {
    const { hub, dealId } = await overdueDeal()
    expect(await hub.initializeArray.staticCall([dealId, dealId], [0n, 2n])).to.equal(true)
    await hub.initializeArray([dealId, dealId], [0n, 2n])
    const statuses = await Promise.all([0n, 1n, 2n].map(async (i) => (await hub.viewTask(taskIdOf(dealId, i))).status))
    expect(statuses).to.deep.equal([1n, 0n, 1n])
  })

  it('reverts with LengthMismatch when an index is missing', async () => {
    const { hub, dealId } = await overdueDeal()
    await expect(hub.initializeArray([dealId, dealId], [0n]))
      .to.be.revertedWithCustomError(hub, 'LengthMismatch')
      .withArgs(2n, 1n)
  })

  it('opens none if one cannot be opened', async () => {
    const { hub, dealId } = await overdueDeal()
    await expect(hub.initializeArray([dealId, dealId], [0n, 3n])).to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
    expect((await hub.viewTask(taskIdOf(dealId, 0n))).status).to.equal(0n)
  })
})

describe('claimArray', () => {
  it('claims several tasks', async () => {
    const { hub, dealId, requester, scheduler } = await overdueDeal()
    await hub.initializeArray([dealId, dealId], [0n, 1n])
    const taskIds = [taskIdOf(dealId, 0n), taskIdOf(dealId, 1n)]
    expect(await hub.claimArray.staticCall(taskIds)).to.equal(true)
    await hub.claimArray(taskIds)
    expect([await hub.frozenOf(requester), await hub.frozenOf(scheduler)]).to.deep.equal([price, schedulerStake])
    expect(await hub.frozenOf(await hub.kitty_address())).to.equal(2n * schedulerStake)
  })

  it('claims none if one cannot be claimed', async () => {
    const { hub, dealId, requester } = await overdueDeal()
    await hub.initialize(dealId, 0n)
    const taskId = taskIdOf(dealId, 0n)
    await expect(hub.claimArray([taskId, taskId]))
      .to.be.revertedWithCustomError(hub, 'WrongStatus')
      .withArgs(taskId, 4n)
    expect(await hub.frozenOf(requester)).to.equal(3n * price)
  })
})

describe('initializeAndClaimArray', () => {
  it('refunds a deal that nobody worked on', async () => {
    const { hub, dealId, requester, scheduler } = await overdueDeal()
    const call = [
      [dealId, dealId, dealId],
      [0n, 1n, 2n],
    ] as [string[], bigint[]]
    expect(await hub.initializeAndClaimArray.staticCall(...call)).to.equal(true)
    await expect(hub.initializeAndClaimArray(...call))
      .to.emit(hub, 'TaskInitialize')
      .to.emit(hub, 'TaskClaimed')
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - 3n * schedulerStake, 0n])
  })

  it('reverts with LengthMismatch when an index is missing', async () => {
    const { hub, dealId } = await overdueDeal()
    await expect(hub.initializeAndClaimArray([dealId], []))
      .to.be.revertedWithCustomError(hub, 'LengthMismatch')
      .withArgs(1n, 0n)
  })

  it('reverts with DeadlineNotReached while there is time', async () => {
    const { hub, dealId } = await loadFixture(matchedDeal)
    await expect(hub.initializeAndClaimArray([dealId], [0n])).to.be.revertedWithCustomError(hub, 'DeadlineNotReached')
  })
})
