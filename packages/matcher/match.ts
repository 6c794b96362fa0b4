import { Deal, type Hex, Order } from '@sealdeal/protocol'
import { type Client, explainMatch } from '@sealdeal/sdk'
import type { Database, Log, Moment, Sender } from '@sealdeal/server'
import { closeAttempt, findAttempt, recordAttempt, sentAttempts } from './attempts.ts'
import { openRequests, readBook, readGroups } from './candidates.ts'
import { type Candidate, type Choice, choose } from './choose.ts'

export type MatcherParameters = {
  client: Client
  database: Database
  sender: Sender
  log: Log
  moment: Moment
}

/** A request that could not be matched is looked at again after this many milliseconds, twice as many each time. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** Nobody else's attempt is left alone for longer than this: its matcher died before it was sent. */
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

  async function matchRequest(request: Candidate<'request'>, requestHash: Hex) {
    moment('request seen', { request: requestHash })
    // The market may be a block behind: what is used up is the chain's to say.
    const consumed = await client.contracts.hub.viewConsumed(requestHash)
    if (consumed >= request.order.volume) return
    const earlier = await findAttempt(database, { requestHash, consumed })
    if (earlier?.status === 'sent' && Date.now() - earlier.createdAt.getTime() < STALE_ATTEMPT_MS) return
    const current = { order: request.order, remaining: request.order.volume - consumed }
    const choice = await findChoice(client, current)
    if (!choice) return postpone(requestHash, 'no orders in the book fit together')
    const mismatches = await explainMatch(client, choice.orders)
    if (mismatches.length > 0) return postpone(requestHash, mismatches.map(({ sentence }) => sentence).join(' '))
    moment('orders chosen', { request: requestHash, price: String(choice.price), volume: String(choice.volume) })
    await sendMatch({ choice, requestHash, consumed })
    pauses.delete(requestHash)
  }

  async function sendMatch({ choice, requestHash, consumed }: { choice: Choice; requestHash: Hex; consumed: bigint }) {
    const { hub } = client.contracts
    const { to, data } = await hub.matchOrders.populateTransaction(...Order.quadruple(choice.orders))
    const sent = await sender.send({
      to: to as Hex,
      data: data as Hex,
      reference: requestHash,
      signed: async ({ hash, transaction }) => {
        await recordAttempt(transaction ?? database, { requestHash, consumed, transactionHash: hash })
        moment('match recorded', { request: requestHash, transaction: hash })
      },
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
      await closeAttempt(database, attempt, { failure: 'the transaction reverted' })
      postpone(attempt.requestHash, 'the match reverted')
    }
  }

  return {
    /** What an earlier run of this matcher left open: the recorded transactions were sent again by the sender. */
    async recover() {
      for (const attempt of await sentAttempts(database)) {
        const resumed = await sender.resume(attempt.requestHash)
        const receipt = resumed
          ? await resumed.wait().catch(() => null)
          : await client.provider.getTransactionReceipt(attempt.transactionHash)
        const consumed = await client.contracts.hub.viewConsumed(attempt.requestHash)
        await conclude({ ...attempt, succeeded: receipt?.status === 1 || consumed > attempt.consumed })
      }
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
            log.warn({ request: requestHash, error }, 'matching failed')
            postpone(requestHash, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
          })
          .finally(() => underway.delete(requestHash))
        return [matching]
      })
    },
  }
}

async function findChoice(client: Client, request: Candidate<'request'>): Promise<Choice | undefined> {
  const book = await readBook(client, request.order)
  const [isMember, categoryCount] = await Promise.all([
    readGroups(client, request.order, book),
    client.contracts.hub.countCategory(),
  ])
  return choose({ request, book, isMember, categoryCount })
}
