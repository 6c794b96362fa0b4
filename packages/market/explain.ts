import {
  type Address,
  Choice,
  Explanation,
  type Hex,
  Match,
  Order,
  readMembership,
  zeroAddress,
} from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'
import type { ContractRunner } from 'ethers'
import { find, type Status, tagBits } from './book.ts'
import { NotFoundError, spelled } from './errors.ts'

/** What somebody wants to run: an order on the book, or what it would say. Left out: no dataset, any workerpool. */
export type Wish = Partial<Omit<Order.Request, 'app' | 'requester'>> &
  ({ requestHash: Hex } | { app: Address; requester: Address })

/** Beside the rules of matching: is there an order at all? */
export type Unpublished = {
  code: 'book'
  rule: 'NotPublished'
  order: Order.Kind
  holds: false
  wanted: string
  found: string
  sentence: string
  remedy: string
}

export type Explained = {
  /** Whether a match of these orders would succeed now. */
  runs: boolean
  /** Those that were looked at: the cheapest that match, or those that come nearest to it. */
  orders: Partial<Record<Order.Kind, Hex>>
  /** Tasks that the deal would have, and what each costs, in nRLC. */
  volume: bigint
  price: bigint
  answers: (Explanation.Answer | Unpublished)[]
}

/** How many orders of each kind are tried with each other, those that fit best first. */
const MOST = 12

/**
 * Why can this not run? One answer per rule of matching, judged on the orders of the book that come nearest to a match,
 * with the balances behind them, as of the block that the book has reached.
 *
 * @throws {NotFoundError} when the request is named by a hash that is not on the book
 */
export async function explain(
  { database, runner }: { database: Query; runner: ContractRunner | null },
  wish: Wish,
): Promise<Explained> {
  const request = await requestOf(database, wish)
  const wanted = request.order
  const [apps, datasets, pools, [categories]] = await Promise.all([
    candidates(database, 'app', wanted),
    wanted.dataset === zeroAddress ? [] : candidates(database, 'dataset', wanted),
    candidates(database, 'workerpool', wanted),
    database.query<{ count: bigint }>('select count(*) from category'),
  ])
  const kinds = { app: apps, dataset: datasets, workerpool: pools }
  const missing = Match.present(Choice.ideal(wanted)).flatMap(([kind]) =>
    kind === 'request' || kinds[kind].length > 0 ? [] : [unpublished(kind, wanted)],
  )
  const four = quadruples(request, kinds)
  const isMember = await readMembership(
    runner,
    four.flatMap((each) => Match.groupQuestions(ordersOf(each))),
  )
  const facts = { isMember, categoryCount: categories?.count ?? 0n }
  const judged = await judge(database, four, facts)
  return { ...judged, runs: judged.runs && missing.length === 0, answers: [...missing, ...judged.answers] }
}

type Known<kind extends Order.Kind> = Choice.Candidate<kind> & { hash?: Hex; signer: Address }
type Four = {
  app: Known<'app'>
  dataset: Known<'dataset'> | undefined
  workerpool: Known<'workerpool'>
  request: Known<'request'>
}

function ordersOf({ app, dataset, workerpool, request }: Four): Match.Orders {
  return { app: app.order, dataset: dataset?.order, workerpool: workerpool.order, request: request.order }
}

async function requestOf(database: Query, wish: Wish): Promise<Known<'request'>> {
  if (!('requestHash' in wish)) {
    const order = { ...Order.create('request', { ...unlimited, ...wish }), sign: '0x' as const }
    return { order, remaining: order.volume, signer: order.requester }
  }
  const { requestHash } = wish
  const entry = await find(database, { kind: 'request', hash: requestHash })
  if (!entry) throw new NotFoundError({ what: spelled('request') })
  const order = Order.fromStored('request', entry.signed)
  return { order, remaining: entry.remaining, signer: entry.signer, hash: requestHash, isAuthentic: true }
}

/** Who names no highest price would pay any. */
const any = 2n ** 53n - 1n
const unlimited = { appmaxprice: any, datasetmaxprice: any, workerpoolmaxprice: any }

type Row = { hash: Hex; signed: Order.Json; remaining: bigint; signer: Address; status: Status; owner: Address }

/** Orders of a kind that could serve the request, used up and dead ones last. */
async function candidates<kind extends Match.Asset>(
  database: Query,
  kind: kind,
  request: Order.Request,
): Promise<Known<kind>[]> {
  const named = { app: request.app, dataset: request.dataset, workerpool: request.workerpool }
  const maxPrice = {
    app: request.appmaxprice,
    dataset: request.datasetmaxprice,
    workerpool: request.workerpoolmaxprice,
  }
  // What a request names as its workerpool may be none but a group of them: then any pool's order is looked at.
  const asset = kind === 'workerpool' && named.workerpool === zeroAddress ? null : named[kind]
  const rows = await database.query<Row>(
    `select hash, signed, remaining, signer, status,
       (select owner from asset_transfer where asset = ${kind} order by block_number desc, log_index desc limit 1) as owner
     from book where kind = $1 and ($2::text is null or ${kind} = $2
       or (kind = 'workerpool' and not exists (select 1 from asset_transfer where asset = $2)))
     order by status = 'open' desc, (price <= $3)::int
       + (app in ($4, $8))::int + (dataset in ($5, $8))::int + (workerpool in ($6, $8) or $6 = $8)::int
       + (requester in ($7, $8))::int + (kind <> 'workerpool' or category = $9)::int
       + (kind <> 'workerpool' or tag & $10::bit(256) = $10::bit(256))::int desc, price, published_at, hash
     limit $11`,
    [
      kind,
      asset,
      maxPrice[kind],
      named.app,
      named.dataset,
      named.workerpool,
      request.requester,
      zeroAddress,
      request.category,
      tagBits(request.tag),
      MOST,
    ],
  )
  return rows.map(({ hash, signed, remaining, signer, owner }) => ({
    order: Order.fromStored(kind, signed),
    hash,
    remaining,
    signer,
    isRegistered: true,
    isAuthentic: owner === signer,
  }))
}

function quadruples(
  request: Known<'request'>,
  { app, dataset, workerpool }: { [kind in Match.Asset]: Known<kind>[] },
): Four[] {
  const ideal = Choice.ideal(request.order)
  const { volume } = request.order
  const standIn = <kind extends Match.Asset>(order: Order.Signed<kind> | undefined) =>
    ({ order, remaining: volume, signer: zeroAddress }) as Known<kind>
  const apps = app.length > 0 ? app : [standIn(ideal.app)]
  const pools = workerpool.length > 0 ? workerpool : [standIn(ideal.workerpool)]
  const wantsDataset = request.order.dataset !== zeroAddress
  const datasets = dataset.length > 0 ? dataset : [wantsDataset ? standIn<'dataset'>(ideal.dataset) : undefined]
  return apps.flatMap((one) =>
    datasets.flatMap((two) => pools.map((three) => ({ app: one, dataset: two, workerpool: three, request }))),
  )
}

/** The quadruple that breaks the fewest rules, the cheapest of those. */
async function judge(
  database: Query,
  four: Four[],
  facts: Pick<Match.State, 'isMember' | 'categoryCount'>,
): Promise<Explained> {
  const accounts = [...new Set(four.flatMap(({ request, workerpool }) => [request.signer, workerpool.signer]))]
  const rows = await database.query<{ account: string; amount: bigint }>(
    'select account, amount from stake where account = any ($1)',
    [accounts],
  )
  const stakes = new Map(rows.map(({ account, amount }) => [account, amount]))
  // Behind what only stands in for an order there is nobody who could lack anything.
  const free = (account: Address) => (account === zeroAddress ? any : (stakes.get(account) ?? 0n))
  const fundsOf = (account: Address) => ({ account, free: free(account) })
  const judged = four.map((each) => {
    const orders = ordersOf(each)
    const state = Choice.stateOf(each)
    const volume = Match.volume(orders, state.consumed)
    const funds = { payer: fundsOf(each.request.signer), poolOwner: fundsOf(each.workerpool.signer) }
    const mismatches = [...Match.check(orders, { ...facts, ...state }), ...Match.checkFunds(orders, volume, funds)]
    return { each, orders, mismatches, volume, price: Match.price(orders) }
  })
  const [nearest] = judged.sort(
    (one, other) => one.mismatches.length - other.mismatches.length || Number(one.price - other.price),
  )
  if (!nearest) throw new Error('nothing to judge')
  const { each, orders, mismatches, volume, price } = nearest
  const hashes = Object.entries(each).flatMap(([kind, known]) => (known?.hash ? [[kind, known.hash]] : []))
  return {
    runs: mismatches.length === 0,
    orders: Object.fromEntries(hashes),
    volume: volume > 0n ? volume : 0n,
    price,
    answers: Explanation.of(orders, mismatches),
  }
}

function unpublished(kind: Match.Asset, request: Order.Request): Unpublished {
  const asset = request[kind]
  const wanted = asset === zeroAddress ? `an order of a ${kind}` : `an order of ${kind} ${asset}`
  const remedies = {
    app: 'Ask its developer to publish an order.',
    dataset: 'Ask its owner to grant you access.',
    workerpool: 'Ask its owner to publish an order, or leave the workerpool open.',
  }
  return {
    code: 'book',
    rule: 'NotPublished',
    order: kind,
    holds: false,
    wanted,
    found: 'none',
    sentence: `Nobody has published ${wanted}.`,
    remedy: remedies[kind],
  }
}
