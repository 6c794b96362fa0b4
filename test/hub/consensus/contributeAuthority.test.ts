import { expect } from 'chai'
import { ethers, loadFixture, makeDeal, taskIdOf, teeTag, type Wishes } from '../../fixtures.ts'
import {
  contribute,
  contributedTask,
  contributionOf,
  type Enclosed,
  ofTrust,
  openTask,
  replicatedTask,
  taskOf,
  walletPool,
} from '../../replicas.ts'

/** A deal that asks for an enclave. */
const enclosed: Wishes = { app: { tag: teeTag }, dataset: { tag: teeTag }, request: { tag: teeTag } }

const zero = ethers.ZeroAddress

/** A contract that approves of what the key signs, as whoever has to sign. */
async function walletOf(key: { address: string; signMessage(message: Uint8Array): Promise<string> }) {
  const wallet = await ethers.deployContract('ContractWallet', [key.address])
  return { address: await wallet.getAddress(), signMessage: (message: Uint8Array) => key.signMessage(message) }
}

describe('contribute, as authorized', () => {
  describe('given a deal that asks for no enclave', () => {
    it('takes a result without enclave, whatever stands for its signature', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann } = task
      const [id, hash, seal, challenge, , authorization] = await contributionOf(task, ann)
      await hub.connect(ann).contribute(id, hash, seal, challenge, '0x1234', authorization)
      expect((await hub.viewContribution(taskId, ann)).enclaveChallenge).to.equal(zero)
    })

    it('takes a result of an enclave, and keeps which', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann } = task
      const enclave = ethers.Wallet.createRandom()
      await contribute(task, ann, 'A', { enclave })
      expect((await hub.viewContribution(taskId, ann)).enclaveChallenge).to.equal(enclave.address)
    })

    it('reverts with NotSignedByEnclave when an enclave is named that did not sign', async () => {
      const task = await loadFixture(replicatedTask)
      const { hub, taskId, ann } = task
      const enclave = ethers.Wallet.createRandom()
      const [id, hash, seal, challenge, , authorization] = await contributionOf(task, ann, 'A', { enclave })
      await expect(hub.connect(ann).contribute(id, hash, seal, challenge, '0x', authorization))
        .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
        .withArgs(taskId, enclave.address)
    })
  })

  describe('given a deal that asks for an enclave', () => {
    it('takes the results of several enclaves', async () => {
      const task = await taskOf(3n, enclosed)
      const { hub, taskId, ann, bob } = task
      for (const worker of [ann, bob]) {
        const enclave = ethers.Wallet.createRandom()
        await contribute(task, worker, 'A', { enclave })
        expect((await hub.viewContribution(taskId, worker)).enclaveChallenge).to.equal(enclave.address)
      }
      expect((await hub.viewTask(taskId)).status).to.equal(2n)
    })

    it('reverts with EnclaveRequired when there is none', async () => {
      const task = await taskOf(3n, enclosed)
      await expect(contribute(task, task.ann))
        .to.be.revertedWithCustomError(task.hub, 'EnclaveRequired')
        .withArgs(task.taskId)
    })

    it('reverts with NotSignedByEnclave when hash, seal, task or worker are others than it signed', async () => {
      const task = await taskOf(3n, enclosed)
      const { hub, taskId, ann, bob } = task
      const enclave = ethers.Wallet.createRandom()
      const [, hash, seal, challenge, sign, authorization] = await contributionOf(task, ann, 'A', { enclave })
      const [, otherHash, otherSeal] = await contributionOf(task, ann, 'B', { enclave })
      const [, , bobsSeal] = await contributionOf(task, bob, 'A', { enclave })
      const forged = [
        [otherHash, seal],
        [hash, otherSeal],
        [hash, bobsSeal],
      ] as const
      for (const [anyHash, anySeal] of forged) {
        await expect(hub.connect(ann).contribute(taskId, anyHash, anySeal, challenge, sign, authorization))
          .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
          .withArgs(taskId, enclave.address)
      }
      await hub.connect(ann).contribute(taskId, hash, seal, challenge, sign, authorization)
    })

    it('reverts with NotSignedByEnclave when another key signed', async () => {
      const task = await taskOf(3n, enclosed)
      const { hub, taskId, ann, anyone } = task
      const { address } = ethers.Wallet.createRandom()
      const enclave = { address, signMessage: (message: Uint8Array) => anyone.signMessage(message) }
      await expect(contribute(task, ann, 'A', { enclave }))
        .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
        .withArgs(taskId, address)
    })

    it('takes the key of an enclave that is a contract (ERC-1271)', async () => {
      const task = await taskOf(3n, enclosed)
      const { hub, taskId, ann } = task
      const enclave = await walletOf(ethers.Wallet.createRandom())
      await contribute(task, ann, 'A', { enclave })
      expect((await hub.viewContribution(taskId, ann)).enclaveChallenge).to.equal(enclave.address)
    })
  })

  describe('given a pool that belongs to a key', () => {
    it('reverts with NotAuthorized when somebody else signed', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann, scheduler, anyone } = task
      await expect(contribute(task, ann, 'A', { authorizer: anyone }))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, ann.address, zero, scheduler.address)
    })

    it('reverts with NotAuthorized when nobody signed', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann, scheduler } = task
      const [id, hash, seal, challenge, sign] = await contributionOf(task, ann)
      await expect(hub.connect(ann).contribute(id, hash, seal, challenge, sign, '0x'))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, ann.address, zero, scheduler.address)
    })

    it('reverts with NotAuthorized when another worker, enclave or task was meant', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann, bob, scheduler } = task
      const enclave = ethers.Wallet.createRandom()
      const [, , , , , ofBob] = await contributionOf(task, bob)
      const [, , , , , ofEnclave] = await contributionOf(task, ann, 'A', { enclave })
      const elsewhere = { ...task, taskId: taskIdOf(task.dealId, 1n) }
      const [, , , , , ofTask] = await contributionOf(elsewhere, ann)
      const [id, hash, seal, challenge, sign] = await contributionOf(task, ann)
      for (const authorization of [ofBob, ofEnclave, ofTask]) {
        await expect(hub.connect(ann).contribute(id, hash, seal, challenge, sign, authorization))
          .to.be.revertedWithCustomError(hub, 'NotAuthorized')
          .withArgs(taskId, ann.address, zero, scheduler.address)
      }
    })

    it('asks who owned the pool when the deal was made', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann, scheduler, anyone, workerpool, workerpoolRegistry } = task
      await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, anyone, workerpool.target.toString())
      await expect(contribute(task, ann, 'A', { authorizer: anyone }))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, ann.address, zero, scheduler.address)
      await contribute(task, ann)
    })
  })

  describe('given a pool that belongs to a contract', () => {
    it('takes what the contract approves of (ERC-1271)', async () => {
      const task = await openTask(await loadFixture(walletPool), ofTrust(3n))
      await contribute(task, task.ann)
      expect((await task.hub.viewContribution(task.taskId, task.ann)).status).to.equal(1n)
    })

    it('reverts with NotAuthorized when it does not', async () => {
      const task = await openTask(await loadFixture(walletPool), ofTrust(3n))
      const { hub, taskId, ann, anyone, wallet } = task
      await expect(contribute(task, ann, 'A', { authorizer: anyone }))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, ann.address, zero, wallet.target)
    })
  })

  describe('given a TEE broker', () => {
    const brokered = async (wishes: Wishes) => {
      const task = await taskOf(3n, wishes)
      await task.hub.connect(task.owner).setTeeBroker(task.broker)
      return task
    }

    it('takes an enclave that the broker authorized', async () => {
      const task = await brokered(enclosed)
      const by: Enclosed = { enclave: ethers.Wallet.createRandom(), authorizer: task.broker }
      await contribute(task, task.ann, 'A', by)
      expect((await task.hub.viewContribution(task.taskId, task.ann)).status).to.equal(1n)
    })

    it('reverts with NotAuthorized when the pool authorized an enclave in its place', async () => {
      const task = await brokered(enclosed)
      const { hub, taskId, ann, broker } = task
      const enclave = ethers.Wallet.createRandom()
      await expect(contribute(task, ann, 'A', { enclave }))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, ann.address, enclave.address, broker.address)
    })

    it('still takes a worker without enclave on the word of the pool, and of nobody else', async () => {
      const task = await brokered({})
      const { hub, taskId, ann, broker, scheduler } = task
      await expect(contribute(task, ann, 'A', { authorizer: broker }))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, ann.address, zero, scheduler.address)
      await contribute(task, ann)
    })

    it('takes a broker that is a contract (ERC-1271)', async () => {
      const task = await taskOf(3n, enclosed)
      const { hub, taskId, ann, owner, broker } = task
      const wallet = await walletOf(broker)
      await hub.connect(owner).setTeeBroker(wallet.address)
      await contribute(task, ann, 'A', { enclave: ethers.Wallet.createRandom(), authorizer: wallet })
      expect((await hub.viewContribution(taskId, ann)).status).to.equal(1n)
    })

    it('asks the pool again once there is none', async () => {
      const task = await brokered(enclosed)
      const { hub, ann, owner } = task
      await hub.connect(owner).setTeeBroker(zero)
      await contribute(task, ann, 'A', { enclave: ethers.Wallet.createRandom() })
      expect((await hub.viewContribution(task.taskId, ann)).status).to.equal(1n)
    })
  })

  describe('given another deal with the same workers', () => {
    it('takes no signature of the one for the other', async () => {
      const task = await taskOf(3n, enclosed)
      const { hub, ann, scheduler } = task
      const enclave = ethers.Wallet.createRandom()
      const [, hash, seal, challenge, sign, authorization] = await contributionOf(task, ann, 'A', { enclave })
      const { dealId } = await makeDeal(task, ofTrust(3n, enclosed))
      await hub.initialize(dealId, 0n)
      const other = taskIdOf(dealId, 0n)
      await expect(hub.connect(ann).contribute(other, hash, seal, challenge, sign, authorization))
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(other, ann.address, enclave.address, scheduler.address)
    })
  })
})
