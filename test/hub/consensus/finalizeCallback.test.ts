import { expect } from 'chai'
import type { Addressable } from 'ethers'
import { contributeArguments, contributionTo, ethers, loadFixture } from '../../fixtures.ts'
import { checkMoney, eventsOf, hiredCrew, ofTrust, openTask, results } from '../../replicas.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])

/** A task whose one worker revealed a result that is to be sent to `callback`. */
async function taskFor(callback: string | Addressable, resultDigest = ethers.keccak256(answer)) {
  const assets = await loadFixture(hiredCrew)
  return revealedFor(assets, typeof callback === 'string' ? callback : await callback.getAddress(), resultDigest)
}

async function revealedFor(
  assets: Awaited<ReturnType<typeof hiredCrew>>,
  callback: string,
  resultDigest = ethers.keccak256(answer),
) {
  const task = await openTask(assets, ofTrust(1n, { request: { callback } }))
  const { hub, taskId, ann } = task
  const contribution = await contributionTo(task, { taskId, worker: ann, enclave: null, resultDigest })
  await hub.connect(ann).contribute(...contributeArguments(taskId, contribution))
  await hub.connect(ann).reveal(taskId, resultDigest)
  return { ...task, resultDigest }
}

/** The same, and what is to be called back. */
async function taskCalling<Callback extends Addressable>(deploy: () => Promise<Callback>) {
  const assets = await loadFixture(hiredCrew)
  const callback = await deploy()
  return { ...(await revealedFor(assets, await callback.getAddress())), callback }
}

const consuming = () => ethers.deployContract('ResultConsumer')
const reentering = () => ethers.deployContract('Reentrant')

describe('finalize, with a callback', () => {
  describe('given a deal with a callback', () => {
    it('calls it once with the data, by the Hub, with exactly the gas that is set', async () => {
      const { hub, taskId, scheduler, owner, callback } = await taskCalling(consuming)
      await hub.connect(owner).setCallbackGas(150_000n)
      const sent = await hub.connect(scheduler).finalize(taskId, results, answer)
      expect([await callback.sender(), await callback.taskId(), await callback.result()]).to.deep.equal([
        hub.target,
        taskId,
        answer,
      ])
      expect(await callback.count()).to.equal(1n)
      const [log] = await callback.queryFilter(callback.filters.ResultReceived(), sent.blockNumber ?? 0)
      expect(Number(log?.args.gas)).to.be.within(149_000, 150_000)
      expect(await hub.resultFor(taskId)).to.equal(answer)
    })

    it('calls it after everybody is paid and the task is completed', async () => {
      const { callback, ...task } = await taskCalling(() => ethers.deployContract('BatchObserver'))
      const { hub, taskId, owner, scheduler, ann } = task
      await hub.connect(owner).setCallbackGas(1_000_000n)
      await callback.watch(hub, ann, [taskId])
      const sent = await hub.connect(scheduler).finalize(taskId, results, answer)
      const [log] = await callback.queryFilter(callback.filters.Observed(), sent.blockNumber ?? 0)
      const [free, locked] = await hub.viewAccount(ann)
      expect([...(log?.args ?? [])]).to.deep.equal([taskId, 1n, answer, free, locked])
      const names = (await eventsOf(task, sent)).map(([name]) => name)
      expect(names.slice(-3)).to.deep.equal(['Reward', 'TaskFinalize', undefined])
    })

    it('reverts with WrongCallbackData when the data is not what was computed', async () => {
      const { hub, taskId, scheduler, resultDigest } = await taskCalling(consuming)
      for (const data of ['0x', '0x1234', `${answer}00`]) {
        await expect(hub.connect(scheduler).finalize(taskId, results, data))
          .to.be.revertedWithCustomError(hub, 'WrongCallbackData')
          .withArgs(taskId, resultDigest, ethers.keccak256(data))
      }
    })

    it('may give nothing if nothing is what was computed', async () => {
      const assets = await loadFixture(hiredCrew)
      const consumer = await consuming()
      const task = await revealedFor(assets, await consumer.getAddress(), ethers.keccak256('0x'))
      await task.hub.connect(task.scheduler).finalize(task.taskId, results, '0x')
      expect([await consumer.count(), await consumer.result()]).to.deep.equal([1n, '0x'])
    })
  })

  describe('given a deal without callback', () => {
    it('keeps data that was computed, and refuses other data', async () => {
      const { hub, taskId, scheduler, resultDigest } = await taskFor(ethers.ZeroAddress)
      await expect(hub.connect(scheduler).finalize(taskId, results, '0x1234'))
        .to.be.revertedWithCustomError(hub, 'WrongCallbackData')
        .withArgs(taskId, resultDigest, ethers.keccak256('0x1234'))
      await hub.connect(scheduler).finalize(taskId, results, answer)
      expect(await hub.resultFor(taskId)).to.equal(answer)
      expect((await hub.viewTask(taskId)).results).to.equal(results)
    })

    it('needs none', async () => {
      const { hub, taskId, scheduler } = await taskFor(ethers.ZeroAddress)
      await hub.connect(scheduler).finalize(taskId, results, '0x')
      expect(await hub.resultFor(taskId)).to.equal('0x')
    })
  })

  describe('given a callback that misbehaves', () => {
    const kinds = ['reverts', 'reverts with a bomb', 'returns a bomb', 'burns all its gas']
    for (const [kind, name] of kinds.entries()) {
      it(`pays everybody although it ${name}`, async () => {
        const task = await taskCalling(() => ethers.deployContract('Troublemaker', [kind]))
        const { hub, taskId, scheduler, requester } = task
        const sent = await hub.connect(scheduler).finalize(taskId, results, answer)
        expect((await hub.viewTask(taskId)).status).to.equal(3n)
        expect(await hub.frozenOf(requester)).to.equal(0n)
        expect(Number((await sent.wait())?.gasUsed)).to.be.below(450_000)
        await checkMoney(task)
      })
    }

    it('pays everybody although it has no code', async () => {
      const { hub, taskId, scheduler } = await taskFor('0x00000000000000000000000000000000DeaDBeef')
      await hub.connect(scheduler).finalize(taskId, results, answer)
      expect((await hub.viewTask(taskId)).status).to.equal(3n)
    })

    for (const call of ['finalize', 'reopen', 'claim', 'reveal'] as const) {
      it(`finds the task over when it calls ${call}`, async () => {
        const task = await taskCalling(reentering)
        const { hub, taskId, owner, scheduler, callback, resultDigest } = task
        await hub.connect(owner).setCallbackGas(3_000_000n)
        const rest = call === 'finalize' ? [results, answer] : call === 'reveal' ? [resultDigest] : []
        await callback.prepare(hub, hub.interface.encodeFunctionData(call as 'claim', [taskId, ...rest] as [string]))
        await hub.connect(scheduler).finalize(taskId, results, answer)
        expect([await callback.wasCalled(), await callback.succeeded()]).to.deep.equal([true, false])
        expect(await callback.answer()).to.equal(hub.interface.encodeErrorResult('WrongStatus', [taskId, 3n]))
        await checkMoney(task)
      })
    }
  })

  describe('when the sender leaves too little gas', () => {
    it('reverts with CallbackStarved rather than give the callback less than its due', async () => {
      const { hub, taskId, scheduler, callback } = await taskCalling(consuming)
      const enough = await hub.connect(scheduler).finalize.estimateGas(taskId, results, answer)
      await expect(
        hub.connect(scheduler).finalize(taskId, results, answer, { gasLimit: enough - 40_000n }),
      ).to.be.revertedWithCustomError(hub, 'CallbackStarved')
      await hub.connect(scheduler).finalize(taskId, results, answer, { gasLimit: enough + 40_000n })
      expect(await callback.count()).to.equal(1n)
    })
  })
})
