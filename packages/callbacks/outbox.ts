import type { Hex } from '@sealdeal/protocol'
import type { Database, FollowedBlock, Transaction } from '@sealdeal/server'
import type { ChainEvent } from './events.ts'

/** Name of the cursor whose transactions write the outbox. */
export const cursorName = 'callbacks'

/** The channel on which replicas tell one another that there is something to send. */
export const channel = 'callbacks'

/** How the outbox is filled: blocks that must follow, and seconds for which a delivery is tried. */
export type Terms = { confirmations: number; retrySeconds: number }

/** The first delivery of a subscription: nothing follows before the receiver has taken it. */
export const greeting = 'subscription.created'

/** Rings the bell of every replica, when and only when the transaction commits. */
export async function ring(transaction: Transaction): Promise<void> {
  await transaction.query('select pg_notify($1, $2)', [channel, ''])
}

/**
 * Writes a delivery of each event for each subscription that admits it. Runs in the transaction that moves the cursor: an
 * event is in the outbox exactly when the rows include its block.
 */
export async function put(
  transaction: Transaction,
  { block, events, terms }: { block: FollowedBlock; events: readonly ChainEvent[]; terms: Terms },
): Promise<void> {
  let written = 0
  for (const event of events) written += await putOne(transaction, { block, event, terms })
  if (written > 0) await ring(transaction)
}

async function putOne(
  transaction: Transaction,
  { block, event, terms }: { block: FollowedBlock; event: ChainEvent; terms: Terms },
): Promise<number> {
  const { kind, log, data, parties } = event
  // Who is being deleted is waited for, and then not found.
  const rows = await transaction.query(
    `with wanted as materialized (
       select id from subscription
       where (kinds is null or $1::text = any (kinds)) and (requester is null or requester = $2::text)
         and (app is null or app = any ($3::text[])) and (dataset is null or dataset = any ($4::text[]))
         and (workerpool is null or workerpool = any ($5::text[])) and (owner is null or owner = any ($6::text[]))
         and (order_hash is null or order_hash = $7::text)
       order by id for key share
     ), told as (
       insert into event (kind, block_hash, block_number, block_time, transaction_hash, log_index, data)
       select $1, $8, $9::bigint, to_timestamp($10::bigint), $11, $12, $13 where exists (select from wanted) returning id
     )
     insert into delivery (subscription, kind, event, due_block, expires_at)
     select wanted.id, $1, told.id, $9::bigint + $14::int, now() + make_interval(secs => $15) from wanted, told returning 1`,
    [
      kind,
      parties.requester ?? null,
      parties.apps,
      parties.datasets,
      parties.workerpools,
      parties.owners,
      parties.orderHash ?? null,
      block.hash,
      block.number,
      block.timestamp,
      log.transactionHash,
      log.logIndex,
      JSON.stringify(data),
      terms.confirmations,
      terms.retrySeconds,
    ],
  )
  return rows.length
}

/**
 * Takes back the events of a block that is no longer part of the chain. What nobody can have seen disappears; what was sent,
 * or may have been, is followed by a delivery that says so, the latest first.
 */
export async function takeBack(
  transaction: Transaction,
  { blockHash, terms }: { blockHash: Hex; terms: Terms },
): Promise<void> {
  const events = await transaction.query<{ id: bigint }>(
    'update event set undone = true where block_hash = $1 and not undone returning id',
    [blockHash],
  )
  if (events.length === 0) return
  const ids = events.map(({ id }) => id)
  // First these: a delivery that is being taken for sending is waited for, and found to be attempted by the next statement.
  await transaction.query('delete from delivery where event = any ($1) and attempts = 0', [ids])
  await transaction.query(
    `with sent as (
       update delivery set state = 'undone', finished_at = now()
       where event = any ($1) and kind <> 'undone' and state <> 'undone'
       returning id, subscription, event, position
     )
     insert into delivery (subscription, kind, event, undoes, expires_at)
     select subscription, 'undone', event, id, now() + make_interval(secs => $2) from sent order by position desc`,
    [ids, terms.retrySeconds],
  )
  await ring(transaction)
}

/** Whether anybody wants to be told anything. */
export async function isAnybodyThere(transaction: Transaction): Promise<boolean> {
  return (await transaction.query('select 1 from subscription limit 1')).length > 0
}

/** For how many days rows are kept that nothing is done with any more. A reorganisation deeper than that is not told. */
const keptDays = { delivered: 7, parked: 30 }

/** Forgets what ended long ago. */
export async function forget(database: Database): Promise<void> {
  await database.query(
    `delete from delivery where finished_at <
       now() - make_interval(days => case state when 'parked' then $1::int else $2::int end) and state <> 'waiting'`,
    [keptDays.parked, keptDays.delivered],
  )
  await database.query(
    `delete from event where block_time < now() - make_interval(days => $1)
       and not exists (select from delivery where event = event.id)`,
    [keptDays.delivered],
  )
}
