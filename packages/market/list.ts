import { type Hex, Order, zeroAddress } from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'
import { type Entry, tagBits } from './book.ts'

/** Columns an order can be asked for by address. */
export type Named = 'app' | 'dataset' | 'workerpool' | 'requester'

export type ListParameters = {
  kind: Order.Kind
  /**
   * What the order names. For the asset of the kind itself (and all that a request asks for) an address means exactly
   * that one. For a restriction: left out means orders open to everybody, an address means those and the ones for it,
   * with `strict` the ones for it alone; several addresses mean those for any of them. `any` means no condition.
   */
  filter: Partial<Record<Named, string | readonly string[] | undefined>>
  strict?: Partial<Record<Named, boolean>>
  signer?: string
  beneficiary?: string
  category?: bigint
  minTag?: Hex
  maxTag?: Hex
  minTrust?: bigint
  maxTrust?: bigint
  minVolume?: bigint
  /** Datasets: free and practically unlimited orders only, as bulk processing needs them. */
  bulkOnly?: boolean
  limit: number
  offset?: number
  /** Begin after this place, instead of a number: nobody who comes or goes meanwhile moves it. */
  after?: OrderPlace
}

/** Where an order stands in the list: what it is sorted by. */
export type OrderPlace = { price: bigint; publishedAt: Date; hash: Hex }

/** Which of an order's names are restrictions; its other names say what it is about. */
const restrictions: Record<Order.Kind, readonly Named[]> = {
  app: ['dataset', 'workerpool', 'requester'],
  dataset: ['app', 'workerpool', 'requester'],
  workerpool: ['app', 'dataset', 'requester'],
  request: ['workerpool'],
}
const subjects: Record<Order.Kind, readonly Named[]> = {
  app: ['app'],
  dataset: ['dataset'],
  workerpool: ['workerpool'],
  request: ['app', 'dataset', 'requester'],
}

/** Open orders, the cheapest first (requests: the best paying first), then the oldest; and their number. */
export async function listOrders(on: Query, parameters: ListParameters): Promise<{ entries: Entry[]; count: number }> {
  const { conditions, values } = conditionsOf(parameters)
  const [entries, [counted]] = await Promise.all([
    listEntries(on, parameters),
    on.query<{ count: bigint }>(`select count(*) from book where ${conditions.join(' and ')}`, values),
  ])
  return { entries, count: Number(counted?.count ?? 0n) }
}

/** The same without their number, which takes a walk over all of them. */
export async function listEntries(on: Query, parameters: ListParameters): Promise<Entry[]> {
  const { conditions, values } = conditionsOf(parameters)
  const direction = parameters.kind === 'request' ? 'desc' : 'asc'
  if (parameters.after) conditions.push(isAfter(parameters.after, direction, (given) => `$${values.push(given)}`))
  return on.query<Entry>(
    `select hash, kind, signer, signed, price, volume, remaining, status, published_at from book
     where ${conditions.join(' and ')}
     order by price ${direction}, published_at, hash
     limit $${values.length + 1} offset $${values.length + 2}`,
    [...values, parameters.limit, parameters.offset ?? 0],
  )
}

function conditionsOf(parameters: ListParameters): { conditions: string[]; values: unknown[] } {
  const { kind, filter, strict = {}, minTrust } = parameters
  const values: unknown[] = []
  const value = (given: unknown) => `$${values.push(given)}`
  const conditions = [`status = 'open'`, `kind = ${value(kind)}`]
  for (const name of restrictions[kind]) {
    const wanted = filter[name]
    if (wanted === 'any') continue
    if (wanted === undefined) conditions.push(`${name} = ${value(zeroAddress)}`)
    else if (strict[name]) conditions.push(`${name} = ${value(wanted)}`)
    else conditions.push(`${name} in (${[zeroAddress, wanted].flat().map(value).join(', ')})`)
  }
  for (const name of subjects[kind]) {
    const wanted = filter[name]
    if (wanted !== undefined && wanted !== 'any') conditions.push(`${name} = ${value(wanted)}`)
  }
  const optional: [unknown, (given: unknown) => string][] = [
    [parameters.signer, (given) => `signer = ${value(given)}`],
    [parameters.beneficiary, (given) => `beneficiary = ${value(given)}`],
    [parameters.category, (given) => `category = ${value(given)}`],
    [parameters.minVolume, (given) => `remaining >= ${value(given)}`],
    [minTrust !== undefined && minTrust > 1n ? minTrust : undefined, (given) => `trust >= ${value(given)}`],
    [parameters.maxTrust, (given) => `trust <= ${value(given)}`],
    [parameters.minTag && tagBits(parameters.minTag), (given) => hasAllOf(value(given))],
    [parameters.maxTag && tagBits(parameters.maxTag), (given) => hasNothingBut(value(given))],
    [parameters.bulkOnly || undefined, () => `price = 0 and volume >= ${value(Order.bulkVolume)}`],
  ]
  for (const [given, condition] of optional) {
    if (given !== undefined) conditions.push(condition(given))
  }
  return { conditions, values }
}

function isAfter(
  { price, publishedAt, hash }: OrderPlace,
  direction: 'asc' | 'desc',
  value: (given: unknown) => string,
) {
  const [amount, moment, last] = [value(price), value(publishedAt), value(hash)]
  const further = direction === 'asc' ? '>' : '<'
  // Beside what decides, what an index can begin at.
  return `price ${further}= ${amount} and (price ${further} ${amount} or (published_at, hash) > (${moment}, ${last}))`
}

function hasAllOf(tag: string): string {
  return `tag & ${tag}::bit(256) = ${tag}::bit(256)`
}

function hasNothingBut(tag: string): string {
  return `tag & ~${tag}::bit(256) = 0::bit(256)`
}
