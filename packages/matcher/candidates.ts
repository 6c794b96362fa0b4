import { type Choice, Match, type Order, readMembership } from '@sealdeal/protocol'
import { type Client, type FindOrdersParameters, findOrders } from '@sealdeal/sdk'

const PAGE_SIZE = 1_000

/** Every open order of a kind that the filters let pass, with whatever restrictions. */
export async function openOrders<kind extends Order.Kind>(
  client: Client,
  filters: FindOrdersParameters<kind>,
): Promise<Choice.Candidate<kind>[]> {
  const found: Choice.Candidate<kind>[] = []
  for (let page = 0; ; page++) {
    const { orders, hasMore } = await findOrders(client, { ...filters, page, pageSize: PAGE_SIZE })
    found.push(...orders)
    if (!hasMore || orders.length === 0) return found
  }
}

/** Open requests, whatever they ask for, the best paying first. */
export function openRequests(client: Client): Promise<Choice.Candidate<'request'>[]> {
  const any = { app: 'any', dataset: 'any', workerpool: 'any', requester: 'any' } as const
  return openOrders(client, { kind: 'request', ...any })
}

/** The orders of the book that may serve a request: of its app, its dataset and its category. */
export async function readBook(client: Client, request: Order.Signed<'request'>): Promise<Choice.Book> {
  const any = { app: 'any', dataset: 'any', workerpool: 'any', requester: 'any' } as const
  const wantsDataset = BigInt(request.dataset) !== 0n
  const [apps, datasets, workerpools] = await Promise.all([
    openOrders(client, { kind: 'app', ...any, app: request.app }),
    wantsDataset ? openOrders(client, { kind: 'dataset', ...any, dataset: request.dataset }) : [],
    openOrders(client, { kind: 'workerpool', ...any, category: request.category }),
  ])
  return { apps, datasets, workerpools }
}

/** Asks every group that an order of the book is restricted to, once, whether it admits the other side. */
export function readGroups(
  client: Client,
  request: Order.Signed<'request'>,
  { apps, datasets, workerpools }: Choice.Book,
) {
  const [anyApp] = apps
  const questions = workerpools.flatMap((workerpool) => [
    ...apps.flatMap((app) =>
      ask({ app: app.order, dataset: datasets[0]?.order, workerpool: workerpool.order, request }),
    ),
    ...datasets.flatMap((dataset) =>
      anyApp ? ask({ app: anyApp.order, dataset: dataset.order, workerpool: workerpool.order, request }) : [],
    ),
  ])
  return readMembership(client.provider, questions)
}

function ask(orders: Match.Orders) {
  return Match.groupQuestions(orders)
}
