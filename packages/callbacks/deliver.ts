import { randomUUID } from 'node:crypto'
import type { Address } from '@sealdeal/protocol'
import type { Database, Log } from '@sealdeal/server'
import { hangBell } from './bell.ts'
import { type Claimed, claim, fail, finish } from './leases.ts'
import { channel } from './outbox.ts'
import { signature, unseal } from './secrets.ts'
import { type Outcome, send } from './send.ts'

export type DeliverParameters = {
  database: Database
  log: Log
  chainId: bigint
  hub: Address
  /** Opens the secrets. */
  master: Uint8Array
  allowPrivate: boolean
  /** Milliseconds for one attempt. */
  timeout: number
  /** Milliseconds after the first failure. */
  pause: number
  /** Deliveries under way at once. */
  concurrency: number
  /** Told of each attempt. */
  attempted: (outcome: 'delivered' | 'failed' | 'parked') => void
}

export type Deliverer = {
  /** There may be something to send. */
  ring: () => void
  close: () => Promise<void>
}

/** The longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 3_600_000
/** Looks at the outbox at least this often, in milliseconds: for what became due meanwhile. */
const POLL = 500
/** What is under way when the service stops has this long, in milliseconds. */
const GRACE = 2_000

/**
 * Empties the outbox. A subscription is leased, sent its oldest waiting delivery, and let go: so its deliveries arrive in
 * order, whatever the number of replicas. A replica that is killed leaves a lease that ends by itself, and a delivery that is
 * sent again under the same id.
 */
export async function deliver(parameters: DeliverParameters): Promise<Deliverer> {
  const { database, log, concurrency, timeout } = parameters
  const bell = await hangBell({ database, channel })
  const [stop, cut] = [new AbortController(), new AbortController()]
  const busy = new Set<Promise<void>>()
  // Longer than the longest attempt: a lease ends while its holder sends only if that one stands still.
  const leaseSeconds = (timeout * 1.5 + 500) / 1_000

  async function look(): Promise<void> {
    const free = concurrency - busy.size
    const claimed = free > 0 ? await claim(database, { most: free, leaseSeconds, token: randomUUID() }) : []
    for (const each of claimed) {
      const work = attempt(parameters, each, cut.signal)
        .catch((error: unknown) => log.error({ error, subscription: each.subscription }, 'an attempt was not recorded'))
        .finally(() => {
          busy.delete(work)
          bell.ring()
        })
      busy.add(work)
    }
    if (claimed.length === 0) await bell.next(POLL)
  }
  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await look().catch(async (error: unknown) => {
        log.error({ error }, 'the outbox cannot be read')
        await bell.next(POLL)
      })
    }
  }
  const running = run()
  return {
    ring: bell.ring,
    async close() {
      stop.abort()
      bell.ring()
      await running
      const timer = setTimeout(() => cut.abort(), GRACE)
      await Promise.all(busy)
      clearTimeout(timer)
      await bell.close()
    },
  }
}

/** Sends one delivery and writes down what became of it. */
async function attempt(parameters: DeliverParameters, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { database, log, attempted } = parameters
  const outcome = await trySend(parameters, claimed, signal)
  if (outcome.delivered) {
    await finish(database, claimed)
    return attempted('delivered')
  }
  const { id, subscription, attempts } = claimed
  const wait = signal.aborted ? 0 : pauseAfter(attempts, parameters.pause)
  const { parked } = await fail(database, { claimed, failure: outcome.failure, wait })
  attempted(parked ? 'parked' : 'failed')
  const level = parked ? 'warn' : 'debug'
  log[level]({ subscription, delivery: id, attempts, failure: outcome.failure }, parked ? 'parked' : 'not delivered')
}

async function trySend(parameters: DeliverParameters, claimed: Claimed, signal: AbortSignal): Promise<Outcome> {
  const { master, timeout, allowPrivate, log } = parameters
  const { id, subscription, url } = claimed
  try {
    const secrets = claimed.secrets.map((sealed) => unseal({ sealed, subscription, master }))
    const body = bodyOf(claimed, parameters)
    const at = Math.floor(Date.now() / 1_000)
    const headers = { 'idempotency-key': id, 'sealdeal-signature': signature({ body, secrets, at }) }
    return await send({ url, body, headers, timeout, allowPrivate, signal })
  } catch (error) {
    log.error({ error, subscription }, 'a delivery could not be made')
    return { delivered: false, failure: 'a fault of this service: its operator sees it in the log' }
  }
}

/** Twice as long after each failure, and anything from half to one and a half of that: receivers come back unhurried. */
export function pauseAfter(attempts: number, first: number, random: () => number = Math.random): number {
  const longest = Math.min(first * 2 ** Math.min(attempts - 1, 40), LONGEST_PAUSE)
  return longest * (0.5 + random())
}

/** The same bytes at each attempt. */
function bodyOf(claimed: Claimed, { chainId, hub }: { chainId: bigint; hub: Address }): string {
  const { id, kind, subscription, createdAt, undoes, event } = claimed
  return JSON.stringify({
    id,
    type: kind,
    subscription,
    createdAt: createdAt.toISOString(),
    chainId: Number(chainId),
    hub,
    ...(undoes === null ? {} : { undoes: { id: undoes, type: event?.kind } }),
    ...(event === null
      ? {}
      : {
          block: { number: Number(event.number), hash: event.hash, timestamp: event.timestamp },
          transactionHash: event.transactionHash,
          logIndex: event.logIndex,
          data: event.data,
        }),
  })
}
