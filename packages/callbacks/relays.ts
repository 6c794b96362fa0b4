import type { Address, Hex } from '@sealdeal/protocol'
import type { Database, FollowedBlock, Query, Transaction } from '@sealdeal/server'
import type { ChainEvent } from './events.ts'
import { cursorName, type Terms } from './outbox.ts'

/** What became of a result that a callback contract may have missed. */
export const relayStates = ['waiting', 'relayed', 'taken', 'parked'] as const
export type RelayState = (typeof relayStates)[number]

/** One result on its way to its consumer, with a lease. */
export type ClaimedRelay = {
  taskId: Hex
  consumer: Address
  /** This one included. */
  attempts: number
  /** Of the transaction that an earlier try sent. */
  transactionId: string | null
  token: string
}

/** Notes every result that has a callback contract, in the transaction that moves the cursor. */
export async function noteRelays(
  transaction: Transaction,
  { block, events, terms }: { block: FollowedBlock; events: readonly ChainEvent[]; terms: Terms },
): Promise<void> {
  for (const { kind, data } of events) {
    if (kind !== 'task.completed' || data.callback === null) continue
    // A task that ends again, on another branch, begins anew.
    await transaction.query(
      `insert into relay (task_id, consumer, block_hash, due_block, expires_at)
       values ($1, $2, $3, $4::bigint + $5::int, now() + make_interval(secs => $6))
       on conflict (task_id) do update set block_hash = excluded.block_hash, due_block = excluded.due_block,
         state = 'waiting', attempts = 0, next_at = now(), expires_at = excluded.expires_at, failure = null`,
      [data.taskId, data.callback, block.hash, block.number, terms.confirmations, terms.retrySeconds],
    )
  }
}

/** A block is no longer part of the chain: nothing is to be delivered of it. */
export async function takeBackRelays(transaction: Transaction, blockHash: Hex): Promise<void> {
  await transaction.query('delete from relay where block_hash = $1', [blockHash])
}

/** Takes what is due, for so long. */
export async function claimRelays(
  database: Database,
  { most, leaseSeconds, token }: { most: number; leaseSeconds: number; token: string },
): Promise<ClaimedRelay[]> {
  return database.query<ClaimedRelay>(
    `update relay set lease = $1, leased_until = now() + make_interval(secs => $2), attempts = attempts + 1
     where task_id in (
       select task_id from relay
       where state = 'waiting' and next_at <= now() and leased_until < now()
         and due_block <= (select number from follow_cursor where name = $3)
       order by next_at limit $4 for update skip locked)
     returning task_id as "taskId", consumer, attempts, transaction_id as "transactionId", lease as token`,
    [token, leaseSeconds, cursorName, most],
  )
}

/** Writes down, with the transaction that is recorded, that it is on its way. False when somebody else holds the lease by now. */
export async function noteSent(
  transaction: Query,
  { taskId, token, id, gas }: { taskId: Hex; token: string; id: string; gas: bigint },
): Promise<boolean> {
  const rows = await transaction.query(
    `update relay set transaction_id = $3, gas = $4, sent_at = now()
     where task_id = $1 and lease = $2 and state = 'waiting' returning 1`,
    [taskId, token, id, gas],
  )
  return rows.length > 0
}

/** Gas that the relays of the last 24 hours may use, at most. */
export async function gasOfDay(on: Query): Promise<bigint> {
  const [row] = await on.query<{ gas: bigint }>(
    `select coalesce(sum(gas), 0) as gas from relay where sent_at > now() - interval '24 hours'`,
  )
  return row?.gas ?? 0n
}

/** It ended well: delivered, or the consumer has it, or does not want it, for a reason. */
export async function endRelay(
  database: Database,
  claimed: ClaimedRelay,
  { state, reason }: { state: 'relayed' | 'taken'; reason?: string },
): Promise<void> {
  await database.query(
    `update relay set state = $3, failure = $4, lease = null, leased_until = '-infinity'
     where task_id = $1 and lease = $2`,
    [claimed.taskId, claimed.token, state, reason ?? null],
  )
}

/** Something is under way already: looked at again in `wait` milliseconds and not before that block, which is no attempt. */
export async function postponeRelay(
  database: Database,
  claimed: ClaimedRelay,
  { wait, block }: { wait: number; block?: bigint },
): Promise<void> {
  await database.query(
    `update relay set attempts = attempts - 1, next_at = now() + make_interval(secs => $3), lease = null,
       leased_until = '-infinity', due_block = coalesce($4, due_block) where task_id = $1 and lease = $2`,
    [claimed.taskId, claimed.token, wait / 1_000, block ?? null],
  )
}

/** Tried again after `wait` milliseconds, once more when its time ends, and parked then. */
export async function failRelay(
  database: Database,
  { claimed, failure, wait }: { claimed: ClaimedRelay; failure: string; wait: number },
): Promise<{ parked: boolean }> {
  const [row] = await database.query<{ state: RelayState }>(
    `update relay set failure = $3, lease = null, leased_until = '-infinity',
       state = case when now() >= expires_at then 'parked' else 'waiting' end,
       next_at = least(now() + make_interval(secs => $4), greatest(expires_at, now()))
     where task_id = $1 and lease = $2 returning state`,
    [claimed.taskId, claimed.token, failure, wait / 1_000],
  )
  return { parked: row?.state === 'parked' }
}

/** A result of the list. */
export type ListedRelay = {
  taskId: Hex
  consumer: Address
  state: RelayState
  attempts: number
  failure: string | null
  nextAttemptAt: Date | null
}

/** What was, or is, to be delivered again; a page of it, in the order of tasks' ids. */
export async function listRelays(
  database: Database,
  { state, after = '0x', limit }: { state?: RelayState | undefined; after?: string | undefined; limit: number },
): Promise<ListedRelay[]> {
  return database.query<ListedRelay>(
    `select task_id as "taskId", consumer, state, attempts, failure,
       case when state = 'waiting' then next_at end as "nextAttemptAt"
     from relay where ($1::text is null or state = $1) and task_id > $2 order by task_id limit $3`,
    [state ?? null, after, limit],
  )
}
