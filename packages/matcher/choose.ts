import { Match, type Order } from '@sealdeal/protocol'

/** An open order and how many of its tasks are left. */
export type Candidate<kind extends Order.Kind> = { order: Order.Signed<kind>; remaining: bigint }

/** What the book holds for one request. `datasets` is looked at only when the request names one. */
export type Book = {
  apps: Candidate<'app'>[]
  datasets: Candidate<'dataset'>[]
  workerpools: Candidate<'workerpool'>[]
}

export type Choice = {
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
export function choose({
  request,
  book,
  isMember,
  categoryCount,
}: {
  request: Candidate<'request'>
  book: Book
  isMember?: Match.State['isMember']
  categoryCount?: bigint
}): Choice | undefined {
  const wantsDataset = BigInt(request.order.dataset) !== 0n
  const apps = byPrice(book.apps, ({ appprice }) => appprice)
  const datasets = wantsDataset ? byPrice(book.datasets, ({ datasetprice }) => datasetprice) : [undefined]
  const workerpools = byPrice(book.workerpools, ({ workerpoolprice }) => workerpoolprice)
  const facts = { ...(isMember ? { isMember } : {}), ...(categoryCount === undefined ? {} : { categoryCount }) }

  let best: Choice | undefined
  for (const app of apps) {
    if (best && app.order.appprice >= best.price) break
    for (const dataset of datasets) {
      const data = app.order.appprice + (dataset?.order.datasetprice ?? 0n)
      if (best && data >= best.price) break
      for (const workerpool of workerpools) {
        const price = data + workerpool.order.workerpoolprice
        if (best && price >= best.price) break
        const orders = { app: app.order, dataset: dataset?.order, workerpool: workerpool.order, request: request.order }
        const consumed = {
          app: used(app),
          ...(dataset ? { dataset: used(dataset) } : {}),
          workerpool: used(workerpool),
          request: used(request),
        }
        if (Match.check(orders, { ...facts, consumed }).length > 0) continue
        best = { orders, volume: Match.volume(orders, consumed), price }
        break
      }
    }
  }
  return best
}

function used({ order, remaining }: { order: { volume: bigint }; remaining: bigint }): bigint {
  return order.volume - remaining
}

/** Sorting is stable: orders of one price stay in the order of the book. */
function byPrice<kind extends Order.Kind>(candidates: Candidate<kind>[], price: (order: Order.Signed<kind>) => bigint) {
  return [...candidates].sort((a, b) => {
    const difference = price(a.order) - price(b.order)
    return difference < 0n ? -1 : difference > 0n ? 1 : 0
  })
}
