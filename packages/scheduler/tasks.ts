import { type Address, Deal, type Hex } from '@sealdeal/protocol'
import { type Database, storableJson, type Transaction } from '@sealdeal/server'

/** Rows of one deal are stored in portions: a deal of a billion tasks must not fill the disk before its first runs. */
export const TASKS_AHEAD = 1_000n

/** How many rows one statement writes. */
const PORTION = 200

export type App = { address: Address; type: string; multiaddr: Hex; checksum: Hex }
export type Modifier = 'WORKER' | 'POOL_MANAGER' | 'CHAIN'
export type Change = {
  taskId: Hex
  /** Name of the new state, as published clients show it. */
  status: string
  modifier: Modifier
  attempt?: number
  cause?: string
  message?: string
  transaction?: Hex
  blockNumber?: bigint
}

export type StoreDealParameters = {
  dealId: Hex
  deal: Deal.Deal
  app: App
  /** The category's clock in seconds: how long one task may run, and the unit of its deadlines. */
  workClock: bigint
  blockNumber: bigint
}

/** Stores a deal and its first tasks. Seeing a deal twice changes nothing. */
export async function storeDeal(transaction: Transaction, parameters: StoreDealParameters): Promise<Hex[]> {
  const { dealId, deal, app, workClock, blockNumber } = parameters
  const deadlines = Deal.deadlines(deal, workClock)
  const stored = await transaction.query(
    `insert into deal (deal_id, requester, app, trust, tag, max_seconds, contribution_deadline, final_deadline,
       first, size, block_number)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (deal_id) do nothing returning deal_id`,
    [
      dealId,
      deal.requester,
      storableJson(app),
      deal.trust,
      deal.tag,
      workClock,
      deadlines.contribution,
      deadlines.final,
      deal.botFirst,
      deal.botSize,
      blockNumber,
    ],
  )
  return stored.length === 0 ? [] : storeTasks(transaction, dealId)
}

type DealRow = { first: bigint; size: bigint; stored: bigint; trust: bigint; contribution: bigint; final: bigint }

/** Stores the deal's next tasks, as many as keep `TASKS_AHEAD` unfinished ones at hand. Returns their ids. */
export async function storeTasks(transaction: Transaction, dealId: Hex): Promise<Hex[]> {
  const [deal] = await transaction.query<DealRow>(
    `select first, size, stored, trust, contribution_deadline contribution, final_deadline final from deal
     where deal_id = $1 and stored < size for update skip locked`,
    [dealId],
  )
  if (!deal) return []
  const [open] = await transaction.query<{ count: bigint }>(
    'select count(*) count from task where deal_id = $1 and settlement is null',
    [dealId],
  )
  const room = TASKS_AHEAD - (open?.count ?? 0n)
  const count = room < deal.size - deal.stored ? room : deal.size - deal.stored
  if (count <= 0n) return []

  const rows = Deal.tasks(dealId, { botFirst: deal.first + deal.stored, botSize: count })
  const runnable = deal.trust <= 1n
  for (let start = 0; start < rows.length; start += PORTION) {
    const portion = rows.slice(start, start + PORTION)
    const ids = portion.map(({ taskId }) => taskId)
    await transaction.query(
      `insert into task (task_id, deal_id, index, contribution_deadline, final_deadline, status, cause)
       select id, $1, index, $2, $3, $4, $5 from unnest($6::text[], $7::numeric[]) rows (id, index)`,
      [
        dealId,
        deal.contribution,
        deal.final,
        runnable ? 'RECEIVED' : 'FAILED',
        runnable ? null : 'TRUST_NOT_SUPPORTED',
        ids,
        portion.map(({ index }) => index),
      ],
    )
    const born = { status: 'RECEIVED', modifier: 'CHAIN' } as const
    await note(
      transaction,
      ids.map((taskId) => ({ taskId, ...born })),
    )
    if (runnable) continue
    const refused = { status: 'FAILED', modifier: 'POOL_MANAGER', cause: 'TRUST_NOT_SUPPORTED' } as const
    await note(
      transaction,
      ids.map((taskId) => ({ taskId, ...refused })),
    )
  }
  await transaction.query('update deal set stored = stored + $2 where deal_id = $1', [dealId, count])
  await transaction.query(`select pg_notify('${taskChannel}', '')`)
  return rows.map(({ taskId }) => taskId)
}

/** NOTIFY channel on which waiting workers hear that there may be something to lease. */
export const taskChannel = 'scheduler_task'

/** Stores further tasks of large deals whose earlier ones are done. */
export async function refillTasks(database: Database): Promise<number> {
  const deals = await database.query<{ deal_id: Hex }>(
    'select deal_id from deal where stored < size order by contribution_deadline limit 100',
  )
  let stored = 0
  for (const { deal_id: dealId } of deals) {
    stored += (await database.transaction((transaction) => storeTasks(transaction, dealId))).length
  }
  return stored
}

/** Adds lines to the timelines of tasks. */
export async function note(transaction: Transaction, changes: readonly Change[]): Promise<void> {
  for (let start = 0; start < changes.length; start += PORTION) {
    const portion = changes.slice(start, start + PORTION)
    await transaction.query(
      `insert into transition (task_id, attempt, status, modifier, cause, message, transaction, block_number)
       select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])`,
      [
        portion.map(({ taskId }) => taskId),
        portion.map(({ attempt }) => attempt ?? null),
        portion.map(({ status }) => status),
        portion.map(({ modifier }) => modifier),
        portion.map(({ cause }) => cause ?? null),
        portion.map(({ message }) => message ?? null),
        portion.map(({ transaction: hash }) => hash ?? null),
        portion.map(({ blockNumber }) => blockNumber ?? null),
      ],
    )
  }
}

export type OnChain = { taskId: Hex; transaction: Hex | null; blockNumber: bigint }

/** The chain opened the task. Whether it runs is another matter: only the timeline changes. */
export async function noteInitialized(transaction: Transaction, at: OnChain): Promise<void> {
  const known = await transaction.query('select 1 from task where task_id = $1', [at.taskId])
  if (known.length === 0) return
  await note(transaction, [{ ...line(at), status: 'INITIALIZED' }])
}

/** How the chain ended a task: everyone is paid, or the payer is refunded, at once or after the deadline. */
export type Settlement = 'finalized' | 'failed' | 'claimed'

/**
 * Ends a task as the chain ended it, with the cause that an enclave signed where it `failed`. The chain is the truth, whatever the pool believed before. Returns false for tasks of other pools and those settled before.
 */
export async function settle(
  transaction: Transaction,
  { settlement, cause, ...at }: OnChain & { settlement: Settlement; cause?: string | undefined },
): Promise<boolean> {
  const done = settlement === 'finalized'
  const rows = await transaction.query<{ attempt: number; cause: string | null }>(
    `update task set settlement = $2, settled_by = $3, settled_block = $4, status = $5,
       cause = case when $2 = 'finalized' then null else coalesce($6, cause, 'FINAL_DEADLINE_REACHED') end,
       message = case when $2 = 'finalized' or cause <> $6 then null else message end
     where task_id = $1 and settlement is null returning attempt, cause`,
    [at.taskId, settlement, at.transaction, at.blockNumber, done ? 'COMPLETED' : 'FAILED', cause ?? null],
  )
  const [task] = rows
  if (!task) return false
  const ended = await transaction.query<{ attempt: number }>(
    'update lease set open = false, status = $2 where task_id = $1 and open returning attempt',
    [at.taskId, done ? 'COMPLETED' : 'ABORTED'],
  )
  await note(transaction, [
    ...ended.map(({ attempt }) => ({ ...line(at), attempt, status: done ? 'COMPLETED' : 'ABORTED' })),
    ...(settlement === 'failed'
      ? []
      : [{ ...line(at), status: done ? 'FINALIZED' : 'FINAL_DEADLINE_REACHED' } as const]),
    { ...line(at), status: done ? 'COMPLETED' : 'FAILED', ...(task.cause ? { cause: task.cause } : {}) },
  ])
  return true
}

function line({ taskId, transaction, blockNumber }: OnChain) {
  return { taskId, blockNumber, modifier: 'CHAIN' as const, ...(transaction ? { transaction } : {}) }
}

/**
 * Forgets what blocks from `blockNumber` on had said, because the chain replaced them: their deals are gone, tasks they
 * settled are open again.
 */
export async function forgetBlocks(transaction: Transaction, blockNumber: bigint): Promise<void> {
  await transaction.query('delete from deal where block_number >= $1', [blockNumber])
  await transaction.query(
    `update task set settlement = null, settled_by = null, settled_block = null,
       status = case when settlement <> 'finalized' and cause <> 'FINAL_DEADLINE_REACHED' then 'FAILED' else 'RECEIVED' end,
       cause = case when cause = 'FINAL_DEADLINE_REACHED' then null else cause end
     where settled_block >= $1`,
    [blockNumber],
  )
  await transaction.query('delete from transition where block_number >= $1', [blockNumber])
  await transaction.query(`select pg_notify('${taskChannel}', '')`)
}

/** Ends tasks that nobody may contribute to any more. `now` in unix seconds of the chain. Returns how many. */
export async function expireTasks(database: Database, now: bigint): Promise<number> {
  return database.transaction(async (transaction) => {
    const cause = 'CONTRIBUTION_TIMEOUT'
    const rows = await transaction.query<{ task_id: Hex }>(
      `update task set status = 'FAILED', cause = $2, message = 'the last attempt ended with ' || cause where task_id in (
         select task_id from task where status = 'RECEIVED' and contribution_deadline <= $1
         order by task_id limit 1000 for update skip locked)
       returning task_id`,
      [now, cause],
    )
    const fact = { modifier: 'POOL_MANAGER', cause } as const
    await note(
      transaction,
      rows.flatMap(({ task_id: taskId }) => [
        { taskId, status: cause, ...fact },
        { taskId, status: 'FAILED', ...fact },
      ]),
    )
    return rows.length
  })
}
