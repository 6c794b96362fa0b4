import { type Address, Choice, type Hex, Match, Order } from '@sealdeal/protocol'
import { type Client, readMatchState } from '@sealdeal/sdk'
import { type BookReader, readGroups } from './candidates.ts'
import { type Held, type Hold, heldOf } from './holds.ts'

/** Orders that the chain would match now. */
export type Verdict = Choice.Chosen & {
  /** What the match will use up. */
  holds: Hold[]
  /** What the payer spends at most, in nRLC: where matches under way fail, more tasks may be left than are counted on. */
  costAtMost: bigint
  /** When the chain was asked, by the database's clock. */
  since: string
}

/** How many orders that the chain would refuse are set aside before a request is postponed. */
const MOST_REFUSED = 20

/**
 * The cheapest orders of the book that the chain accepts as well: those that it would refuse (a pool without stake, an order
 * of a former owner) are set aside, and the next cheapest are tried.
 */
export async function choose({
  client,
  request,
  payer,
  readBook,
  held,
  meter = () => {},
}: {
  client: Client
  request: Choice.Candidate<'request'>
  payer: Address
  readBook: BookReader
  held: Held
  /** Told how many seconds the choice itself took. */
  meter?: (seconds: number) => void
}): Promise<Verdict | { refusal: string }> {
  let book = await readBook(request.order, held)
  const [isMember, categoryCount] = await Promise.all([
    readGroups(client, request.order, book),
    client.contracts.hub.countCategory(),
  ])
  let refusal = 'no orders in the book fit together'
  for (let refused = 0; refused < MOST_REFUSED; refused++) {
    const started = performance.now()
    const choice = Choice.cheapest({ request, book, isMember, categoryCount })
    meter((performance.now() - started) / 1_000)
    if (!choice) return { refusal }
    const { mismatches, ...verdict } = await judge(client, choice.orders, { payer, held })
    if (mismatches.length === 0) return { ...choice, ...verdict, since: held.at }
    refusal = mismatches.map(({ sentence }) => sentence).join(' ')
    const kind = mismatches.map(blamed).find((found) => found !== undefined)
    if (kind === undefined) return { refusal }
    book = without(book, choice.orders[kind])
  }
  return { refusal }
}

/** Every rule, asked of the chain; balances and volumes less what matches under way hold. */
async function judge(
  client: Client,
  orders: Match.Orders,
  { payer, held }: { payer: Address; held: Held },
): Promise<{ mismatches: Match.Mismatch[]; volume: bigint; holds: Hold[]; costAtMost: bigint }> {
  const { hub, workerpoolRegistry } = client.contracts
  const [state, poolOwner] = await Promise.all([
    readMatchState(client, orders),
    workerpoolRegistry.registrantOf(orders.workerpool.workerpool) as Promise<Address>,
  ])
  const tasks = volumeHolds(client, orders, state, held)
  const volume = tasks.reduce((least, { amount }) => (amount < least ? amount : least), tasks[0]?.amount ?? 0n)
  const freeOf = async (account: Address) => (await hub.viewAccount(account)).stake
  const [paid, staked] = await Promise.all([freeOf(payer), freeOf(poolOwner)])
  const funds = {
    payer: { account: payer, free: paid - heldOf(held, payer) },
    poolOwner: { account: poolOwner, free: staked - heldOf(held, poolOwner) },
  }
  const price = Match.price(orders)
  return {
    mismatches: [...Match.check(orders, withHeld(state, orders, tasks)), ...Match.checkFunds(orders, volume, funds)],
    volume,
    costAtMost: price * Match.volume(orders, state.consumed),
    holds: [
      ...tasks.filter(({ kind }) => kind !== 'request').map((hold) => ({ ...hold, amount: volume })),
      { what: payer, amount: price * volume, available: paid },
      { what: poolOwner, amount: Match.poolStake(orders.workerpool.workerpoolprice, volume), available: staked },
    ],
  }
}

type TaskHold = Hold & { kind: Order.Kind }

/** What is left of each order, and what of that nobody else counts on. */
function volumeHolds(client: Client, orders: Match.Orders, state: Match.State, held: Held): TaskHold[] {
  return Match.present(orders).map((present) => {
    const [kind, order] = present
    const what = hashOf(client, present)
    const available = order.volume - (state.consumed?.[kind] ?? 0n)
    return { kind, what, available, amount: available - heldOf(held, what) }
  })
}

/** What matches under way hold is as good as used up. */
function withHeld(state: Match.State, orders: Match.Orders, tasks: TaskHold[]): Match.State {
  const consumed = Object.fromEntries(
    Match.present(orders).map(([kind, order]) => {
      const amount = tasks.find((hold) => hold.kind === kind)?.amount ?? 0n
      return [kind, order.volume - amount]
    }),
  )
  return { ...state, consumed }
}

function hashOf({ domain }: Client, [kind, order]: Match.Present): Hex {
  return Order.hash(kind, order as Order.Signed<typeof kind>, domain)
}

/** Whose order a mismatch is about, where another order of that kind could do better. */
function blamed({ code, values }: Match.Mismatch): Match.Asset | undefined {
  if (code === '71') return 'workerpool'
  return (['app', 'dataset', 'workerpool'] as const).find((kind) => kind === values.kind)
}

function without(book: Choice.Book, order: unknown): Choice.Book {
  const others = <kind extends Order.Kind>(candidates: Choice.Candidate<kind>[]) =>
    candidates.filter((candidate) => candidate.order !== order)
  return { apps: others(book.apps), datasets: others(book.datasets), workerpools: others(book.workerpools) }
}
