import { type Address, type Contracts, type Hex, Order, zeroAddress } from '@sealdeal/protocol'
import { type Database, gather, recoverSigner, type Transaction } from '@sealdeal/server'
import { type Entry, insert } from './book.ts'
import { type Failure, OrderRefusedError } from './errors.ts'
import { groupsThatAdmit } from './groups.ts'
import { type Asked, readFacts } from './publishFacts.ts'
import { failuresOf } from './rules.ts'
import { bookLock } from './watch.ts'

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

export type Publish = <kind extends Order.Kind>(asked: {
  kind: kind
  order: Order.Signed<kind>
  account: Address
}) => Promise<Entry>

/** So many orders are written in one transaction at most. */
const MOST_AT_ONCE = 50

/**
 * Puts orders on the book after checking all that the chain will check, see `rules.ts`: each is refused with
 * `OrderRefusedError` and every rule that it breaks, in the order that published clients know.
 *
 * The book's own rows are the chain's word, as of now; the chain itself is asked only for what they do not hold: whether
 * an asset is of this kind, once, and whether a signature that is no key's is a contract's or was given on chain.
 */
export function createPublish(parameters: Publishing): Publish {
  const { database, domain, caughtUp, marketplace, maxOpenOrders } = parameters
  const isRegistered = rememberRegistered(marketplace)
  const write = gather((asked: readonly Asked[]) => writeAll(database, asked), MOST_AT_ONCE)

  return async ({ kind, order, account }) => {
    const hash = Order.hash(kind, order, domain)
    // The chain was asked as it is now; the book must not judge the order by what it was a moment ago.
    const [registered] = await Promise.all([isRegistered(kind, order), caughtUp()])
    const key = keyOf(hash, order.sign)
    const approver = key === account ? key : await approverOf(marketplace, { kind, order, hash, key })
    // From here on the kind is a value: one queue holds orders of all four.
    const signed = order as unknown as Order.Signed<Order.Kind>
    const asked = { kind, order: signed, hash, account, approver, isRegistered: registered, maxOpenOrders }
    return write(asked).catch(async (error: unknown) => {
      if (kind !== 'request' || !lacksOffers(error)) throw error
      // What the rows do not show: offers to groups, of which the chain knows the members.
      const request = signed as unknown as Order.Request
      const groups = await groupsThatAdmit({ database, runner: marketplace.hub.runner }, request)
      if (Object.values(groups).every(({ length }) => length === 0)) throw error
      return write({ ...asked, groups })
    })
  }
}

function lacksOffers(error: unknown): boolean {
  return (
    error instanceof OrderRefusedError &&
    error.particulars.failures.some(({ rule }) => rule === 'offers' || rule === 'price')
  )
}

async function writeAll(database: Database, all: readonly Asked[]): Promise<(Entry | Error)[]> {
  return database.transaction(async (transaction) => {
    // One wallet's publications wait for each other, so that none slips past the limit or shares the stake of another;
    // and news from the chain waits for us or we for it, so that none slips past the new row.
    await transaction.query(
      `select pg_advisory_xact_lock_shared($1), (select count(pg_advisory_xact_lock(key)) from (
         select distinct hashtextextended(account, 1) as key from unnest($2::text[]) account order by 1) keys)`,
      [bookLock, all.map(({ account }) => account)],
      { prepared: true },
    )
    const written: (Entry | Error)[] = []
    for (const asked of all) written.push(await write(transaction, asked))
    return written
  })
}

/** Refusing one order is no reason to take the others back: it is answered, not thrown. */
async function write(transaction: Transaction, asked: Asked): Promise<Entry | OrderRefusedError> {
  const facts = await readFacts(transaction, asked)
  const [first, ...others] = (await failuresOf(transaction, asked, facts)).sort(
    (one, other) => ranks[one.rule] - ranks[other.rule],
  )
  if (first) return new OrderRefusedError({ failures: [first, ...others] })
  const { kind, hash, order } = asked
  return insert(transaction, { kind, hash, signer: facts.signer, order, remaining: facts.remaining })
}

/** A key's signature as the Hub takes it: whole, or short. What ethers reads besides, the Hub may not. */
function keyOf(hash: Hex, sign: Hex): Address | undefined {
  const isUsual = sign.length === 130 || (sign.length === 132 && /1[bc]$/i.test(sign))
  return isUsual ? recoverSigner(hash, sign) : undefined
}

/** Whoever owns what the order is about, when it approved of it: by key, as a contract, or on chain. */
async function approverOf<kind extends Order.Kind>(
  marketplace: Contracts.Marketplace,
  { kind, order, hash, key }: { kind: kind; order: Order.Signed<kind>; hash: Hex; key: Address | undefined },
): Promise<Address | undefined> {
  const owner = await ownerOf(marketplace, kind, order)
  if (owner === zeroAddress || owner === key) return key
  return (await marketplace.hub.verifyPresignatureOrSignature(owner, hash, order.sign)) ? owner : undefined
}

async function ownerOf(
  { appRegistry, datasetRegistry, workerpoolRegistry }: Contracts.Marketplace,
  kind: Order.Kind,
  order: object,
): Promise<Address> {
  const named = order as Record<Order.Kind | 'requester', Address>
  if (kind === 'request') return named.requester
  const registry = { app: appRegistry, dataset: datasetRegistry, workerpool: workerpoolRegistry }[kind]
  return (await registry.registrantOf(named[kind])) as Address
}

/** Of so many assets it is remembered that they are registered: the registries forget none. */
const MOST_REMEMBERED = 100_000

function rememberRegistered(marketplace: Contracts.Marketplace) {
  const registered = new Set<string>()
  return async (kind: Order.Kind, order: object): Promise<boolean> => {
    if (kind === 'request') return true
    const key = `${kind} ${(order as Record<Order.Kind, Address>)[kind]}`
    if (registered.has(key)) return true
    if ((await ownerOf(marketplace, kind, order)) === zeroAddress) return false
    if (registered.size >= MOST_REMEMBERED) registered.clear()
    registered.add(key)
    return true
  }
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
