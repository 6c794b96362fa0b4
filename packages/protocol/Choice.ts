import * as Match from './Match.ts'
import * as Order from './Order.ts'
import * as Tag from './Tag.ts'

/** An order, how many of its tasks are left, and what else the chain says of it: what is left out is not judged. */
export type Candidate<kind extends Order.Kind> = {
  order: Order.Signed<kind>
  remaining: bigint
  isRegistered?: boolean
  isAuthentic?: boolean
}

/** What the book holds for one request. `datasets` is looked at only when the request names one. */
export type Book = {
  apps: Candidate<'app'>[]
  datasets: Candidate<'dataset'>[]
  workerpools: Candidate<'workerpool'>[]
}

export type Chosen = {
  orders: Match.Orders
  /** Tasks that the deal will have. */
  volume: bigint
  /** What the payer spends per task, in nRLC. */
  price: bigint
}

/**
 * The cheapest orders of the book that the Hub would match with a request, or nothing. Of orders at one price the first in
 * the book is taken. Pure: whether a group admits somebody is asked of `isMember`.
 *
 * Most rules are between one order and the request. What joins an app or a dataset order to others is whom it admits as
 * workerpool and its tag; so pool after pool, the cheapest first, is given the cheapest orders that it may and can work
 * for, and the walk is cut where nothing cheaper can follow. Orders are judged only when the walk comes to them.
 */
export function cheapest({
  request,
  book,
  isMember,
  categoryCount,
}: {
  request: Candidate<'request'>
  book: Book
  isMember?: Match.State['isMember']
  categoryCount?: bigint
}): Chosen | undefined {
  const facts = { ...(isMember ? { isMember } : {}), ...(categoryCount === undefined ? {} : { categoryCount }) }
  const any = suitable(request.order)
  /** Whether some orders fit the request and each other, whatever the missing ones are. */
  function fits(some: Partial<Trio>, but: ReadonlySet<string>): boolean {
    const { app = any.app, dataset = any.dataset, workerpool = any.workerpool } = some
    const orders = { app: app.order, dataset: dataset?.order, workerpool: workerpool.order, request: request.order }
    return Match.check(orders, { ...facts, ...stateOf({ ...some, request }) }).every(({ code }) => but.has(code))
  }
  const apps = remembered(usable(byPrice(book.apps), (app) => fits({ app }, joining)))
  const datasets = remembered(
    any.dataset ? usable(byPrice(book.datasets), (dataset) => fits({ dataset }, joining)) : [undefined],
  )
  const workerpools = usable(byPrice(book.workerpools), (workerpool) => fits({ workerpool }, joining))
  const [[app], [dataset]] = [first(apps()), first(datasets())]
  if (!app || (any.dataset && !dataset)) return undefined
  const leastData = priceOf(dataset)

  let best: Chosen | undefined
  const isTooDear = (price: bigint) => best !== undefined && price >= best.price
  for (const workerpool of workerpools) {
    const work = priceOf(workerpool)
    if (isTooDear(work + priceOf(app) + leastData)) break
    const data = remembered(admitted(datasets(), (each) => !each || fits({ dataset: each, workerpool }, combined)))
    for (const app of admitted(apps(), (each) => fits({ app: each, workerpool }, combined))) {
      if (isTooDear(work + priceOf(app) + leastData)) break
      for (const dataset of data()) {
        const price = work + priceOf(app) + priceOf(dataset)
        if (isTooDear(price)) break
        if (!fits({ app, workerpool, ...(dataset ? { dataset } : {}) }, nothing)) continue
        const orders = { app: app.order, dataset: dataset?.order, workerpool: workerpool.order, request: request.order }
        best = { orders, volume: Match.volume(orders, stateOf({ app, dataset, workerpool, request }).consumed), price }
        break
      }
    }
  }
  return best
}

type Trio = { app: Candidate<'app'>; dataset: Candidate<'dataset'>; workerpool: Candidate<'workerpool'> }

// Codes of the rules that an order alone cannot break: they join an app or a dataset to a workerpool; or all of the tags.
const combined: ReadonlySet<string> = new Set(['07'])
const joining: ReadonlySet<string> = new Set([...combined, '14', '17'])
const nothing: ReadonlySet<string> = new Set()

/** Orders that break no rule with a request: one or two of them at a time are replaced by real ones. */
function suitable({ app, dataset, workerpool, category, trust, tag }: Order.Signed<'request'>): {
  [kind in keyof Trio]: Trio[kind] | (kind extends 'dataset' ? undefined : never)
} {
  const open = { volume: 1n, sign: '0x' as const }
  const everything = Tag.everything
  return {
    app: { order: { ...Order.none('app'), ...open, app, tag }, remaining: 1n },
    dataset:
      BigInt(dataset) === 0n ? undefined : { order: { ...Order.none('dataset'), ...open, dataset }, remaining: 1n },
    workerpool: {
      order: { ...Order.none('workerpool'), ...open, workerpool, category, trust, tag: everything },
      remaining: 1n,
    },
  }
}

type Offer = Candidate<'app'> | Candidate<'dataset'> | Candidate<'workerpool'>

function priceOf(candidate: Offer | undefined): bigint {
  if (!candidate) return 0n
  const { order } = candidate
  if ('appprice' in order) return order.appprice
  return 'datasetprice' in order ? order.datasetprice : order.workerpoolprice
}

/** Those that fit the request; of those that differ in price alone, the cheapest. */
function* usable<Kind extends Offer>(sorted: Kind[], fits: (candidate: Kind) => boolean): Generator<Kind> {
  const seen = new Set<string>()
  for (const candidate of sorted) {
    const { order } = candidate
    const pool = 'workerpool' in order ? order.workerpool : order.workerpoolrestrict
    const joint = `${order.tag}${pool}`.toLowerCase()
    if (seen.has(joint) || !fits(candidate)) continue
    seen.add(joint)
    yield candidate
  }
}

/** Those that a workerpool may and can work for: it covers their tags, so only whether they demand an enclave is left. */
function* admitted<Kind extends Offer | undefined>(
  candidates: Iterable<Kind>,
  fits: (candidate: Kind) => boolean,
): Generator<Kind> {
  const seen = new Set<boolean>()
  for (const candidate of candidates) {
    const needsEnclave = candidate !== undefined && Tag.isTee(candidate.order.tag)
    if (seen.has(needsEnclave) || !fits(candidate)) continue
    seen.add(needsEnclave)
    yield candidate
    if (seen.size === 2) return
  }
}

/** What was walked once is not judged again. */
function remembered<Item>(source: Iterable<Item>): () => Generator<Item> {
  const iterator = source[Symbol.iterator]()
  const known: Item[] = []
  return function* walk() {
    for (let index = 0; ; index++) {
      if (index === known.length) {
        const { done, value } = iterator.next()
        if (done) return
        known.push(value)
      }
      yield known[index] as Item
    }
  }
}

function first<Item>(items: Iterable<Item>): [Item?] {
  for (const item of items) return [item]
  return []
}

/** Orders as the request would like them: stand-ins for what nobody published, so that the others can be judged. */
export function ideal(request: Order.Signed<'request'>): Required<Match.Orders> & { dataset: Order.Signed<'dataset'> } {
  const { app, dataset, workerpool, tag, category, trust, volume } = request
  const sign = '0x'
  return {
    app: { ...Order.create('app', { app, tag, volume }), sign },
    dataset: { ...Order.create('dataset', { dataset, tag: Tag.none, volume }), sign },
    workerpool: { ...Order.create('workerpool', { workerpool, tag, category, trust, volume }), sign },
    request,
  }
}

/** What is known of four candidates, as the rules ask for it. */
export function stateOf(
  candidates: { [kind in Order.Kind]?: Candidate<kind> | undefined },
): Match.State & { consumed: Partial<Record<Order.Kind, bigint>> } {
  const present = Object.entries(candidates).filter(([, candidate]) => candidate !== undefined)
  const facts = <Fact>(read: (candidate: Known) => Fact | undefined) =>
    Object.fromEntries(
      present.map(([kind, candidate]) => [kind, read(candidate as Known)]).filter(([, fact]) => fact !== undefined),
    ) as Partial<Record<Order.Kind, Fact>>
  return {
    consumed: facts(({ order, remaining }) => order.volume - remaining),
    registered: facts(({ isRegistered }) => isRegistered),
    authentic: facts(({ isAuthentic }) => isAuthentic),
  }
}
type Known = { order: { volume: bigint }; remaining: bigint; isRegistered?: boolean; isAuthentic?: boolean }

/** Sorting is stable: orders of one price stay in the order of the book. */
function byPrice<Kind extends Offer>(candidates: readonly Kind[]): Kind[] {
  return [...candidates].sort((a, b) => {
    const difference = priceOf(a) - priceOf(b)
    return difference < 0n ? -1 : difference > 0n ? 1 : 0
  })
}
