import type { Database, Transaction } from '@sealdeal/server'
import { append } from './auditLog.ts'
import { type MasterKeys, rewrap, type WrappedKey } from './envelope.ts'
import { SecretUnreadableError } from './errors.ts'

/** What a rotation came to. `left`: secrets that are still under another key, those of `unreadable` among them. */
export type Rotated = { rewrapped: number; left: number; unreadable: string[] }

type Row = { kind: string; owner: string; name: string; master_key: string; wrapped_key: Buffer }
type Place = Pick<Row, 'kind' | 'owner' | 'name'>

/** So many rows are locked at once, for as long as their keys are wrapped. */
const batchSize = 100

/**
 * Wraps the data key of every secret under the current master key, in batches of one transaction each: whatever kills it, the
 * next run goes on with what is left. Services read and write on meanwhile. What does not open is left as it is, and named.
 *
 * @throws MasterKeyUnavailableError
 */
export async function rotate({
  database,
  master,
  onBatch = () => {},
}: {
  database: Database
  master: MasterKeys
  onBatch?: (rewrapped: number) => unknown
}): Promise<Rotated> {
  const current = master.current.id
  const unreadable: string[] = []
  let rewrapped = 0
  let after: Place = { kind: '', owner: '', name: '' }
  for (;;) {
    const rows = await database.transaction(async (transaction) => {
      const found = await selectBatch(transaction, { current, after })
      const wrapped = await Promise.all(found.map((row) => wrapAnew({ row, master })))
      const outcomes: { row: Row; failure?: string }[] = []
      for (const { row, ...outcome } of wrapped) {
        if ('failure' in outcome) outcomes.push({ row, failure: outcome.failure })
        else outcomes.push(await move(transaction, { row, ...outcome }))
      }
      const secrets = outcomes.flatMap(({ row, failure }) =>
        failure === undefined ? [[row.kind, row.owner, row.name] as const] : [],
      )
      if (secrets.length > 0) {
        await append(transaction, { action: 'rewrapped', outcome: 'done', secrets, reason: current })
      }
      return outcomes
    })
    const last = rows.at(-1)
    if (!last) break
    after = last.row
    const failures = rows.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))
    unreadable.push(...failures)
    rewrapped += rows.length - failures.length
    await onBatch(rewrapped)
  }
  const [{ left } = { left: 0n }] = await database.query<{ left: bigint }>(
    'select count(*) as left from secret where master_key <> $1 and deleted_at is null',
    [current],
  )
  return { rewrapped, left: Number(left), unreadable }
}

/** Locked: an owner who replaces a secret at this moment comes before or after, never between. */
function selectBatch(transaction: Transaction, { current, after }: { current: string; after: Place }) {
  return transaction.query<Row>(
    `select kind, owner, name, master_key, wrapped_key from secret
      where master_key <> $1 and deleted_at is null and (kind, owner, name) > ($2, $3, $4)
      order by kind, owner, name limit ${batchSize} for update`,
    [current, after.kind, after.owner, after.name],
  )
}

/** The row's key under the current master key, or why the row stays as it is. */
async function wrapAnew({ row, master }: { row: Row; master: MasterKeys }) {
  const { kind, owner, name, master_key: masterKey, wrapped_key: wrappedKey } = row
  try {
    return { row, anew: await rewrap({ wrapped: { masterKey, wrappedKey }, label: { kind, owner, name }, master }) }
  } catch (error) {
    if (error instanceof SecretUnreadableError) return { row, failure: error.shortMessage }
    throw error
  }
}

async function move(transaction: Transaction, { row, anew }: { row: Row; anew: WrappedKey }): Promise<{ row: Row }> {
  await transaction.query(
    'update secret set master_key = $4, wrapped_key = $5 where kind = $1 and owner = $2 and name = $3',
    [row.kind, row.owner, row.name, anew.masterKey, anew.wrappedKey],
  )
  return { row }
}
