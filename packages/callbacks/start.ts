import { type Address, Contracts, Order } from '@sealdeal/protocol'
import { type Chain, type Database, type HttpOptions, type Log, serve } from '@sealdeal/server'
import { hangBell } from './bell.ts'
import { deliver } from './deliver.ts'
import { errors } from './errors.ts'
import { createMetrics } from './metrics.ts'
import { channel, forget } from './outbox.ts'
import { type Relaying, relayResults } from './relay.ts'
import { routes } from './routes.ts'
import { unseal } from './secrets.ts'
import { createSubscriptions } from './subscriptions.ts'
import { watch } from './watch.ts'

/** Tables of the service, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

export type CallbacksParameters = {
  chain: Chain
  hub: Address
  database: Database
  log: Log
  host: string
  port: number
  /** 32 bytes: encrypts the subscriptions' secrets. */
  master: Uint8Array
  startBlock?: bigint
  /** Milliseconds between looks at the head of the chain. */
  interval?: number
  confirmations?: number
  allowPrivate?: boolean
  traceCallbacks?: boolean
  /** Milliseconds that a receiver may take. */
  timeout?: number
  /** Milliseconds after the first failure. */
  pause?: number
  /** For how long a delivery is tried. */
  retrySeconds?: number
  concurrency?: number
  maxSubscriptions?: number
  /** Delivers results on chain again; without it nothing is sent to the chain. */
  relaying?: Relaying
  http?: HttpOptions
}

export type Callbacks = {
  url: string
  /** Resolves when the outbox includes all that the chain has said so far. */
  caughtUp: () => Promise<void>
  close: () => Promise<void>
}

const HOUR_MS = 3_600_000

/**
 * Watches the chain, sends, and serves the subscriptions.
 *
 * @throws {SecretUnreadableError} when the database was filled under another master key.
 */
export async function startCallbacks(parameters: CallbacksParameters): Promise<Callbacks> {
  const { chain, hub, database, log, host, port, master, relaying, http } = parameters
  const { startBlock = 0n, interval = 250, confirmations = 3, retrySeconds = 86_400 } = parameters
  const { allowPrivate = false, traceCallbacks = false, maxSubscriptions: most = 20 } = parameters
  const { timeout = 10_000, pause = 1_000, concurrency = 16 } = parameters
  const { chainId, provider } = chain
  const terms = { confirmations, retrySeconds }
  await expectReadable(database, master)
  const marketplace = await Contracts.connectMarketplace(hub, provider)
  const domain = Order.domain({ chainId, hub })
  const { registry, attempted, tried } = createMetrics(database)
  const sending = { database, log, chainId, hub, master, allowPrivate, timeout, pause, concurrency, attempted }
  const deliverer = await deliver(sending)
  const reading = { marketplace, chain: provider, domain, traceCallbacks }
  const moved = deliverer.ring
  const relays = relaying && {
    ...relaying,
    ...{ chain: provider, database, log, bell: await hangBell({ database, channel }), pause, confirmations, tried },
  }
  const relayer = relays && relayResults(relays)
  const ringAll = () => {
    moved()
    relays?.bell.ring()
  }
  const watching = { ...reading, hub, database, log, from: startBlock, interval, terms, relays: relays !== undefined }
  const follower = await watch({ ...watching, moved: ringAll })
  const cleaning = setInterval(() => {
    forget(database).catch((error: unknown) => log.warn({ error }, 'old deliveries were not forgotten'))
  }, HOUR_MS)
  const subscriptions = createSubscriptions({ database, master, allowPrivate, most, terms })
  const server = await serve({
    name: 'callbacks',
    host,
    port,
    log,
    errors,
    metrics: registry,
    ready: {
      database: () => database.query('select 1'),
      chain: () => follower.check(),
      ...(relaying ? { transactions: () => relaying.transactions.check() } : {}),
    },
    routes: routes({ database, chain: provider, chainId, hub, subscriptions }),
    ...http,
  })
  return {
    url: server.url,
    caughtUp: () => follower.reach(),
    async close() {
      clearInterval(cleaning)
      await server.close()
      await follower.close()
      await deliverer.close()
      await relayer?.close()
      await relays?.bell.close()
    },
  }
}

/** Found out at the start, not at the first delivery. */
async function expectReadable(database: Database, master: Uint8Array): Promise<void> {
  const [row] = await database.query<{ id: string; secret: Uint8Array }>('select id, secret from subscription limit 1')
  if (row) unseal({ sealed: row.secret, subscription: row.id, master })
}
