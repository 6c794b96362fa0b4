import { type Address, BaseError, type Hex } from '@sealdeal/protocol'
import type { Database, Query, Transaction } from '@sealdeal/server'
import { type Hold, release, take } from './holds.ts'
import { type Caps, checkCaps } from './spending.ts'

/** A deal that this matcher is making, or tried to make: a request order, from a number of used tasks on. */
export type Attempt = {
  requestHash: Hex
  consumed: bigint
  status: 'sent' | 'matched' | 'failed'
  transactionId: string
  sponsor: Address | undefined
}

/** An attempt whose transaction has come to an end. */
export type Ended = Attempt & { minedHash: Hex | undefined }

/** Another replica is matching the same request. */
export class AlreadyMatchingError extends BaseError {
  override name = 'AlreadyMatchingError'
  constructor({ requestHash }: { requestHash: Hex }) {
    super(`Request ${requestHash} is being matched by another replica.`)
  }
}

/** Any number, as long as all replicas use the same. */
const matchLock = 7_325_402

/**
 * Writes down, in the transaction that also records the signed match, that the pair is being matched, what it will use up
 * and what it will cost. Thrown inside that transaction, an error means: nothing is recorded, so nothing is sent.
 *
 * @throws {AlreadyMatchingError | OvertakenError | SpendingCapError}
 */
export async function recordAttempt(
  transaction: Transaction,
  {
    requestHash,
    consumed,
    transactionId,
    transactionHash,
    holds,
    since,
    sponsored,
  }: {
    requestHash: Hex
    consumed: bigint
    transactionId: string
    transactionHash: Hex
    holds: Hold[]
    /** When the chain was asked what there is, by the database's clock. */
    since: string
    sponsored?: { by: Address; cost: bigint; caps: Caps } | undefined
  },
): Promise<void> {
  // Whatever their accounts: what is held and what was spent is counted by one replica at a time.
  await transaction.query('select pg_advisory_xact_lock($1)', [matchLock])
  if (sponsored) await checkCaps(transaction, sponsored)
  const recorded = await transaction.query(
    `insert into attempt (request_hash, consumed, transaction_id, transaction_hash, sponsor, cost, status)
     values ($1, $2, $3, $4, $5, $6, 'sent')
     on conflict (request_hash, consumed) do update
       set transaction_id = excluded.transaction_id, transaction_hash = excluded.transaction_hash, status = 'sent',
         sponsor = excluded.sponsor, cost = excluded.cost, failure = null, created_at = now()
       where attempt.status = 'failed'
     returning 1`,
    [requestHash, consumed, transactionId, transactionHash, sponsored?.by ?? null, sponsored?.cost ?? 0n],
  )
  if (recorded.length === 0) throw new AlreadyMatchingError({ requestHash })
  await take(transaction, { requestHash, consumed, holds, since })
}

type Stored = {
  request_hash: Hex
  consumed: bigint
  status: Attempt['status']
  transaction_id: string
  sponsor: Address | null
  mined_hash: Hex | null
}

const columns = 'request_hash, consumed, attempt.status, transaction_id, sponsor'

function decode({ request_hash, consumed, status, transaction_id, sponsor, mined_hash }: Stored): Ended {
  return {
    ...{ requestHash: request_hash, consumed, status, transactionId: transaction_id },
    sponsor: sponsor ?? undefined,
    minedHash: mined_hash ?? undefined,
  }
}

/** The attempt at a pair, if there is one, and the hash by which its transaction was mined. */
export async function findAttempt(
  database: Query,
  { requestHash, consumed }: { requestHash: Hex; consumed: bigint },
): Promise<Ended | undefined> {
  const [row] = await database.query<Stored>(
    `select ${columns}, mined_hash from attempt left join sent_transaction on id = transaction_id
     where request_hash = $1 and consumed = $2`,
    [requestHash, consumed],
  )
  return row && decode(row)
}

/** Attempts whose transaction has ended, without anybody having said so yet: what a killed replica left. */
export async function endedAttempts(database: Query): Promise<Ended[]> {
  const rows = await database.query<Stored>(
    `select ${columns}, mined_hash from attempt join sent_transaction on id = transaction_id
     where attempt.status = 'sent' and sent_transaction.status <> 'pending' order by attempt.created_at`,
  )
  return rows.map(decode)
}

/** Deals that a reorganisation took back are being made again. */
export async function reopenUndone(database: Query): Promise<Hex[]> {
  const rows = await database.query<{ request_hash: Hex }>(
    `update attempt set status = 'sent', deal_id = null from sent_transaction
     where id = transaction_id and sent_transaction.status = 'pending' and attempt.status = 'matched'
     returning request_hash`,
  )
  return rows.map(({ request_hash }) => request_hash)
}

/** Closes an attempt: the deal exists, or the transaction failed and another may be sent. What it held is free again. */
export async function closeAttempt(
  database: Database,
  attempt: Attempt,
  outcome: { dealId: Hex; cost: bigint } | { failure: string },
): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const closed = await transaction.query(
      `update attempt set status = $4, deal_id = $5, cost = $6, failure = $7
       where request_hash = $1 and consumed = $2 and transaction_id = $3 and status <> 'failed' returning 1`,
      [
        ...[attempt.requestHash, attempt.consumed, attempt.transactionId],
        ...('dealId' in outcome
          ? ['matched', outcome.dealId, outcome.cost, null]
          : ['failed', null, 0n, outcome.failure]),
      ],
    )
    if (closed.length > 0) await release(transaction, attempt)
    return closed.length > 0
  })
}
