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

/** How many orders of each kind are looked at, cheapest first. */
const MOST = 32
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
  const book = {
    apps: apps.map(read<'app'>),
    datasets: datasets.map(read<'dataset'>),
    workerpools: pools.map(read<'workerpool'>),
  }
  const choice = Choice.cheapest({ request: { order, remaining: volume }, book })
  if (!choice) return undefined
  const entryOf = (kind: 'apps' | 'datasets' | 'workerpools', entries: Entry[], chosen: object | undefined) =>
    entries[(book[kind] as { order: object }[]).findIndex(({ order }) => order === chosen)]
  const chosen = {
    app: entryOf('apps', apps, choice.orders.app) as Entry,
    workerpool: entryOf('workerpools', pools, choice.orders.workerpool) as Entry,
  }
  const data = entryOf('datasets', datasets, choice.orders.dataset)
  return { entries: { ...chosen, ...(data ? { dataset: data } : {}) }, price: choice.price, volume: choice.volume }
}

function read<kind extends Order.Kind>({ kind, signed, remaining }: Entry): Choice.Candidate<kind> {
  return { order: Order.fromJson(kind as kind, signed), remaining }
}
