import { type Address, type Contracts, type Hex, Match, Order } from '@sealdeal/protocol'
import type { Database, Log } from '@sealdeal/server'
import type { Market } from './market.ts'

/** What the pool offers. `price` per task, in units of the token; `volume` in tasks. */
export type Terms = { workerpool: Address; price: bigint; category: bigint; volume: bigint; tag: Hex; trust: bigint }

export type OfferParameters = {
  database: Database
  hub: Contracts.Hub
  market: Market
  owner: Address
  signer: Order.TypedDataSigner
  domain: Order.Domain
  terms: Terms
  log: Log
}

/** Any number, as long as all replicas use the same. */
const offerLock = 7_325_402

/**
 * Keeps one open order of the pool on the market: signs and publishes a new one when there is none, when it is used up
 * or gone, or when the terms changed (the old one is then taken off the market). Replicas take turns.
 *
 * @returns the hash of the order that stands afterwards, or undefined when the owner's stake covers no task
 * @throws {MarketCallError}
 */
export async function keepOffer(parameters: OfferParameters): Promise<Hex | undefined> {
  const { database, market, terms, log } = parameters
  return database.transaction(async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock($1)', [offerLock])
    const wanted = JSON.stringify(terms, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    const [current] = await transaction.query<{ order_hash: Hex; terms: string }>(
      'select order_hash, terms from offer where current',
    )
    if (current) {
      const listed = await market.find(current.order_hash)
      const open = listed?.status === 'open' && listed.remaining > 0n
      if (open && current.terms === wanted) return current.order_hash
      if (listed?.status === 'open') await market.unpublish(current.order_hash)
      await transaction.query('update offer set current = false where current')
    }
    const order = await signOffer(parameters)
    if (!order) return undefined
    const orderHash = await market.publish(order)
    await transaction.query('insert into offer (order_hash, terms, signed_order) values ($1, $2, $3)', [
      orderHash,
      wanted,
      JSON.stringify(Order.toJson('workerpool', order)),
    ])
    log.info({ order: orderHash, volume: String(order.volume) }, 'published the pool’s order')
    return orderHash
  })
}

/** As much as the terms say and the owner's free stake covers. */
async function signOffer({ hub, owner, signer, domain, terms, log }: OfferParameters) {
  const { price, workerpool, category, tag, trust } = terms
  const perTask = Match.poolStake(price, 1n)
  const { stake } = await hub.viewAccount(owner)
  const covered = perTask === 0n ? terms.volume : stake / perTask
  const volume = covered < terms.volume ? covered : terms.volume
  if (volume === 0n) {
    log.warn({ owner, stake: String(stake), perTask: String(perTask) }, 'no order: the owner’s stake covers no task')
    return undefined
  }
  const order = Order.create('workerpool', { workerpool, workerpoolprice: price, volume, category, tag, trust })
  return Order.sign('workerpool', order, signer, domain)
}
