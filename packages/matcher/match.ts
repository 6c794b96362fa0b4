import { Choice, Deal, type Hex, type Match, Order } from '@sealdeal/protocol'
import { type Client, explainMatch } from '@sealdeal/sdk'
import {
  type Database,
  type Log,
  type Moment,
  type Sender,
  SendRefusedError,
  TransactionDroppedError,
} from '@sealdeal/server'
import {
  AlreadyMatchingError,
  type Attempt,
  closeAttempt,
  findAttempt,
  recordAttempt,
  sentAttempts,
} from './attempts.ts'
import { openRequests, readBook, readGroups } from './candidates.ts'

export type MatcherParameters = {
  client: Client
  database: Database
  sender: Sender
  log: Log
  moment: Moment
}

/** A request that could not be matched is looked at again after this many milliseconds, twice as many each time. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5_000

/** How many orders that the chain would refuse are set aside before a request is postponed. */
const MOST_REFUSED = 20

/** An attempt of another replica is left alone for this long: after that its outcome is looked into. */
const STALE_ATTEMPT_MS = 60_000

/** A transaction costs gas whether it succeeds or not, so a match is tried only when the chain says that it will. */
export function createMatcher({ client, database, sender, log, moment }: MatcherParameters) {
  const pauses = new Map<Hex, { until: number; pause: number }>()
  const underway = new Set<Hex>()

  function isPaused(requestHash: Hex): boolean {
    return (pauses.get(requestHash)?.until ?? 0) > Date.now()
  }
  function postpone(requestHash: Hex, reason: string) {
    const pause = Math.min((pauses.get(requestHash)?.pause ?? FIRST_PAUSE_MS / 2) * 2, LONGEST_PAUSE_MS)
    pauses.set(requestHash, { until: Date.now() + pause, pause })
    log.info({ request: requestHash, reason, pause }, 'not matched')
  }

  async function matchRequest(request: Choice.Candidate<'request'>, requestHash: Hex) {
    moment('request seen', { request: requestHash })
    // The market may be a block behind: what is used up is the chain's to say.
    const consumed = await client.contracts.hub.viewConsumed(requestHash)
    if (consumed >= request.order.volume) return
    const earlier = await findAttempt(database, { requestHash, consumed })
    if (earlier?.status === 'sent') {
      if (Date.now() - earlier.createdAt.getTime() > STALE_ATTEMPT_MS) await settle(earlier)
      return
    }
    if (earlier?.status === 'matched') {
      // A deal that was made and is not there: a reorganisation took it back, or this node has not seen it yet.
      const receipt = await client.provider.getTransactionReceipt(earlier.transactionHash)
      if (receipt) return postpone(requestHash, 'the chain has not caught up with its own receipt')
      await closeAttempt(database, earlier, { failure: 'undone by a reorganisation' })
    }
    const current = { order: request.order, remaining: request.order.volume - consumed }
    const choice = await findChoice(client, current)
    if ('refusal' in choice) return postpone(requestHash, choice.refusal)
    moment('orders chosen', { request: requestHash, price: String(choice.price), volume: String(choice.volume) })
    await sendMatch({ choice, requestHash, consumed })
    pauses.delete(requestHash)
  }

  async function sendMatch({
    choice,
    requestHash,
    consumed,
  }: {
    choice: Choice.Chosen
    requestHash: Hex
    consumed: bigint
  }) {
    const { hub } = client.contracts
    const { to, data } = await hub.matchOrders.populateTransaction(...Order.quadruple(choice.orders))
    const sent = await sender
      .send({
        to: to as Hex,
        data: data as Hex,
        reference: requestHash,
        signed: ({ hash, transaction }) =>
          recordAttempt(transaction ?? database, { requestHash, consumed, transactionHash: hash }),
        recorded: ({ hash }) => moment('match recorded', { request: requestHash, transaction: hash }),
      })
      .catch(async (error: unknown) => {
        if (error instanceof SendRefusedError) await conclude({ requestHash, consumed, succeeded: false })
        throw error
      })
    moment('match sent', { request: requestHash, transaction: sent.hash })
    const receipt = await sent.wait()
    moment('match mined', { request: requestHash, status: receipt.status })
    await conclude({ requestHash, consumed, succeeded: receipt.status === 1 })
  }

  async function conclude(attempt: { requestHash: Hex; consumed: bigint; succeeded: boolean }) {
    if (attempt.succeeded) {
      const dealId = Deal.id(attempt.requestHash, attempt.consumed)
      await closeAttempt(database, attempt, { dealId })
      log.info({ request: attempt.requestHash, deal: dealId }, 'matched')
    } else {
      await closeAttempt(database, attempt, { failure: 'the transaction failed' })
      postpone(attempt.requestHash, 'the match failed')
    }
  }

  /**
   * Finds out what became of a recorded match: while the sender still holds it, it is sent again and waited for; then its
   * receipt tells, or, where it can never be mined any more, whether the request was used up beyond it by another one.
   */
  async function settle(attempt: Attempt) {
    const resumed = await sender.resume(attempt.requestHash)
    const receipt = resumed
      ? await resumed.wait().catch(droppedOnly)
      : await client.provider.getTransactionReceipt(attempt.transactionHash)
    const consumed = await client.contracts.hub.viewConsumed(attempt.requestHash)
    await conclude({ ...attempt, succeeded: receipt?.status === 1 || consumed > attempt.consumed })
  }

  return {
    /** What an earlier run of this matcher left open: the recorded transactions were sent again by the sender. */
    async recover() {
      for (const attempt of await sentAttempts(database)) await settle(attempt)
    },

    /** Looks at the book once and begins to match what can be matched; requests do not wait for one another. */
    async look(): Promise<Promise<void>[]> {
      const requests = await openRequests(client)
      return requests.flatMap((request) => {
        const requestHash = Order.hash('request', request.order, client.domain)
        if (underway.has(requestHash) || isPaused(requestHash)) return []
        underway.add(requestHash)
        const matching = matchRequest(request, requestHash)
          .catch((error: unknown) => {
            if (!(error instanceof AlreadyMatchingError)) log.warn({ request: requestHash, error }, 'matching failed')
            postpone(requestHash, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
          })
          .finally(() => underway.delete(requestHash))
        return [matching]
      })
    },
  }
}

/** A transaction that can never be mined is an outcome; being stopped while waiting is none. */
function droppedOnly(error: unknown): null {
  if (error instanceof TransactionDroppedError) return null
  throw error
}

/** The cheapest orders that the chain accepts as well: those that it would refuse (a pool without stake) are set aside. */
async function findChoice(
  client: Client,
  request: Choice.Candidate<'request'>,
): Promise<Choice.Chosen | { refusal: string }> {
  let book = await readBook(client, request.order)
  const [isMember, categoryCount] = await Promise.all([
    readGroups(client, request.order, book),
    client.contracts.hub.countCategory(),
  ])
  let refusal = 'no orders in the book fit together'
  for (let refused = 0; refused < MOST_REFUSED; refused++) {
    const choice = Choice.cheapest({ request, book, isMember, categoryCount })
    if (!choice) return { refusal }
    const mismatches = await explainMatch(client, choice.orders)
    if (mismatches.length === 0) return choice
    refusal = mismatches.map(({ sentence }) => sentence).join(' ')
    const kind = mismatches.map(blamed).find((found) => found !== undefined)
    if (kind === undefined) return { refusal }
    book = without(book, choice.orders[kind])
  }
  return { refusal }
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
