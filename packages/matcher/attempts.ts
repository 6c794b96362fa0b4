import { BaseError, type Hex } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'

/** A deal that this matcher is making, or tried to make. */
export type Attempt = {
  requestHash: Hex
  consumed: bigint
  transactionHash: Hex
  status: 'sent' | 'matched' | 'failed'
}

/** Another replica is matching the same request. */
export class AlreadyMatchingError extends BaseError {
  override name = 'AlreadyMatchingError'
  constructor({ requestHash }: { requestHash: Hex }) {
    super(`Request ${requestHash} is being matched by another replica.`)
  }
}

/** Writes down, in the transaction that also records the signed match, that the pair is being matched. Nobody else may. */
export async function recordAttempt(transaction: Transaction | Database, attempt: Omit<Attempt, 'status'>) {
  const recorded = await transaction.query(
    `insert into attempt (request_hash, consumed, transaction_hash, status) values ($1, $2, $3, 'sent')
     on conflict (request_hash, consumed) do update
       set transaction_hash = excluded.transaction_hash, status = 'sent', failure = null, created_at = now()
       where attempt.status = 'failed' or attempt.transaction_hash = excluded.transaction_hash
     returning 1`,
    [attempt.requestHash, attempt.consumed, attempt.transactionHash],
  )
  // Thrown inside the transaction that records the signed match: nothing is recorded, so nothing is sent.
  if (recorded.length === 0) throw new AlreadyMatchingError({ requestHash: attempt.requestHash })
}

/** The attempt at a pair, if there is one. */
export async function findAttempt(
  database: Database,
  { requestHash, consumed }: { requestHash: Hex; consumed: bigint },
): Promise<(Attempt & { createdAt: Date }) | undefined> {
  const [row] = await database.query<{ transaction_hash: Hex; status: Attempt['status']; created_at: Date }>(
    'select transaction_hash, status, created_at from attempt where request_hash = $1 and consumed = $2',
    [requestHash, consumed],
  )
  if (!row) return undefined
  return { requestHash, consumed, transactionHash: row.transaction_hash, status: row.status, createdAt: row.created_at }
}

/** Attempts whose outcome is not known yet: what a killed matcher left. */
export async function sentAttempts(database: Database): Promise<Attempt[]> {
  const rows = await database.query<{ request_hash: Hex; consumed: bigint; transaction_hash: Hex }>(
    "select request_hash, consumed, transaction_hash from attempt where status = 'sent' order by created_at",
  )
  return rows.map((row) => ({
    requestHash: row.request_hash,
    consumed: row.consumed,
    transactionHash: row.transaction_hash,
    status: 'sent',
  }))
}

/** Closes an attempt: the deal exists, or the transaction failed and another may be sent. */
export async function closeAttempt(
  database: Database,
  attempt: Pick<Attempt, 'requestHash' | 'consumed'>,
  outcome: { dealId: Hex } | { failure: string },
) {
  await database.query(
    'update attempt set status = $3, deal_id = $4, failure = $5 where request_hash = $1 and consumed = $2',
    [
      attempt.requestHash,
      attempt.consumed,
      'dealId' in outcome ? 'matched' : 'failed',
      'dealId' in outcome ? outcome.dealId : null,
      'failure' in outcome ? outcome.failure : null,
    ],
  )
}
