import { type Hex, Lease } from '@sealdeal/protocol'
import { type Database, openDatabase, openTestDatabase } from '@sealdeal/server'
import { expect } from 'chai'
import { migrations } from './index.ts'
import {
  beat,
  defaultPolicy,
  type Granted,
  registerWorker,
  releaseLost,
  takeCompletion,
  takeFailure,
} from './leases.ts'
import { expireTasks, settle } from './tasks.ts'
import { domain, grant, matchedDeal, owner, randomHex, registeredWorker, start } from './testing/rows.ts'
import { viewTask } from './view.ts'

describe('leases', function () {
  this.timeout(30_000)
  let database: Database
  let url: string
  let close: () => Promise<void>
  before(async () => {
    ;({ database, url, close } = await openTestDatabase({ migrations }))
  })
  after(() => close?.())
  afterEach(() => database.query('truncate worker, deal cascade'))

  async function leased(): Promise<Granted> {
    await matchedDeal(database)
    const lease = await grant(database, await registeredWorker(database))
    if (!lease) throw new Error('nothing was leased')
    return lease
  }
  /** Lets so many seconds pass since the worker's last beat. */
  async function silent({ taskId }: Granted, seconds: number): Promise<void> {
    const back = 'update lease set beat_at = beat_at - make_interval(secs => $2) where task_id = $1'
    await database.query(back, [taskId, seconds])
  }
  const status = async (taskId: Hex) => (await viewTask(database, taskId)).currentStatus

  describe('given an open task', () => {
    it('is leased once, signed by the pool owner for this worker and attempt', async () => {
      const { taskIds, dealId } = await matchedDeal(database, { first: 7n })
      const worker = await registeredWorker(database)
      const lease = await grant(database, worker)
      expect(lease).to.deep.include({ taskId: taskIds[0], dealId, index: 7n, worker, attempt: 1, maxSeconds: 300n })
      const { taskId, expiry, signature } = lease as Granted
      const signed = { task: taskId, worker, attempt: 1n, expiry }
      expect(Lease.recover(signed, signature, domain)).to.equal(owner.address)
      expect(Lease.recover({ ...signed, attempt: 2n }, signature, domain)).not.to.equal(owner.address)
      expect(await grant(database, worker, { holding: [taskId] })).to.equal(undefined)
      expect(await status(taskId)).to.equal('LEASED')
    })

    it('gives a lease that ends after the category’s time and a margin, never after the contribution deadline', async () => {
      await matchedDeal(database, { size: 2n })
      const worker = await registeredWorker(database)
      const first = await grant(database, worker)
      expect(first?.expiry).to.equal(start + 300n + defaultPolicy.margin)
      const late = start + 2_000n
      const second = await grant(database, worker, { now: late, holding: [first?.taskId as Hex] })
      expect(second?.expiry).to.equal(start + 2_100n)
    })

    it('is leased to registered workers only', async () => {
      await matchedDeal(database)
      const refused = await grant(database, owner.address as Hex).catch((error) => error.name)
      expect(refused).to.equal('WorkerUnknownError')
    })
  })

  describe('given a list of workers', () => {
    it('refuses to register another', async () => {
      const allowed = [owner.address as Hex]
      const refused = registerWorker(database, { worker: randomHex(20), name: 'other', allowed })
      expect(await refused.catch((error) => error.name)).to.equal('WorkerRefusedError')
      await registerWorker(database, { worker: owner.address as Hex, name: 'own', allowed })
    })
  })

  describe('when three replicas hand out forty tasks at once', () => {
    it('never leases a task or an attempt twice', async () => {
      const { taskIds } = await matchedDeal(database, { size: 40n })
      const worker = await registeredWorker(database)
      const others = await Promise.all([1, 2].map(() => openDatabase({ url, migrations })))
      try {
        const replicas = [database, ...others]
        const asks = Array.from({ length: 60 }, (_, index) =>
          grant(replicas[index % 3] as Database, worker, { holding: taskIds }),
        )
        const granted = (await Promise.all(asks)).filter((lease) => lease !== undefined)
        // A row locked by a neighbour is skipped, so an ask may come back empty while tasks are left: ask on.
        for (let lease = await grant(database, worker, { holding: taskIds }); lease; ) {
          granted.push(lease)
          lease = await grant(database, worker, { holding: taskIds })
        }
        expect(granted.map(({ taskId }) => taskId).sort()).to.deep.equal([...taskIds].sort())
        expect(granted.every(({ attempt }) => attempt === 1)).to.equal(true)
      } finally {
        await Promise.all(others.map((other) => other.close()))
      }
    })
  })

  describe('given a worker that went silent', () => {
    it('leases the next attempt to whoever asks, and the first worker is told at its next beat', async () => {
      const lost = await leased()
      await beat(database, { ...lost, reached: ['launched'] })
      const policy = { ...defaultPolicy, silence: 0 }
      expect(await releaseLost(database, { now: start, policy })).to.deep.equal([
        { taskId: lost.taskId, attempt: 1, worker: lost.worker },
      ])
      expect(await status(lost.taskId)).to.equal('RECEIVED')
      const next = await grant(database, await registeredWorker(database))
      expect(next).to.deep.include({ taskId: lost.taskId, attempt: 2 })
      expect(await beat(database, lost).catch((error) => error.name)).to.equal('LeaseLostError')
      const { replicates } = await viewTask(database, lost.taskId)
      expect(replicates.map(({ currentStatus }) => currentStatus)).to.deep.equal(['WORKER_LOST', 'STARTING'])
    })

    it('keeps the lease of a worker that beats, and only of that', async () => {
      const lease = await leased()
      const policy = { ...defaultPolicy, silence: 60_000 }
      for (let step = 0; step < 3; step++) {
        await silent(lease, 50)
        expect(await releaseLost(database, { now: start, policy })).to.deep.equal([])
        await beat(database, lease)
      }
      await silent(lease, 61)
      expect(await releaseLost(database, { now: start, policy })).to.have.length(1)
    })
  })

  describe('given a worker that restarted without its memory', () => {
    it('frees what it does not know of, before others would notice its silence', async () => {
      const lost = await leased()
      const policy = { ...defaultPolicy, silence: 60_000 }
      expect(await grant(database, lost.worker, { policy })).to.equal(undefined)
      await silent(lost, 31)
      expect(await releaseLost(database, { now: start, policy })).to.deep.equal([])
      const next = await grant(database, lost.worker, { policy })
      expect(next).to.deep.include({ taskId: lost.taskId, attempt: 2 })
    })
  })

  describe('given a lease that expired', () => {
    it('is lost although its worker beats: beats never make a lease longer', async () => {
      const lease = await leased()
      await beat(database, lease)
      expect(await releaseLost(database, { now: lease.expiry - 1n, policy: defaultPolicy })).to.deep.equal([])
      await new Promise((resolve) => setTimeout(resolve, 5))
      const released = await releaseLost(database, { now: lease.expiry, policy: defaultPolicy })
      expect(released).to.have.length(1)
      expect((await viewTask(database, lease.taskId)).cause).to.equal('LEASE_EXPIRED')
    })
  })

  describe('when a worker reports that the chain has its result', () => {
    it('waits for the chain, without beats, and believes it only then', async () => {
      const lease = await leased()
      await beat(database, { ...lease, reached: ['launched'] })
      const hash = randomHex(32)
      await takeCompletion(database, { ...lease, hash, policy: defaultPolicy })
      const policy = { ...defaultPolicy, silence: 0 }
      expect(await releaseLost(database, { now: start, policy })).to.deep.equal([])
      expect(await status(lease.taskId)).to.equal('RUNNING')
      const settled = { taskId: lease.taskId, settlement: 'finalized', transaction: hash, blockNumber: 12n } as const
      expect(await database.transaction((transaction) => settle(transaction, settled))).to.equal(true)
      expect(await status(lease.taskId)).to.equal('COMPLETED')
    })

    it('leases the task again when the chain stays silent for the settling time', async () => {
      const lease = await leased()
      const policy = { ...defaultPolicy, silence: 0, settling: 0 }
      await takeCompletion(database, { ...lease, hash: randomHex(32), policy })
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(await releaseLost(database, { now: start, policy })).to.have.length(1)
    })

    it('refuses a second report', async () => {
      const lease = await leased()
      await takeCompletion(database, { ...lease, hash: randomHex(32), policy: defaultPolicy })
      const again = takeCompletion(database, { ...lease, hash: randomHex(32), policy: defaultPolicy })
      expect(await again.catch((error) => error.name)).to.equal('LeaseLostError')
    })
  })

  describe('when a worker reports a failure', () => {
    const message = 'what the enclave said'

    it('ends the task when app or input are at fault, with cause and remedy', async () => {
      const lease = await leased()
      const cause = 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM'
      const answer = await takeFailure(database, { ...lease, cause, message, policy: defaultPolicy })
      expect(answer).to.deep.equal({ retry: false })
      const view = await viewTask(database, lease.taskId)
      expect(view).to.deep.include({ currentStatus: 'FAILED', cause, message })
      expect(view.remedy).to.match(/protect it again/)
      expect(view.dateStatusList.map((change) => change.status)).to.deep.equal([
        'RECEIVED',
        'LEASED',
        'RUNNING_FAILED',
        'FAILED',
      ])
      expect(await grant(database, lease.worker)).to.equal(undefined)
    })

    it('tries again, not at once and not for ever, when something around the app failed', async () => {
      const policy = { ...defaultPolicy, failures: 2 }
      const cause = 'POST_COMPUTE_IPFS_UPLOAD_FAILED'
      const lease = await leased()
      expect(await takeFailure(database, { ...lease, cause, message, policy })).to.deep.equal({ retry: true })
      expect(await grant(database, lease.worker)).to.equal(undefined)
      await database.query('update task set not_before = now() where task_id = $1', [lease.taskId])
      const second = (await grant(database, lease.worker)) as Granted
      expect(second.attempt).to.equal(2)
      expect(await takeFailure(database, { ...second, cause, message, policy })).to.deep.equal({ retry: false })
      expect(await status(lease.taskId)).to.equal('FAILED')
    })

    it('refuses the word of a worker that does not hold the lease', async () => {
      const lease = await leased()
      const worker = await registeredWorker(database)
      const refused = takeFailure(database, { ...lease, worker, cause: 'X', message, policy: defaultPolicy })
      expect(await refused.catch((error) => error.name)).to.equal('LeaseLostError')
    })
  })

  describe('given a task whose contribution deadline passed', () => {
    it('is not leased any more, and failed with that cause', async () => {
      const { taskIds } = await matchedDeal(database)
      const now = start + 2_100n
      expect(await grant(database, await registeredWorker(database), { now })).to.equal(undefined)
      expect(await expireTasks(database, now - 1n)).to.equal(0)
      expect(await expireTasks(database, now)).to.equal(1)
      const view = await viewTask(database, taskIds[0] as Hex)
      expect(view).to.deep.include({ currentStatus: 'FAILED', cause: 'CONTRIBUTION_TIMEOUT' })
    })
  })
})
