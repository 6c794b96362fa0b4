import { expect } from 'chai'
import {
  contributeArguments,
  contributionTo,
  ethers,
  initializedTask,
  loadFixture,
  makeDeal,
  matchedDeal,
  taskIdOf,
  time,
} from '../../fixtures.ts'
import {
  type Crewed,
  contribute,
  contributedTask,
  digestOf,
  finalize,
  hashOf,
  hiredCrew,
  ofTrust,
  openTask,
  reopenedTask,
  replicatedTask,
  results,
  reveal,
  revealedTask,
  revealingTask,
  taskOf,
} from '../../replicas.ts'

const zero = ethers.ZeroHash

type Replica = Crewed & { taskId: string; dealId: string }

/** What everything of a task is, but for what the test is about; of the usual category, 300 seconds. */
async function usual({ hub, dealId }: Replica, changes: Record<string, unknown>): Promise<unknown[]> {
  const { startTime } = await hub.viewDeal(dealId)
  return Object.values({
    status: 1n,
    dealid: dealId,
    idx: 0n,
    timeref: 300n,
    contributionDeadline: startTime + 2100n,
    revealDeadline: 0n,
    finalDeadline: startTime + 3000n,
    consensusValue: zero,
    revealCounter: 0n,
    winnerCounter: 0n,
    contributors: [],
    resultDigest: zero,
    results: '0x',
    resultsTimestamp: 0n,
    resultsCallback: '0x',
    ...changes,
  })
}

/** The four workers of the usual replicated task, in the order in which they contributed. */
const addressesOf = ({ ann, bob, cid, eve }: Crewed) => [eve, ann, bob, cid].map(({ address }) => address)

/** When the result of the usual replicated task was agreed on: nothing happened since. */
async function agreedTask() {
  const task = await loadFixture(revealingTask)
  return { ...task, revealDeadline: (await task.hub.viewTask(task.taskId)).revealDeadline }
}

describe('viewTask', () => {
  describe('given a task that was never opened', () => {
    it('answers with zeros', async () => {
      const { hub, dealId } = await loadFixture(matchedDeal)
      const [status, dealid, ...rest] = await hub.viewTask(taskIdOf(dealId, 0n))
      expect([status, dealid]).to.deep.equal([0n, zero])
      expect(rest).to.deep.equal([0n, 0n, 0n, 0n, 0n, zero, 0n, 0n, [], zero, '0x', 0n, '0x'])
    })
  })

  describe('given a replicated task', () => {
    it('knows its deal, its index and its deadlines as soon as it is open', async () => {
      const task = await loadFixture(replicatedTask)
      expect(await task.hub.viewTask(task.taskId)).to.deep.equal(await usual(task, {}))
    })

    it('knows who contributed', async () => {
      const task = await loadFixture(contributedTask)
      const { hub, taskId, ann, eve } = task
      await contribute(task, ann)
      const contributors = [eve.address, ann.address]
      expect(await hub.viewTask(taskId)).to.deep.equal(await usual(task, { contributors }))
    })

    it('knows what was agreed on, when, and by how many', async () => {
      const task = await loadFixture(revealingTask)
      const { timestamp } = (await ethers.provider.getBlock('latest')) ?? { timestamp: 0 }
      expect((await task.hub.viewTask(task.taskId)).revealDeadline).to.equal(BigInt(timestamp) + 600n)
    })

    it('knows nothing of the digest before it is revealed', async () => {
      const task = await agreedTask()
      expect(await task.hub.viewTask(task.taskId)).to.deep.equal(
        await usual(task, {
          status: 2n,
          revealDeadline: task.revealDeadline,
          consensusValue: hashOf(task),
          winnerCounter: 3n,
          contributors: addressesOf(task),
        }),
      )
    })

    it('knows the digest and by how many it was revealed', async () => {
      const task = await agreedTask()
      const expected = {
        status: 2n,
        revealDeadline: task.revealDeadline,
        consensusValue: hashOf(task),
        winnerCounter: 3n,
        contributors: addressesOf(task),
        resultDigest: digestOf(task),
      }
      for (const [index, worker] of [task.cid, task.ann, task.bob].entries()) {
        await reveal(task, worker)
        const now = await usual(task, { ...expected, revealCounter: BigInt(index + 1) })
        expect(await task.hub.viewTask(task.taskId)).to.deep.equal(now)
      }
      await finalize(task)
      const completed = { ...expected, status: 3n, revealCounter: 3n, results }
      expect(await task.hub.viewTask(task.taskId)).to.deep.equal(await usual(task, completed))
    })

    it('knows nothing of an agreement that was given up, but who contributed', async () => {
      const task = await loadFixture(reopenedTask)
      const now = await usual(task, { contributors: addressesOf(task) })
      expect(await task.hub.viewTask(task.taskId)).to.deep.equal(now)
    })

    it('knows the agreement that came after', async () => {
      const task = await loadFixture(reopenedTask)
      await contribute(task, task.dan, 'B')
      const revealDeadline = BigInt(await time.latest()) + 600n
      const expected = {
        status: 2n,
        revealDeadline,
        consensusValue: hashOf(task, 'B'),
        winnerCounter: 2n,
        contributors: [...addressesOf(task), task.dan.address],
      }
      expect(await task.hub.viewTask(task.taskId)).to.deep.equal(await usual(task, expected))
    })

    it('tells apart the results of a task of trust 1 that two workers found, one after the other', async () => {
      const task = await taskOf(1n)
      const { hub, taskId, ann, bob, scheduler } = task
      await contribute(task, ann)
      await time.setNextBlockTimestamp((await hub.viewTask(taskId)).revealDeadline)
      await hub.connect(scheduler).reopen(taskId)
      await contribute(task, bob, 'B')
      const revealDeadline = BigInt(await time.latest()) + 600n
      await reveal(task, bob, 'B')
      await finalize(task)
      const expected = {
        status: 3n,
        revealDeadline,
        consensusValue: hashOf(task, 'B'),
        revealCounter: 1n,
        winnerCounter: 1n,
        contributors: [ann.address, bob.address],
        resultDigest: digestOf(task, 'B'),
        results,
      }
      expect(await hub.viewTask(taskId)).to.deep.equal(await usual(task, expected))
    })

    it('keeps results and callback data apart', async () => {
      const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])
      const task = await taskOf(1n)
      const { hub, taskId, ann, scheduler } = task
      const contribution = await contributionTo(task, { taskId, worker: ann, enclave: null, resultsCallback: answer })
      await hub.connect(ann).contribute(...contributeArguments(taskId, contribution))
      await hub.connect(ann).reveal(taskId, contribution.resultDigest)
      for (const [published, data] of [[results, answer]] as const) {
        await hub.connect(scheduler).finalize(taskId, published, data)
        const view = await hub.viewTask(taskId)
        expect([view.results, view.resultsCallback, view.resultDigest]).to.deep.equal([
          published,
          data,
          ethers.keccak256(data),
        ])
      }
    })

    it('tells the index of a later task, also past 32 bits', async () => {
      const assets = await loadFixture(hiredCrew)
      const volume = { volume: 2n ** 40n }
      const free = { appprice: 0n }
      const { dealId } = await makeDeal(
        assets,
        ofTrust(3n, {
          app: { ...volume, ...free },
          dataset: null,
          workerpool: { ...volume, workerpoolprice: 0n },
          request: volume,
        }),
      )
      for (const idx of [7n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 40n - 1n]) {
        await assets.hub.initialize(dealId, idx)
        const task = { ...assets, taskId: taskIdOf(dealId, idx) }
        for (const worker of [task.ann, task.bob]) await contribute(task, worker)
        for (const worker of [task.ann, task.bob]) await reveal(task, worker)
        await finalize(task)
        expect((await task.hub.viewTask(task.taskId)).idx).to.equal(idx)
      }
    })
  })
})

describe('viewTaskABILegacy', () => {
  const states: [string, () => Promise<Crewed & { taskId: string }>][] = [
    ['open', () => loadFixture(replicatedTask)],
    ['contributed to', () => loadFixture(contributedTask)],
    ['agreed on', () => loadFixture(revealingTask)],
    ['revealed', () => loadFixture(revealedTask)],
    ['reopened', () => loadFixture(reopenedTask)],
    [
      'completed',
      async () => {
        const task = await loadFixture(revealedTask)
        await finalize(task)
        return task
      },
    ],
    [
      'claimed',
      async () => {
        const task = await loadFixture(revealedTask)
        await time.increase(3000)
        await task.hub.claim(task.taskId)
        return task
      },
    ],
  ]
  for (const [name, make] of states) {
    it(`answers with the same of a task that is ${name}, but digest, timestamp and callback data`, async () => {
      const { hub, taskId } = await make()
      const view = await hub.viewTask(taskId)
      const legacy = await hub.viewTaskABILegacy(taskId)
      expect([...legacy]).to.deep.equal([...[...view].slice(0, 11), view.results])
    })
  }

  it('answers with zeros when the task was never opened', async () => {
    const { hub } = await loadFixture(initializedTask)
    const nothing = [0n, zero, 0n, 0n, 0n, 0n, 0n, zero, 0n, 0n, [], '0x']
    expect([...(await hub.viewTaskABILegacy(ethers.id('no task')))]).to.deep.equal(nothing)
  })
})

describe('resultFor', () => {
  it('reverts with TaskPending and the status while the task is not completed', async () => {
    const replica = await loadFixture(hiredCrew)
    const task = await openTask(replica, ofTrust(3n))
    const { hub, taskId, ann, bob } = task
    const expectPending = (status: bigint, id = taskId) =>
      expect(hub.resultFor(id)).to.be.revertedWithCustomError(hub, 'TaskPending').withArgs(id, status)
    await expectPending(0n, ethers.id('no task'))
    await expectPending(1n)
    for (const worker of [ann, bob]) await contribute(task, worker)
    await expectPending(2n)
    for (const worker of [ann, bob]) await reveal(task, worker)
    await expectPending(2n)
    await finalize(task)
    expect(await hub.resultFor(taskId)).to.equal('0x')
  })

  it('reverts with TaskPending of a task that has failed', async () => {
    const { hub, taskId } = await loadFixture(revealedTask)
    await time.increase(3000)
    await hub.claim(taskId)
    await expect(hub.resultFor(taskId)).to.be.revertedWithCustomError(hub, 'TaskPending').withArgs(taskId, 4n)
  })
})
