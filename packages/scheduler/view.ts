import { type Address, BaseError, type Hex } from '@sealdeal/protocol'
import type { Database } from '@sealdeal/server'
import { readCause } from './causes.ts'
import type { Settlement } from './tasks.ts'

/** This pool has no such task. */
export class TaskNotFoundError extends BaseError {
  override name = 'TaskNotFoundError'
  constructor({ taskId }: { taskId: Hex }) {
    super(`Task "${taskId}" is not known to this pool.`, {
      metaMessages: ['Ask the pool of its deal; a task appears a moment after its match is mined.'],
      docsPath: '/workerpool#status',
    })
  }
}

export type StatusChange = {
  status: string
  /** ISO 8601. */
  date: string
  modifier: string
  cause?: string
  message?: string
  transactionHash?: Hex
}

/** A task as published clients read it (`currentStatus`, `dateStatusList`, `replicates`), with cause and remedy. */
export type TaskView = {
  chainTaskId: Hex
  chainDealId: Hex
  taskIndex: string
  requester: Address
  appAddress: Address
  dappType: string
  tag: Hex
  trust: string
  /** How long the app may run, in milliseconds. */
  maxExecutionTime: number
  contributionDeadline: string
  finalDeadline: string
  currentStatus: string
  dateStatusList: StatusChange[]
  replicates: { walletAddress: Address; attempt: number; currentStatus: string; statusUpdateList: StatusChange[] }[]
  /** Why it failed or is being tried again, and what to do about it. */
  cause?: string
  message?: string
  remedy?: string
  /** How it ended on chain, and by which transaction. */
  settlement?: Settlement
  transactionHash?: Hex
}

type TaskRow = {
  deal_id: Hex
  index: bigint
  requester: Address
  app: { address: Address; type: string }
  tag: Hex
  trust: bigint
  max_seconds: bigint
  contribution_deadline: bigint
  final_deadline: bigint
  status: string
  cause: string | null
  message: string | null
  settlement: Settlement | null
  settled_by: Hex | null
}
type LeaseRow = { attempt: number; worker: Address; status: string }
type TransitionRow = {
  attempt: number | null
  status: string
  at: Date
  modifier: string
  cause: string | null
  message: string | null
  transaction: Hex | null
}

/** @throws {TaskNotFoundError} */
export async function viewTask(database: Database, taskId: Hex): Promise<TaskView> {
  const [task] = await database.query<TaskRow>(
    `select task.deal_id, index, requester, app, tag, trust, max_seconds, task.contribution_deadline,
       task.final_deadline, status, cause, message, settlement, settled_by
     from task join deal using (deal_id) where task_id = $1`,
    [taskId],
  )
  if (!task) throw new TaskNotFoundError({ taskId })
  const [leases, transitions] = await Promise.all([
    database.query<LeaseRow>('select attempt, worker, status from lease where task_id = $1 order by attempt', [taskId]),
    database.query<TransitionRow>(
      'select attempt, status, at, modifier, cause, message, transaction from transition where task_id = $1 order by id',
      [taskId],
    ),
  ])
  const changes = (of: number | null) => transitions.filter(({ attempt }) => attempt === of).map(describe)
  return {
    chainTaskId: taskId,
    chainDealId: task.deal_id,
    taskIndex: String(task.index),
    requester: task.requester,
    appAddress: task.app.address,
    dappType: task.app.type,
    tag: task.tag,
    trust: String(task.trust),
    maxExecutionTime: Number(task.max_seconds) * 1_000,
    contributionDeadline: toDate(task.contribution_deadline),
    finalDeadline: toDate(task.final_deadline),
    currentStatus: task.status,
    dateStatusList: changes(null),
    replicates: leases.map(({ attempt, worker, status }) => ({
      walletAddress: worker,
      attempt,
      currentStatus: status,
      statusUpdateList: changes(attempt),
    })),
    ...(task.cause ? { cause: task.cause, remedy: readCause(task.cause).remedy } : {}),
    ...(task.message ? { message: task.message } : {}),
    ...(task.settlement ? { settlement: task.settlement } : {}),
    ...(task.settled_by ? { transactionHash: task.settled_by } : {}),
  }
}

function describe({ status, at, modifier, cause, message, transaction }: TransitionRow): StatusChange {
  return {
    status,
    date: at.toISOString(),
    modifier,
    ...(cause ? { cause } : {}),
    ...(message ? { message } : {}),
    ...(transaction ? { transactionHash: transaction } : {}),
  }
}

/** Deadlines of absurd categories lie beyond what a date can say. */
function toDate(seconds: bigint): string {
  const latest = 253_402_300_799n
  return new Date(Number(seconds < latest ? seconds : latest) * 1_000).toISOString()
}
