import type { Database } from '@sealdeal/server'
import { cursorName, greeting } from './outbox.ts'

/** One delivery on its way, with a lease of its subscription. */
export type Claimed = {
  id: string
  subscription: string
  /** Of the lease. */
  token: string
  url: string
  /** Encrypted: the present one, and for a while the former one. */
  secrets: Uint8Array[]
  kind: string
  /** This one included. */
  attempts: number
  createdAt: Date
  undoes: string | null
  event: {
    kind: string
    number: bigint
    hash: string
    /** Unix seconds. */
    timestamp: number
    transactionHash: string
    logIndex: number
    data: unknown
  } | null
}

/** Not before its time, and not before its block is as deep as it must be. */
const isDue = `next_at <= now() and due_block <= (select number from follow_cursor where name = $1)`

/**
 * Leases subscriptions that nobody serves and whose oldest waiting delivery is due, and takes those deliveries: from here on
 * they count as attempted, so that a reorganisation knows that they may have been seen.
 */
export async function claim(
  database: Database,
  { most, leaseSeconds, token }: { most: number; leaseSeconds: number; token: string },
): Promise<Claimed[]> {
  return database.transaction(async (transaction) => {
    const leased = await transaction.query<{ id: string }>(
      `update subscription set lease = $2, leased_until = now() + make_interval(secs => $3)
       where id in (
         select id from subscription as free
         where leased_until <= now() and (
           select ${isDue} from delivery where subscription = free.id and state = 'waiting' order by position limit 1)
         order by leased_until limit $4 for no key update skip locked)
       returning id`,
      [cursorName, token, leaseSeconds, most],
    )
    if (leased.length === 0) return []
    // A statement of its own, which sees what the last holder of the lease wrote before it let go.
    const rows = await transaction.query<ClaimedRow>(
      `with head as (
         select head.id from unnest($2::uuid[]) as leased (id), lateral (
           select id from delivery where subscription = leased.id and state = 'waiting' order by position limit 1) head
       ), taken as (
         update delivery set attempts = attempts + 1 from head
         where delivery.id = head.id and state = 'waiting' and ${isDue}
         returning delivery.*
       )
       select taken.id, taken.subscription, taken.kind, taken.attempts, taken.created_at, taken.undoes, url, secret,
         case when former_until > now() then former_secret end as former_secret,
         event.kind as event_kind, block_number, block_hash, extract(epoch from block_time)::int as block_time,
         transaction_hash, log_index, data
       from taken join subscription on subscription.id = taken.subscription left join event on event.id = taken.event`,
      [cursorName, leased.map(({ id }) => id)],
    )
    const served = rows.map(({ subscription }) => subscription)
    await transaction.query(
      `update subscription set lease = null, leased_until = now() where lease = $1 and id <> all ($2::uuid[])`,
      [token, served],
    )
    return rows.map((row) => read(row, token))
  })
}

type ClaimedRow = {
  id: string
  subscription: string
  kind: string
  attempts: number
  created_at: Date
  undoes: string | null
  url: string
  secret: Uint8Array
  former_secret: Uint8Array | null
  event_kind: string | null
  block_number: bigint
  block_hash: string
  block_time: number
  transaction_hash: string
  log_index: number
  data: unknown
}

function read(row: ClaimedRow, token: string): Claimed {
  const { id, subscription, kind, attempts, url, undoes } = row
  return {
    id,
    subscription,
    token,
    url,
    kind,
    attempts,
    undoes,
    createdAt: row.created_at,
    secrets: [row.secret, ...(row.former_secret ? [row.former_secret] : [])],
    event:
      row.event_kind === null
        ? null
        : {
            kind: row.event_kind,
            number: row.block_number,
            hash: row.block_hash,
            timestamp: row.block_time,
            transactionHash: row.transaction_hash,
            logIndex: row.log_index,
            data: row.data,
          },
  }
}

const release = `update subscription set lease = null, leased_until = now() where id = $1 and lease = $2`

/** It arrived. What a reorganisation took back meanwhile stays taken back: its own delivery follows. */
export async function finish(database: Database, { id, subscription, token }: Claimed): Promise<void> {
  await database.query(
    `with done as (
       update delivery set state = 'delivered', finished_at = now(), failure = null where id = $3 and state = 'waiting'
     ) ${release}`,
    [subscription, token, id],
  )
}

/**
 * It did not arrive: tried again after `wait` milliseconds, once more when its time ends, and parked then. A subscription whose
 * first delivery is parked was never taken by its receiver: it is deleted.
 */
export async function fail(
  database: Database,
  { claimed, failure, wait }: { claimed: Claimed; failure: string; wait: number },
): Promise<{ parked: boolean }> {
  const { id, subscription, token, kind } = claimed
  return database.transaction(async (transaction) => {
    const [row] = await transaction.query<{ state: string }>(
      `update delivery set failure = $2,
         state = case when now() >= expires_at then 'parked' else 'waiting' end,
         finished_at = case when now() >= expires_at then now() end,
         next_at = least(now() + make_interval(secs => $3), greatest(expires_at, now()))
       where id = $1 and state = 'waiting' returning state`,
      [id, failure, wait / 1_000],
    )
    const parked = row?.state === 'parked'
    if (parked && kind === greeting) await transaction.query('delete from subscription where id = $1', [subscription])
    else await transaction.query(release, [subscription, token])
    return { parked }
  })
}
