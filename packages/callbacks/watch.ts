import type { Address } from '@sealdeal/protocol'
import { type Database, type Follower, follow, type Log } from '@sealdeal/server'
import { type ReadParameters, readEvents, topics } from './events.ts'
import { cursorName, isAnybodyThere, put, type Terms, takeBack } from './outbox.ts'
import { noteRelays, takeBackRelays } from './relays.ts'

export type WatchParameters = ReadParameters & {
  hub: Address
  database: Database
  log: Log
  from: bigint
  /** Milliseconds between looks at the head of the chain. */
  interval: number
  terms: Terms
  /** Results for contracts are delivered on chain again, whether anybody subscribed or not. */
  relays: boolean
  /** After each block. */
  moved: () => void
}

/** Fills the outbox from the chain. */
export function watch({ hub, database, log, from, interval, terms, relays, moved, ...reading }: WatchParameters) {
  return follow({
    chain: reading.chain,
    database,
    name: cursorName,
    address: hub,
    topics: [topics],
    from,
    log,
    interval,
    moved,
    async apply({ transaction, block, logs }) {
      const isWanted = await isAnybodyThere(transaction)
      if (!isWanted && !relays) return
      const events = await readEvents(reading, logs)
      if (isWanted) await put(transaction, { block, events, terms })
      if (relays) await noteRelays(transaction, { block, events, terms })
    },
    async undo({ transaction, block }) {
      await takeBack(transaction, { blockHash: block.hash, terms })
      await takeBackRelays(transaction, block.hash)
    },
  }) satisfies Promise<Follower>
}
