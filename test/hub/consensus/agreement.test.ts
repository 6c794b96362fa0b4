import { expect } from 'chai'
import { ethers, loadFixture } from '../../fixtures.ts'
import {
  type Crewed,
  contribute,
  hashOf,
  hiredCrew,
  ofTrust,
  openTask,
  reopen,
  setScore,
  taskOf,
  type Worker,
} from '../../replicas.ts'

type Task = Crewed & { taskId: string }

/** Who contributes as number `index`. */
function workerAt({ crew }: Crewed, index: number): Worker {
  const worker = crew[index]
  if (worker === undefined) throw new Error(`There are only ${crew.length} workers.`)
  return worker
}

/** Workers contribute one result each, by its letter, until one is agreed on; tells after how many, if ever. */
async function contributeAll(task: Task, letters: string, from = 0): Promise<number | undefined> {
  for (const [index, letter] of [...letters].entries()) {
    await contribute(task, workerAt(task, from + index), letter)
    const { status, consensusValue } = await task.hub.viewTask(task.taskId)
    if (status === 2n) {
      expect(consensusValue).to.equal(hashOf(task, letter))
      return index + 1
    }
  }
  return undefined
}

/** A task of that trust whose workers have these scores, in the order in which they come. */
async function scoredTask(trust: bigint, scores: bigint[]) {
  const task = await taskOf(trust)
  for (const [index, score] of scores.entries()) await setScore(task, workerAt(task, index), score)
  return task
}

describe('agreement', () => {
  describe('given workers without a score who agree', () => {
    // n of them are enough when 2^n > trust - 1.
    const enough = [
      [0n, 1],
      [1n, 1],
      [2n, 1],
      [3n, 2],
      [4n, 2],
      [5n, 3],
      [8n, 3],
      [9n, 4],
      [16n, 4],
      [17n, 5],
      [32n, 5],
      [33n, 6],
      [512n, 9],
      [513n, 10],
      [1024n, 10],
      [1025n, 11],
      [65_535n, 16],
      [65_536n, 16],
      [65_537n, 17],
    ] as const
    for (const [trust, workers] of enough) {
      it(`is reached by number ${workers} for trust ${trust}`, async () => {
        const task = await taskOf(trust)
        expect(await contributeAll(task, 'A'.repeat(workers + 1))).to.equal(workers)
        expect((await task.hub.viewTask(task.taskId)).winnerCounter).to.equal(workers)
      })
    }
  })

  describe('given one worker with a score', () => {
    // The word of a score weighs max(score / 3, 3) - 1, and is enough alone up to a trust of as much.
    const weights = [
      [0n, 2n],
      [8n, 2n],
      [9n, 2n],
      [11n, 2n],
      [12n, 3n],
      [14n, 3n],
      [15n, 4n],
      [100n, 32n],
      [3000n, 999n],
      [2n ** 64n - 1n, (2n ** 64n - 1n) / 3n - 1n],
    ] as const
    for (const [score, weight] of weights) {
      it(`needs nobody else up to trust ${weight} with a score of ${score}`, async () => {
        expect(await contributeAll(await scoredTask(weight, [score]), 'A')).to.equal(1)
        expect(await contributeAll(await scoredTask(weight + 1n, [score]), 'A')).to.equal(undefined)
      })

      it(`is rewarded by the logarithm of ${weight} with a score of ${score}`, async () => {
        const task = await scoredTask(2n ** 70n, [score])
        await contributeAll(task, 'A')
        const { weight: logarithm } = await task.hub.viewContribution(task.taskId, task.ann)
        expect([2n ** logarithm <= weight, weight < 2n ** (logarithm + 1n)]).to.deep.equal([true, true])
      })
    }
  })

  describe('given several workers with scores', () => {
    it('multiplies what their words weigh', async () => {
      // 3 * 4 * 2 = 24
      const scores = [12n, 15n, 0n]
      expect(await contributeAll(await scoredTask(24n, scores), 'AAA')).to.equal(3)
      expect(await contributeAll(await scoredTask(25n, scores), 'AAA')).to.equal(undefined)
      expect(await contributeAll(await scoredTask(12n, scores), 'AAA')).to.equal(2)
    })

    it('weighs each by its score at the time', async () => {
      const task = await scoredTask(33n, [100n])
      await contribute(task, task.ann)
      await setScore(task, task.ann, 3000n)
      expect(await contributeAll(task, 'BBBBB', 1)).to.equal(undefined)
      expect(await contributeAll(task, 'A', 6)).to.equal(undefined)
      expect((await task.hub.viewContribution(task.taskId, task.ann)).weight).to.equal(5n)
    })
  })

  describe('given workers who do not agree', () => {
    // A result is agreed on when its credibility is more than (trust - 1) times one and all others together.
    const orders = [
      [3n, 'ABAA', 4],
      [3n, 'BAAA', 4],
      [3n, 'ABABAA', 6],
      [3n, 'ABCAAA', 6],
      [3n, 'ABCBACA', undefined],
      [3n, 'ABCBACAAA', 9],
      [5n, 'AABBBBB', 7],
      [2n, 'A', 1],
      [4n, 'ABCDAAAAA', 8],
      [4n, 'ABCDEAAAAAAAA', 9],
      [17n, 'ABAAAAA', 7],
    ] as const
    for (const [trust, letters, expected] of orders) {
      const end = expected === undefined ? 'agree on nothing' : `agree with number ${expected}`
      it(`${letters} ${end} at trust ${trust}`, async () => {
        expect(await contributeAll(await taskOf(trust), letters)).to.equal(expected)
      })
    }

    it('is not reached where both sides of the rule are equal', async () => {
      // 2 against 3 * 2 = 6, at trust 3: 6 is not more than 2 * (1 + 2).
      const task = await scoredTask(3n, [0n, 12n, 0n, 0n])
      expect(await contributeAll(task, 'ABB')).to.equal(undefined)
      expect(await contributeAll(task, 'B', 3)).to.equal(1)
    })

    it('counts the winners, and keeps the others', async () => {
      const task = await taskOf(3n)
      const { hub, taskId, crew } = task
      expect(await contributeAll(task, 'ABABAA')).to.equal(6)
      const { winnerCounter, contributors } = await hub.viewTask(taskId)
      expect(winnerCounter).to.equal(4n)
      expect(contributors).to.deep.equal(crew.slice(0, 6).map(({ address }) => address))
      const hashes = await Promise.all(contributors.map(async (each) => (await hub.viewContribution(taskId, each))[1]))
      expect(hashes).to.deep.equal([...'ABABAA'].map((letter) => hashOf(task, letter)))
    })

    it('is noticed with the next contribution to a result, not with one to another', async () => {
      // Without A, which nobody reveals, the two B would have been enough; C comes in between.
      const task = await taskOf(3n)
      expect(await contributeAll(task, 'BABAAA')).to.equal(6)
      await reopen(task)
      expect(await contributeAll(task, 'C', 6)).to.equal(undefined)
      expect(await contributeAll(task, 'B', 7)).to.equal(1)
      expect((await task.hub.viewTask(task.taskId)).winnerCounter).to.equal(3n)
    })
  })

  describe('given two tasks of a deal', () => {
    it('counts each by itself', async () => {
      const crew = await loadFixture(hiredCrew)
      const volume = { volume: 2n }
      const wishes = { app: volume, dataset: volume, workerpool: volume, request: volume }
      const task = await openTask(crew, ofTrust(3n, wishes))
      const { hub, dealId } = task
      await hub.initialize(dealId, 1n)
      const taskId = ethers.solidityPackedKeccak256(['bytes32', 'uint256'], [dealId, 1n])
      const other = { ...task, taskId }
      await contribute(task, task.ann)
      await contribute(other, task.bob)
      const statuses = [(await hub.viewTask(task.taskId)).status, (await hub.viewTask(taskId)).status]
      expect(statuses).to.deep.equal([1n, 1n])
      expect(await contributeAll(other, 'A')).to.equal(1)
    })
  })
})
