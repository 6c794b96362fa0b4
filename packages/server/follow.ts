import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Hex } from '@sealdeal/protocol'
import { BaseError } from '@sealdeal/protocol'
import { type BlockHeader, type ChainLog, chainReader, type LogFilter } from './blocks.ts'
import type { ChainAccess } from './chain.ts'
import type { Database, Transaction } from './database.ts'
import type { Log } from './log.ts'

/** The database was filled from another chain (another genesis block) than the one that is connected now. */
export class ForeignChainError extends BaseError {
  override name = 'ForeignChainError'
  constructor({ name, known, found }: { name: string; known: string; found: string }) {
    super(`The rows of "${name}" come from a chain that began with block ${known}, this one began with ${found}.`, {
      metaMessages: ['Connect to the earlier chain, or empty this database: it is rebuilt from the chain.'],
      docsPath: '/operate#chain',
    })
  }
}

export type FollowedBlock = { number: bigint; hash: Hex /** Unix seconds. */; timestamp: bigint }

export type FollowParameters = {
  chain: ChainAccess
  database: Database
  /** Whose cursor this is: one name per set of rows. */
  name: string
  address: Address | readonly Address[]
  topics?: readonly (Hex | readonly Hex[] | null)[]
  /** Further logs: of contracts whose addresses nobody knows beforehand, by their topics. */
  also?: LogFilter
  /** First block that can hold anything of interest. */
  from?: bigint
  /** Writes the rows of one block that has logs. Runs in the transaction that moves the cursor: never twice, never lost. */
  apply?: (batch: { transaction: Transaction } & LoggedBlock) => Promise<void>
  /** In place of `apply`: writes the rows of many such blocks at once, the oldest first. For those whose history is long. */
  applyBlocks?: (batch: { transaction: Transaction; blocks: readonly LoggedBlock[] }) => Promise<void>
  /** Takes back what `apply` wrote for a block that is no longer part of the chain. Called from the newest down. */
  undo: (batch: { transaction: Transaction; block: { number: bigint; hash: Hex } }) => Promise<void>
  /** After a commit that moved the cursor, with the new position. */
  moved?: (cursor: { number: bigint; hash: Hex }) => void
  log: Log
  /** Milliseconds between looks at the head of the chain. */
  interval?: number
}

export type LoggedBlock = { block: FollowedBlock; logs: readonly ChainLog[] }

export type Follower = {
  /** Where the rows stand. `error` is what keeps them from moving on. */
  status: () => { head: bigint; cursor: bigint; error?: string }
  /** Resolves when the rows include the block of that number (by default: the head as it is now). */
  reach: (number?: bigint) => Promise<void>
  /** Throws when the rows are more than `blocks` behind or cannot move: for `/ready`. */
  check: (blocks?: bigint) => void
  close: () => Promise<void>
}

type Cursor = { number: bigint; hash: Hex }

/** So many logs in one answer are enough: a node may refuse more, and all of them are held in memory. */
const manyLogs = 20_000

/** A chain that has not answered for so many milliseconds is taken to be away. */
const SILENT_MS = 5_000

/** The cursor was moved by another replica: what was read is of no use. */
const overtaken = Symbol('overtaken')

/**
 * The one chain watcher. Turns logs into rows from a cursor that is stored in the same transaction: gap-free and without
 * repetition after any crash, in any number of replicas. Every block's hash is kept, so that a reorganisation of any depth
 * is noticed, and the rows of blocks that are no more are undone before the new ones are applied.
 *
 * @throws {ForeignChainError}
 */
export async function follow(parameters: FollowParameters): Promise<Follower> {
  const { database, name, log, interval = 100 } = parameters
  const reader = chainReader(parameters.chain)
  const { address, topics, also } = parameters
  const filters: LogFilter[] = [{ address, ...(topics ? { topics } : {}) }, ...(also ? [also] : [])]
  const stop = new AbortController()
  const waiting = new Set<() => void>()
  let cursor = await openCursor({ database, reader, name, from: parameters.from ?? 0n })
  let head = cursor.number
  let failure: string | undefined
  let settled = false
  let lookedAt = Date.now()
  let range = 2_000n

  async function commit(blocks: { header: BlockHeader; logs: ChainLog[] }[], to: Cursor): Promise<void> {
    await database.transaction(async (transaction) => {
      await moveCursor({ transaction, name, from: cursor, to })
      const logged = blocks.filter(({ logs }) => logs.length > 0).map(({ header, logs }) => ({ block: header, logs }))
      if (parameters.applyBlocks) {
        if (logged.length > 0) await parameters.applyBlocks({ transaction, blocks: logged })
      } else {
        for (const each of logged) await parameters.apply?.({ transaction, ...each })
      }
      const kept = [...blocks.map(({ header, logs }) => ({ ...header, touched: logs.length > 0 }))]
      if (kept.at(-1)?.number !== to.number) kept.push({ ...to, touched: false, timestamp: 0n, parentHash: to.hash })
      await keepBlocks({ transaction, name, blocks: kept })
    })
    moveTo(to)
  }
  function moveTo(to: Cursor): void {
    cursor = to
    for (const wake of waiting) wake()
    parameters.moved?.(to)
  }

  async function rollBack(): Promise<void> {
    const genesis = await reader.header(0n)
    const ancestor = await lastCommonBlock({ database, reader, name })
    const to = ancestor ?? (await startOf({ reader, from: parameters.from ?? 0n }))
    await checkGenesis({ database, name, found: genesis?.hash ?? 'nothing' })
    const undone = await database.transaction(async (transaction) => {
      await moveCursor({ transaction, name, from: cursor, to })
      const rows = await transaction.query<{ number: bigint; hash: Hex; touched: boolean }>(
        'delete from follow_block where name = $1 and number > $2 returning number, hash, touched',
        [name, to.number],
      )
      const touched = rows.filter((row) => row.touched).sort((one, other) => Number(other.number - one.number))
      for (const block of touched) await parameters.undo({ transaction, block })
      return touched.length
    })
    log.warn({ follow: name, from: String(cursor.number), to: String(to.number), undone }, 'the chain reorganised')
    moveTo(to)
  }

  /** One block, exactly: its logs are asked for by its hash. */
  async function applyBlock(header: BlockHeader): Promise<void> {
    const logs = await reader.logsOf(header.hash, filters)
    await commit([{ header, logs }], header)
  }

  /** Many blocks. The ends are looked at before and after: in between nothing was reorganised. */
  async function applyRange(to: bigint): Promise<boolean> {
    const last = await reader.header(to)
    const logs = await reader.logsBetween(cursor.number + 1n, to, filters)
    const [first, again] = await Promise.all([reader.header(cursor.number), reader.header(to)])
    if (!last || first?.hash !== cursor.hash || again?.hash !== last.hash) return false
    if (logs.some(({ blockNumber }) => blockNumber <= cursor.number)) throw new Error('the node sent logs out of range')
    await commit(await reader.groupByBlock(logs), last)
    if (logs.length > manyLogs) range = range > 1n ? range / 2n : 1n
    else if (logs.length < manyLogs / 4 && range < 10_000n) range *= 2n
    return true
  }

  /** Moves on as far as one answer allows; false when there is nothing new. */
  async function step(): Promise<boolean> {
    const latest = await reader.latest()
    head = latest.number
    if (latest.hash === cursor.hash) return false
    if (latest.number === cursor.number + 1n && latest.parentHash === cursor.hash) {
      await applyBlock(latest)
      return true
    }
    const known = await reader.header(cursor.number)
    if (known?.hash !== cursor.hash) {
      await rollBack()
      return true
    }
    if (latest.number <= cursor.number) return false
    if (latest.number - cursor.number > 8n) {
      const behind = latest.number - cursor.number
      return applyRange(behind > range ? cursor.number + range : latest.number)
    }
    const next = await reader.header(cursor.number + 1n)
    if (next?.parentHash === cursor.hash) await applyBlock(next)
    return true
  }

  async function run(): Promise<void> {
    let failures = 0
    while (!stop.signal.aborted) {
      try {
        const busy = await step()
        settled ||= !busy
        lookedAt = Date.now()
        failures = 0
        failure = undefined
        if (busy) continue
      } catch (error) {
        if (error === overtaken) {
          lookedAt = Date.now()
          cursor = await readCursor({ database, name }).catch(() => cursor)
          for (const wake of waiting) wake()
        } else {
          if (stop.signal.aborted) return
          range = range > 1n ? range / 2n : 1n
          failure = error instanceof Error ? error.message : String(error)
          if (failures++ % 20 === 0) log.error({ error, follow: name, cursor: String(cursor.number) }, 'cannot follow')
        }
      }
      await sleep(Math.min(interval * 2 ** Math.min(failures, 6), 5_000), undefined, { signal: stop.signal }).catch(
        () => {},
      )
    }
  }
  const loop = run()

  async function reach(number?: bigint): Promise<void> {
    const wanted = number ?? (await reader.latest()).number
    while (cursor.number < wanted && !stop.signal.aborted) {
      await new Promise<void>((wake) => {
        const once = () => {
          waiting.delete(once)
          wake()
        }
        waiting.add(once)
      })
    }
  }
  return {
    status: () => ({ head, cursor: cursor.number, ...(failure === undefined ? {} : { error: failure }) }),
    reach,
    check(blocks = 5n) {
      if (failure !== undefined) throw new Error(failure)
      if (!settled) throw new Error('still reading the history of the chain')
      const silence = Date.now() - lookedAt
      if (silence > SILENT_MS) throw new Error(`nothing from the chain for ${Math.floor(silence / 1_000)} s`)
      if (head - cursor.number > blocks) throw new Error(`${head - cursor.number} blocks behind`)
    },
    async close() {
      stop.abort()
      for (const wake of waiting) wake()
      await loop
    },
  }
}

type Reader = ReturnType<typeof chainReader>

async function openCursor({
  database,
  reader,
  name,
  from,
}: {
  database: Database
  reader: Reader
  name: string
  from: bigint
}) {
  const [genesis, start] = await Promise.all([reader.header(0n), startOf({ reader, from })])
  const found = genesis?.hash ?? 'nothing'
  await database.query(
    'insert into follow_cursor (name, genesis, number, hash) values ($1, $2, $3, $4) on conflict do nothing',
    [name, found, start.number, start.hash],
  )
  await checkGenesis({ database, name, found })
  return readCursor({ database, name })
}

async function startOf({ reader, from }: { reader: Reader; from: bigint }): Promise<Cursor> {
  const header = await reader.header(from > 0n ? from - 1n : 0n)
  if (!header) throw new Error(`the chain has no block ${from - 1n} yet`)
  return header
}

async function checkGenesis({ database, name, found }: { database: Database; name: string; found: string }) {
  const [row] = await database.query<{ genesis: string }>('select genesis from follow_cursor where name = $1', [name])
  if (row && row.genesis !== found) throw new ForeignChainError({ name, known: row.genesis, found })
}

async function readCursor({ database, name }: { database: Database; name: string }): Promise<Cursor> {
  const [row] = await database.query<Cursor>('select number, hash from follow_cursor where name = $1', [name])
  if (!row) throw new Error(`the cursor "${name}" is gone`)
  return row
}

async function moveCursor({
  transaction,
  name,
  from,
  to,
}: {
  transaction: Transaction
  name: string
  from: Cursor
  to: Cursor
}) {
  const moved = await transaction.query(
    'update follow_cursor set number = $2, hash = $3 where name = $1 and hash = $4 and number = $5 returning 1',
    [name, to.number, to.hash, from.hash, from.number],
  )
  if (moved.length === 0) throw overtaken
}

/** Blocks that left nothing are needed only to find where a reorganisation began: the last thousand do. */
async function keepBlocks({
  transaction,
  name,
  blocks,
}: {
  transaction: Transaction
  name: string
  blocks: readonly { number: bigint; hash: Hex; touched: boolean }[]
}): Promise<void> {
  await transaction.query(
    `insert into follow_block (name, number, hash, touched)
     select $1, * from unnest($2::bigint[], $3::text[], $4::boolean[])
     on conflict (name, number) do update set hash = excluded.hash, touched = excluded.touched`,
    [name, blocks.map(({ number }) => number), blocks.map(({ hash }) => hash), blocks.map(({ touched }) => touched)],
  )
  const last = blocks.at(-1)?.number ?? 0n
  if (last % 100n === 0n) {
    await transaction.query('delete from follow_block where name = $1 and not touched and number < $2', [
      name,
      last - 1_000n,
    ])
  }
}

/** The newest kept block that is still part of the chain; below it every kept block is. */
async function lastCommonBlock({ database, reader, name }: { database: Database; reader: Reader; name: string }) {
  let below: bigint | undefined
  for (;;) {
    const rows: Cursor[] = await database.query<Cursor>(
      `select number, hash from follow_block where name = $1 and ($2::bigint is null or number < $2)
       order by number desc limit 100`,
      [name, below ?? null],
    )
    const oldest = rows.at(-1)
    if (!oldest) return undefined
    if ((await reader.header(oldest.number))?.hash === oldest.hash) return newestCanonical({ rows, reader })
    below = oldest.number
  }
}

async function newestCanonical({ rows, reader }: { rows: Cursor[]; reader: Reader }): Promise<Cursor | undefined> {
  let [canonical, unknown] = [rows.length - 1, 0]
  while (unknown < canonical) {
    const middle = Math.floor((unknown + canonical) / 2)
    const row = rows[middle]
    if (row && (await reader.header(row.number))?.hash === row.hash) canonical = middle
    else unknown = middle + 1
  }
  return rows[canonical]
}
