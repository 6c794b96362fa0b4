import { type Address, Choice, Order, zeroAddress } from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'
import type { Entry } from './book.ts'
import { type Cheapest, cheapestOf, cheapestPools, least } from './cheapest.ts'

export type Best = {
  entries: { app: Entry; dataset?: Entry; workerpool: Entry }
  /** What a task costs, in nRLC, and how many tasks these orders have left together. */
  price: bigint
  volume: bigint
}

/** How many orders of each kind are looked at, cheapest first: more only while a cheaper match is possible among others. */
const LIMITS = [6, 60]
/** Who asks for the best price names no highest one. */
const any = 2n ** 53n - 1n

/**
 * The cheapest open orders that match what is asked for, among the sixty cheapest of each kind (of each tag, and of each pool
 * that one of them is restricted to). Orders that are restricted to a group are not looked at: only
 * the chain knows its members; `explain` asks it, and so does whoever sends the match.
 */
export async function best(
  on: Query,
  wish: Partial<Order.Request> & { app: Address; requester: Address },
): Promise<Best | undefined> {
  const unlimited = { appmaxprice: any, datasetmaxprice: any, workerpoolmaxprice: any }
  const request = { ...Order.create('request', { ...unlimited, ...wish }), sign: '0x' as const }
  let found: Best | undefined
  for (const limit of LIMITS) {
    const [apps, datasets] = await Promise.all([
      cheapestOf(on, 'app', { request, limit }),
      request.dataset === zeroAddress ? undefined : cheapestOf(on, 'dataset', { request, limit }),
    ])
    const assets = [apps, ...(datasets ? [datasets] : [])]
    // Where one kind has nothing, the others are of no use.
    if (assets.some(({ entries }) => entries.length === 0)) return undefined
    const workerpools = await poolsFor(on, { request, limit, assets })
    const kinds = [...assets, workerpools]
    found = choose(request, { apps, datasets, workerpools })
    const floor = leastBeyond(kinds)
    if (floor === undefined || (found && found.price <= floor)) return found
  }
  return found
}

/** Of all pools, and of those that orders of the app or the dataset are restricted to: these may be no cheap ones. */
async function poolsFor(
  on: Query,
  { request, limit, assets }: { request: Order.Signed<'request'>; limit: number; assets: readonly Cheapest[] },
): Promise<Cheapest> {
  if (request.workerpool !== zeroAddress) return cheapestPools(on, { request, limit, named: [request.workerpool] })
  const admitted = assets.map(({ entries }) => entries.map(({ signed }) => signed.workerpoolrestrict ?? zeroAddress))
  const named = [...new Set(admitted.flat())].filter((pool) => pool !== zeroAddress)
  // Whether any pool may still do: some order of each admits all, or there are more that were not looked at.
  const isAny = assets.every(({ beyond }, index) => beyond !== undefined || admitted[index]?.includes(zeroAddress))
  const lists = await Promise.all([
    ...(isAny ? [cheapestPools(on, { request, limit })] : []),
    ...(named.length > 0 ? [cheapestPools(on, { request, limit, named })] : []),
  ])
  return merged(lists)
}

/** One list, each order once, the cheapest first. */
function merged(lists: readonly Cheapest[]): Cheapest {
  const entries = [...new Map(lists.flatMap(({ entries }) => entries).map((entry) => [entry.hash, entry])).values()]
  entries.sort((one, other) => (one.price < other.price ? -1 : one.price > other.price ? 1 : 0))
  const bounds = lists.flatMap(({ beyond }) => (beyond === undefined ? [] : [beyond]))
  return bounds.length === 0 ? { entries } : { entries, beyond: least(bounds) }
}

function choose(
  order: Order.Signed<'request'>,
  { apps, datasets, workerpools }: { apps: Cheapest; datasets: Cheapest | undefined; workerpools: Cheapest },
): Best | undefined {
  const entries = new Map<object, Entry>()
  const read = <kind extends 'app' | 'dataset' | 'workerpool'>(kind: kind, listed: Entry[] = []) =>
    listed.map((entry): Choice.Candidate<kind> => {
      const candidate = { order: Order.fromStored(kind, entry.signed), remaining: entry.remaining }
      entries.set(candidate.order, entry)
      return candidate
    })
  const book = {
    apps: read('app', apps.entries),
    datasets: read('dataset', datasets?.entries),
    workerpools: read('workerpool', workerpools.entries),
  }
  const choice = Choice.cheapest({ request: { order, remaining: order.volume }, book })
  if (!choice) return undefined
  const { app, dataset, workerpool } = choice.orders
  const entryOf = (chosen: object) => entries.get(chosen) as Entry
  const chosen = { app: entryOf(app), workerpool: entryOf(workerpool), ...(dataset && { dataset: entryOf(dataset) }) }
  return { entries: chosen, price: choice.price, volume: choice.volume }
}

/** What a match costs at least that takes an order which was not looked at; nothing when there is none. */
function leastBeyond(kinds: readonly Cheapest[]): bigint | undefined {
  const first = ({ entries: [cheapest] }: Cheapest) => cheapest?.price ?? 0n
  const rises = kinds.flatMap((kind) => (kind.beyond === undefined ? [] : [kind.beyond - first(kind)]))
  if (rises.length === 0) return undefined
  return kinds.reduce((sum, kind) => sum + first(kind), 0n) + least(rises)
}
