import { expect } from 'chai'
import { checkSolvency, dealOf, dealOfThree, filledKitty, forFree, moneyOf, ofVolume } from '../../deals.ts'
import {
  contributeArguments,
  contributionTo,
  DEPOSIT,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  matchedDeal,
  price,
  schedulerStake,
  settleArguments,
  settlementOf,
  signedOrders,
  taskIdOf,
  time,
} from '../../fixtures.ts'
import { attestedFailure, CAUSE, failureArguments, hopelessTask } from './failure.ts'

describe('settleFailure', () => {
  describe('given a new task', () => {
    it('ends it and says whose enclave said why, whoever sends', async () => {
      const { hub, anyone, worker, workerpool, failure } = await loadFixture(hopelessTask)
      const sending = hub.connect(anyone).settleFailure(...failureArguments(failure))
      await expect(sending).to.emit(hub, 'TaskInitialize').withArgs(failure.taskId, workerpool.target)
      await expect(sending).to.emit(hub, 'TaskFailed').withArgs(failure.taskId, worker.address, CAUSE)
    })

    it('refunds the payer, frees the stake of the pool, and punishes nobody', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, requester, scheduler, worker, appOwner, datasetOwner, failure } = deal
      const sending = hub.settleFailure(...failureArguments(failure))
      await expect(sending).to.emit(hub, 'Unlock').withArgs(requester.address, price)
      await expect(sending).to.emit(hub, 'Transfer').withArgs(hub.target, requester.address, price)
      await expect(sending).to.emit(hub, 'Unlock').withArgs(scheduler.address, schedulerStake)
      await expect(sending).to.emit(hub, 'Transfer').withArgs(hub.target, scheduler.address, schedulerStake)
      for (const name of ['Seize', 'Reward', 'Lock', 'TaskClaimed', 'TaskFinalize'] as const) {
        await expect(sending).not.to.emit(hub, name)
      }
      for (const account of [requester, scheduler, worker]) {
        expect(await hub.viewAccount(account)).to.deep.equal([DEPOSIT, 0n])
      }
      for (const account of [appOwner, datasetOwner, await hub.kitty_address(), hub]) {
        expect(await hub.viewAccount(account)).to.deep.equal([0n, 0n])
      }
      expect(await hub.viewScore(worker)).to.equal(0n)
      await checkSolvency(deal)
    })

    it('leaves a full kitty as it was', async () => {
      const assets = await loadFixture(filledKitty)
      const { hub, kitty } = assets
      const { dealId } = await makeDeal(assets)
      const before = await hub.frozenOf(kitty)
      await hub.settleFailure(...failureArguments(await attestedFailure(assets, { ...assets, dealId })))
      expect(await hub.frozenOf(kitty)).to.equal(before)
      await checkSolvency(assets)
    })

    it('refunds a sponsor, not the requester', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, orders, sponsor, requester } = assets
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      const sending = hub.settleFailure(...failureArguments(await attestedFailure(assets, { ...assets, dealId })))
      await expect(sending).to.emit(hub, 'Unlock').withArgs(sponsor.address, price)
      expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT, 0n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    })

    it('leaves the other tasks of the deal as they were', async () => {
      const deal = await loadFixture(dealOfThree)
      const { hub, dealId, requester, scheduler } = deal
      await hub.settleFailure(...failureArguments(await attestedFailure(deal, { ...deal, index: 1n })))
      const tasks = await Promise.all([0n, 1n, 2n].map((i) => hub.viewTask(taskIdOf(dealId, i))))
      expect(tasks.map(({ status }) => status)).to.deep.equal([0n, 4n, 0n])
      expect([await hub.frozenOf(requester), await hub.frozenOf(scheduler)]).to.deep.equal([
        2n * price,
        2n * schedulerStake,
      ])
    })

    for (const cause of [0n, 1n, ethers.MaxUint256]) {
      it(`takes any number as the cause: ${cause}`, async () => {
        const deal = await loadFixture(matchedDeal)
        const { hub, worker } = deal
        const failure = await attestedFailure(deal, { ...deal, cause })
        await expect(hub.settleFailure(...failureArguments(failure)))
          .to.emit(hub, 'TaskFailed')
          .withArgs(failure.taskId, worker.address, cause)
      })
    }

    it('refunds nothing where everything was free', async () => {
      const deal = await dealOf(forFree())
      const before = [...(await moneyOf(deal))]
      await deal.hub.settleFailure(...failureArguments(await attestedFailure(deal, deal)))
      expect([...(await moneyOf(deal))]).to.deep.equal(before)
    })

    it('ends a task past every place for an index', async () => {
      const deal = await dealOf(ofVolume(ethers.MaxUint256, forFree()))
      const { hub, dealId } = deal
      const index = 2n ** 32n
      await hub.settleFailure(...failureArguments(await attestedFailure(deal, { ...deal, index })))
      const task = await hub.viewTask(taskIdOf(dealId, index))
      expect([task.status, task.idx]).to.deep.equal([4n, index])
    })
  })

  describe('given an active task', () => {
    it('ends it and opens nothing', async () => {
      const { hub, dealId, failure } = await loadFixture(hopelessTask)
      await hub.initialize(dealId, 0n)
      const sending = hub.settleFailure(...failureArguments(failure))
      await expect(sending).to.emit(hub, 'TaskFailed')
      await expect(sending).not.to.emit(hub, 'TaskInitialize')
    })
  })

  describe('given a failed task', () => {
    it('is viewed as failed, with no result and nobody behind it', async () => {
      const { hub, dealId, worker, failure } = await loadFixture(hopelessTask)
      await hub.settleFailure(...failureArguments(failure))
      const { startTime } = await hub.viewDeal(dealId)
      const task = [4n, dealId, 0n, 300n, startTime + 2100n, 0n, startTime + 3000n, ethers.ZeroHash, 0n, 0n, []]
      expect(await hub.viewTask(failure.taskId)).to.deep.equal([...task, ethers.ZeroHash, '0x', 0n, '0x'])
      expect(await hub.viewTaskABILegacy(failure.taskId)).to.deep.equal([...task, '0x'])
      expect((await hub.viewContribution(failure.taskId, worker)).status).to.equal(0n)
      await expect(hub.resultFor(failure.taskId))
        .to.be.revertedWithCustomError(hub, 'TaskPending')
        .withArgs(failure.taskId, 4n)
    })

    it('is over: WrongStatus for whatever could be done to it', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, dealId, worker, scheduler, failure } = deal
      const { taskId } = failure
      const settled = await settlementOf(deal, deal)
      await hub.settleFailure(...failureArguments(failure))
      const attempts = [
        () => hub.settleFailure(...failureArguments(failure)),
        () => hub.initialize(dealId, 0n),
        () => hub.settle(...settleArguments(settled)),
        () => hub.settleBatch(dealId, [settled]),
        () => hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, settled)),
        () => hub.connect(worker).contribute(...contributeArguments(taskId, settled)),
        () => hub.connect(worker).reveal(taskId, settled.resultDigest),
        () => hub.connect(scheduler).reopen(taskId),
        () => hub.connect(scheduler).finalize(taskId, '0x', '0x'),
      ]
      for (const attempt of attempts) {
        await expect(attempt()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 4n)
      }
      await time.increase(3000)
      await expect(hub.claim(taskId)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 4n)
    })
  })

  describe('given a task that cannot fail so', () => {
    it('reverts with UnknownDeal when there is no deal', async () => {
      const { hub, failure } = await loadFixture(hopelessTask)
      const dealId = ethers.id('nothing')
      await expect(hub.settleFailure(...failureArguments({ ...failure, dealId })))
        .to.be.revertedWithCustomError(hub, 'UnknownDeal')
        .withArgs(dealId)
    })

    it('reverts with IndexOutOfDeal when the deal has no such task', async () => {
      const deal = await loadFixture(dealOfThree)
      const failure = await attestedFailure(deal, { ...deal, index: 3n })
      await expect(deal.hub.settleFailure(...failureArguments(failure)))
        .to.be.revertedWithCustomError(deal.hub, 'IndexOutOfDeal')
        .withArgs(deal.dealId, 3n, 0n, 3n)
    })

    it('reverts with WrongStatus when it is completed or claimed', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, dealId, failure } = deal
      await hub.settle(...settleArguments(await settlementOf(deal, deal)))
      const sending = () => hub.settleFailure(...failureArguments(failure))
      await expect(sending()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(failure.taskId, 3n)
      await loadFixture(hopelessTask)
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      await expect(sending()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(failure.taskId, 4n)
    })

    it('reverts with TrustNotOne when it must be replicated: one enclave does not speak for the others', async () => {
      const deal = await dealOf({ workerpool: { trust: 2n }, request: { trust: 2n } })
      const failure = await attestedFailure(deal, deal)
      await expect(deal.hub.settleFailure(...failureArguments(failure)))
        .to.be.revertedWithCustomError(deal.hub, 'TrustNotOne')
        .withArgs(failure.taskId, 2n)
    })

    it('reverts with WrongStatus after a contribution, and with HasContributions when it was reopened', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, dealId, worker2, scheduler, failure } = deal
      const { taskId } = failure
      await hub.initialize(dealId, 0n)
      const contribution = await contributionTo(deal, { taskId, worker: worker2 })
      await hub.connect(worker2).contribute(...contributeArguments(taskId, contribution))
      const sending = () => hub.settleFailure(...failureArguments(failure))
      await expect(sending()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 2n)
      await time.increase(600)
      await hub.connect(scheduler).reopen(taskId)
      await expect(sending()).to.be.revertedWithCustomError(hub, 'HasContributions').withArgs(taskId)
    })

    it('accepts the second before the deadline and reverts with DeadlinePassed on it', async () => {
      for (const early of [1n, 0n]) {
        const { hub, dealId, failure } = await loadFixture(hopelessTask)
        const deadline = (await hub.viewDeal(dealId)).startTime + 2100n
        await time.setNextBlockTimestamp(deadline - early)
        const sending = hub.settleFailure(...failureArguments(failure))
        if (early > 0n) await expect(sending).to.emit(hub, 'TaskFailed')
        else
          await expect(sending).to.be.revertedWithCustomError(hub, 'DeadlinePassed').withArgs(failure.taskId, deadline)
      }
    })
  })
})
