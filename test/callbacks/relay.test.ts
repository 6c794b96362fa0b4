import { expect } from 'chai'
import {
  type Assets,
  contributionTo,
  createdAssets,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  taskIdOf,
} from '../fixtures.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])

/** As HungryConsumer numbers them. */
const manners = ['PROPER', 'REFUSES', 'FORGETS'] as const

/** An active task whose result goes to `callback`, with what completes it. */
async function taskCalling(assets: Assets, callback: string) {
  const { dealId } = await makeDeal(assets, { request: { callback } })
  await assets.hub.initialize(dealId, 0n)
  const taskId = taskIdOf(dealId, 0n)
  const { hub, worker } = assets
  const resultsCallback = callback === ethers.ZeroAddress ? '0x' : answer
  const result = await contributionTo(assets, { taskId, worker, resultsCallback })
  return { taskId, complete: () => hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result)) }
}

/** An active task for a consumer that needs more gas than the Hub gives. */
async function taskForHungry(manner: (typeof manners)[number] = 'PROPER', wishes: { relay?: string } = {}) {
  const assets = await loadFixture(createdAssets)
  const { hub, callbackRelay } = assets
  const relay = wishes.relay ?? callbackRelay.target
  const consumer = await ethers.deployContract('HungryConsumer', [hub, relay, manners.indexOf(manner)])
  return { ...assets, consumer, ...(await taskCalling(assets, consumer.target.toString())) }
}

describe('relay', () => {
  it('knows its Hub', async () => {
    const { hub, callbackRelay } = await loadFixture(createdAssets)
    expect(await callbackRelay.hub()).to.equal(hub.target)
  })

  describe('given a consumer for which the gas of the Hub was too little', () => {
    it('delivers the result, whoever asks, and says so', async () => {
      const { consumer, callbackRelay, taskId, complete, anyone } = await taskForHungry()
      await complete()
      expect(await consumer.resultOf(taskId)).to.equal('0x')
      await expect(callbackRelay.connect(anyone).relay(taskId))
        .to.emit(callbackRelay, 'CallbackRelayed')
        .withArgs(taskId, consumer.target)
      expect(await consumer.resultOf(taskId)).to.equal(answer)
      expect(await consumer.countOf(taskId)).to.equal(1n)
    })

    it('delivers it once', async () => {
      const { consumer, callbackRelay, taskId, complete } = await taskForHungry()
      await complete()
      await callbackRelay.relay(taskId)
      await expect(callbackRelay.relay(taskId))
        .to.be.revertedWithCustomError(callbackRelay, 'NotAwaited')
        .withArgs(taskId, consumer.target)
    })

    it('leaves nothing behind where the gas is too little again, and can be asked again', async () => {
      const { consumer, callbackRelay, taskId, complete } = await taskForHungry()
      await complete()
      await expect(callbackRelay.relay(taskId, { gasLimit: 250_000n }))
        .to.be.revertedWithCustomError(callbackRelay, 'CallbackRefused')
        .withArgs(taskId, consumer.target, '0x')
      expect(await consumer.countOf(taskId)).to.equal(0n)
      await callbackRelay.relay(taskId)
      expect(await consumer.countOf(taskId)).to.equal(1n)
    })

    it('refuses as long as the task has no result', async () => {
      const { callbackRelay, taskId } = await taskForHungry()
      await expect(callbackRelay.relay(taskId))
        .to.be.revertedWithCustomError(callbackRelay, 'NoResultToRelay')
        .withArgs(taskId, 1n)
    })
  })

  it('passes on why a consumer refuses', async () => {
    const { consumer, callbackRelay, taskId, complete } = await taskForHungry('REFUSES')
    await complete()
    await expect(callbackRelay.relay(taskId))
      .to.be.revertedWithCustomError(callbackRelay, 'CallbackRefused')
      .withArgs(taskId, consumer.target, consumer.interface.encodeErrorResult('Unwilling', [42n]))
  })

  it('undoes a delivery to a consumer that would take the same again', async () => {
    const { consumer, callbackRelay, taskId, complete } = await taskForHungry('FORGETS')
    await complete()
    await expect(callbackRelay.relay(taskId))
      .to.be.revertedWithCustomError(callbackRelay, 'StillAwaited')
      .withArgs(taskId, consumer.target)
    expect(await consumer.countOf(taskId)).to.equal(0n)
  })

  describe('given a callback that does not wait for this relay', () => {
    async function expectNotAwaited(assets: Assets, callback: string) {
      const { taskId, complete } = await taskCalling(assets, callback)
      await complete()
      await expect(assets.callbackRelay.relay(taskId))
        .to.be.revertedWithCustomError(assets.callbackRelay, 'NotAwaited')
        .withArgs(taskId, callback)
    }

    it('refuses: it waits for another', async () => {
      const { taskId, complete, callbackRelay, consumer } = await taskForHungry('PROPER', {
        relay: ethers.Wallet.createRandom().address,
      })
      await complete()
      await expect(callbackRelay.relay(taskId))
        .to.be.revertedWithCustomError(callbackRelay, 'NotAwaited')
        .withArgs(taskId, consumer.target)
    })

    it('refuses: it has the result from the Hub, and never heard of relays', async () => {
      const assets = await loadFixture(createdAssets)
      const { target } = await ethers.deployContract('ResultKeeper')
      await expectNotAwaited(assets, target.toString())
    })

    it('refuses: it names the relay, but as the reason of a revert', async () => {
      const assets = await loadFixture(createdAssets)
      // PUSH20 relay, PUSH0, MSTORE, then REVERT with that word; before it, what returns these 27 bytes as the code.
      const code = `73${assets.callbackRelay.target.toString().slice(2)}5f5260205ffd`
      const made = await assets.anyone.sendTransaction({ data: `0x7a${code}5f52601b6005f3` })
      const receipt = await made.wait()
      await expectNotAwaited(assets, receipt?.contractAddress ?? '')
    })

    it('refuses: it is no contract', async () => {
      const assets = await loadFixture(createdAssets)
      await expectNotAwaited(assets, assets.anyone.address)
    })

    for (const kind of [0, 1, 2, 3, 4, 5, 6, 7]) {
      it(`refuses: it answers like a troublemaker of kind ${kind}`, async () => {
        const assets = await loadFixture(createdAssets)
        const { target } = await ethers.deployContract('Troublemaker', [kind])
        await expectNotAwaited(assets, target.toString())
      })
    }
  })

  it('refuses a task whose deal wants no callback', async () => {
    const assets = await loadFixture(createdAssets)
    const { taskId, complete } = await taskCalling(assets, ethers.ZeroAddress)
    await complete()
    await expect(assets.callbackRelay.relay(taskId))
      .to.be.revertedWithCustomError(assets.callbackRelay, 'NoCallbackWanted')
      .withArgs(taskId)
  })

  it('refuses a task that nobody knows', async () => {
    const { callbackRelay } = await loadFixture(createdAssets)
    await expect(callbackRelay.relay(ethers.id('unknown')))
      .to.be.revertedWithCustomError(callbackRelay, 'NoResultToRelay')
      .withArgs(ethers.id('unknown'), 0n)
  })
})
