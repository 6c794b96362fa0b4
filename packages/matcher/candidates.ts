import { type Address, type Choice, Match, Order, readMembership } from '@sealdeal/protocol'
import { type Client, type FindOrdersParameters, findOrders } from '@sealdeal/sdk'
import { type Held, heldOf } from './holds.ts'

const PAGE_SIZE = 1_000

const anybody = { app: 'any', dataset: 'any', workerpool: 'any', requester: 'any' } as const

type Listed<kind extends Order.Kind> = Choice.Candidate<kind> & { orderHash: string }

/** Every open order of a kind that the filters let pass, with whatever restrictions. */
async function openOrders<kind extends Order.Kind>(
  client: Client,
  filters: FindOrdersParameters<kind>,
): Promise<Listed<kind>[]> {
  const found: Listed<kind>[] = []
  for (let page = 0; ; page++) {
    const { orders, hasMore } = await findOrders(client, { ...filters, page, pageSize: PAGE_SIZE })
    found.push(...orders)
    if (!hasMore || orders.length === 0) return found
  }
}

/** Open requests, whatever they ask for, the best paying first. */
export function openRequests(client: Client) {
  return openOrders(client, { kind: 'request', ...anybody })
}

export type BookReader = (request: Order.Signed<'request'>, held: Held) => Promise<Choice.Book>

/**
 * Reads the orders that may serve a request: of its app, its dataset and its category. Requests of one look at the book
 * share what was read. Tasks that matches under way hold are not left any more.
 */
export function bookReader(client: Client): BookReader {
  const pages = new Map<string, Promise<Listed<Order.Kind>[]>>()
  async function read<kind extends Order.Kind>(filters: FindOrdersParameters<kind>): Promise<Listed<kind>[]> {
    const key = JSON.stringify(filters, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    const page = pages.get(key) ?? openOrders(client, filters)
    pages.set(key, page as Promise<Listed<Order.Kind>[]>)
    return (await page) as Listed<kind>[]
  }
  return async function readBook(request, held) {
    const wantsDataset = BigInt(request.dataset) !== 0n
    const [apps, datasets, workerpools] = await Promise.all([
      read({ kind: 'app', ...anybody, app: request.app }),
      wantsDataset ? read({ kind: 'dataset', ...anybody, dataset: request.dataset }) : [],
      read({ kind: 'workerpool', ...anybody, category: request.category }),
    ])
    const left = <kind extends Order.Kind>(listed: Listed<kind>[]): Choice.Candidate<kind>[] =>
      listed.map((each) => ({ ...each, remaining: each.remaining - heldOf(held, each.orderHash) }))
    return { apps: left(apps), datasets: left(datasets), workerpools: left(workerpools) }
  }
}

/** Asks every group that an order of the book is restricted to, once, whether it admits the other side. */
export function readGroups(
  client: Client,
  request: Order.Signed<'request'>,
  { apps, datasets, workerpools }: Choice.Book,
): Promise<(group: Address, candidate: Address) => boolean> {
  // Orders with the same names and restrictions ask the same.
  const [app, ...otherApps] = distinct('app', apps)
  if (!app) return readMembership(client.provider, [])
  const data = distinct('dataset', datasets)
  const questions = distinct('workerpool', workerpools).flatMap((workerpool) => [
    ...[app, ...otherApps].flatMap((each) =>
      Match.groupQuestions({ app: each, dataset: data[0], workerpool, request }),
    ),
    ...data.slice(1).flatMap((dataset) => Match.groupQuestions({ app, dataset, workerpool, request })),
  ])
  return readMembership(client.provider, questions)
}

function distinct<kind extends Order.Kind>(kind: kind, candidates: Choice.Candidate<kind>[]): Order.Signed<kind>[] {
  const names = Order.fieldNames(kind).filter((name) => /restrict$/.test(String(name)) || name === kind)
  const found = new Map(candidates.map(({ order }) => [names.map((name) => order[name]).join(), order]))
  return [...found.values()]
}
