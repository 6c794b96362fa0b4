import { type Order, zeroAddress } from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'
import { type Entry, tagBits } from './book.ts'

/** The cheapest of a kind, in the order of their price. */
export type Cheapest = {
  entries: Entry[]
  /** Any other costs at least this; nothing when there is no other. */
  beyond?: bigint
}

const columns = 'hash, kind, signer, signed, price, volume, remaining, status, published_at'
const cheapestFirst = 'order by price, published_at, hash limit $1'
/** Whom an order of each kind may admit: its restrictions that a request knows. */
const admitted = { app: ['requester', 'dataset'], dataset: ['requester', 'app'] } as const

/**
 * Open orders of the request's app or dataset that admit what it names, the `limit` cheapest. An order admits everybody or
 * one: each case is a walk of its own along an index, cheapest first, past nothing that admits others. Whom they admit as
 * workerpool is not asked: any pool may yet turn out to be the one.
 */
export async function cheapestOf(
  on: Query,
  kind: 'app' | 'dataset',
  { request, limit }: { request: Order.Request; limit: number },
): Promise<Cheapest> {
  const [first, second] = admitted[kind]
  const entries = await on.query<Entry>(
    `select entry.* from unnest($3::text[]) one, unnest($4::text[]) other cross join lateral (
       select ${columns} from book
       where status = 'open' and kind = '${kind}' and ${kind} = $2 and ${first} = one and ${second} = other
         and remaining >= $5 ${cheapestFirst}) entry
     ${cheapestFirst}`,
    [limit, request[kind], ...[first, second].map((name) => either(request[name])), request.volume],
    { prepared: true },
  )
  return bounded(entries, limit)
}

/**
 * Open orders of workerpools that the request may use, of all or of those `named`. What an app or a dataset demands beside it
 * is in their tags, so of each tag that serves the request there are the `limit` cheapest, of each pool where pools are
 * named: there are few tags, and many orders of each.
 */
export async function cheapestPools(
  on: Query,
  { request, limit, named }: { request: Order.Request; limit: number; named?: readonly string[] },
): Promise<Cheapest> {
  const { app, dataset, requester, category, tag: minTag, trust, volume } = request
  const rows = await on.query<Entry & { tag: string; pool: string | null }>(
    `with recursive known (tag) as (
       (select tag from book where ${offers} order by tag limit 1)
       union all
       select (select tag from book where ${offers} and tag > known.tag order by tag limit 1)
       from known where known.tag is not null
     )
     select nearest.* from known ${named ? 'cross join unnest($9::text[]) pool' : ''} cross join lateral (
       select entry.* from unnest($3::text[]) one, unnest($4::text[]) two, unnest($5::text[]) three cross join lateral (
         select ${columns}, tag::text, ${named ? 'workerpool' : 'null'} as pool from book
         where ${offers} ${named ? 'and workerpool = pool' : ''} and book.tag = known.tag
           and requester = one and app = two and dataset = three
           and remaining >= $6 and trust >= $7 ${cheapestFirst}) entry
       ${cheapestFirst}) nearest
     where known.tag & $8::bit(256) = $8::bit(256) order by price, published_at, hash`,
    [
      limit,
      category,
      ...[requester, app, dataset].map(either),
      volume,
      trust,
      tagBits(minTag),
      ...(named ? [named] : []),
    ],
    { prepared: true },
  )
  const alike = Map.groupBy(rows, ({ tag, pool }) => `${tag} ${pool}`)
  const last = [...alike.values()].flatMap((same) => (same.length < limit ? [] : [same.at(-1)?.price ?? 0n]))
  return last.length === 0 ? { entries: rows } : { entries: rows, beyond: least(last) }
}

const offers = `status = 'open' and kind = 'workerpool' and category = $2`

/** Everybody, or this one. */
function either(address: string): string[] {
  return address === zeroAddress ? [zeroAddress] : [zeroAddress, address]
}

function bounded(entries: Entry[], limit: number): Cheapest {
  return entries.length < limit ? { entries } : { entries, beyond: entries.at(-1)?.price ?? 0n }
}

/** The smallest of some amounts. */
export function least(amounts: readonly bigint[]): bigint {
  return amounts.reduce((one, other) => (other < one ? other : one))
}
