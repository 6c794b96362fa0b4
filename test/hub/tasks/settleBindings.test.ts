import { expect } from 'chai'
import { dealOf, dealOfThree, ofVolume, withoutEnclave } from '../../deals.ts'
import {
  boundDigest,
  createdAssets,
  ethers,
  loadFixture,
  makeDeal,
  matchedDeal,
  RLC,
  type Settled,
  settleArguments,
  settlementHash,
  settlementOf,
  taskIdOf,
  workerpoolPrice,
} from '../../fixtures.ts'

const zero = ethers.ZeroAddress
const enclave = new ethers.Wallet(ethers.id('the key of an enclave'))

/** A deal of three tasks, a second deal, and what an enclave signed for the first task of the first. */
async function settlementToForge() {
  const deal = await loadFixture(dealOfThree)
  const settled = await settlementOf(deal, { ...deal, enclave, results: '0xabcdef', resultsCallback: '0x012345' })
  const { dealId: otherDeal } = await makeDeal(deal, { request: { params: 'another' } })
  return { ...deal, settled, otherDeal }
}

type Forged = Awaited<ReturnType<typeof settlementToForge>>

/** What the worker, or whoever sends, might change without asking anybody. */
const inResult: [string, (given: Forged) => Partial<Settled>][] = [
  ['the output digest', () => ({ outputDigest: ethers.id('forged') })],
  ['the results', () => ({ results: '0xabcdee' })],
  ['the results to nothing', () => ({ results: '0x' })],
  ['the callback data', () => ({ resultsCallback: '0x012344' })],
  ['the callback data to nothing', () => ({ resultsCallback: '0x' })],
  ['where results end and callback data begins', () => ({ results: '0xabcd', resultsCallback: '0xef012345' })],
  ['results for callback data', () => ({ results: '0x012345', resultsCallback: '0xabcdef' })],
  ['the signature to nothing', () => ({ enclaveSign: '0x' })],
  ['the signature to that of another key', ({ settled }) => ({ enclaveSign: settled.authorizationSign })],
]

/** What the pool authorized as well. */
const inAuthorization: [string, (given: Forged) => Partial<Settled>][] = [
  ['the worker', ({ worker2 }) => ({ worker: worker2.address })],
  ['the index', ({ dealId }) => ({ idx: 1n, taskId: taskIdOf(dealId, 1n) })],
  ['the deal', ({ otherDeal }) => ({ dealId: otherDeal, taskId: taskIdOf(otherDeal, 0n) })],
  ['the enclave', ({ anyone }) => ({ enclaveChallenge: anyone.address })],
]

describe('what is settled', () => {
  describe('when something is changed that the enclave signed for', () => {
    for (const [name, change] of inResult) {
      it(`reverts with NotSignedByEnclave for changing ${name}`, async () => {
        const given = await loadFixture(settlementToForge)
        const { hub, settled } = given
        await expect(hub.settle(...settleArguments({ ...settled, ...change(given) })))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(settled.taskId, enclave.address)
      })
    }

    it('reverts with NotSignedByEnclave when the signature is for the output alone', async () => {
      const { hub, settled, ...deal } = await loadFixture(settlementToForge)
      const digests = [
        settled.outputDigest,
        ethers.keccak256(settled.results),
        ethers.keccak256(settled.resultsCallback),
        boundDigest(settled.outputDigest, settled.results, '0x'),
      ]
      for (const resultDigest of digests) {
        const { taskId } = settled
        const hash = settlementHash(deal.worker.address, taskId, resultDigest)
        const enclaveSign = await enclave.signMessage(ethers.getBytes(hash))
        await expect(hub.settle(...settleArguments({ ...settled, enclaveSign })))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(settled.taskId, enclave.address)
      }
    })
  })

  describe('when something is changed that the pool authorized', () => {
    for (const [name, change] of inAuthorization) {
      it(`reverts with NotAuthorized for changing ${name}`, async () => {
        const given = await loadFixture(settlementToForge)
        const { hub, scheduler } = given
        const forged = { ...given.settled, ...change(given) }
        await expect(hub.settle(...settleArguments(forged)))
          .to.be.revertedWithCustomError(hub, 'NotAuthorized')
          .withArgs(forged.taskId, forged.worker, forged.enclaveChallenge, scheduler.address)
      })

      it(`reverts with NotSignedByEnclave for changing ${name} with the pool's consent`, async () => {
        const given = await loadFixture(settlementToForge)
        const { hub, scheduler } = given
        const forged = { ...given.settled, ...change(given) }
        const message = ethers.solidityPackedKeccak256(
          ['address', 'bytes32', 'address'],
          [forged.worker, forged.taskId, forged.enclaveChallenge],
        )
        const authorizationSign = await scheduler.signMessage(ethers.getBytes(message))
        await expect(hub.settle(...settleArguments({ ...forged, authorizationSign })))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(forged.taskId, forged.enclaveChallenge)
      })
    }

    it('reverts with NotAuthorized when the enclave or the worker authorizes itself', async () => {
      const deal = await loadFixture(dealOfThree)
      const { hub, worker, scheduler } = deal
      for (const authorizer of [enclave, worker, deal.requester, deal.owner]) {
        const settled = await settlementOf(deal, { ...deal, enclave, authorizer })
        await expect(hub.settle(...settleArguments(settled)))
          .to.be.revertedWithCustomError(hub, 'NotAuthorized')
          .withArgs(settled.taskId, worker.address, enclave.address, scheduler.address)
      }
    })
  })

  describe('when no enclave is named', () => {
    it('reverts with EnclaveRequired where the deal asks for one, even for the worker itself', async () => {
      const deal = await loadFixture(matchedDeal)
      const { hub, worker } = deal
      const settled = await settlementOf(deal, { ...deal, enclave: null })
      await expect(hub.connect(worker).settle(...settleArguments(settled)))
        .to.be.revertedWithCustomError(hub, 'EnclaveRequired')
        .withArgs(settled.taskId)
    })

    it('is accepted from the worker where the deal asks for none', async () => {
      const deal = await dealOf(withoutEnclave)
      const { hub, worker } = deal
      const settled = await settlementOf(deal, { ...deal, enclave: null })
      await hub.connect(worker).settle(...settleArguments(settled))
      expect((await hub.viewContribution(settled.taskId, worker)).enclaveChallenge).to.equal(zero)
      expect((await hub.viewTask(settled.taskId)).results).to.equal(settled.results)
    })

    it('reverts with NotWorker from anybody else, even the pool', async () => {
      const deal = await dealOf(withoutEnclave)
      const { hub, worker, scheduler, anyone } = deal
      const settled = await settlementOf(deal, { ...deal, enclave: null })
      for (const sender of [scheduler, anyone]) {
        await expect(hub.connect(sender).settle(...settleArguments(settled)))
          .to.be.revertedWithCustomError(hub, 'NotWorker')
          .withArgs(settled.taskId, sender.address, worker.address)
      }
    })

    it('takes no authorization that was given for an enclave', async () => {
      const deal = await dealOf(withoutEnclave)
      const { hub, worker, scheduler } = deal
      const { authorizationSign } = await settlementOf(deal, { ...deal, enclave })
      const settled = { ...(await settlementOf(deal, { ...deal, enclave: null })), authorizationSign }
      await expect(hub.connect(worker).settle(...settleArguments(settled)))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(settled.taskId, worker.address, zero, scheduler.address)
    })

    it('checks an enclave that is named although the deal asks for none', async () => {
      const deal = await dealOf(withoutEnclave)
      const { hub } = deal
      const settled = await settlementOf(deal, { ...deal, enclave })
      await expect(hub.settle(...settleArguments({ ...settled, enclaveSign: '0x' })))
        .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
        .withArgs(settled.taskId, enclave.address)
      await expect(hub.settle(...settleArguments(settled))).to.emit(hub, 'TaskFinalize')
    })
  })

  describe('given a TEE broker', () => {
    async function brokeredDeal() {
      const deal = await loadFixture(matchedDeal)
      await deal.hub.connect(deal.owner).setTeeBroker(deal.broker)
      return deal
    }

    it("needs the broker's authorization for an enclave, not the pool's", async () => {
      const deal = await loadFixture(brokeredDeal)
      const { hub, worker, broker } = deal
      const byPool = await settlementOf(deal, { ...deal, enclave })
      await expect(hub.settle(...settleArguments(byPool)))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(byPool.taskId, worker.address, enclave.address, broker.address)
      const byBroker = await settlementOf(deal, { ...deal, enclave, authorizer: broker })
      await expect(hub.settle(...settleArguments(byBroker))).to.emit(hub, 'TaskFinalize')
    })

    it('leaves work without enclave to the pool', async () => {
      const deal = await dealOf(withoutEnclave)
      const { hub, owner, worker, broker, scheduler } = deal
      await hub.connect(owner).setTeeBroker(broker)
      const byBroker = await settlementOf(deal, { ...deal, enclave: null, authorizer: broker })
      await expect(hub.connect(worker).settle(...settleArguments(byBroker)))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(byBroker.taskId, worker.address, zero, scheduler.address)
      const byPool = await settlementOf(deal, { ...deal, enclave: null })
      await expect(hub.connect(worker).settle(...settleArguments(byPool))).to.emit(hub, 'TaskFinalize')
    })
  })

  describe('given roles that are contracts (ERC-1271)', () => {
    it('asks the pool for its approval, and pays it', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, workerpool, workerpoolRegistry, scheduler, token, owner } = assets
      const wallet = await ethers.deployContract('ContractWallet', [scheduler.address])
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, wallet, workerpool.target.toString())
      await token.connect(owner).approve(hub, RLC)
      await hub.connect(owner).depositFor(RLC, wallet)
      const { dealId } = await makeDeal(assets)
      const stranger = await settlementOf(assets, { ...assets, dealId, authorizer: assets.anyone })
      await expect(hub.settle(...settleArguments(stranger))).to.be.revertedWithCustomError(hub, 'NotAuthorized')
      await hub.settle(...settleArguments(await settlementOf(assets, { ...assets, dealId })))
      expect(await hub.viewAccount(wallet)).to.deep.equal([RLC + workerpoolPrice / 100n, 0n])
    })

    it('asks an enclave whose key is a contract for its approval', async () => {
      const deal = await loadFixture(matchedDeal)
      const { hub } = deal
      const wallet = await ethers.deployContract('ContractWallet', [enclave.address])
      const address = wallet.target.toString()
      const signMessage = (message: Uint8Array) => enclave.signMessage(message)
      const settled = await settlementOf(deal, { ...deal, enclave: { address, signMessage } })
      await expect(hub.settle(...settleArguments({ ...settled, outputDigest: ethers.id('forged') })))
        .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
        .withArgs(settled.taskId, address)
      await hub.settle(...settleArguments(settled))
      expect((await hub.viewContribution(settled.taskId, deal.worker)).enclaveChallenge).to.equal(address)
    })
  })

  it('is bound in each item of a batch as well', async () => {
    const given = await loadFixture(settlementToForge)
    const { hub, dealId, settled } = given
    for (const [, change] of [...inResult, ...inAuthorization]) {
      const forged = { ...settled, ...change(given) }
      if (forged.dealId !== dealId) continue
      const error = forged.taskId === settled.taskId && forged.enclaveChallenge === settled.enclaveChallenge
      const name = error && forged.worker === settled.worker ? 'NotSignedByEnclave' : 'NotAuthorized'
      await expect(hub.settleBatch(dealId, [forged])).to.be.revertedWithCustomError(hub, name)
    }
    await expect(hub.settleBatch(dealId, [settled])).to.emit(hub, 'TaskFinalize')
  })

  it('counts for the deal of a request whose other deals have the same indexes', async () => {
    const deal = await dealOf(ofVolume(2n))
    const { hub } = deal
    const { dealId: other } = await makeDeal(deal, ofVolume(2n))
    await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, index: 1n })))
    expect((await hub.viewTask(taskIdOf(other, 1n))).status).to.equal(0n)
  })
})
