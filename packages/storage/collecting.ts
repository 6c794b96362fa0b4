import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Log } from '@sealdeal/server'
import type { Collection } from './collection.ts'

export type Collecting = {
  /** Somebody does not keep a file any more. */
  ring(): void
  close(): Promise<void>
}

/** Any number, as long as all replicas use the same, and nothing else in this database does. */
const lock = 7_325_402

/** What could not be removed at once is tried again so soon, in milliseconds. */
const againMs = 2_000

/**
 * Collects every `everyMs`, and what was deleted at once, in one replica at a time: the lock is held by a connection, and
 * given back by the database when its process dies.
 */
export function startCollecting({
  database,
  collection,
  everyMs,
  log,
}: {
  database: Database
  collection: Collection
  everyMs: number
  log: Log
}): Collecting {
  const closed = new AbortController()
  let rung = false
  let wake = () => {}
  let sweepAt = Date.now() + everyMs

  /** Says whether something is left to be done soon. */
  async function pass(): Promise<boolean> {
    const client = await database.pool.connect()
    let broken = false
    try {
      const { rows } = await client.query('select pg_try_advisory_lock($1) as mine', [lock])
      // Another replica is at it; what it does not see yet is left.
      if (!rows[0]?.mine) return true
      try {
        if (Date.now() < sweepAt) return !(await collection.removed())
        await collection.sweep()
        sweepAt = Date.now() + everyMs
        return false
      } finally {
        await client.query('select pg_advisory_unlock($1)', [lock]).catch(() => {
          broken = true
        })
      }
    } finally {
      client.release(broken)
    }
  }

  async function run(): Promise<void> {
    let soon = true
    while (!closed.signal.aborted) {
      if (!rung) await rest(soon ? Math.min(againMs, everyMs) : Math.max(0, sweepAt - Date.now()))
      if (closed.signal.aborted) return
      rung = false
      soon = await pass().catch((error: unknown) => {
        log.warn({ error }, 'what nobody keeps could not be collected, tried again')
        return true
      })
    }
  }
  async function rest(milliseconds: number): Promise<void> {
    const cut = new AbortController()
    wake = () => cut.abort()
    const signal = AbortSignal.any([cut.signal, closed.signal])
    await sleep(Math.min(milliseconds, 2_147_483_647), undefined, { signal }).catch(() => {})
  }
  const running = run()
  return {
    ring() {
      rung = true
      wake()
    },
    async close() {
      closed.abort()
      await running
    },
  }
}
