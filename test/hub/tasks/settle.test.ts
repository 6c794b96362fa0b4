import { expect } from 'chai'
import { checkSolvency, dealOf, dealOfThree, filledKitty, forFree, moneyAfter, moneyOf, ofVolume } from '../../deals.ts'
import {
  type Assets,
  appPrice,
  contributeArguments,
  contributionTo,
  DEPOSIT,
  datasetPrice,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  matchDeal,
  matchedDeal,
  price,
  RLC,
  settleArguments,
  settlementOf,
  signOrders,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'

const workerReward = (workerpoolPrice * 99n) / 100n

/** The usual deal, and a result for its only task: to be settled, and as its enclave signs it for the reference's call. */
async function dealWithResult() {
  const deal = await loadFixture(matchedDeal)
  const enclave = ethers.Wallet.createRandom()
  const settled = await settlementOf(deal, { ...deal, enclave })
  const { taskId, results, resultDigest } = settled
  const contribution = await contributionTo(deal, { taskId, worker: deal.worker, enclave, results, resultDigest })
  return { ...deal, settled, contribution }
}

type Deal = Assets & { dealId: string }

/** All that the Hub tells about the only task and about money. */
async function toldOf({ hub, worker, dealId, ...assets }: Deal) {
  const taskId = taskIdOf(dealId, 0n)
  return {
    task: [...(await hub.viewTask(taskId))],
    legacyTask: [...(await hub.viewTaskABILegacy(taskId))],
    contribution: [...(await hub.viewContribution(taskId, worker))],
    legacyContribution: [...(await hub.viewContributionABILegacy(taskId, worker))],
    result: await hub.resultFor(taskId),
    score: await hub.viewScore(worker),
    datasets: [...(await hub.viewDatasets(taskId))],
    money: [...(await moneyOf({ hub, ...assets }))],
    supply: await hub.totalSupply(),
  }
}

/** The logs of a transaction, without where in the chain they are. */
async function logsOf(sending: Promise<{ wait(): Promise<{ logs: readonly Log[] } | null> }>) {
  const receipt = await (await sending).wait()
  return (receipt?.logs ?? []).map(({ address, topics, data }) => ({ address, topics: [...topics], data }))
}

type Log = { address: string; topics: readonly string[]; data: string }

describe('settle', () => {
  describe('given a new task', () => {
    it('opens and completes it, and says so in five steps', async () => {
      const { hub, workerpool, anyone, settled } = await loadFixture(dealWithResult)
      const { taskId, worker, resultHash, resultDigest, results } = settled
      const sending = hub.connect(anyone).settle(...settleArguments(settled))
      await expect(sending).to.emit(hub, 'TaskInitialize').withArgs(taskId, workerpool.target)
      await expect(sending).to.emit(hub, 'TaskContribute').withArgs(taskId, worker, resultHash)
      await expect(sending).to.emit(hub, 'TaskConsensus').withArgs(taskId, resultHash)
      await expect(sending).to.emit(hub, 'TaskReveal').withArgs(taskId, worker, resultDigest)
      await expect(sending).to.emit(hub, 'TaskFinalize').withArgs(taskId, results)
    })

    it('says and leaves to the last bit what initialize and contributeAndFinalize do', async () => {
      const apart = await loadFixture(dealWithResult)
      const { hub, worker, dealId, settled, contribution } = apart
      const { startTime } = await hub.viewDeal(dealId)
      const opened = await logsOf(hub.initialize(dealId, 0n))
      await time.setNextBlockTimestamp(startTime + 100n)
      const call = finalArguments(settled.taskId, contribution)
      const logs = [...opened, ...(await logsOf(hub.connect(worker).contributeAndFinalize(...call)))]
      const told = await toldOf(apart)

      const atOnce = await loadFixture(dealWithResult)
      await time.setNextBlockTimestamp(startTime + 100n)
      expect(await logsOf(hub.settle(...settleArguments(settled)))).to.deep.equal(logs)
      expect(await toldOf(atOnce)).to.deep.equal(told)
      expect(told.task[5]).to.equal(startTime + 700n)
    })

    it('pays worker, app, dataset and pool what was locked, and nothing to the sender', async () => {
      const deal = await loadFixture(dealWithResult)
      const { hub, anyone, worker, requester, scheduler, appOwner, datasetOwner, settled } = deal
      const sending = hub.connect(anyone).settle(...settleArguments(settled))
      await expect(sending).to.emit(hub, 'Seize').withArgs(requester.address, price, settled.taskId)
      await expect(sending).to.emit(hub, 'Reward').withArgs(worker.address, workerReward, settled.taskId)
      expect(await hub.viewAccount(anyone)).to.deep.equal([0n, 0n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, 0n])
      expect(await hub.viewAccount(appOwner)).to.deep.equal([appPrice, 0n])
      expect(await hub.viewAccount(datasetOwner)).to.deep.equal([datasetPrice, 0n])
      expect(await hub.viewAccount(worker)).to.deep.equal([DEPOSIT + workerReward, 0n])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT + workerpoolPrice - workerReward, 0n])
      await checkSolvency(deal)
    })

    it('leaves the other tasks of the deal as they were', async () => {
      const deal = await loadFixture(dealOfThree)
      const { hub, dealId, requester } = deal
      await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, index: 1n })))
      const statuses = await Promise.all([0n, 1n, 2n].map((i) => hub.viewTask(taskIdOf(dealId, i))))
      expect(statuses.map(({ status }) => status)).to.deep.equal([0n, 3n, 0n])
      expect(await hub.frozenOf(requester)).to.equal(2n * price)
    })
  })

  describe('given an active task', () => {
    it('completes it and opens nothing', async () => {
      const { hub, dealId, settled } = await loadFixture(dealWithResult)
      await hub.initialize(dealId, 0n)
      const sending = hub.settle(...settleArguments(settled))
      await expect(sending).to.emit(hub, 'TaskFinalize').withArgs(settled.taskId, settled.results)
      await expect(sending).not.to.emit(hub, 'TaskInitialize')
      expect((await hub.viewTask(settled.taskId)).status).to.equal(3n)
    })
  })

  describe('given a worker that has another role as well', () => {
    const names = ['scheduler', 'requester', 'appOwner', 'datasetOwner', 'sponsor', 'beneficiary', 'owner', 'anyone']
    for (const name of [...names, 'hub', 'kitty', 'nobody'] as const) {
      it(`pays ${name} for each role`, async () => {
        const deal = await loadFixture(matchedDeal)
        const { hub } = deal
        const special = { hub: hub.target.toString(), kitty: await hub.kitty_address(), nobody: ethers.ZeroAddress }
        const roles: Record<string, unknown> = { ...deal, ...special }
        const role = roles[name] as string | { address: string }
        const address = typeof role === 'string' ? role : role.address
        const expected = await moneyAfter(deal, [address])
        await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, worker: { address } })))
        expect([...(await moneyOf(deal))]).to.deep.equal([...expected])
        expect((await hub.viewTask(taskIdOf(deal.dealId, 0n))).contributors).to.deep.equal([address])
        await checkSolvency(deal)
      })
    }
  })

  describe('given prices of zero', () => {
    it('rewards worker and pool with nothing, and nobody else', async () => {
      const deal = await dealOf(forFree())
      const { hub, worker, scheduler } = deal
      const settled = await settlementOf(deal, deal)
      const sending = hub.settle(...settleArguments(settled))
      await expect(sending).to.emit(hub, 'Reward').withArgs(worker.address, 0n, settled.taskId)
      await expect(sending).to.emit(hub, 'Reward').withArgs(scheduler.address, 0n, settled.taskId)
      const topic = hub.getEvent('Reward').fragment.topicHash
      expect((await logsOf(sending)).filter(({ topics }) => topics[0] === topic).length).to.equal(2)
      await checkSolvency(deal)
    })
  })

  describe('given a kitty', () => {
    const draws: [string, bigint, bigint][] = [
      ['one token', 5n * RLC, RLC],
      ['never more than the price of the work', RLC / 2n, RLC / 2n],
      ['nothing where the work is free', 0n, 0n],
    ]
    for (const [name, workerpoolprice, bonus] of draws) {
      it(`gives the pool ${name}`, async () => {
        const assets = await loadFixture(filledKitty)
        const { hub, kitty, scheduler } = assets
        const request = { workerpoolmaxprice: workerpoolprice }
        const { dealId } = await makeDeal(assets, { workerpool: { workerpoolprice }, request })
        const settled = await settlementOf(assets, { ...assets, dealId })
        const sending = hub.settle(...settleArguments(settled))
        if (bonus > 0n) {
          await expect(sending).to.emit(hub, 'Seize').withArgs(kitty, bonus, settled.taskId)
          await expect(sending).to.emit(hub, 'Reward').withArgs(scheduler.address, bonus, settled.taskId)
        } else await expect(sending).to.emit(hub, 'TaskFinalize')
        expect(await hub.frozenOf(kitty)).to.equal(6n * RLC - bonus)
        expect(await hub.balanceOf(hub)).to.equal(6n * RLC - bonus)
        await checkSolvency(assets)
      })
    }
  })

  describe('when the time comes', () => {
    for (const opened of [false, true]) {
      it(`accepts the second before the deadline, not the deadline itself, of ${opened ? 'an active' : 'a new'} task`, async () => {
        for (const early of [1n, 0n]) {
          const { hub, dealId, settled } = await loadFixture(dealWithResult)
          if (opened) await hub.initialize(dealId, 0n)
          const deadline = (await hub.viewDeal(dealId)).startTime + 2100n
          await time.setNextBlockTimestamp(deadline - early)
          const sending = hub.settle(...settleArguments(settled))
          if (early > 0n) await expect(sending).to.emit(hub, 'TaskFinalize')
          else
            await expect(sending)
              .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
              .withArgs(settled.taskId, deadline)
        }
      })
    }
  })

  describe('given a task that cannot be settled', () => {
    it('reverts with UnknownDeal when there is no deal', async () => {
      const { hub, settled } = await loadFixture(dealWithResult)
      const dealId = ethers.id('nothing')
      await expect(hub.settle(...settleArguments({ ...settled, dealId })))
        .to.be.revertedWithCustomError(hub, 'UnknownDeal')
        .withArgs(dealId)
    })

    it('reverts with IndexOutOfDeal before the first and after the last', async () => {
      const deal = await dealOf(ofVolume(5n, { workerpool: { volume: 2n } }))
      const { hub, orders } = deal
      const [, , pool] = await signOrders(deal, { workerpool: { volume: 9n } })
      const { dealId } = await matchDeal(deal, [orders[0], orders[1], pool, orders[3]])
      for (const index of [1n, 5n, 0n, ethers.MaxUint256]) {
        const settled = await settlementOf(deal, { ...deal, dealId, index })
        await expect(hub.settle(...settleArguments(settled)))
          .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
          .withArgs(dealId, index, 2n, 3n)
      }
      for (const index of [2n, 4n]) {
        await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, dealId, index })))
      }
    })

    it('reverts with WrongStatus when it is completed, by settle or by contributeAndFinalize', async () => {
      for (const first of ['settle', 'contributeAndFinalize'] as const) {
        const { hub, worker, dealId, settled, contribution } = await loadFixture(dealWithResult)
        if (first === 'settle') await hub.settle(...settleArguments(settled))
        else {
          await hub.initialize(dealId, 0n)
          await hub.connect(worker).contributeAndFinalize(...finalArguments(settled.taskId, contribution))
        }
        await expect(hub.settle(...settleArguments(settled)))
          .to.be.revertedWithCustomError(hub, 'WrongStatus')
          .withArgs(settled.taskId, 3n)
      }
    })

    it('reverts with WrongStatus when it was claimed', async () => {
      const { hub, dealId, settled } = await loadFixture(dealWithResult)
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      await expect(hub.settle(...settleArguments(settled)))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(settled.taskId, 4n)
    })

    it('reverts with TrustNotOne when it must be replicated, new, active or half done', async () => {
      const deal = await dealOf({ workerpool: { trust: 3n }, request: { trust: 3n } })
      const { hub, dealId, worker } = deal
      const settled = await settlementOf(deal, deal)
      const contribution = await contributionTo(deal, { taskId: settled.taskId, worker })
      const steps = [
        async () => {},
        () => hub.initialize(dealId, 0n),
        () => hub.connect(worker).contribute(...contributeArguments(settled.taskId, contribution)),
      ]
      for (const step of steps) {
        await step()
        await expect(hub.settle(...settleArguments(settled)))
          .to.be.revertedWithCustomError(hub, 'TrustNotOne')
          .withArgs(settled.taskId, 3n)
      }
    })

    it('reverts with WrongStatus after a contribution, and with HasContributions when it was reopened', async () => {
      const { hub, dealId, worker2, scheduler, settled } = await loadFixture(dealWithResult)
      const { taskId } = settled
      await hub.initialize(dealId, 0n)
      const contribution = await contributionTo({ scheduler }, { taskId, worker: worker2 })
      await hub.connect(worker2).contribute(...contributeArguments(taskId, contribution))
      const sending = () => hub.settle(...settleArguments(settled))
      await expect(sending()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 2n)
      await time.increase(600)
      await hub.connect(scheduler).reopen(taskId)
      await expect(sending()).to.be.revertedWithCustomError(hub, 'HasContributions').withArgs(taskId)
    })
  })
})
