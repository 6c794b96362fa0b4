import { expect } from 'chai'
import { contributionTo, ethers, finalArguments, initializedTask, loadFixture, time } from '../../fixtures.ts'
import {
  type Crewed,
  contribute,
  contributedTask,
  finalize,
  hashOf,
  reopenedTask,
  reveal,
  revealedTask,
  revealingTask,
  sealOf,
  setScore,
  taskOf,
  type Worker,
} from '../../replicas.ts'

const zero = ethers.ZeroHash
const nobody = ethers.ZeroAddress

type Replica = Crewed & { taskId: string }

/** Status and result of what workers contributed, and whether the seals are theirs. */
async function statusesOf(task: Replica, workers: [Worker, string][]) {
  const { hub, taskId } = task
  return Promise.all(
    workers.map(async ([worker, name]) => {
      const { status, resultHash, resultSeal } = await hub.viewContribution(taskId, worker)
      expect([resultHash, resultSeal]).to.deep.equal([hashOf(task, name), sealOf(task, worker, name)])
      return status
    }),
  )
}

const usual = ({ ann, bob, cid, eve }: Crewed): [Worker, string][] => [
  [ann, 'A'],
  [bob, 'A'],
  [cid, 'A'],
  [eve, 'B'],
]

describe('viewContribution', () => {
  describe('given somebody who did not contribute', () => {
    it('answers with zeros, in every state', async () => {
      for (const fixture of [contributedTask, revealingTask, revealedTask, reopenedTask]) {
        const { hub, taskId, dan } = await loadFixture<Replica>(fixture)
        expect(await hub.viewContribution(taskId, dan)).to.deep.equal([0n, zero, zero, nobody, 0n])
      }
      const completed = await loadFixture(revealedTask)
      await finalize(completed)
      const { hub, taskId, dan } = completed
      expect(await hub.viewContribution(taskId, dan)).to.deep.equal([0n, zero, zero, nobody, 0n])
      expect(await hub.viewContribution(taskId, nobody)).to.deep.equal([0n, zero, zero, nobody, 0n])
    })
  })

  describe('given contributions to a replicated task', () => {
    it('knows each of them from first to last', async () => {
      const task = await loadFixture(revealingTask)
      expect(await statusesOf(task, usual(task))).to.deep.equal([1n, 1n, 1n, 1n])
      await reveal(task, task.bob)
      expect(await statusesOf(task, usual(task))).to.deep.equal([1n, 2n, 1n, 1n])
      for (const worker of [task.ann, task.cid]) await reveal(task, worker)
      expect(await statusesOf(task, usual(task))).to.deep.equal([2n, 2n, 2n, 1n])
      await finalize(task)
      expect(await statusesOf(task, usual(task))).to.deep.equal([2n, 2n, 2n, 1n])
    })

    it('knows each of them after the task has failed', async () => {
      const task = await loadFixture(revealedTask)
      await time.increase(3000)
      await task.hub.claim(task.taskId)
      expect(await statusesOf(task, usual(task))).to.deep.equal([2n, 2n, 2n, 1n])
    })

    it('knows who was rejected, although others find and reveal the same later', async () => {
      const task = await loadFixture(reopenedTask)
      expect(await statusesOf(task, usual(task))).to.deep.equal([3n, 3n, 3n, 1n])
      const [, , , , , sixth, seventh] = task.crew
      if (!(sixth && seventh)) throw new Error('The crew is too small.')
      const late: [Worker, string][] = [task.dan, sixth, seventh].map((worker) => [worker, 'A'])
      for (const [worker] of late) await contribute(task, worker)
      expect(await statusesOf(task, [...usual(task), ...late])).to.deep.equal([3n, 3n, 3n, 1n, 1n, 1n, 1n])
      for (const [worker] of late) await reveal(task, worker)
      expect(await statusesOf(task, [...usual(task), ...late])).to.deep.equal([3n, 3n, 3n, 1n, 2n, 2n, 2n])
      await finalize(task)
      expect(await statusesOf(task, [...usual(task), ...late])).to.deep.equal([3n, 3n, 3n, 1n, 2n, 2n, 2n])
    })

    it('knows the weight of each, whatever its score is by now', async () => {
      const task = await taskOf(2n ** 20n)
      const { hub, taskId, ann, bob, cid } = task
      const scores = [0n, 100n, 3000n]
      for (const [index, worker] of [ann, bob, cid].entries()) {
        await setScore(task, worker, scores[index] ?? 0n)
        await contribute(task, worker)
        await setScore(task, worker, 30n)
      }
      const weights = await Promise.all(
        [ann, bob, cid].map(async (worker) => (await hub.viewContribution(taskId, worker)).weight),
      )
      expect(weights).to.deep.equal([1n, 5n, 9n])
    })
  })

  describe('given a task that one worker ended', () => {
    it('answers as the reference does: proved, with a weight of zero', async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, worker } = task
      const result = await contributionTo(task, { taskId, worker })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      const { resultHash, resultSeal, enclaveChallenge } = result
      const kept = [2n, resultHash, resultSeal, enclaveChallenge, 0n]
      expect(await hub.viewContribution(taskId, worker)).to.deep.equal(kept)
    })
  })
})

describe('viewContributionABILegacy', () => {
  it('answers with the same but the weight, of everybody and in every state', async () => {
    for (const fixture of [contributedTask, revealingTask, revealedTask, reopenedTask]) {
      const { hub, taskId, ann, dan, eve } = await loadFixture<Replica>(fixture)
      for (const worker of [ann, dan, eve]) {
        const [status, hash, seal, challenge] = await hub.viewContribution(taskId, worker)
        const legacy = [status, hash, seal, challenge]
        expect([...(await hub.viewContributionABILegacy(taskId, worker))]).to.deep.equal(legacy)
      }
    }
  })

  it('names the enclave', async () => {
    const task = await taskOf(3n)
    const { hub, taskId, ann } = task
    const enclave = ethers.Wallet.createRandom()
    await contribute(task, ann, 'A', { enclave })
    const [, , , challenge] = await hub.viewContributionABILegacy(taskId, ann)
    expect(challenge).to.equal(enclave.address)
  })
})
