import { randomUUID } from 'node:crypto'
import type { Database, Log, Query } from '@sealdeal/server'
import { QuotaExceededError, UploadLostError } from './errors.ts'

/** Tables of the storage, for whoever opens its database. */
export const migrations = [new URL('./migrations/', import.meta.url)]

/** Bytes that one account may keep: of all its pins, or of those of the last 24 hours (`day`). */
export type Quota = { bytes: number; per: 'account' | 'day' }

/** What an account keeps, counted in the bytes of its files. */
export type Pinned = { cid: string; bytes: number }

/** One upload under way: the room that is kept for it counts as used, until it is pinned or given up. */
export type Booking = {
  /** Makes sure that there is room for so many bytes in all. @throws {QuotaExceededError} */
  grow(bytes: number): Promise<void>
  /** Pins what was uploaded and ends the booking, in one transaction. @throws {QuotaExceededError | UploadLostError} */
  pin(pinned: readonly Pinned[]): Promise<void>
  /** Ends the booking; after `pin` it does nothing. */
  release(): Promise<void>
}

export type Pin = Pinned & { pinnedAt: Date; number: bigint }

export type Ledger = {
  /** Opens a booking for at least so many bytes. @throws {QuotaExceededError} */
  book(upload: { account: string; bytes: number }): Promise<Booking>
  /** Pins of an account, the oldest first, from behind the one of that number. */
  list(wanted: { account: string; after: bigint; limit: number }): Promise<Pin[]>
  /** Removes an account's pin. False where it has none. */
  unpin(pin: { account: string; cid: string }): Promise<boolean>
  close(): Promise<void>
}

/** Room is kept in steps, so that the database is not asked for every chunk. In bytes. */
const step = 16 * 1_048_576

/** How often a process says that its uploads live, in milliseconds. */
const beatEveryMs = 20_000

/** An upload whose process was silent for so long is dead, in seconds: it keeps no room and can pin nothing any more. */
export const silentSeconds = 120

/** Who keeps which files, and how much room each account has. The database alone knows: any number of processes may ask. */
export function openLedger({
  database,
  quota,
  log,
}: {
  database: Database
  quota?: Quota | undefined
  log: Log
}): Ledger {
  const open = new Set<string>()
  const timer = setInterval(() => {
    if (open.size === 0) return
    database
      .query('update upload set alive_at = now() where id = any($1)', [[...open]])
      .catch((error: unknown) => log.warn({ error }, 'uploads under way could not be shown to live'))
  }, beatEveryMs)
  timer.unref()

  /** Inside of a transaction: nobody else changes what this account uses until it ends. Answers what is left. */
  async function roomOf(on: Query, { account, id }: { account: string; id: string }) {
    await on.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [account])
    if (quota === undefined) return { used: 0, free: Number.MAX_SAFE_INTEGER }
    const [row] = await on.query<{ used: bigint }>(
      `select (select coalesce(sum(bytes), 0) from pin where account = $1 ${
        quota.per === 'day' ? `and pinned_at > now() - interval '1 day'` : ''
      }) + (select coalesce(sum(bytes), 0) from upload
            where account = $1 and id <> $2 and alive_at > now() - make_interval(secs => $3)) as used`,
      [account, id, silentSeconds],
      { prepared: true },
    )
    const used = Number(row?.used ?? 0n)
    return { used, free: quota.bytes - used }
  }

  function refuse({ used, bytes }: { used: number; bytes: number }): never {
    throw new QuotaExceededError({ limit: quota?.bytes ?? 0, used, wanted: bytes, per: quota?.per ?? 'account' })
  }

  async function book({ account, bytes }: { account: string; bytes: number }): Promise<Booking> {
    const id = randomUUID()
    let booked = bytes
    await database.transaction(async (transaction) => {
      const { used, free } = await roomOf(transaction, { account, id })
      if (bytes > free) refuse({ used, bytes })
      await transaction.query('insert into upload (id, account, bytes, started_at) values ($1, $2, $3, $4)', [
        ...[id, account, bytes, new Date()],
      ])
    })
    open.add(id)

    async function grow(wanted: number): Promise<void> {
      if (wanted <= booked) return
      booked = await database.transaction(async (transaction) => {
        const { used, free } = await roomOf(transaction, { account, id })
        if (wanted > free) refuse({ used, bytes: wanted })
        const next = Math.min(wanted + step, free)
        const rows = await transaction.query('update upload set bytes = $2 where id = $1 returning 1', [id, next])
        if (rows.length === 0) throw new UploadLostError()
        return next
      })
    }
    async function pin(pinned: readonly Pinned[]): Promise<void> {
      await database.transaction(async (transaction) => {
        const { used, free } = await roomOf(transaction, { account, id })
        const rows = await transaction.query('delete from upload where id = $1 returning 1', [id])
        if (rows.length === 0) throw new UploadLostError()
        const bytes = await writePins(transaction, { account, pinned })
        if (bytes > free) refuse({ used, bytes })
      })
      open.delete(id)
    }
    async function release(): Promise<void> {
      if (open.delete(id)) await database.query('delete from upload where id = $1', [id])
    }
    return { grow, pin, release }
  }

  async function list({ account, after, limit }: { account: string; after: bigint; limit: number }): Promise<Pin[]> {
    const rows = await database.query<{ cid: string; bytes: bigint; pinned_at: Date; number: bigint }>(
      `select cid, bytes, pinned_at, number from pin join root on root.id = pin.root
       where account = $1 and number > $2 order by number limit $3`,
      [account, after, limit],
    )
    return rows.map(({ cid, bytes, pinned_at, number }) => ({ cid, bytes: Number(bytes), pinnedAt: pinned_at, number }))
  }

  async function unpin({ account, cid }: { account: string; cid: string }): Promise<boolean> {
    const rows = await database.query(
      'delete from pin using root where root.id = pin.root and account = $1 and cid = $2 returning 1',
      [account, cid],
    )
    return rows.length > 0
  }

  async function close(): Promise<void> {
    clearInterval(timer)
  }
  return { book, list, unpin, close }
}

/** Answers the bytes that are new to the account. Sorted: who locks several rows locks them in one order. */
async function writePins(on: Query, { account, pinned }: { account: string; pinned: readonly Pinned[] }) {
  let bytes = 0
  for (const each of pinned.toSorted((one, other) => (one.cid < other.cid ? -1 : 1))) {
    // The update changes nothing: it holds the row, which a collection may be about to delete.
    const rows = await on.query(
      `with held as (insert into root (cid) values ($2) on conflict (cid) do update set cid = excluded.cid returning id)
       insert into pin (account, root, bytes) select $1, id, $3 from held on conflict do nothing returning 1`,
      [account, each.cid, each.bytes],
      { prepared: true },
    )
    if (rows.length > 0) bytes += each.bytes
  }
  return bytes
}
