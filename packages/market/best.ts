import { type Address, Choice, Order, zeroAddress } from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'
import type { Entry } from './book.ts'
import { type ListParameters, listEntries } from './list.ts'

export type Best = {
  entries: { app: Entry; dataset?: Entry; workerpool: Entry }
  /** What a task costs, in nRLC, and how many tasks these orders have left together. */
  price: bigint
  volume: bigint
}

/** How many orders of each kind are looked at, cheapest first: few at first, more while a cheaper match is possible. */
const WIDTHS = [2, 8, 20]
const MOST = 20
/** Who asks for the best price names no highest one. */
const any = 2n ** 53n - 1n

/**
 * The cheapest open orders that match what is asked for. Orders that are restricted to a group are not looked at: only
 * the chain knows its members; `explain` asks it, and so does whoever sends the match.
 */
export async function best(
  on: Query,
  wish: Partial<Order.Request> & { app: Address; requester: Address },
): Promise<Best | undefined> {
  const unlimited = { appmaxprice: any, datasetmaxprice: any, workerpoolmaxprice: any }
  const order = { ...Order.create('request', { ...unlimited, ...wish }), sign: '0x' as const }
  const { app, dataset, workerpool, requester, category, tag, trust, volume } = order
  const wantsDataset = dataset !== zeroAddress
  // What an order may be restricted to: nothing, or what the request names; any pool may yet turn out to be the one.
  const named = { app, dataset: wantsDataset ? dataset : undefined, requester }
  const pool = workerpool === zeroAddress ? 'any' : workerpool
  const open = { minVolume: volume, limit: MOST }
  const list = (parameters: Omit<ListParameters, 'limit'>) => listEntries(on, { ...open, ...parameters })
  const [apps, datasets, pools] = await Promise.all([
    list({ kind: 'app', filter: { ...named, workerpool: pool } }),
    wantsDataset ? list({ kind: 'dataset', filter: { ...named, workerpool: pool } }) : [],
    list({ kind: 'workerpool', filter: { ...named, workerpool: pool }, category, minTag: tag, minTrust: trust }),
  ])
  return cheapest(order, { app: apps, dataset: datasets, workerpool: pools })
}

type Listed = { app: Entry[]; dataset: Entry[]; workerpool: Entry[] }

function cheapest(order: Order.Signed<'request'>, listed: Listed): Best | undefined {
  for (const width of WIDTHS) {
    const entries = new Map<object, Entry>()
    const read = <kind extends 'app' | 'dataset' | 'workerpool'>(kind: kind): Choice.Candidate<kind>[] =>
      listed[kind].slice(0, width).map((entry) => {
        const candidate = { order: Order.fromJson(kind, entry.signed), remaining: entry.remaining }
        entries.set(candidate.order, entry)
        return candidate
      })
    const book = { apps: read('app'), datasets: read('dataset'), workerpools: read('workerpool') }
    const choice = Choice.cheapest({ request: { order, remaining: order.volume }, book })
    if (width < MOST && (!choice || choice.price > leastBeyond(listed, width))) continue
    if (!choice) return undefined
    const { app, dataset, workerpool } = choice.orders
    const entryOf = (chosen: object) => entries.get(chosen) as Entry
    const chosen = {
      app: entryOf(app),
      workerpool: entryOf(workerpool),
      ...(dataset ? { dataset: entryOf(dataset) } : {}),
    }
    return { entries: chosen, price: choice.price, volume: choice.volume }
  }
  return undefined
}

/** What a match must cost at least that takes an order beyond the first `width` of its kind. */
function leastBeyond(listed: Listed, width: number): bigint {
  const kinds = Object.values(listed).filter((entries) => entries.length > 0)
  const floor = kinds.reduce((sum, [first]) => sum + (first?.price ?? 0n), 0n)
  const rises = kinds.flatMap((entries) => {
    const next = entries[width]
    return next ? [next.price - (entries[0]?.price ?? 0n)] : []
  })
  return rises.length === 0 ? any : floor + rises.reduce((least, rise) => (rise < least ? rise : least))
}
