import * as Match from './Match.ts'
import type * as Order from './Order.ts'

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
 * The cheapest orders of the book that the Hub would match with a request, or nothing. Of equally cheap ones the first in
 * the book is taken. Pure: whether a group admits somebody is asked of `isMember`.
 *
 * Every restriction is between an order and an address that the request fixes, but for those about the workerpool and the
 * tags, which join all four: so the book is walked by price and the walk is cut where nothing cheaper can follow.
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
  const wantsDataset = BigInt(request.order.dataset) !== 0n
  const apps = byPrice(book.apps, ({ appprice }) => appprice)
  const datasets = wantsDataset ? byPrice(book.datasets, ({ datasetprice }) => datasetprice) : [undefined]
  const workerpools = byPrice(book.workerpools, ({ workerpoolprice }) => workerpoolprice)
  const facts = { ...(isMember ? { isMember } : {}), ...(categoryCount === undefined ? {} : { categoryCount }) }

  let best: Chosen | undefined
  for (const app of apps) {
    if (best && app.order.appprice >= best.price) break
    for (const dataset of datasets) {
      const data = app.order.appprice + (dataset?.order.datasetprice ?? 0n)
      if (best && data >= best.price) break
      for (const workerpool of workerpools) {
        const price = data + workerpool.order.workerpoolprice
        if (best && price >= best.price) break
        const orders = { app: app.order, dataset: dataset?.order, workerpool: workerpool.order, request: request.order }
        const state = stateOf({ app, dataset, workerpool, request })
        if (Match.check(orders, { ...facts, ...state }).length > 0) continue
        best = { orders, volume: Match.volume(orders, state.consumed), price }
        break
      }
    }
  }
  return best
}

/** What is known of four candidates, as the rules ask for it. */
export function stateOf(
  candidates: {
    [kind in Order.Kind]: Candidate<kind> | (kind extends 'dataset' ? undefined : never)
  },
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
function byPrice<kind extends Order.Kind>(candidates: Candidate<kind>[], price: (order: Order.Signed<kind>) => bigint) {
  return [...candidates].sort((a, b) => {
    const difference = price(a.order) - price(b.order)
    return difference < 0n ? -1 : difference > 0n ? 1 : 0
  })
}
