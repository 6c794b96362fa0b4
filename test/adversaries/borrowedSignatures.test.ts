// What an enclave signed for one call, handed in to another by the worker that runs the enclave and sees all it signs.
import { expect } from 'chai'
import {
  contributeArguments,
  contributionTo,
  createdAssets,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  settleArguments,
  settlementOf,
  taskIdOf,
} from '../fixtures.ts'

const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])
const elsewhere = ethers.hexlify(ethers.toUtf8Bytes('{"storage":"ipfs","location":"/ipfs/QmNothing"}'))

/** An active task that calls a contract back, and what its enclave signed to have it settled with `answer`. */
async function signedForSettle(withCallback: boolean) {
  const assets = await loadFixture(createdAssets)
  const consumer = await ethers.deployContract('ResultConsumer')
  const callback = withCallback ? await consumer.getAddress() : ethers.ZeroAddress
  const { dealId } = await makeDeal(assets, { workerpool: { trust: 2n }, request: { callback } })
  await assets.hub.initialize(dealId, 0n)
  const resultsCallback = withCallback ? answer : '0x'
  const settled = await settlementOf(assets, { dealId, worker: assets.worker, resultsCallback })
  // The digest that it signed is the hash of these bytes, which are known to everybody.
  const hashes = [settled.outputDigest, ethers.keccak256(settled.results), ethers.keccak256(resultsCallback)]
  return { ...assets, consumer, dealId, settled, preimage: ethers.concat(hashes) }
}

describe('what an enclave signed to have a result settled', () => {
  it('is the hash of bytes that could pass for callback data', async () => {
    const { settled, preimage } = await signedForSettle(true)
    expect(ethers.keccak256(preimage)).to.equal(settled.resultDigest)
  })

  it('calls no contract back with anything else by contributeAndFinalize', async () => {
    const { hub, worker, consumer, settled, preimage } = await signedForSettle(true)
    const forged = { ...settled, resultsCallback: preimage }
    await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(settled.taskId, forged)))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(settled.taskId, settled.enclaveChallenge)
    await hub.settle(...settleArguments(settled))
    expect([await consumer.count(), await consumer.result()]).to.deep.equal([1n, answer])
  })

  it('publishes no other place of the result by contributeAndFinalize', async () => {
    const { hub, worker, settled } = await signedForSettle(false)
    const forged = { ...settled, results: elsewhere }
    await expect(hub.connect(worker).contributeAndFinalize(...finalArguments(settled.taskId, forged)))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(settled.taskId, settled.enclaveChallenge)
    await hub.settle(...settleArguments(settled))
    expect((await hub.viewTask(settled.taskId)).results).to.equal(settled.results)
  })

  it('is no contribution of a worker among others, whose pool could then finalize anything', async () => {
    const { hub, worker, settled } = await signedForSettle(true)
    await expect(hub.connect(worker).contribute(...contributeArguments(settled.taskId, settled)))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(settled.taskId, settled.enclaveChallenge)
  })
})

describe('what an enclave signed for contributeAndFinalize', () => {
  it('settles nothing, not even where its callback data are three words that pass for hashes', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, worker } = assets
    const consumer = await ethers.deployContract('ResultConsumer')
    const { dealId } = await makeDeal(assets, { request: { callback: await consumer.getAddress() } })
    const taskId = taskIdOf(dealId, 0n)
    const outputDigest = ethers.id('output')
    const words = [outputDigest, ethers.keccak256(elsewhere), ethers.keccak256(answer)]
    const signed = await contributionTo(assets, { taskId, worker, resultsCallback: ethers.concat(words) })
    const forged = { ...signed, dealId, taskId, idx: 0n, worker: worker.address, outputDigest }
    await expect(hub.settle(...settleArguments({ ...forged, results: elsewhere, resultsCallback: answer })))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(taskId, signed.enclaveChallenge)
    await hub.initialize(dealId, 0n)
    await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, signed))
    expect(await consumer.result()).to.equal(ethers.concat(words))
  })
})
