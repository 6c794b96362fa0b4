import { type Address, BaseError, type Hex, Lease, type Order } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'
import { readCause } from './causes.ts'
import { type App, note, taskChannel } from './tasks.ts'

/** A worker that is not registered asks. */
export class WorkerUnknownError extends BaseError {
  override name = 'WorkerUnknownError'
  constructor({ worker }: { worker: Address }) {
    super(`Worker "${worker}" is not registered with this pool.`, {
      metaMessages: ['Register it first: `POST /workers`, signed by its wallet.'],
      docsPath: '/workerpool#workers',
    })
  }
}

/** The pool does not take this worker. */
export class WorkerRefusedError extends BaseError {
  override name = 'WorkerRefusedError'
  constructor({ worker }: { worker: Address }) {
    super(`Worker "${worker}" is not on this pool's list.`, {
      metaMessages: ['Ask the pool owner to add it to WORKER_ADDRESSES.'],
      docsPath: '/workerpool#workers',
    })
  }
}

/** The caller does not hold the lease (any more): it must stop working on the task. */
export class LeaseLostError extends BaseError {
  override name = 'LeaseLostError'
  constructor({ taskId, attempt, worker }: { taskId: Hex; attempt: number; worker: Address }) {
    super(`Attempt ${attempt} of task "${taskId}" is not leased to worker "${worker}".`, {
      metaMessages: ['Stop working on it. What is already on its way to the chain still counts there.'],
      docsPath: '/workerpool#leases',
    })
  }
}

/** Rules by which a pool hands out work. */
export type Policy = {
  /** A worker that is silent for longer loses its leases, in milliseconds. */
  silence: number
  /** Time beyond the category's clock for fetching, delivering and settling, in seconds. */
  margin: bigint
  /** How long after "completed" the chain may take to say so, in seconds, before the task is leased again. */
  settling: number
  /** Failures worth retrying that a task may have before it is given up. */
  failures: number
}

export const defaultPolicy: Policy = { silence: 3_000, margin: 120n, settling: 60, failures: 5 }

/** What a worker is given. `expiry` in unix seconds of the chain. */
export type Granted = {
  taskId: Hex
  dealId: Hex
  index: bigint
  worker: Address
  attempt: number
  expiry: bigint
  signature: Hex
  app: App
  maxSeconds: bigint
}

export type Holder = { taskId: Hex; attempt: number; worker: Address }

/** Registers a worker, or sees it again. */
export async function registerWorker(
  database: Database,
  { worker, name, allowed }: { worker: Address; name: string; allowed?: readonly Address[] | undefined },
): Promise<void> {
  if (allowed && !allowed.includes(worker)) throw new WorkerRefusedError({ worker })
  await database.query(
    `insert into worker (address, name) values ($1, $2)
     on conflict (address) do update set name = excluded.name, seen_at = now()`,
    [worker, name],
  )
}

type Candidate = {
  task_id: Hex
  deal_id: Hex
  index: bigint
  attempt: number
  app: App
  max_seconds: bigint
  contribution_deadline: bigint
}

/**
 * Leases the most urgent open task to the worker, or returns undefined when there is none. Any number of replicas may
 * do this at once: the row is locked while it is chosen, and one attempt has one row.
 *
 * @param holding tasks that the worker knows it is working on: whatever else is leased to it was lost with its memory,
 * and is free again after half of the silence that others are granted.
 * @param now unix seconds of the chain
 */
export async function grantLease(
  database: Database,
  parameters: {
    worker: Address
    holding: readonly Hex[]
    now: bigint
    policy: Policy
    signer: Order.TypedDataSigner
    domain: Order.Domain
  },
): Promise<Granted | undefined> {
  const { worker, holding, now, policy, signer, domain } = parameters
  return database.transaction(async (transaction) => {
    const seen = await transaction.query('update worker set seen_at = now() where address = $1 returning 1', [worker])
    if (seen.length === 0) throw new WorkerUnknownError({ worker })
    await endLeases(transaction, {
      where: 'worker = $1 and task_id <> all($2::text[]) and beat_at <= now() - make_interval(secs => $3)',
      // Not at once: a second process with the same key would take the work of one that is alive.
      values: [worker, [...holding], policy.silence / 2_000],
      cause: 'WORKER_LOST',
    })
    const [task] = await transaction.query<Candidate>(
      `update task set status = 'LEASED', attempt = task.attempt + 1
       from deal where deal.deal_id = task.deal_id and task_id = (
         select task_id from task where status = 'RECEIVED' and contribution_deadline > $1 and not_before <= now()
         order by contribution_deadline, deal_id, index limit 1 for update skip locked)
       returning task_id, task.deal_id, index, attempt, app, max_seconds, task.contribution_deadline`,
      [now],
    )
    if (!task) return undefined
    const { task_id: taskId, attempt, contribution_deadline: deadline } = task
    const end = now + task.max_seconds + policy.margin
    const expiry = end < deadline ? end : deadline
    await transaction.query('insert into lease (task_id, attempt, worker, expiry) values ($1, $2, $3, $4)', [
      taskId,
      attempt,
      worker,
      expiry,
    ])
    await note(transaction, [
      { taskId, status: 'LEASED', modifier: 'POOL_MANAGER' },
      { taskId, attempt, status: 'STARTING', modifier: 'POOL_MANAGER' },
    ])
    const signature = await Lease.sign({ task: taskId, worker, attempt: BigInt(attempt), expiry }, signer, domain)
    const { deal_id: dealId, index, app, max_seconds: maxSeconds } = task
    return { taskId, dealId, index, worker, attempt, expiry, signature, app, maxSeconds }
  })
}

/** A worker's step -> the name that published clients know, where there is one. */
const steps = {
  launched: 'STARTED',
  measured: 'APP_DOWNLOADED',
  attested: 'ATTESTED',
  fetched: 'DATA_DOWNLOADED',
  computed: 'COMPUTED',
  delivered: 'RESULT_UPLOADED',
  settling: 'CONTRIBUTE_AND_FINALIZE_ONGOING',
} as const
export type Step = keyof typeof steps
export const stepNames = Object.keys(steps) as [Step, ...Step[]]

/**
 * A sign of life, with the steps that were reached since the last one. It keeps the lease alive and never makes it longer.
 *
 * @throws {LeaseLostError}
 */
export async function beat(database: Database, { reached = [], ...holder }: Holder & { reached?: readonly Step[] }) {
  const { taskId, attempt, worker } = holder
  await database.transaction(async (transaction) => {
    const last = reached.at(-1)
    const held = await transaction.query(
      `update lease set beat_at = greatest(beat_at, now()), status = coalesce($4, status)
       where task_id = $1 and attempt = $2 and worker = $3 and open returning 1`,
      [taskId, attempt, worker, last ? steps[last] : null],
    )
    if (held.length === 0) throw new LeaseLostError(holder)
    await transaction.query('update worker set seen_at = now() where address = $1', [worker])
    if (!last) return
    const modifier = 'WORKER'
    await note(
      transaction,
      reached.map((step) => ({ taskId, attempt, status: steps[step], modifier })),
    )
    const started = await transaction.query(
      `update task set status = 'RUNNING' where task_id = $1 and status = 'LEASED' returning 1`,
      [taskId],
    )
    if (started.length > 0) await note(transaction, [{ taskId, status: 'RUNNING', modifier }])
  })
}

/**
 * The worker says that the chain has its result. That is believed when the chain says so; until then the lease stays
 * open for the settling time without further signs of life.
 *
 * @throws {LeaseLostError}
 */
export async function takeCompletion(
  database: Database,
  { hash, policy, ...holder }: Holder & { hash: Hex; policy: Policy },
): Promise<void> {
  const { taskId, attempt, worker } = holder
  await database.transaction(async (transaction) => {
    const status = 'CONTRIBUTE_AND_FINALIZE_DONE'
    const held = await transaction.query(
      `update lease set status = $4, transaction = $5, beat_at = now() + make_interval(secs => $6)
       where task_id = $1 and attempt = $2 and worker = $3 and open and transaction is null returning 1`,
      [taskId, attempt, worker, status, hash, policy.settling],
    )
    if (held.length === 0) throw new LeaseLostError(holder)
    await note(transaction, [{ taskId, attempt, status, modifier: 'WORKER', transaction: hash }])
  })
}

/**
 * The worker gives up, with a named cause. A fault of app, data or request ends the task; anything else frees it for
 * another attempt, a little later each time, until the policy's limit. Returns whether it will be tried again.
 *
 * @throws {LeaseLostError}
 */
export async function takeFailure(
  database: Database,
  { cause, message, policy, ...holder }: Holder & { cause: string; message: string; policy: Policy },
): Promise<{ retry: boolean }> {
  const { taskId, attempt, worker } = holder
  return database.transaction(async (transaction) => {
    const held = await transaction.query(
      `update lease set open = false, status = 'FAILED', cause = $4, message = $5
       where task_id = $1 and attempt = $2 and worker = $3 and open returning 1`,
      [taskId, attempt, worker, cause, message],
    )
    if (held.length === 0) throw new LeaseLostError(holder)
    const fact = { taskId, modifier: 'WORKER', cause, message } as const
    await note(transaction, [{ ...fact, attempt, status: 'FAILED' }])
    const [task] = await transaction.query<{ status: string }>(
      `update task set failures = failures + 1, cause = $2, message = $3,
         status = case when $4 and failures + 1 < $5 then 'RECEIVED' else 'FAILED' end,
         not_before = now() + make_interval(secs => 0.25 * power(2, failures))
       where task_id = $1 and settlement is null returning status`,
      [taskId, cause, message, readCause(cause).retryable, policy.failures],
    )
    if (task?.status === 'FAILED') {
      await note(transaction, [
        { ...fact, status: 'RUNNING_FAILED' },
        { ...fact, status: 'FAILED', modifier: 'POOL_MANAGER' },
      ])
    }
    if (task?.status === 'RECEIVED')
      await note(transaction, [{ ...fact, status: 'RECEIVED', modifier: 'POOL_MANAGER' }])
    await transaction.query(`select pg_notify('${taskChannel}', '')`)
    return { retry: task?.status === 'RECEIVED' }
  })
}

/** Frees the tasks of workers that went silent, and of leases that expired. `now` in unix seconds of the chain. */
export async function releaseLost(
  database: Database,
  { now, policy }: { now: bigint; policy: Policy },
): Promise<Holder[]> {
  return database.transaction(async (transaction) => {
    const silent = await endLeases(transaction, {
      where: 'beat_at < now() - make_interval(secs => $1)',
      values: [policy.silence / 1_000],
      cause: 'WORKER_LOST',
    })
    // What was sent to the chain just before the end is still given its settling time.
    const expired = await endLeases(transaction, {
      where: 'expiry <= $1 and beat_at <= now()',
      values: [now],
      cause: 'LEASE_EXPIRED',
    })
    return [...silent, ...expired]
  })
}

/** `where` speaks of open leases, with `values` as its `$1`, `$2` ... Their tasks are open again at once. */
async function endLeases(
  transaction: Transaction,
  { where, values, cause }: { where: string; values: unknown[]; cause: 'WORKER_LOST' | 'LEASE_EXPIRED' },
): Promise<Holder[]> {
  const status = cause === 'WORKER_LOST' ? 'WORKER_LOST' : 'ABORTED'
  const rows = await transaction.query<{ task_id: Hex; attempt: number; worker: Address }>(
    `update lease set open = false, status = $${values.length + 1}, cause = $${values.length + 2}
     where (task_id, attempt) in (
       select task_id, attempt from lease where open and ${where} order by task_id for update skip locked)
     returning task_id, attempt, worker`,
    [...values, status, cause],
  )
  if (rows.length === 0) return []
  await transaction.query(
    `update task set status = 'RECEIVED', cause = $2, message = null
     where task_id = any($1) and status in ('LEASED', 'RUNNING') and settlement is null`,
    [rows.map((row) => row.task_id), cause],
  )
  const fact = { cause, modifier: 'POOL_MANAGER' } as const
  await note(
    transaction,
    rows.flatMap(({ task_id: taskId, attempt }) => [
      { ...fact, taskId, attempt, status },
      { ...fact, taskId, status: 'RECEIVED' },
    ]),
  )
  await transaction.query(`select pg_notify('${taskChannel}', '')`)
  return rows.map(({ task_id: taskId, attempt, worker }) => ({ taskId, attempt, worker }))
}
