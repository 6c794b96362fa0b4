import type { Address } from '@sealdeal/protocol'
import { type Database, type Follower, follow, type Log } from '@sealdeal/server'
import { type ReadParameters, readEvents, topics } from './events.ts'
import { cursorName, isAnybodyThere, put, type Terms, takeBack } from './outbox.ts'

export type WatchParameters = ReadParameters & {
  hub: Address
  database: Database
  log: Log
  from: bigint
  /** Milliseconds between looks at the head of the chain. */
  interval: number
  terms: Terms
  /** After each block. */
  moved: () => void
}

/** Fills the outbox from the chain. */
export function watch({ hub, database, log, from, interval, terms, moved, ...reading }: WatchParameters) {
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
      if (!(await isAnybodyThere(transaction))) return
      await put(transaction, { block, events: await readEvents(reading, logs), terms })
    },
    undo: ({ transaction, block }) => takeBack(transaction, { blockHash: block.hash, terms }),
  }) satisfies Promise<Follower>
}
