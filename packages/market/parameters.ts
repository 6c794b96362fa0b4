import type { Address, Contracts, Order } from '@sealdeal/protocol'
import type { ChainAccess, Database } from '@sealdeal/server'
import { BadRequestError } from './errors.ts'
import type { Feed } from './feed.ts'
import type { Publish } from './publish.ts'

/** What every route of the market works with. */
export type RoutesParameters = {
  database: Database
  chain: ChainAccess
  marketplace: Contracts.Marketplace
  domain: Order.Domain
  publish: Publish
  caughtUp: () => Promise<void>
  feed: Feed
  /** Well-known apps by name, see `compass.ts`. */
  iapps: ReadonlyMap<string, Address>
  version: string
}

/** @throws {BadRequestError} */
export function checkChain({ domain }: RoutesParameters, chainId: bigint | undefined): void {
  if (chainId === undefined || chainId === domain.chainId) return
  throw new BadRequestError({ reason: `chainId ${chainId} is not supported` })
}
