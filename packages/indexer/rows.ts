import { type FollowedBlock, storableJson, type Transaction } from '@sealdeal/server'
import { type Row, type Table, tables } from './handlers.ts'

/** Writes blocks and what they said: one statement for each table, however many blocks there are. */
export async function writeRows({
  transaction,
  blocks,
  rows,
}: {
  transaction: Transaction
  blocks: readonly FollowedBlock[]
  rows: readonly Row[]
}): Promise<void> {
  if (rows.length === 0) return
  await insert(transaction, 'block', blocks)
  const transactions = new Map(rows.map(({ values }) => [values.transaction, values.block]))
  await insert(
    transaction,
    'transaction',
    [...transactions].map(([id, block]) => ({ id, block })),
  )
  await insert(transaction, 'account', accountsOf(rows), 'on conflict do nothing')
  const byTable = Map.groupBy(rows, ({ table }) => table)
  for (const table of tables) {
    const values = byTable.get(table)?.map((row) => row.values)
    if (!values) continue
    const write = writers[table] ?? ((on: Transaction, all: Written) => insert(on, table, all))
    await write(transaction, values)
  }
}

/** Columns that name somebody. */
const naming: Partial<Record<Table, readonly string[]>> = {
  asset: ['owner'],
  asset_transfer: ['sender', 'receiver'],
  deal: ['app_owner', 'dataset_owner', 'workerpool_owner', 'requester', 'beneficiary', 'callback', 'sponsor'],
  task_event: ['worker'],
  verdict: ['worker'],
  transfer: ['sender', 'receiver'],
  custody_event: ['account'],
}

/** Everybody who is named, each under the first block that does so. */
function accountsOf(rows: readonly Row[]): object[] {
  const accounts = new Map<string, object>()
  for (const { table, values } of rows) {
    for (const column of naming[table] ?? []) {
      const id = values[column]
      if (typeof id === 'string' && !accounts.has(id)) {
        accounts.set(id, { id, block: values.block, balance: 0, frozen: 0 })
      }
    }
  }
  return [...accounts.values()]
}

type Written = readonly Row['values'][]

/** Tables that take more than an insert. */
const writers: Partial<Record<Table, (transaction: Transaction, values: Written) => Promise<void>>> = {
  // Anybody's contract can say what a workerpool says.
  policy_update: (transaction, values) =>
    insert(
      transaction,
      'policy_update',
      values,
      "where exists (select from asset where asset.id = workerpool and asset.kind = 'workerpool')",
    ),
  deal: async (transaction, values) => {
    await insert(transaction, 'deal', values)
    const cids = values.map(({ bulk_cid }) => bulk_cid).filter((cid) => cid !== null)
    if (cids.length === 0) return
    await transaction.query(
      "insert into bulk_list (cid, state) select distinct cid, 'wanted' from unnest($1::text[]) as cid on conflict do nothing",
      [cids],
    )
  },
  // Each score follows from the one before it.
  verdict: async (transaction, values) => {
    const workers = [...new Set(values.map(({ worker }) => worker))]
    const known = await transaction.query<{ worker: string; score: bigint }>(
      `select distinct on (worker) worker, score from verdict where worker = any($1)
       order by worker, block desc, log desc`,
      [workers],
    )
    const scores = new Map<unknown, bigint>(known.map(({ worker, score }) => [worker, score]))
    const scored = values.map((verdict) => {
      const before = scores.get(verdict.worker) ?? 0n
      const score = verdict.accurate ? before + 1n : (before * 2n) / 3n
      scores.set(verdict.worker, score)
      return { ...verdict, score }
    })
    await insert(transaction, 'verdict', scored)
  },
}

async function insert(
  transaction: Transaction,
  table: string,
  values: readonly object[],
  condition = '',
): Promise<void> {
  await transaction.query(
    `insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1) ${condition}`,
    [storableJson(values)],
  )
}
