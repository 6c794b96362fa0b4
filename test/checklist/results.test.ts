// Rows of docs/checklist.md about results: who vouches for them, how they come in, who is called back.
import { expect } from 'chai'
import {
  contributeArguments,
  contributionTo,
  createdAssets,
  DEPOSIT,
  ethers,
  finalArguments,
  initializedTask,
  loadFixture,
  makeDeal,
  matchedDeal,
  price,
  settleArguments,
  settlementOf,
  taskIdOf,
  workerpoolPrice,
} from '../fixtures.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])
const workerReward = (workerpoolPrice * 99n) / 100n

describe("C42 rely on the enclave's signature: forged results fail", () => {
  it('refuses a result that another key signed, in every way to hand it in', async () => {
    const task = await loadFixture(initializedTask)
    const { hub, taskId, dealId, worker, requester } = task
    const forger = ethers.Wallet.createRandom()
    const result = await contributionTo(task, { taskId, worker })
    const settled = await settlementOf(task, { dealId, worker })
    const forgedResult = await contributionTo(task, { taskId, worker, enclave: forger })
    const forgedSettled = await settlementOf(task, { dealId, worker, enclave: forger })
    const calling = hub.connect(worker)
    const forgeries = [
      [
        result,
        () => calling.contribute(...contributeArguments(taskId, { ...result, enclaveSign: forgedResult.enclaveSign })),
      ],
      [
        result,
        () =>
          calling.contributeAndFinalize(
            ...finalArguments(taskId, { ...result, enclaveSign: forgedResult.enclaveSign }),
          ),
      ],
      [settled, () => calling.settle(...settleArguments({ ...settled, enclaveSign: forgedSettled.enclaveSign }))],
    ] as const
    for (const [{ enclaveChallenge }, forge] of forgeries) {
      await expect(forge()).to.be.revertedWithCustomError(hub, 'NotSignedByEnclave').withArgs(taskId, enclaveChallenge)
    }
    expect((await hub.viewTask(taskId)).status).to.equal(1n)
    expect(await hub.frozenOf(requester)).to.equal(price)
  })

  it('refuses another result than the one that was signed', async () => {
    const task = await loadFixture(initializedTask)
    const { hub, taskId, dealId, worker } = task
    const result = await contributionTo(task, { taskId, worker })
    const other = { ...result, resultDigest: ethers.id('forged') }
    await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, other)))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(taskId, result.enclaveChallenge)
    const settled = await settlementOf(task, { dealId, worker })
    for (const forgery of [{ outputDigest: ethers.id('forged') }, { results: '0x01' }, { resultsCallback: '0x01' }]) {
      await expect(hub.settle(...settleArguments({ ...settled, ...forgery })))
        .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
        .withArgs(taskId, settled.enclaveChallenge)
    }
    await expect(hub.settle(...settleArguments(settled))).to.emit(hub, 'TaskFinalize')
  })
})

describe('C43 use one enclave, or several workers that agree', () => {
  it('finalizes by one enclave, without replication', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, dealId, worker } = deal
    await hub.settle(...settleArguments(await settlementOf(deal, { dealId, worker })))
    const task = await hub.viewTask(taskIdOf(dealId, 0n))
    expect([task.status, task.contributors]).to.deep.equal([3n, [worker.address]])
  })

  it('finalizes by several workers that agree, without any enclave', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, worker, worker2, sponsor, scheduler } = assets
    const none = { tag: ethers.ZeroHash }
    const trust = 5n
    const { dealId } = await makeDeal(assets, {
      app: none,
      dataset: none,
      workerpool: { trust },
      request: { ...none, trust },
    })
    await hub.initialize(dealId, 0n)
    const taskId = taskIdOf(dealId, 0n)
    const workers = [worker, worker2, sponsor]
    for (const by of workers) {
      expect((await hub.viewTask(taskId)).status).to.equal(1n)
      const contribution = await contributionTo(assets, { taskId, worker: by, enclave: null })
      await hub.connect(by).contribute(...contributeArguments(taskId, contribution))
    }
    expect((await hub.viewTask(taskId)).status).to.equal(2n)
    for (const by of workers) await hub.connect(by).reveal(taskId, ethers.id(`result of ${taskId}`))
    await hub.connect(scheduler).finalize(taskId, '0x1234', '0x')
    const task = await hub.viewTask(taskId)
    expect([task.status, task.contributors.length, task.results]).to.deep.equal([3n, 3, '0x1234'])
    for (const by of workers) expect(await hub.balanceOf(by)).to.equal(DEPOSIT + workerReward / 3n)
  })
})

describe('C44 have a task done in one transaction of the worker', () => {
  for (const withCallback of [false, true]) {
    it(`by contributeAndFinalize, or by settle without any other, ${withCallback ? 'with' : 'without'} a callback`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, worker, anyone } = assets
      const consumer = await ethers.deployContract('ResultConsumer')
      const callback = withCallback ? await consumer.getAddress() : ethers.ZeroAddress
      const resultsCallback = withCallback ? answer : '0x'
      const first = await makeDeal(assets, { request: { callback } })
      await hub.connect(anyone).initialize(first.dealId, 0n)
      const taskId = taskIdOf(first.dealId, 0n)
      const result = await contributionTo(assets, { taskId, worker, resultsCallback })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect((await hub.viewTask(taskId)).status).to.equal(3n)

      const second = await makeDeal(assets, { request: { callback } })
      const settled = await settlementOf(assets, { dealId: second.dealId, worker, resultsCallback })
      await hub.connect(worker).settle(...settleArguments(settled))
      expect((await hub.viewTask(settled.taskId)).status).to.equal(3n)
      expect(await consumer.count()).to.equal(withCallback ? 2n : 0n)
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + 2n * workerReward)
    })
  }

  it('refuses others: more trust, no enclave where one is needed, another worker, a second time', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, worker, worker2, scheduler } = assets
    const trusting = await makeDeal(assets, { workerpool: { trust: 2n }, request: { trust: 2n } })
    await expect(hub.settle(...settleArguments(await settlementOf(assets, { dealId: trusting.dealId, worker }))))
      .to.be.revertedWithCustomError(hub, 'TrustNotOne')
      .withArgs(taskIdOf(trusting.dealId, 0n), 2n)

    const { dealId } = await makeDeal(assets)
    const taskId = taskIdOf(dealId, 0n)
    const bare = await settlementOf(assets, { dealId, worker, enclave: null })
    await expect(hub.connect(worker).settle(...settleArguments(bare)))
      .to.be.revertedWithCustomError(hub, 'EnclaveRequired')
      .withArgs(taskId)
    const settled = await settlementOf(assets, { dealId, worker })
    await expect(hub.settle(...settleArguments({ ...settled, worker: worker2.address })))
      .to.be.revertedWithCustomError(hub, 'NotAuthorized')
      .withArgs(taskId, worker2.address, settled.enclaveChallenge, scheduler.address)
    await hub.settle(...settleArguments(settled))
    await expect(hub.settle(...settleArguments(settled)))
      .to.be.revertedWithCustomError(hub, 'WrongStatus')
      .withArgs(taskId, 3n)
  })
})

describe('C53 receive a result by callback on chain', () => {
  async function dealCallingBack(contract: 'ResultConsumer' | 'Troublemaker', args: number[] = []) {
    const assets = await loadFixture(createdAssets)
    const callback = await (await ethers.deployContract(contract, args)).getAddress()
    const { dealId } = await makeDeal(assets, { request: { callback } })
    const settled = await settlementOf(assets, { dealId, worker: assets.worker, resultsCallback: answer })
    return { ...assets, callback, settled }
  }

  it('hands the data to the consumer, which learns it from the Hub, with 200,000 gas', async () => {
    const { hub, callback, settled } = await dealCallingBack('ResultConsumer')
    const consumer = await ethers.getContractAt('ResultConsumer', callback)
    const sent = await hub.settle(...settleArguments(settled))
    expect([await consumer.sender(), await consumer.taskId(), await consumer.result()]).to.deep.equal([
      hub.target,
      settled.taskId,
      answer,
    ])
    const [log] = await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0)
    expect(Number(log?.args.gas)).to.be.within(199_000, 200_000)
    expect(await hub.resultFor(settled.taskId)).to.equal(answer)
  })

  const malice = ['reverts', 'reverts with a bomb', 'returns a bomb', 'burns all its gas']
  for (const [kind, name] of malice.entries()) {
    it(`pays everybody although the consumer ${name}`, async () => {
      const { hub, settled, requester, worker } = await dealCallingBack('Troublemaker', [kind])
      await hub.settle(...settleArguments(settled))
      expect((await hub.viewTask(settled.taskId)).status).to.equal(3n)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, 0n])
      expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + workerReward)
      expect(await hub.resultFor(settled.taskId)).to.equal(answer)
    })
  }
})
