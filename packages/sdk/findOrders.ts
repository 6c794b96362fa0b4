import { type Address, type Hex, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { callJson } from './http.ts'

/** An open order of the book. */
export type PublishedOrder<kind extends Order.Kind> = {
  order: Order.Signed<kind>
  orderHash: Hex
  /** Tasks left, as the market counts. */
  remaining: bigint
  status: string
  signer: Address
  publicationTimestamp: string
}

/** Filters of the market: an address, or `any`. Left out, only orders that restrict nobody are listed. */
export type FindOrdersParameters<kind extends Order.Kind> = {
  kind: kind
  app?: Address | 'any'
  appOwner?: Address
  dataset?: Address | 'any'
  datasetOwner?: Address
  workerpool?: Address | 'any'
  workerpoolOwner?: Address
  requester?: Address | 'any'
  beneficiary?: Address
  isAppStrict?: boolean
  isDatasetStrict?: boolean
  isWorkerpoolStrict?: boolean
  isRequesterStrict?: boolean
  /** Of dataset orders, only those that many of can go into one task. */
  bulkOnly?: boolean
  category?: bigint
  minTag?: Hex
  maxTag?: Hex
  minTrust?: bigint
  minVolume?: bigint
  /** From 0. */
  page?: number
  /** 10 to 1000. */
  pageSize?: number
}

/** One page of open orders, cheapest first. `count` is their number over all pages. */
export async function findOrders<kind extends Order.Kind>(
  client: Client,
  { kind, page, pageSize, ...filters }: FindOrdersParameters<kind>,
): Promise<{ orders: PublishedOrder<kind>[]; count: number; hasMore: boolean }> {
  const query = { chainId: client.chainId, ...filters, pageIndex: page, pageSize }
  const answer = await callJson(client, { service: 'market', path: `/${kind}orders`, query })
  const orders = Array.isArray(answer.orders) ? answer.orders : []
  return {
    orders: orders.map((published) => readPublished(client, kind, published)),
    count: Number(answer.count ?? orders.length),
    hasMore: Boolean(answer.nextPage),
  }
}

/** One order of the book by its hash. */
export async function findOrder<kind extends Order.Kind>(
  client: Client,
  { kind, orderHash }: { kind: kind; orderHash: Hex },
): Promise<PublishedOrder<kind>> {
  const query = { chainId: client.chainId }
  const answer = await callJson(client, { service: 'market', path: `/${kind}orders/${orderHash}`, query })
  return readPublished(client, kind, answer)
}

/** The hash is computed here: a market cannot pass one order off as another. */
function readPublished<kind extends Order.Kind>(client: Client, kind: kind, json: unknown): PublishedOrder<kind> {
  const published = (json ?? {}) as Record<string, unknown>
  const order = Order.fromJson(kind, published.order)
  return {
    order,
    orderHash: Order.hash(kind, order, client.domain),
    remaining: BigInt(String(published.remaining ?? 0)),
    status: String(published.status ?? 'open'),
    signer: String(published.signer) as Address,
    publicationTimestamp: String(published.publicationTimestamp),
  }
}
