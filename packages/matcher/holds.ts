import { type Address, BaseError, type Hex } from '@sealdeal/protocol'
import type { Query, Transaction } from '@sealdeal/server'

/** Tasks of an order (`what` is its hash) or nRLC of an account that a match under way will use up. */
export type Hold = {
  what: Hex | Address
  amount: bigint
  /** What the chain says there is. */
  available: bigint
}

/** Since it was chosen, another match has claimed what this one needs. */
export class OvertakenError extends BaseError {
  override name = 'OvertakenError'
  constructor({ what, amount, held, available }: Hold & { held: bigint }) {
    super(`Of ${what}, ${amount} is needed; of the ${available} that there is, other matches under way hold ${held}.`)
  }
}

/** What matches under way hold, and when that was read: read the chain afterwards. Keys are in lower case. */
export type Held = { at: string; amounts: ReadonlyMap<string, bigint> }

/** What all matches under way hold, of every replica. */
export async function readHeld(database: Query): Promise<Held> {
  const [{ at } = { at: '' }] = await database.query<{ at: string }>('select clock_timestamp()::text as at')
  const rows = await database.query<{ what: string; amount: bigint }>(
    'select what, sum(amount) as amount from hold where released_at is null group by what',
  )
  return { at, amounts: new Map(rows.map(({ what, amount }) => [what, amount])) }
}

export function heldOf({ amounts }: Held, what: string): bigint {
  return amounts.get(what.toLowerCase()) ?? 0n
}

/**
 * Claims what a match needs. `since` is the moment after which the chain was asked what there is: what was released later is
 * counted as well, for the answer may not include it. Call it under the lock of all matches.
 *
 * @throws {OvertakenError} when there is not enough of something.
 */
export async function take(
  transaction: Transaction,
  {
    requestHash,
    consumed,
    holds,
    since,
  }: { requestHash: Hex; consumed: bigint; holds: readonly Hold[]; since: string },
): Promise<void> {
  const wanted = merged(holds)
  const rows = await transaction.query<{ what: string; amount: bigint }>(
    `select what, sum(amount) as amount from hold
     where what = any($1) and (released_at is null or released_at > $2) group by what`,
    [wanted.map(({ what }) => what), since],
  )
  const held = new Map(rows.map(({ what, amount }) => [what, amount]))
  for (const hold of wanted) {
    const others = held.get(hold.what) ?? 0n
    if (others + hold.amount > hold.available) throw new OvertakenError({ ...hold, held: others })
  }
  await transaction.query(
    `insert into hold (request_hash, consumed, what, amount) select $1, $2, * from unnest($3::text[], $4::numeric[])
     on conflict (request_hash, consumed, what) do update set amount = excluded.amount, released_at = null`,
    [requestHash, consumed, wanted.map(({ what }) => what), wanted.map(({ amount }) => String(amount))],
  )
}

/** Nobody asks any more what was released so long ago. */
const FORGOTTEN = '10 minutes'

export async function release(
  transaction: Transaction,
  { requestHash, consumed }: { requestHash: Hex; consumed: bigint },
): Promise<void> {
  await transaction.query(
    'update hold set released_at = clock_timestamp() where request_hash = $1 and consumed = $2 and released_at is null',
    [requestHash, consumed],
  )
  await transaction.query(`delete from hold where released_at < now() - interval '${FORGOTTEN}'`)
}

/** Somebody who pays for the work of a pool of theirs needs both amounts. */
function merged(holds: readonly Hold[]): Hold[] {
  const sums = new Map<string, Hold>()
  for (const hold of holds) {
    const what = hold.what.toLowerCase() as Hex
    sums.set(what, { ...hold, what, amount: hold.amount + (sums.get(what)?.amount ?? 0n) })
  }
  return [...sums.values()].filter(({ amount }) => amount > 0n)
}
