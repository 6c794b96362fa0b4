import { expect } from 'chai'
import { dealOf, dealOfThree, ofVolume, withoutEnclave } from '../../deals.ts'
import {
  contributeArguments,
  contributionTo,
  createdAssets,
  dealIdOf,
  ethers,
  finalArguments,
  hashOrder,
  loadFixture,
  makeDeal,
  matchedDeal,
  RLC,
  settleArguments,
  settlementOf,
  taskIdOf,
} from '../../fixtures.ts'
import { attestedFailure, CAUSE, enclave, type Failure, failureArguments, hopelessTask } from './failure.ts'

const zero = ethers.ZeroAddress

/** A failed task of three, and another deal. */
async function failureToForge() {
  const deal = await loadFixture(dealOfThree)
  const { dealId: otherDeal } = await makeDeal(deal, { request: { params: 'another' } })
  return { ...deal, otherDeal, failure: await attestedFailure(deal, deal) }
}

type Forged = Awaited<ReturnType<typeof failureToForge>>

const inAuthorization: [string, (given: Forged) => Partial<Failure>][] = [
  ['the worker', ({ worker2 }) => ({ worker: worker2.address })],
  ['the index', ({ dealId }) => ({ idx: 1n, taskId: taskIdOf(dealId, 1n) })],
  ['the deal', ({ otherDeal }) => ({ dealId: otherDeal, taskId: taskIdOf(otherDeal, 0n) })],
  ['the enclave', ({ anyone }) => ({ enclaveChallenge: anyone.address })],
]

describe('what fails', () => {
  describe('when something is changed that the enclave signed for', () => {
    const forgeries: [string, (given: Forged) => Partial<Failure>][] = [
      ['the cause', () => ({ cause: CAUSE + 1n })],
      ['the signature to nothing', () => ({ enclaveSign: '0x' })],
      ['the signature to that of the pool', ({ failure }) => ({ enclaveSign: failure.authorizationSign })],
    ]
    for (const [name, forge] of forgeries) {
      it(`reverts with NotSignedByEnclave for changing ${name}`, async () => {
        const given = await loadFixture(failureToForge)
        const { hub, failure } = given
        await expect(hub.settleFailure(...failureArguments({ ...failure, ...forge(given) })))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(failure.taskId, enclave.address)
      })
    }
  })

  describe('when something is changed that the pool authorized', () => {
    for (const [name, forge] of inAuthorization) {
      it(`is refused for changing ${name}, with and without the pool's consent`, async () => {
        const given = await loadFixture(failureToForge)
        const { hub, scheduler, failure } = given
        const forged = { ...failure, ...forge(given) }
        const { taskId, worker, enclaveChallenge } = forged
        const message = ethers.solidityPackedKeccak256(
          ['address', 'bytes32', 'address'],
          [worker, taskId, enclaveChallenge],
        )
        const authorizationSign = await scheduler.signMessage(ethers.getBytes(message))
        // What the enclave signed is looked at first.
        for (const attempt of [forged, { ...forged, authorizationSign }]) {
          await expect(hub.settleFailure(...failureArguments(attempt)))
            .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
            .withArgs(taskId, enclaveChallenge)
        }
      })
    }

    it('reverts with NotAuthorized for an enclave or a worker that the pool did not authorize', async () => {
      const deal = await loadFixture(matchedDeal)
      const { hub, worker, scheduler } = deal
      for (const authorizer of [enclave, worker, deal.requester, deal.owner]) {
        const failure = await attestedFailure(deal, { ...deal, authorizer })
        await expect(hub.settleFailure(...failureArguments(failure)))
          .to.be.revertedWithCustomError(hub, 'NotAuthorized')
          .withArgs(failure.taskId, worker.address, enclave.address, scheduler.address)
      }
    })
  })

  describe('when no enclave is named', () => {
    it('reverts with EnclaveRequired, whether the deal asks for one or not, even for worker and pool', async () => {
      for (const wishes of [{}, withoutEnclave]) {
        const deal = await dealOf(wishes)
        const { hub, worker, scheduler, anyone } = deal
        const { taskId, authorizationSign } = await settlementOf(deal, { ...deal, enclave: null })
        const failure = { ...(await attestedFailure(deal, deal)), enclaveChallenge: zero, authorizationSign }
        for (const sender of [worker, scheduler, anyone]) {
          await expect(hub.connect(sender).settleFailure(...failureArguments(failure)))
            .to.be.revertedWithCustomError(hub, 'EnclaveRequired')
            .withArgs(taskId)
        }
      }
    })

    it('is accepted of an enclave that ran although the deal asks for none', async () => {
      const deal = await dealOf(withoutEnclave)
      await expect(deal.hub.settleFailure(...failureArguments(await attestedFailure(deal, deal)))).to.emit(
        deal.hub,
        'TaskFailed',
      )
    })
  })

  describe('when a signature is played again as something else', () => {
    it('counts for no result: not settled, not contributed, not finalized', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, dealId, worker, failure } = deal
      const { taskId, enclaveSign } = failure
      const types = ['bytes32', 'bytes32', 'address', 'uint256']
      const typeHash = ethers.id('TaskFailure(bytes32 taskid,address worker,uint256 cause)')
      const encoded = ethers.AbiCoder.defaultAbiCoder().encode(types, [typeHash, taskId, worker.address, CAUSE])
      // The digest that was signed, and what would hash to it, in every place that is the forger's to choose.
      const resultDigests = [ethers.keccak256(encoded), typeHash, ethers.toBeHex(CAUSE, 32)]
      await hub.initialize(dealId, 0n)
      for (const resultDigest of resultDigests) {
        const result = await contributionTo(deal, { taskId, worker, enclave, resultDigest, results: encoded })
        const forged = { ...result, enclaveSign }
        const settled = { ...(await settlementOf(deal, { ...deal, enclave })), outputDigest: resultDigest, enclaveSign }
        for (const attempt of [
          hub.settle(...settleArguments(settled)),
          hub.settleBatch(dealId, [settled]),
          hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, forged)),
          hub.connect(worker).contribute(...contributeArguments(taskId, forged)),
          hub
            .connect(worker)
            .contribute(taskId, typeHash, encoded.slice(0, 66), enclave.address, enclaveSign, forged.authorizationSign),
        ]) {
          await expect(attempt)
            .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
            .withArgs(taskId, enclave.address)
        }
      }
    })

    it('is not what was signed for a result, whatever cause is named', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, worker, failure } = deal
      const settled = await settlementOf(deal, { ...deal, enclave })
      const { taskId, resultDigest, resultHash, resultSeal } = settled
      const contribution = await contributionTo(deal, { taskId, worker, enclave, resultDigest })
      for (const { enclaveSign } of [settled, contribution]) {
        for (const word of [resultDigest, resultHash, resultSeal, ethers.ZeroHash]) {
          const forged = { ...failure, cause: BigInt(word), enclaveSign }
          await expect(hub.settleFailure(...failureArguments(forged)))
            .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
            .withArgs(taskId, enclave.address)
        }
      }
    })

    it('counts on no other chain and in no other Hub: the same orders make another task there', async () => {
      const deal = await loadFixture(hopelessTask)
      const { hub, token, domain, orders, failure } = deal
      for (const other of [
        { ...domain, chainId: 1n },
        { ...domain, verifyingContract: token.target.toString() },
      ]) {
        const dealId = dealIdOf(hashOrder('request', orders[3], other), 0n)
        const elsewhere = await attestedFailure(deal, { ...deal, dealId })
        expect(elsewhere.taskId).not.to.equal(failure.taskId)
        const { enclaveSign, authorizationSign } = elsewhere
        await expect(hub.settleFailure(...failureArguments({ ...failure, enclaveSign })))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(failure.taskId, enclave.address)
        await expect(
          hub.settleFailure(...failureArguments({ ...failure, authorizationSign })),
        ).to.be.revertedWithCustomError(hub, 'NotAuthorized')
      }
    })
  })

  describe('given a TEE broker', () => {
    it("needs the broker's authorization, not the pool's", async () => {
      const deal = await loadFixture(matchedDeal)
      const { hub, owner, broker, worker } = deal
      await hub.connect(owner).setTeeBroker(broker)
      const byPool = await attestedFailure(deal, deal)
      await expect(hub.settleFailure(...failureArguments(byPool)))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(byPool.taskId, worker.address, enclave.address, broker.address)
      const byBroker = await attestedFailure(deal, { ...deal, authorizer: broker })
      await expect(hub.settleFailure(...failureArguments(byBroker))).to.emit(hub, 'TaskFailed')
    })
  })

  describe('given a pool that is a contract (ERC-1271)', () => {
    it('asks it for its approval, and frees its stake', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, workerpool, workerpoolRegistry, scheduler, token, owner } = assets
      const wallet = await ethers.deployContract('ContractWallet', [scheduler.address])
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, wallet, workerpool.target.toString())
      await token.connect(owner).approve(hub, RLC)
      await hub.connect(owner).depositFor(RLC, wallet)
      const { dealId } = await makeDeal(assets)
      await hub.settleFailure(...failureArguments(await attestedFailure(assets, { ...assets, dealId })))
      expect(await hub.viewAccount(wallet)).to.deep.equal([RLC, 0n])
    })
  })

  describe('given a deal with a callback', () => {
    it('does not call it: there is nothing to say', async () => {
      let consumer: string | undefined
      const deal = await dealOf(async () => {
        consumer = (await ethers.deployContract('ResultConsumer')).target.toString()
        return ofVolume(1n, { request: { callback: consumer } })
      })
      await deal.hub.settleFailure(...failureArguments(await attestedFailure(deal, deal)))
      const callback = await ethers.getContractAt('ResultConsumer', consumer ?? zero)
      expect(await callback.count()).to.equal(0n)
    })
  })
})
