import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Contracts, Order } from '@sealdeal/protocol'
import { type Chain, type Database, type HttpOptions, type Log, serve, share } from '@sealdeal/server'
import { ChainBehindError, errors } from './errors.ts'
import { openFeed } from './feed.ts'
import { createPublish } from './publish.ts'
import { routes } from './routes.ts'
import { watch } from './watch.ts'

/** Tables of the market, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

export type MarketParameters = {
  chain: Chain
  hub: Address
  database: Database
  log: Log
  host: string
  port: number
  startBlock?: bigint
  /** Milliseconds between looks at the head of the chain. */
  interval?: number
  maxOpenOrders?: number
  /** Well-known apps by name, for the compass. */
  iapps?: ReadonlyMap<string, Address>
  http?: HttpOptions
}

export type Market = {
  url: string
  /** Resolves when the book includes all that the chain has said so far. */
  caughtUp: () => Promise<void>
  close: () => Promise<void>
}

/** Watches the chain and serves the book. */
export async function startMarket(parameters: MarketParameters): Promise<Market> {
  const { chain, hub, database, log, host, port, startBlock = 0n, interval = 40, http } = parameters
  const { maxOpenOrders = 50, iapps = new Map() } = parameters
  const marketplace = await Contracts.connectMarketplace(hub, chain.provider)
  const domain = Order.domain({ chainId: chain.chainId, hub })
  const follower = await watch({ provider: chain.provider, marketplace, database, log, from: startBlock, interval })
  const feed = await openFeed({ database, chainId: chain.chainId, log })
  const caughtUp = share(() => inTime(follower.reach()))
  const publish = createPublish({ database, marketplace, domain, maxOpenOrders, caughtUp })
  const server = await serve({
    name: 'market',
    host,
    port,
    log,
    errors,
    ready: { database: () => database.query('select 1'), chain: () => follower.check() },
    routes: routes({
      database,
      chain: chain.provider,
      marketplace,
      domain,
      publish,
      caughtUp,
      feed,
      iapps,
      version: '0.1.0',
    }),
    ...http,
  })
  return {
    url: server.url,
    caughtUp,
    async close() {
      await feed.close()
      await server.close()
      await follower.close()
    },
  }
}

/** @throws {ChainBehindError} when the rows do not follow the chain any more. */
async function inTime(reached: Promise<void>): Promise<void> {
  const late = new AbortController()
  const timer = sleep(10_000, undefined, { signal: late.signal }).then(
    () => {
      throw new ChainBehindError()
    },
    () => {},
  )
  await Promise.race([reached, timer]).finally(() => late.abort())
}
