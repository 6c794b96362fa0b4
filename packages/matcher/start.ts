import { setTimeout as sleep } from 'node:timers/promises'
import type { Address } from '@sealdeal/protocol'
import { createClient } from '@sealdeal/sdk'
import {
  connectChain,
  createMoment,
  createTransactions,
  type Lifecycle,
  type Log,
  mayKill,
  openServiceDatabase,
  openWallet,
  serve,
} from '@sealdeal/server'
import type { Config } from './config.ts'
import { listenToMarket } from './feed.ts'
import { createMatcher, type Sponsor } from './match.ts'
import { createMeters, meterSpending } from './meters.ts'

/** Tables of the matcher, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

/** Where the market tells what changes, the book is read this often all the same: pauses of requests end unheard. */
const QUIET_MS = 1_000

/** Without a look at the book for so long, it is not ready. */
const BLIND_MS = 30_000

/** Connects a matcher's parts and lets it work until the process ends. */
export async function startMatcher({
  config,
  log,
  signal,
  onClose,
}: { config: Config; log: Log } & Pick<Lifecycle, 'signal' | 'onClose'>): Promise<void> {
  const chain = await connectChain({ url: config.CHAIN_URL })
  onClose(() => chain.provider.destroy())
  const { chainId } = chain
  const wallet = await openWallet({ keyFile: config.WALLET_KEY_FILE, chain })
  const database = await openServiceDatabase({ name: 'matcher', url: config.DATABASE_URL, migrations, onClose })
  const meters = createMeters()
  const metrics = meters.registry
  const highestFee = config.HIGHEST_FEE_GWEI
  const transactions = createTransactions({ wallet, database, chainId, log, highestFee, metrics })
  onClose(transactions.close)
  // Of the services it reads the market alone; keys and data are none of its business.
  const market = config.MARKET_URL
  const client = await createClient({
    signer: wallet,
    hub: config.HUB_ADDRESS,
    endpoints: { market, sms: market, storage: market },
  })
  const sponsor = sponsorOf(config)
  if (sponsor) meterSpending(meters, { database, by: client.account })
  const moment = createMoment({ log, killAt: config.KILL_AT, armed: mayKill({ chainId, nodeEnv: config.NODE_ENV }) })
  const atOnce = config.REQUESTS_AT_ONCE
  const matcher = createMatcher({ client, database, transactions, log, moment, meters, sponsor, atOnce })
  const looking = keepLooking({ look: matcher.look, market, pause: config.POLL_MS, log, signal })
  const server = await serve({
    name: 'matcher',
    host: config.HOST,
    port: config.PORT,
    log,
    metrics,
    routes: () => {},
    ready: {
      database: () => database.query('select 1'),
      chain: () => chain.provider.getBlockNumber(),
      market: looking.check,
      transactions: transactions.check,
    },
  })
  onClose(server.close)
  onClose(() => looking.ended)
  log.info({ market, sponsor: sponsor !== undefined }, 'watching the book')
}

function sponsorOf(config: Config): Sponsor | undefined {
  const { SPONSORED_REQUESTERS: sponsored, SPONSOR_DAY_NRLC: day, SPONSOR_TOTAL_NRLC: total } = config
  if (sponsored === undefined || day === undefined || total === undefined) return undefined
  const sponsors = (requester: Address) => sponsored === 'any' || sponsored.includes(requester)
  return { caps: { day, total }, sponsors }
}

/** Looks at the book when it has changed, and now and then all the same; where the market tells no news, every `pause`. */
function keepLooking({
  look,
  market,
  pause,
  log,
  signal,
}: {
  look: () => Promise<unknown>
  market: string
  /** Milliseconds between looks, at least. */
  pause: number
  log: Log
  signal: AbortSignal
}) {
  let hasChanged = true
  let lookedAt = Date.now()
  const feed = listenToMarket({
    url: market,
    signal,
    changed() {
      hasChanged = true
    },
  })

  async function run(): Promise<void> {
    let nextLook = 0
    while (!signal.aborted) {
      if (hasChanged || !feed.isLive() || Date.now() >= nextLook) {
        hasChanged = false
        nextLook = Date.now() + QUIET_MS
        try {
          await look()
          lookedAt = Date.now()
        } catch (error) {
          if (!signal.aborted) log.warn({ error }, 'the book could not be read, tried again later')
        }
      }
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }
  const running = run()
  function check(): void {
    const blind = Date.now() - lookedAt
    if (blind > BLIND_MS) throw new Error(`the book was not read for ${Math.round(blind / 1_000)} s`)
  }
  return { check, ended: Promise.all([running, feed.ended]) }
}
