import { type Address, type Contracts, Order, zeroAddress } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'
import { type Entry, find, insert } from './book.ts'
import { type Failure, OrderRefusedError } from './errors.ts'
import { announce } from './news.ts'
import { bookFailures, chainFailures } from './rules.ts'
import { cursorName } from './watch.ts'

/** What publishing needs to know of the outside. */
export type Publishing = {
  database: Database
  marketplace: Contracts.Marketplace
  domain: Order.Domain
  /** How many open orders of one kind one wallet may have. */
  maxOpenOrders: number
  /** Resolves when the book includes all that the chain has said so far. */
  caughtUp: () => Promise<void>
}

/**
 * Puts an order on the book after checking all that the chain will check, see `rules.ts`.
 *
 * @throws {OrderRefusedError} with every rule that it breaks, in the order that published clients know.
 */
export async function publish<kind extends Order.Kind>(
  { database, marketplace, domain, maxOpenOrders, caughtUp }: Publishing,
  { kind, order, account }: { kind: kind; order: Order.Signed<kind>; account: Address },
): Promise<Entry> {
  const hash = Order.hash(kind, order, domain)
  await checkNew(database, { kind, hash })
  const { failures, signer, stake, remaining } = await chainFailures(marketplace, { kind, hash, order, account })
  // The rest is about whose order it is and what stands behind it: without an owner there is nothing to look at.
  if (signer === zeroAddress) refuse(failures)

  // The chain was asked as it is now; the book must not judge the order by what it was a moment ago.
  await caughtUp()
  return database.transaction(async (transaction) => {
    // One wallet's publications wait for each other, so that none slips past the limit or shares the stake of another;
    // and news from the chain waits for us or we for it, so that none slips past the new row.
    await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [signer])
    await transaction.query('select 1 from follow_cursor where name = $1 for share', [cursorName])
    await checkNew(transaction, { kind, hash })
    const more = await bookFailures(transaction, { kind, hash, order, signer, stake, remaining, maxOpenOrders })
    refuse([...failures, ...more])
    const entry = await insert(transaction, { kind, hash, signer, order })
    await announce(transaction, [{ event: `${kind}order_published`, id: hash }])
    return entry
  })
}

async function checkNew(
  on: Pick<Transaction, 'query'>,
  { kind, hash }: { kind: Order.Kind; hash: Entry['hash'] },
): Promise<void> {
  const known = await find(on, { kind, hash })
  if (!known || known.status === 'dead') return
  const remedy = 'It is on the book: nothing is to be done.'
  refuse([{ rule: 'unpublished', reason: 'order already published', remedy }])
}

/** The rules in the order in which published clients hear of them. */
const ranks: Record<Failure['rule'], number> = {
  unpublished: 0,
  registered: 1,
  owner: 2,
  signature: 3,
  limit: 4,
  remaining: 5,
  stake: 6,
  offers: 7,
  price: 8,
  category: 9,
  tag: 10,
}

function refuse(failures: readonly Failure[]): void {
  const [first, ...others] = [...failures].sort((one, other) => ranks[one.rule] - ranks[other.rule])
  if (first) throw new OrderRefusedError({ failures: [first, ...others] })
}
