import { expect } from 'chai'
import {
  type Assets,
  contributionTo,
  createdAssets,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  setCode,
  taskIdOf,
} from '../../fixtures.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])

/** An active task whose result goes to what `deploy` makes, or to nobody. */
async function taskWithCallback<Callback extends { getAddress(): Promise<string> }>(deploy: () => Promise<Callback>) {
  const assets = await loadFixture(createdAssets)
  const callback = await deploy()
  return { ...(await taskCallingBack(assets, await callback.getAddress())), callback }
}

async function taskCallingBack(assets: Assets, callback: string) {
  const { dealId } = await makeDeal(assets, { request: { callback } })
  await assets.hub.initialize(dealId, 0n)
  const taskId = taskIdOf(dealId, 0n)
  const { worker } = assets
  const result = await contributionTo(assets, { taskId, worker, resultsCallback: answer })
  return { ...assets, taskId, result, call: finalArguments(taskId, result) }
}

const consuming = () => ethers.deployContract('ResultConsumer')
const reentering = () => ethers.deployContract('Reentrant')

describe('receiveResult', () => {
  describe('given a callback that wants the result', () => {
    it('is called once with the data, by the Hub, with exactly the gas that is set', async () => {
      const { callback: consumer, hub, worker, taskId, call, owner } = await taskWithCallback(consuming)
      await hub.connect(owner).setCallbackGas(150_000n)
      const sent = await hub.connect(worker).contributeAndFinalize(...call)
      expect([await consumer.sender(), await consumer.taskId(), await consumer.result()]).to.deep.equal([
        hub.target,
        taskId,
        answer,
      ])
      expect(await consumer.count()).to.equal(1n)
      const [log] = await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0)
      expect(Number(log?.args.gas)).to.be.within(149_000, 150_000)
      expect(await hub.resultFor(taskId)).to.equal(answer)
      expect((await hub.viewTask(taskId)).resultsCallback).to.equal(answer)
    })

    it('is not called where the digest is not that of the data', async () => {
      const task = await taskWithCallback(consuming)
      const { hub, worker, taskId } = task
      const resultDigest = ethers.id('else')
      const forged = await contributionTo(task, { taskId, worker, resultsCallback: answer, resultDigest })
      await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, forged)))
        .to.be.revertedWithCustomError(hub, 'WrongCallbackData')
        .withArgs(taskId, resultDigest, ethers.keccak256(answer))
      const empty = await contributionTo(task, { taskId, worker })
      await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, empty)))
        .to.be.revertedWithCustomError(hub, 'WrongCallbackData')
        .withArgs(taskId, empty.resultDigest, ethers.keccak256('0x'))
    })

    it('may be given nothing if nothing is what was computed', async () => {
      const task = await taskWithCallback(consuming)
      const { hub, worker, taskId, callback: consumer } = task
      const result = await contributionTo(task, { taskId, worker, resultDigest: ethers.keccak256('0x') })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect([await consumer.count(), await consumer.result()]).to.deep.equal([1n, '0x'])
    })
  })

  describe('given a deal without callback', () => {
    it('keeps data whose digest was signed, and refuses other data', async () => {
      const { hub, worker, taskId, result } = await taskCallingBack(
        await loadFixture(createdAssets),
        ethers.ZeroAddress,
      )
      const other = finalArguments(taskId, { ...result, resultsCallback: '0x1234' })
      await expect(hub.connect(worker).contributeAndFinalize(...other)).to.be.revertedWithCustomError(
        hub,
        'WrongCallbackData',
      )
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      expect(await hub.resultFor(taskId)).to.equal(answer)
    })
  })

  describe('given a callback that misbehaves', () => {
    const kinds = [
      'reverts',
      'reverts with a bomb',
      'returns a bomb',
      'burns all its gas',
      'returns nothing',
      'returns zero',
      'returns all ones',
      'returns one byte',
    ]
    for (const [kind, name] of kinds.entries()) {
      it(`pays everybody although it ${name}`, async () => {
        const { hub, worker, taskId, call, requester } = await taskWithCallback(() =>
          ethers.deployContract('Troublemaker', [kind]),
        )
        const sent = await hub.connect(worker).contributeAndFinalize(...call)
        expect((await hub.viewTask(taskId)).status).to.equal(3n)
        expect(await hub.frozenOf(requester)).to.equal(0n)
        expect(Number((await sent.wait())?.gasUsed)).to.be.below(450_000)
      })
    }

    it('pays everybody although it has no code', async () => {
      const { hub, worker, taskId, call, anyone } = await taskCallingBack(
        await loadFixture(createdAssets),
        '0x00000000000000000000000000000000DeaDBeef',
      )
      await hub.connect(worker).contributeAndFinalize(...call)
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
      expect(await hub.balanceOf(anyone)).to.equal(0n)
    })

    it('finds the task over and everybody paid when it calls back', async () => {
      const { callback, hub, worker, taskId, call, requester } = await taskWithCallback(reentering)
      await callback.prepare(hub, hub.interface.encodeFunctionData('contributeAndFinalize', [...call]))
      await hub.connect(worker).contributeAndFinalize(...call)
      expect(await callback.wasCalled()).to.equal(true)
      expect(await hub.frozenOf(requester)).to.equal(0n)
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })

    it('cannot claim the task that it is called for', async () => {
      const { callback, hub, worker, taskId, call, owner } = await taskWithCallback(reentering)
      await hub.connect(owner).setCallbackGas(1_000_000n)
      await callback.prepare(hub, hub.interface.encodeFunctionData('claim', [taskId]))
      await hub.connect(worker).contributeAndFinalize(...call)
      expect([await callback.wasCalled(), await callback.succeeded()]).to.deep.equal([true, false])
      expect(await callback.answer()).to.equal(hub.interface.encodeErrorResult('WrongStatus', [taskId, 3n]))
    })
  })

  describe('when the sender leaves too little gas', () => {
    it('reverts with CallbackStarved rather than give the callback less than its due', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, worker } = assets
      const consumer = await consuming()
      const volume = 12n
      const { dealId } = await makeDeal(assets, {
        app: { volume },
        dataset: { volume },
        workerpool: { volume },
        request: { volume, callback: await consumer.getAddress() },
      })
      const ends = new Set<string>()
      let enough = 0n
      for (let index = 0n; index < volume; ++index) {
        await hub.initialize(dealId, index)
        const taskId = taskIdOf(dealId, index)
        const call = finalArguments(taskId, await contributionTo(assets, { taskId, worker, resultsCallback: answer }))
        if (index === 0n) enough = await hub.connect(worker).contributeAndFinalize.estimateGas(...call)
        const sending = hub
          .connect(worker)
          .contributeAndFinalize(...call, { gasLimit: enough + 20_000n - 6_000n * index })
        const sent = await sending.catch(() => undefined)
        if (sent === undefined) await expect(sending).to.be.revertedWithCustomError(hub, 'CallbackStarved')
        const [log] = sent ? await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0) : []
        if (sent) expect(Number(log?.args.gas)).to.be.within(199_000, 200_000)
        ends.add(sent ? 'completed' : 'starved')
      }
      expect([...ends]).to.deep.equal(['completed', 'starved'])
    })

    it('gives all of it even to a contract behind a delegation (EIP-7702)', async () => {
      const assets = await loadFixture(createdAssets)
      const consumer = await consuming()
      const account = ethers.Wallet.createRandom().address
      await setCode(account, ethers.concat(['0xef0100', await consumer.getAddress()]))
      const { hub, worker, call } = await taskCallingBack(assets, account)
      const contract = hub.connect(worker)
      const delegated = await ethers.getContractAt('ResultConsumer', account)
      const gasLimit = await contract.contributeAndFinalize.estimateGas(...call)
      const sent = await contract.contributeAndFinalize(...call, { gasLimit })
      const [log] = await delegated.queryFilter(delegated.filters.ResultReceived(), sent.blockNumber ?? 0)
      expect(Number(log?.args.gas)).to.be.within(199_000, 200_000)
    })
  })
})
