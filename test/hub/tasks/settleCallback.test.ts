import { anyValue } from '@nomicfoundation/hardhat-ethers-chai-matchers/withArgs'
import { expect } from 'chai'
import type { Addressable } from 'ethers'
import { checkSolvency, dealOf, ofVolume } from '../../deals.ts'
import {
  type Assets,
  DEPOSIT,
  ethers,
  makeDeal,
  RLC,
  settleArguments,
  settlementOf,
  taskIdOf,
  workerpoolPrice,
} from '../../fixtures.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])

const workerReward = (workerpoolPrice * 99n) / 100n

/** More than any reentering call needs. */
const PLENTY = 3_000_000n

/** A deal whose results go to what `deploy` makes, or to nobody; and what was found for its first task. */
async function dealCallingBack<Callback>(deploy: (assets: Assets) => Promise<Callback & Addressable>, volume = 4n) {
  let callback: (Callback & Addressable) | undefined
  const deal = await dealOf(async (assets) => {
    callback = await deploy(assets)
    return ofVolume(volume, { request: { callback: await callback.getAddress() } })
  })
  if (callback === undefined) throw new Error('Wishes are asked for.')
  return { ...deal, callback, settled: await settlementOf(deal, { ...deal, resultsCallback: answer }) }
}

async function dealWithConsumer(volume?: bigint) {
  const { callback: consumer, ...deal } = await dealCallingBack(() => ethers.deployContract('ResultConsumer'), volume)
  return { consumer, ...deal }
}

/** The callback gets enough gas to call back whatever it is prepared to. */
async function dealWithReentrant() {
  const { callback: reentrant, ...deal } = await dealCallingBack(() => ethers.deployContract('Reentrant'))
  await deal.hub.connect(deal.owner).setCallbackGas(PLENTY)
  return { reentrant, ...deal }
}

describe('the callback of what is settled', () => {
  describe('given a callback that wants the result', () => {
    it('is called once with the data, by the Hub, with exactly the gas that is set', async () => {
      const { consumer, hub, owner, anyone, settled } = await dealWithConsumer()
      await hub.connect(owner).setCallbackGas(150_000n)
      const sent = await hub.connect(anyone).settle(...settleArguments(settled))
      expect([await consumer.sender(), await consumer.taskId(), await consumer.result()]).to.deep.equal([
        hub.target,
        settled.taskId,
        answer,
      ])
      expect(await consumer.count()).to.equal(1n)
      const [log] = await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0)
      expect(Number(log?.args.gas)).to.be.within(149_000, 150_000)
      expect(await hub.resultFor(settled.taskId)).to.equal(answer)
      expect((await hub.viewTask(settled.taskId)).resultsCallback).to.equal(answer)
    })

    it('may be given nothing, if nothing is what the enclave signed', async () => {
      const { consumer, hub, ...deal } = await dealWithConsumer()
      await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, index: 1n })))
      expect([await consumer.count(), await consumer.result()]).to.deep.equal([1n, '0x'])
    })

    it('is called after everybody is paid', async () => {
      const { hub, settled, scheduler } = await dealWithConsumer()
      const receipt = await (await hub.settle(...settleArguments(settled))).wait()
      const names = receipt?.logs.map((log) => hub.interface.parseLog(log)?.name)
      expect(names?.slice(-3)).to.deep.equal(['Reward', 'TaskFinalize', undefined])
      expect(await hub.balanceOf(scheduler)).to.be.above(RLC)
    })
  })

  describe('given a deal without callback', () => {
    it('keeps the data, whatever it is, for it is bound', async () => {
      const { hub, settled, ...deal } = await dealCallingBack(async () => ({
        getAddress: async () => ethers.ZeroAddress,
      }))
      await hub.settle(...settleArguments(settled))
      expect(await hub.resultFor(settled.taskId)).to.equal(answer)
      const empty = await settlementOf(deal, { ...deal, index: 1n })
      await hub.settle(...settleArguments(empty))
      expect(await hub.resultFor(empty.taskId)).to.equal('0x')
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
        const deal = await dealCallingBack(() => ethers.deployContract('Troublemaker', [kind]))
        const { hub, settled, worker } = deal
        const sent = await hub.settle(...settleArguments(settled))
        expect(Number((await sent.wait())?.gasUsed)).to.be.below(500_000)
        expect((await hub.viewTask(settled.taskId)).status).to.equal(3n)
        expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + workerReward)
        await checkSolvency(deal)
      })
    }

    it('pays everybody although it is the Hub itself, the token or an account without code', async () => {
      for (const name of ['hub', 'token', 'anyone'] as const) {
        const deal = await dealCallingBack(async (assets) => assets[name] as Addressable)
        await deal.hub.settle(...settleArguments(deal.settled))
        expect((await deal.hub.viewTask(deal.settled.taskId)).status).to.equal(3n)
        await checkSolvency(deal)
      }
    })
  })

  describe('given a callback that calls back', () => {
    it('finds the task over: it cannot be settled, claimed or failed again', async () => {
      const calls = ['settle', 'settleBatch', 'claim'] as const
      for (const name of calls) {
        const { reentrant, hub, dealId, settled } = await dealWithReentrant()
        const payload = {
          settle: () => hub.interface.encodeFunctionData('settle', [...settleArguments(settled)]),
          settleBatch: () => hub.interface.encodeFunctionData('settleBatch', [dealId, [settled]]),
          claim: () => hub.interface.encodeFunctionData('claim', [settled.taskId]),
        }[name]()
        await reentrant.prepare(hub, payload)
        await hub.settle(...settleArguments(settled))
        expect([await reentrant.wasCalled(), await reentrant.succeeded()]).to.deep.equal([true, false])
        expect(await reentrant.answer()).to.equal(hub.interface.encodeErrorResult('WrongStatus', [settled.taskId, 3n]))
      }
    })

    it('may settle tasks of another deal, alone or in a batch, and all are paid', async () => {
      for (const [name, count] of [
        ['settle', 1n],
        ['settleBatch', 2n],
      ] as const) {
        const { reentrant, settled, ...deal } = await dealWithReentrant()
        const { hub, worker } = deal
        const { dealId } = await makeDeal(deal, ofVolume(count))
        const others = await Promise.all([0n, 1n].map((index) => settlementOf(deal, { ...deal, dealId, index })))
        const [first = settled] = others
        const payloads = {
          settle: () => hub.interface.encodeFunctionData('settle', [...settleArguments(first)]),
          settleBatch: () => hub.interface.encodeFunctionData('settleBatch', [dealId, others]),
        }
        await reentrant.prepare(hub, payloads[name]())
        await hub.settle(...settleArguments(settled))
        expect(await reentrant.succeeded()).to.equal(true)
        for (let index = 0n; index < count; ++index) {
          expect((await hub.viewTask(taskIdOf(dealId, index))).status).to.equal(3n)
        }
        expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + (count + 1n) * workerReward)
        await checkSolvency(deal)
      }
    })

    it('never has gas enough to settle a task that would call it again', async () => {
      const { reentrant, settled, hub, ...deal } = await dealWithReentrant()
      const again = await settlementOf(deal, { ...deal, index: 1n })
      await reentrant.prepare(hub, hub.interface.encodeFunctionData('settle', [...settleArguments(again)]))
      await hub.settle(...settleArguments(settled))
      expect(await reentrant.succeeded()).to.equal(false)
      const reason = hub.interface.parseError(await reentrant.answer())
      expect([reason?.name, reason?.args[1]]).to.deep.equal(['CallbackStarved', PLENTY])
    })

    it('acts as itself when it calls multicall', async () => {
      const { reentrant, settled, hub, worker, anyone } = await dealWithReentrant()
      const steal = hub.interface.encodeFunctionData('transfer', [anyone.address, 1n])
      await reentrant.prepare(hub, hub.interface.encodeFunctionData('multicall', [[steal]]))
      await hub.connect(worker).settle(...settleArguments(settled))
      expect([await reentrant.wasCalled(), await reentrant.succeeded()]).to.deep.equal([true, false])
      const poor = hub.interface.encodeErrorResult('ERC20InsufficientBalance', [reentrant.target, 0n, 1n])
      expect(await reentrant.answer()).to.equal(hub.interface.encodeErrorResult('CallFailed', [0n, poor]))
      expect(await hub.balanceOf(anyone)).to.equal(0n)
    })
  })

  describe('when the sender leaves too little gas', () => {
    it('reverts with CallbackStarved rather than give the callback less than its due', async () => {
      const { consumer, hub, settled, ...deal } = await dealWithConsumer(12n)
      const enough = await hub.settle.estimateGas(...settleArguments(settled))
      const ends = new Set<string>()
      for (let index = 0n; index < 12n; ++index) {
        const next = await settlementOf(deal, { ...deal, index, resultsCallback: answer })
        const sending = hub.settle(...settleArguments(next), { gasLimit: enough + 20_000n - 6_000n * index })
        const sent = await sending.catch(() => undefined)
        if (sent === undefined)
          await expect(sending).to.be.revertedWithCustomError(hub, 'CallbackStarved').withArgs(anyValue, 200_000n)
        const [log] = sent ? await consumer.queryFilter(consumer.filters.ResultReceived(), sent.blockNumber ?? 0) : []
        if (sent) expect(Number(log?.args.gas)).to.be.within(199_000, 200_000)
        ends.add(sent ? 'completed' : 'starved')
      }
      expect([...ends]).to.deep.equal(['completed', 'starved'])
    })
  })
})
