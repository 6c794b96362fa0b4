import { type Address, Contracts, Order } from '@sealdeal/protocol'
import { type Chain, type Database, type HttpOptions, type Log, serve } from '@sealdeal/server'
import { readBulkLists } from './bulkLists.ts'
import { routes } from './routes.ts'
import { watch } from './watch.ts'

/** Tables of the indexer, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

export type IndexerParameters = {
  chain: Chain
  hub: Address
  /** Where datasets are made together with their schemas. */
  dataProtector?: Address
  /** Where the lists of datasets of bulk requests are read; without it they stay unknown. */
  ipfsGateway?: string
  database: Database
  log: Log
  host: string
  port: number
  startBlock?: bigint
  http?: HttpOptions
  /** What one query may take, in milliseconds. */
  patience?: number
}

export type Indexer = {
  url: string
  /** Resolves when the rows include all that the chain has said so far. */
  caughtUp: () => Promise<void>
  close: () => Promise<void>
}

/** Follows the chain into rows and answers GraphQL over them. */
export async function startIndexer(parameters: IndexerParameters): Promise<Indexer> {
  const { chain, hub, dataProtector, database, log, host, port, startBlock = 0n, http } = parameters
  const { patience = 700 } = parameters
  const marketplace = await Contracts.connectMarketplace(hub, chain.provider)
  const follower = await watch({ chain, marketplace, dataProtector, database, log, from: startBlock })
  const lists =
    parameters.ipfsGateway === undefined
      ? undefined
      : readBulkLists({
          database,
          gateway: parameters.ipfsGateway,
          domain: Order.domain({ chainId: chain.chainId, hub }),
          log,
        })
  const server = await serve({
    name: 'indexer',
    host,
    port,
    log,
    ready: { database: () => database.query('select 1'), chain: () => follower.check() },
    routes: routes({ database, follower, version: '0.1.0', log, patience }),
    ...http,
  })
  return {
    url: server.url,
    caughtUp: () => follower.reach(),
    async close() {
      await server.close()
      await lists?.close()
      await follower.close()
    },
  }
}
