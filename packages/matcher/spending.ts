import { type Address, BaseError } from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'

/** How much a sponsor spends at most, in nRLC: in any 24 hours, and ever. */
export type Caps = { day: bigint; total: bigint }

/** The sponsor has spent what it may. */
export class SpendingCapError extends BaseError {
  override name = 'SpendingCapError'
  constructor({
    by,
    cost,
    spent,
    cap,
    window,
  }: { by: Address; cost: bigint; spent: bigint; cap: bigint; window: string }) {
    super(`Sponsor ${by} may spend ${cap} nRLC ${window} and has spent ${spent}; this deal costs up to ${cost}.`, {
      metaMessages: ['Raise the cap, or let the requester deposit and pay.'],
      docsPath: '/matcher#sponsoring',
    })
  }
}

export type Spent = Caps

/** What a sponsor's deals cost, those under way at what they may cost at most. */
export async function readSpent(database: Query, by: Address): Promise<Spent> {
  const [row] = await database.query<{ day: bigint; total: bigint }>(
    `select coalesce(sum(cost), 0) as total,
       coalesce(sum(cost) filter (where created_at > now() - interval '24 hours'), 0) as day
     from attempt where sponsor = $1 and status <> 'failed'`,
    [by],
  )
  return { day: row?.day ?? 0n, total: row?.total ?? 0n }
}

/** @throws {SpendingCapError} Call it under the lock of all matches: two replicas must not both spend the rest. */
export async function checkCaps(
  transaction: Query,
  { by, cost, caps }: { by: Address; cost: bigint; caps: Caps },
): Promise<void> {
  const spent = await readSpent(transaction, by)
  for (const [name, window] of [
    ['total', 'in all'],
    ['day', 'in 24 hours'],
  ] as const) {
    if (spent[name] + cost > caps[name])
      throw new SpendingCapError({ by, cost, spent: spent[name], cap: caps[name], window })
  }
}
