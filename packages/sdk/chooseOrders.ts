import { type Address, Choice, type Hex, Match, type Order, readMembership, zeroAddress } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { OrderNotFoundError, type Rejection } from './errors.ts'
import { findOrders } from './findOrders.ts'
import { hashOf, readFacts } from './matchState.ts'

export type Chosen = {
  app: Order.Signed<'app'>
  dataset?: Order.Signed<'dataset'>
  workerpool: Order.Signed<'workerpool'>
  /** What a task costs with these orders, in units of the token. */
  price: bigint
}

/** How many orders of a kind are looked at, cheapest first. */
const pageSize = 20

type Candidate<kind extends Order.Kind> = Choice.Candidate<kind> & { orderHash: Hex }

/**
 * The cheapest app, dataset and workerpool orders that this request can be matched with now. Reads the market, then asks
 * the chain about each order that would do: what the market says is never trusted.
 *
 * @throws OrderNotFoundError naming the kind of order that is missing, and why those that exist do not do.
 */
export async function chooseOrders(client: Client, request: Order.Request): Promise<Chosen> {
  const needsDataset = request.dataset !== zeroAddress
  const [apps, datasets, pools] = await Promise.all([
    published(client, 'app', { app: request.app, dataset: 'any' }),
    needsDataset ? published(client, 'dataset', { dataset: request.dataset, app: 'any' }) : [],
    published(client, 'workerpool', {
      ...(request.workerpool === zeroAddress ? {} : { workerpool: request.workerpool }),
      app: 'any',
      dataset: 'any',
      category: request.category,
      minTag: request.tag,
    }),
  ])
  const isMember = await readMembership(client.provider, questions(request, { apps, datasets, pools }))

  const usableApps = await usable(client, request, { kind: 'app', orders: apps, codes: appCodes, isMember })
  const usableDatasets = needsDataset
    ? await usable(client, request, { kind: 'dataset', orders: datasets, codes: datasetCodes, isMember })
    : [undefined]
  const affordable = await affordablePools(client, request, pools)
  const found = pick(request, { apps: usableApps, datasets: usableDatasets, pools: affordable.kept, isMember })
  if ('rejected' in found) {
    const rejected = [...affordable.rejected, ...found.rejected]
    throw new OrderNotFoundError({ kind: 'workerpool', ...assetOf(request.workerpool), rejected })
  }
  return found
}

// Rules that an order can break whatever workerpool is chosen, and the broken facts that are its own.
const appCodes = ['03', '07', '10', '13', '15', '20', '21', '60']
const datasetCodes = ['04', '11', '16', '18', '30', '31', '60']

async function published<kind extends Order.Kind>(
  client: Client,
  kind: kind,
  filter: Record<string, unknown>,
): Promise<Order.Signed<kind>[]> {
  const any = { workerpool: 'any', requester: 'any' } as const
  const { orders } = await findOrders(client, { ...any, ...filter, kind, pageSize })
  return orders.map(({ order }) => order)
}

/** Orders of one kind that the request could use, in the order given; refuses when there is none. */
async function usable<kind extends 'app' | 'dataset'>(
  client: Client,
  request: Order.Request,
  { kind, orders, codes, isMember }: Search<kind>,
): Promise<Candidate<kind>[]> {
  const judged = await Promise.all(
    orders.map(async (order): Promise<Judged<kind>> => {
      const present = [kind, order] as unknown as Match.Present
      const state = { ...(await readFacts(client, present)), isMember }
      // Beside orders that would suit: what is broken is broken by this one.
      const mismatches = Match.check({ ...Choice.ideal({ ...request, sign: '0x' }), [kind]: order }, state)
      const left = present[1].volume - (state.consumed[kind] ?? 0n)
      const reasons = [
        ...mismatches.filter(({ code }) => codes.includes(code)).map(({ sentence }) => sentence),
        ...tooFew(left, request),
      ]
      return { ...candidate(client, present, state), order, reasons }
    }),
  )
  const { kept, rejected } = split(judged)
  if (kept.length === 0) throw new OrderNotFoundError({ kind, ...assetOf(request[kind]), rejected })
  return kept
}

function candidate({ domain }: Client, present: Match.Present, state: Awaited<ReturnType<typeof readFacts>>) {
  const [kind, { volume }] = present
  const { registered, authentic, consumed } = state as Match.State
  const isRegistered = kind === 'request' || registered?.[kind] !== false
  const remaining = volume - (consumed?.[kind] ?? 0n)
  return { orderHash: hashOf(present, domain), remaining, isRegistered, isAuthentic: authentic?.[kind] !== false }
}

type Judged<kind extends Order.Kind> = Candidate<kind> & { reasons: string[] }

type Search<kind extends Order.Kind> = {
  kind: kind
  orders: Order.Signed<kind>[]
  codes: string[]
  isMember: (group: Address, candidate: Address) => boolean
}

/** Pools whose owner can still put up its stake, and whose orders are good. */
async function affordablePools(client: Client, request: Order.Request, orders: Order.Signed<'workerpool'>[]) {
  const judged = orders.map(async (order): Promise<Judged<'workerpool'>> => {
    const state = await readFacts(client, ['workerpool', order])
    const { stake } = await client.contracts.hub.viewAccount(state.owner)
    const needed = Match.poolStake(order.workerpoolprice, request.volume)
    const reasons = [
      ...(stake < needed ? [`Its owner has ${stake} free in the escrow, but must stake ${needed}.`] : []),
      ...tooFew(order.volume - (state.consumed.workerpool ?? 0n), request),
    ]
    return { ...candidate(client, ['workerpool', order], state), order, reasons }
  })
  return split(await Promise.all(judged))
}

/** An order with nothing left breaks a rule of its own. */
function tooFew(left: bigint, { volume }: Order.Request): string[] {
  return left > 0n && left < volume ? [`Only ${left} of its tasks are left.`] : []
}

function split<kind extends Order.Kind>(judged: Judged<kind>[]): { kept: Candidate<kind>[]; rejected: Rejection[] } {
  return {
    kept: judged.filter(({ reasons }) => reasons.length === 0),
    rejected: judged.filter(({ reasons }) => reasons.length > 0),
  }
}

/** The cheapest three that break no rule together, or what keeps each pool's order from the best of the others. */
function pick(
  request: Order.Request,
  { apps, datasets, pools, isMember }: Pickable,
): Chosen | { rejected: Rejection[] } {
  const wanted = { order: { ...request, sign: '0x' as const }, remaining: request.volume }
  const book = { apps, datasets: datasets.filter((dataset) => dataset !== undefined), workerpools: pools }
  const choice = Choice.cheapest({ request: wanted, book, isMember })
  if (choice) {
    const { app, dataset, workerpool } = choice.orders
    return { app, ...(dataset === undefined ? {} : { dataset }), workerpool, price: choice.price }
  }
  const [app, dataset] = [apps[0], datasets[0]]
  if (!app) return { rejected: [] }
  const rejected = pools.map((pool) => {
    const orders = { app: app.order, dataset: dataset?.order, workerpool: pool.order, request: wanted.order }
    const state = Choice.stateOf({ app, dataset, workerpool: pool, request: wanted })
    const reasons = Match.check(orders, { ...state, isMember }).map(({ sentence }) => sentence)
    return { orderHash: pool.orderHash, reasons }
  })
  return { rejected }
}

type Pickable = {
  apps: Candidate<'app'>[]
  datasets: (Candidate<'dataset'> | undefined)[]
  pools: Candidate<'workerpool'>[]
  isMember: (group: Address, candidate: Address) => boolean
}

function questions(request: Order.Request, orders: Published) {
  const base = Choice.ideal({ ...request, sign: '0x' })
  const pools = orders.pools.length > 0 ? orders.pools : [base.workerpool]
  const datasets = orders.datasets.length > 0 ? orders.datasets : [base.dataset]
  return orders.apps.flatMap((app) =>
    datasets.flatMap((dataset) =>
      pools.flatMap((workerpool) => Match.groupQuestions({ app, dataset, workerpool, request: base.request })),
    ),
  )
}

type Published = {
  apps: Order.Signed<'app'>[]
  datasets: Order.Signed<'dataset'>[]
  pools: Order.Signed<'workerpool'>[]
}

function assetOf(asset: Address): { asset?: Address } {
  return asset === zeroAddress ? {} : { asset }
}
