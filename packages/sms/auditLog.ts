import { createHash } from 'node:crypto'
import type { Address, Hex } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'
import { AuditHeadMissingError } from './errors.ts'

/** Of which secret: kind, owner in lower case, name. */
export type SecretName = readonly [kind: string, owner: string, name: string]

/** What happened, by whom, to which secrets. Nothing in it is secret. */
export type Happening = {
  /** `session`: the secrets were released to an enclave. `rewrapped`: their data keys, by a rotation. */
  action: 'stored' | 'updated' | 'deleted' | 'session' | 'rewrapped'
  outcome: 'done' | 'refused'
  /** The account that signed for it, or the worker whose enclave asked; none for the operator. */
  actor?: Address | undefined
  secrets: readonly SecretName[]
  taskId?: Hex
  attempt?: bigint
  enclaveAddress?: Address
  /** Why it was refused, by the name of the error; of a rotation, to which key. */
  reason?: string
}

/** One link of the chain, as it is exported. `attempt` is decimal, `at` ISO 8601, hashes are sha256 in hex. */
export type Entry = {
  sequence: number
  at: string
  action: string
  outcome: string
  actor: string | null
  secrets: readonly SecretName[]
  taskId: string | null
  attempt: string | null
  enclaveAddress: string | null
  reason: string | null
  previous: string
  hash: string
}

/** Number and hash of an entry: whoever noted them elsewhere can tell later that all up to it is still there. */
export type Head = { sequence: number; hash: string }

/** What a verification came to: the chain holds when `problems` is empty. */
export type AuditVerdict = { entries: number; head: Head; problems: string[] }

/**
 * Appends to the log, in the transaction of what happened. It locks the head until that transaction ends: append last.
 *
 * @throws AuditHeadMissingError
 */
export async function append(transaction: Transaction, happening: Happening): Promise<void> {
  const last = await readHead(transaction, 'for update')
  const { action, outcome, secrets, actor = null, taskId = null, enclaveAddress = null, reason = null } = happening
  const content = {
    sequence: last.sequence + 1,
    at: new Date().toISOString(),
    ...{ action, outcome, actor, secrets, taskId, enclaveAddress, reason },
    attempt: happening.attempt === undefined ? null : String(happening.attempt),
    previous: last.hash,
  }
  const { sequence, at, attempt, previous } = content
  const hash = hashOf(content)
  await transaction.query(
    `insert into audit_entry (sequence, at, action, outcome, actor, secrets, task_id, attempt, enclave_address, reason,
      previous, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      ...[sequence, at, action, outcome, actor, JSON.stringify(secrets)],
      ...[taskId, attempt, enclaveAddress, reason, previous, hash],
    ],
  )
  await transaction.query('update audit_head set sequence = $1, hash = $2', [sequence, hash])
}

/**
 * Follows the whole chain, in one snapshot, and names each entry that was changed, taken out or put in.
 *
 * @param noted a head that was noted elsewhere: who rewrites the whole chain cannot rewrite that
 * @param onEntry is given each entry, in order
 */
export async function verifyAudit({
  database,
  noted,
  onEntry = () => {},
}: {
  database: Database
  noted?: Head | undefined
  onEntry?: (entry: Entry) => unknown
}): Promise<AuditVerdict> {
  return database.transaction(async (transaction) => {
    await transaction.query('set transaction isolation level repeatable read, read only')
    const head = await readHead(transaction)
    const problems: string[] = []
    let last: Head = { sequence: 0, hash: '0'.repeat(64) }
    let entries = 0
    for await (const entry of readEntries(transaction)) {
      problems.push(...problemsOf({ entry, last }))
      if (noted?.sequence === entry.sequence && noted.hash !== entry.hash)
        problems.push(`entry ${entry.sequence} is not the one that was noted`)
      last = entry
      entries++
      await onEntry(entry)
    }
    if (last.sequence < head.sequence) problems.push(missing(last.sequence + 1, head.sequence))
    else if (last.hash !== head.hash) problems.push(`entry ${last.sequence} is not the last that was written`)
    if (noted && noted.sequence > last.sequence) problems.push(`entry ${noted.sequence}, which was noted, is missing`)
    return { entries, head: { sequence: last.sequence, hash: last.hash }, problems }
  })
}

function problemsOf({ entry, last }: { entry: Entry; last: Head }): string[] {
  const { sequence, previous, hash } = entry
  const problems: string[] = []
  if (sequence > last.sequence + 1) problems.push(missing(last.sequence + 1, sequence - 1))
  else if (previous !== last.hash)
    problems.push(`entry ${sequence} does not follow entry ${last.sequence}: one of them was exchanged`)
  if (hash !== hashOf(entry)) problems.push(`entry ${sequence} was changed`)
  return problems
}

function missing(first: number, last: number): string {
  return first === last ? `entry ${first} is missing` : `entries ${first} to ${last} are missing`
}

/** Members in a fixed order. */
function hashOf(entry: Omit<Entry, 'hash'>): string {
  const { sequence, at, action, outcome, actor, secrets, taskId, attempt, enclaveAddress, reason, previous } = entry
  const said = [sequence, at, action, outcome, actor, secrets, taskId, attempt, enclaveAddress, reason, previous]
  return createHash('sha256')
    .update(JSON.stringify(['sealdeal-audit-v1', ...said]))
    .digest('hex')
}

async function readHead(transaction: Transaction, lock: '' | 'for update' = ''): Promise<Head> {
  const [row] = await transaction.query<{ sequence: bigint; hash: string }>(
    `select sequence, hash from audit_head ${lock}`,
  )
  if (!row) throw new AuditHeadMissingError()
  return { sequence: Number(row.sequence), hash: row.hash }
}

type Row = {
  sequence: bigint
  at: Date
  action: string
  outcome: string
  actor: string | null
  secrets: SecretName[]
  task_id: string | null
  attempt: bigint | null
  enclave_address: string | null
  reason: string | null
  previous: string
  hash: string
}

async function* readEntries(transaction: Transaction): AsyncGenerator<Entry> {
  // Numbers below one were never given: an entry there is found as well.
  let after = -(2n ** 63n)
  for (;;) {
    const rows = await transaction.query<Row>(
      'select * from audit_entry where sequence > $1 order by sequence limit 1000',
      [after],
    )
    for (const { sequence, at, task_id, attempt, enclave_address, ...rest } of rows) {
      after = sequence
      yield {
        ...rest,
        sequence: Number(sequence),
        at: at.toISOString(),
        taskId: task_id,
        attempt: attempt === null ? null : String(attempt),
        enclaveAddress: enclave_address,
      }
    }
    if (rows.length === 0) return
  }
}
