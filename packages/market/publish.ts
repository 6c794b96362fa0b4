import { type Address, type Contracts, Order, Tag, zeroAddress } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'
import { type Entry, find, insert, stakePerTask } from './book.ts'
import { OrderRefusedError, spelled } from './errors.ts'
import { listOrders } from './list.ts'
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
 * Puts an order on the book after checking all that the chain will check, in the order that published clients know:
 * not there yet, asset registered, signed by its present owner who is the one that publishes, not too many, not used up,
 * stake behind it; for a request also that what it asks for is on offer within its price.
 *
 * @throws {OrderRefusedError} with the first reason.
 */
export async function publish<kind extends Order.Kind>(
  { database, marketplace, domain, maxOpenOrders, caughtUp }: Publishing,
  { kind, order, account }: { kind: kind; order: Order.Signed<kind>; account: Address },
): Promise<Entry> {
  const hash = Order.hash(kind, order, domain)
  const known = await find(database, { kind, hash })
  if (known && known.status !== 'dead') refuse('order already published', 'It is on the book: nothing is to be done.')

  const signer = await ownerOf(marketplace, kind, order)
  if (signer === zeroAddress) refuse('Resource not deployed', 'Check the address and the chain.')
  if (signer !== account) {
    refuse(`only order signer ${signer} can publish an order`, 'Log in with the wallet that owns it now.')
  }
  if (!(await marketplace.hub.verifyPresignatureOrSignature(signer, hash, order.sign))) {
    refuse(
      'invalid sign',
      'Sign the order for this chain and this Hub with the key of its owner, or presign it on chain.',
    )
  }
  const [consumed, { stake }] = await Promise.all([
    marketplace.hub.viewConsumed(hash),
    marketplace.hub.viewAccount(signer),
  ])
  const remaining = amountOf(order, 'volume') - consumed
  if (remaining <= 0n) refuse('order already consumed', 'Sign a new one: another salt makes another order.')
  checkStake({ kind, stake, needed: stakePerTask(kind, order) * remaining })
  if (kind === 'request') await checkOffers(database, order as Order.Signed<'request'>)

  // The chain was asked as it is now; the book must not judge the order by what it was a moment ago.
  await caughtUp()
  return database.transaction(async (transaction) => {
    // One wallet's publications wait for each other, so that none slips past the limit; and news from the chain waits
    // for us or we for it, so that none slips past the new row.
    await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [`${kind}:${signer}`])
    await transaction.query('select 1 from follow_cursor where name = $1 for share', [cursorName])
    const again = await find(transaction, { kind, hash })
    if (again && again.status !== 'dead') refuse('order already published', 'It is on the book: nothing is to be done.')
    await checkCount(transaction, { kind, signer, maxOpenOrders })
    const entry = await insert(transaction, { kind, hash, signer, order })
    await transaction.query(`select pg_notify('market', $1)`, [`${kind}order_published ${hash}`])
    return entry
  })
}

function amountOf(order: object, name: string): bigint {
  return (order as Record<string, bigint>)[name] ?? 0n
}

function refuse(reason: string, remedy: string): never {
  throw new OrderRefusedError({ reason, remedy })
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

function checkStake({ kind, stake, needed }: { kind: Order.Kind; stake: bigint; needed: bigint }): void {
  if (stake >= needed) return
  const remedy = `Deposit ${needed - stake} nRLC more, or offer less volume.`
  if (kind === 'workerpool') refuse("workerpool owner's stake is too low to cover required workerpool lock", remedy)
  refuse(
    `requester stake is too low to cover requestorder payment, minimum stake required is ${needed} nRLC`,
    `Deposit ${needed - stake} nRLC more.`,
  )
}

async function checkCount(
  transaction: Transaction,
  { kind, signer, maxOpenOrders }: { kind: Order.Kind; signer: Address; maxOpenOrders: number },
): Promise<void> {
  const [row] = await transaction.query<{ count: bigint }>(
    `select count(*) from book where kind = $1 and signer = $2 and status = 'open'`,
    [kind, signer],
  )
  if ((row?.count ?? 0n) < BigInt(maxOpenOrders)) return
  refuse(
    `maximum of ${maxOpenOrders} published open ${spelled(kind)} has been reached for wallet ${signer}`,
    'Unpublish some first.',
  )
}

/** Is there an app order, and a dataset order, that this request could be matched with, at a price it pays? */
async function checkOffers(database: Database, request: Order.Signed<'request'>): Promise<void> {
  const { app, dataset, workerpool, requester, appmaxprice, datasetmaxprice } = request
  const isTee = Tag.isTee(request.tag)
  const anyPool = workerpool === zeroAddress ? 'any' : workerpool
  const [cheapestApp] = (
    await listOrders(database, {
      kind: 'app',
      filter: { app, dataset: dataset === zeroAddress ? undefined : dataset, workerpool: anyPool, requester },
      ...(isTee ? { minTag: Tag.encode(['tee']) } : {}),
      limit: 1,
    })
  ).entries
  if (!cheapestApp) {
    const what = isTee ? 'tee enabled apporder' : 'apporder'
    refuse(`No ${what} published for app ${app}`, 'Ask its developer to publish an order that admits you.')
  }
  checkPrice({ kind: 'app', asset: app, highest: appmaxprice, best: cheapestApp.price })
  if (dataset === zeroAddress) return
  const [cheapestDataset] = (
    await listOrders(database, { kind: 'dataset', filter: { dataset, app, workerpool: anyPool, requester }, limit: 1 })
  ).entries
  if (!cheapestDataset) {
    refuse(`No datasetorder published for dataset ${dataset}`, 'Ask its owner to grant you access.')
  }
  checkPrice({ kind: 'dataset', asset: dataset, highest: datasetmaxprice, best: cheapestDataset.price })
}

function checkPrice({
  kind,
  asset,
  highest,
  best,
}: {
  kind: string
  asset: Address
  highest: bigint
  best: bigint
}): void {
  if (best <= highest) return
  refuse(
    `${kind}maxprice for ${kind} ${asset} is too low, actual best price is ${best} nRLC`,
    `Set ${kind}maxprice to ${best} or more.`,
  )
}
