import { expect } from 'chai'
import {
  appPrice,
  type Contribution,
  contributionTo,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  ethers,
  finalArguments,
  initializedTask,
  loadFixture,
  makeDeal,
  matchedDeal,
  price,
  RLC,
  schedulerStake,
  taskIdOf,
  time,
  type Wishes,
  workerpoolPrice,
} from '../../fixtures.ts'

const workerReward = (workerpoolPrice * 99n) / 100n
const zero = ethers.ZeroAddress

/** An active task of a deal that differs from the usual one. */
async function taskOf(wishes: Wishes) {
  const assets = await loadFixture(createdAssets)
  const { dealId } = await makeDeal(assets, wishes)
  await assets.hub.initialize(dealId, 0n)
  return { ...assets, dealId, taskId: taskIdOf(dealId, 0n) }
}

const noEnclave = {
  app: { tag: ethers.ZeroHash },
  dataset: { tag: ethers.ZeroHash },
  request: { tag: ethers.ZeroHash },
}

describe('contributeAndFinalize', () => {
  describe('given an active task of trust one', () => {
    it('completes it and says so in four steps', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      const result = await contributionTo(task, { taskId, worker })
      const sending = hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      await expect(sending).to.emit(hub, 'TaskContribute').withArgs(taskId, worker.address, result.resultHash)
      await expect(sending).to.emit(hub, 'TaskConsensus').withArgs(taskId, result.resultHash)
      await expect(sending).to.emit(hub, 'TaskReveal').withArgs(taskId, worker.address, result.resultDigest)
      await expect(sending).to.emit(hub, 'TaskFinalize').withArgs(taskId, result.results)
    })

    it('keeps everything that a view can be asked for', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, dealId, taskId, worker, anyone } = task
      const result = await contributionTo(task, { taskId, worker })
      const sent = await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      const { timestamp } = (await sent.getBlock()) ?? { timestamp: 0 }
      const { startTime } = await hub.viewDeal(dealId)
      expect(await hub.viewTask(taskId)).to.deep.equal([
        3n,
        dealId,
        0n,
        300n,
        startTime + 2100n,
        BigInt(timestamp) + 600n,
        startTime + 3000n,
        result.resultHash,
        1n,
        1n,
        [worker.address],
        result.resultDigest,
        result.results,
        0n,
        '0x',
      ])
      const legacy = await hub.viewTaskABILegacy(taskId)
      const full = await hub.viewTask(taskId)
      expect([...legacy]).to.deep.equal([...full.slice(0, 11), result.results])
      expect(await hub.viewContribution(taskId, worker)).to.deep.equal([
        2n,
        result.resultHash,
        result.resultSeal,
        result.enclaveChallenge,
        0n,
      ])
      expect(await hub.viewContributionABILegacy(taskId, worker)).to.deep.equal([
        2n,
        result.resultHash,
        result.resultSeal,
        result.enclaveChallenge,
      ])
      expect(await hub.viewContribution(taskId, anyone)).to.deep.equal([0n, ethers.ZeroHash, ethers.ZeroHash, zero, 0n])
      expect(await hub.resultFor(taskId)).to.equal('0x')
    })

    it('pays app, dataset, worker and pool exactly what the payer locked, and frees the stake', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker, requester, scheduler, appOwner, datasetOwner } = task
      const result = await contributionTo(task, { taskId, worker })
      const sending = hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      await expect(sending).to.emit(hub, 'Seize').withArgs(requester.address, price, taskId)
      await expect(sending).to.emit(hub, 'Reward').withArgs(appOwner.address, appPrice, taskId)
      await expect(sending).to.emit(hub, 'Reward').withArgs(datasetOwner.address, datasetPrice, taskId)
      await expect(sending).to.emit(hub, 'Unlock').withArgs(scheduler.address, schedulerStake)
      await expect(sending).to.emit(hub, 'Reward').withArgs(worker.address, workerReward, taskId)
      await expect(sending)
        .to.emit(hub, 'Reward')
        .withArgs(scheduler.address, workerpoolPrice - workerReward, taskId)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, 0n])
      expect(await hub.viewAccount(appOwner)).to.deep.equal([appPrice, 0n])
      expect(await hub.viewAccount(datasetOwner)).to.deep.equal([datasetPrice, 0n])
      expect(await hub.viewAccount(worker)).to.deep.equal([DEPOSIT + workerReward, 0n])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT + workerpoolPrice - workerReward, 0n])
      expect(await hub.balanceOf(hub)).to.equal(0n)
    })

    it('rounds in favour of the pool', async () => {
      const task = await taskOf({ workerpool: { workerpoolprice: 99n } })
      const { hub, taskId, worker, scheduler } = task
      await hub
        .connect(worker)
        .contributeAndFinalize(...finalArguments(taskId, await contributionTo(task, { taskId, worker })))
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + 98n)
      expect(await hub.balanceOf(scheduler)).to.equal(DEPOSIT + 1n)
    })

    it('pays neither app nor dataset where they are free', async () => {
      const task = await taskOf({ app: { appprice: 0n }, dataset: { datasetprice: 0n } })
      const { hub, taskId, worker } = task
      const sent = await hub
        .connect(worker)
        .contributeAndFinalize(...finalArguments(taskId, await contributionTo(task, { taskId, worker })))
      const rewarded = (await sent.wait())?.logs.filter(
        ({ topics }) => topics[0] === hub.getEvent('Reward').fragment.topicHash,
      )
      expect(rewarded?.length).to.equal(2)
    })

    it('pays from and to one account that has every role', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, app, dataset, appRegistry, datasetRegistry, appOwner, datasetOwner, scheduler } = assets
      await appRegistry.connect(appOwner).transferFrom(appOwner, scheduler, app.target.toString())
      await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, scheduler, dataset.target.toString())
      const { dealId } = await makeDeal(assets, {
        request: { requester: scheduler.address },
        signers: { app: scheduler, dataset: scheduler, request: scheduler },
      })
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      const result = await contributionTo(assets, { taskId, worker: scheduler })
      await hub.connect(scheduler).contributeAndFinalize(...finalArguments(taskId, result))
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT, 0n])
    })

    it('pays by the terms of the deal although assets were sold since', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker, app, appRegistry, appOwner, anyone, workerpool, scheduler } = task
      await appRegistry.connect(appOwner).transferFrom(appOwner, anyone, app.target.toString())
      await workerpool.connect(scheduler).changePolicy(30n, 100n)
      await hub
        .connect(worker)
        .contributeAndFinalize(...finalArguments(taskId, await contributionTo(task, { taskId, worker })))
      expect([await hub.balanceOf(appOwner), await hub.balanceOf(anyone)]).to.deep.equal([appPrice, 0n])
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + workerReward)
    })

    it('leaves the other tasks of the deal locked', async () => {
      const volume = 3n
      const task = await taskOf({
        app: { volume },
        dataset: { volume },
        workerpool: { volume },
        request: { volume },
      })
      const { hub, taskId, worker, requester, scheduler } = task
      await hub
        .connect(worker)
        .contributeAndFinalize(...finalArguments(taskId, await contributionTo(task, { taskId, worker })))
      expect([await hub.frozenOf(requester), await hub.frozenOf(scheduler)]).to.deep.equal([
        price * 2n,
        schedulerStake * 2n,
      ])
    })

    it('keeps results of any size up to what a contract can hold', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      for (const [length, fits] of [
        [24_576, false],
        [90_000, false],
        [24_576 - 75, true],
      ] as const) {
        const results = ethers.hexlify(new Uint8Array(length).fill(1))
        const result = await contributionTo(task, { taskId, worker, results })
        const sending = hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
        if (fits) await sending
        else
          await expect(sending)
            .to.be.revertedWithCustomError(hub, 'BlobNotWritten')
            .withArgs(75 + length, 24_576)
      }
      expect((await hub.viewTask(taskId)).results).to.equal(ethers.hexlify(new Uint8Array(24_501).fill(1)))
    })

    it('reverts with WrongStatus the second time', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
      await hub.connect(worker).contributeAndFinalize(...call)
      await expect(hub.connect(worker).contributeAndFinalize(...call))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskId, 3n)
    })

    it('accepts the second before the deadline and reverts with DeadlinePassed on it', async () => {
      for (const [early, accepted] of [
        [1n, true],
        [0n, false],
      ] as const) {
        const task = await loadFixture(initializedTask)
        const { hub, taskId, worker } = task
        const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
        const deadline = (await hub.viewTask(taskId)).contributionDeadline
        await time.setNextBlockTimestamp(deadline - early)
        const sending = hub.connect(worker).contributeAndFinalize(...call)
        if (accepted) await expect(sending).to.emit(hub, 'TaskFinalize')
        else await expect(sending).to.be.revertedWithCustomError(hub, 'DeadlinePassed').withArgs(taskId, deadline)
      }
    })
  })

  describe('given a task that cannot be completed so', () => {
    it('reverts with WrongStatus when it was never opened', async () => {
      const deal = await loadFixture(matchedDeal)
      const taskId = taskIdOf(deal.dealId, 0n)
      const call = finalArguments(taskId, await contributionTo(deal, { taskId, worker: deal.worker }))
      await expect(deal.hub.connect(deal.worker).contributeAndFinalize(...call))
        .to.be.revertedWithCustomError(deal.hub, 'WrongStatus')
        .withArgs(taskId, 0n)
    })

    it('reverts with TrustNotOne when it must be replicated', async () => {
      const task = await taskOf({ workerpool: { trust: 2n }, request: { trust: 2n } })
      const { hub, taskId, worker } = task
      const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
      await expect(hub.connect(worker).contributeAndFinalize(...call))
        .to.be.revertedWithCustomError(hub, 'TrustNotOne')
        .withArgs(taskId, 2n)
    })
  })

  describe('when something is not signed as it must be', () => {
    type Forgery = [string, Partial<Contribution>]
    const forgeries: Forgery[] = [
      ['another digest', { resultDigest: ethers.id('forged') }],
      ['a signature of nothing', { enclaveSign: '0x' }],
      ['a signature of the right length', { enclaveSign: ethers.hexlify(new Uint8Array(65).fill(27)) }],
    ]
    for (const [name, forgery] of forgeries) {
      it(`reverts with NotSignedByEnclave for ${name}`, async () => {
        const task = await loadFixture(initializedTask)
        const { hub, taskId, worker } = task
        const result = { ...(await contributionTo(task, { taskId, worker })), ...forgery }
        await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result)))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(taskId, result.enclaveChallenge)
      })
    }

    it('reverts with NotSignedByEnclave for the signature of another enclave', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      const result = await contributionTo(task, { taskId, worker })
      const other = await contributionTo(task, { taskId, worker })
      await expect(
        hub
          .connect(worker)
          .contributeAndFinalize(...finalArguments(taskId, { ...result, enclaveSign: other.enclaveSign })),
      )
        .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
        .withArgs(taskId, result.enclaveChallenge)
    })

    it('reverts with NotAuthorized for another worker, another task, another enclave or another authorizer', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker, worker2, scheduler, anyone } = task
      const enclave = ethers.Wallet.createRandom()
      const result = await contributionTo(task, { taskId, worker, enclave })
      const elsewhere = await contributionTo(task, { taskId: ethers.id('another'), worker, enclave })
      const otherEnclave = await contributionTo(task, { taskId, worker })
      const unasked = await contributionTo(task, { taskId, worker, enclave, authorizer: anyone })
      for (const { authorizationSign } of [elsewhere, otherEnclave, unasked]) {
        const forged = { ...result, authorizationSign }
        await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, forged)))
          .to.be.revertedWithCustomError(hub, 'NotAuthorized')
          .withArgs(taskId, worker.address, enclave.address, scheduler.address)
      }
      await expect(hub.connect(worker2).contributeAndFinalize(...finalArguments(taskId, result)))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, worker2.address, enclave.address, scheduler.address)
    })

    it('reverts with EnclaveRequired when the deal asks for an enclave and none is named', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      const result = await contributionTo(task, { taskId, worker, enclave: null })
      await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result)))
        .to.be.revertedWithCustomError(hub, 'EnclaveRequired')
        .withArgs(taskId)
    })

    it('needs no enclave where the deal asks for none, and checks one that is named all the same', async () => {
      const task = await taskOf(noEnclave)
      const { hub, taskId, worker } = task
      const named = { ...(await contributionTo(task, { taskId, worker })), enclaveSign: '0x' }
      await expect(
        hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, named)),
      ).to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      const result = await contributionTo(task, { taskId, worker, enclave: null })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect((await hub.viewContribution(taskId, worker)).enclaveChallenge).to.equal(zero)
    })
  })

  describe('given a TEE broker', () => {
    async function brokeredTask() {
      const task = await loadFixture(initializedTask)
      await task.hub.connect(task.owner).setTeeBroker(task.broker)
      return task
    }

    it('wants its authorization for an enclave, not that of the pool', async () => {
      const task = await loadFixture(brokeredTask)
      const { hub, taskId, worker, broker } = task
      const byPool = await contributionTo(task, { taskId, worker })
      await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, byPool)))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, worker.address, byPool.enclaveChallenge, broker.address)
      const byBroker = await contributionTo(task, { taskId, worker, authorizer: broker })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, byBroker))
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })

    it('leaves work without enclave to the pool', async () => {
      const task = await taskOf(noEnclave)
      const { hub, taskId, worker, owner, broker } = task
      await hub.connect(owner).setTeeBroker(broker)
      const result = await contributionTo(task, { taskId, worker, enclave: null })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })

    it('goes back to the pool when the broker is removed', async () => {
      const task = await loadFixture(brokeredTask)
      const { hub, taskId, worker, owner } = task
      await hub.connect(owner).setTeeBroker(zero)
      const result = await contributionTo(task, { taskId, worker })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })
  })

  describe('given roles that are contracts (ERC-1271)', () => {
    it('asks the pool and the enclave for their approval', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, workerpool, workerpoolRegistry, scheduler, worker, token, owner } = assets
      const wallet = await ethers.deployContract('ContractWallet', [scheduler.address])
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, wallet, workerpool.target.toString())
      await token.connect(owner).approve(hub, RLC)
      await hub.connect(owner).depositFor(RLC, wallet)
      const { dealId } = await makeDeal(assets)
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      const enclave = ethers.Wallet.createRandom()
      const result = await contributionTo(assets, { taskId, worker, enclave })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect(await hub.viewAccount(wallet)).to.deep.equal([RLC + workerpoolPrice - workerReward, 0n])
    })
  })

  describe('given a kitty', () => {
    /** A task whose pool may draw from a kitty that was filled by failed tasks. */
    async function withKitty({ failures, poolPrice }: { failures: bigint; poolPrice: bigint }) {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const failing = await makeDeal(assets, {
        app: { volume: failures },
        dataset: { volume: failures },
        workerpool: { volume: failures, workerpoolprice: 20n * RLC },
        request: { volume: failures, workerpoolmaxprice: 20n * RLC },
      })
      await time.increase(3000)
      const indexes = [...Array(Number(failures)).keys()].map(BigInt)
      await hub.initializeAndClaimArray(
        indexes.map(() => failing.dealId),
        indexes,
      )
      const { dealId } = await makeDeal(assets, {
        workerpool: { workerpoolprice: poolPrice },
        request: { workerpoolmaxprice: poolPrice },
      })
      await hub.initialize(dealId, 0n)
      return { ...assets, taskId: taskIdOf(dealId, 0n), kitty: await hub.kitty_address() }
    }

    const draws: [string, bigint, bigint, bigint][] = [
      ['a tenth of it', 4n, 5n * RLC, (24n * RLC) / 10n],
      ['one token where a tenth is less', 1n, 5n * RLC, RLC],
      ['never more than the price of the work', 4n, RLC, RLC],
      ['nothing where the work is free', 4n, 0n, 0n],
    ]
    for (const [name, failures, poolPrice, bonus] of draws) {
      it(`gives the pool ${name}`, async () => {
        const task = await withKitty({ failures, poolPrice })
        const { hub, taskId, worker, scheduler, kitty } = task
        const filled = await hub.frozenOf(kitty)
        expect(filled).to.equal(failures * 6n * RLC)
        const before = await hub.balanceOf(scheduler)
        const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
        const sending = hub.connect(worker).contributeAndFinalize(...call)
        if (bonus > 0n) {
          await expect(sending).to.emit(hub, 'Seize').withArgs(kitty, bonus, taskId)
          await expect(sending).to.emit(hub, 'Reward').withArgs(scheduler.address, bonus, taskId)
        } else {
          await sending
        }
        const stake = (poolPrice * 30n) / 100n
        const share = poolPrice - (poolPrice * 99n) / 100n
        expect((await hub.balanceOf(scheduler)) - before).to.equal(stake + share + bonus)
        expect(await hub.frozenOf(kitty)).to.equal(filled - bonus)
        expect(await hub.balanceOf(hub)).to.equal(filled - bonus)
      })
    }

    it('gives the pool all of it where it is less than one token', async () => {
      const task = await withKitty({ failures: 1n, poolPrice: 5n * RLC })
      const { hub, scheduler, worker, kitty } = task
      let { taskId } = task
      for (let drawn = 0; drawn < 6; ++drawn) {
        const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
        await hub.connect(worker).contributeAndFinalize(...call)
        const price = drawn === 4 ? (5n * RLC) / 10n : 5n * RLC
        const { dealId } = await makeDeal(task, {
          workerpool: { workerpoolprice: price },
          request: { workerpoolmaxprice: price },
        })
        await hub.initialize(dealId, 0n)
        taskId = taskIdOf(dealId, 0n)
      }
      expect(await hub.frozenOf(kitty)).to.equal(RLC / 2n)
      const call = finalArguments(taskId, await contributionTo(task, { taskId, worker }))
      await expect(hub.connect(worker).contributeAndFinalize(...call))
        .to.emit(hub, 'Reward')
        .withArgs(scheduler.address, RLC / 2n, taskId)
      expect(await hub.frozenOf(kitty)).to.equal(0n)
    })
  })
})

describe('resultFor', () => {
  it('reverts with TaskPending until the task is completed', async () => {
    const { hub, taskId } = await loadFixture(initializedTask)
    await expect(hub.resultFor(taskId)).to.be.revertedWithCustomError(hub, 'TaskPending').withArgs(taskId, 1n)
    await expect(hub.resultFor(ethers.id('nothing'))).to.be.revertedWithCustomError(hub, 'TaskPending')
  })
})

describe('viewTask', () => {
  it('answers with zeros for a task that does not exist', async () => {
    const { hub, worker } = await loadFixture(createdAssets)
    const task = await hub.viewTask(ethers.id('nothing'))
    expect([task.status, task.dealid, task.finalDeadline]).to.deep.equal([0n, ethers.ZeroHash, 0n])
    expect((await hub.viewContribution(ethers.id('nothing'), worker)).status).to.equal(0n)
    expect(await hub.viewScore(worker)).to.equal(0n)
  })
})
