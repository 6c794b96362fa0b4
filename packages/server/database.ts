import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BaseError } from '@sealdeal/protocol'
import pg from 'pg'

/** A migration cannot be applied, or an applied one was changed. */
export class MigrationError extends BaseError {
  override name = 'MigrationError'
  constructor({ file, reason, cause }: { file: string; reason: string; cause?: unknown }) {
    super(`Migration "${file}" ${reason}.`, { cause, docsPath: '/operate#database' })
  }
}

/** Rows as the driver gives them: `bigint` and whole `numeric` columns are `bigint`, `timestamptz` is `Date`. */
export type Row = Record<string, unknown>

export type Query = {
  /**
   * Runs one statement; values go in as `$1`, `$2` ... A `prepared` one is read and planned once per connection: for
   * those of few different texts that are run often.
   */
  query: <Result extends Row = Row>(
    text: string,
    values?: readonly unknown[],
    options?: { prepared?: boolean },
  ) => Promise<Result[]>
}

/** One transaction: everything in it happens, or nothing. */
export type Transaction = Query

export type Database = Query & {
  pool: pg.Pool
  /** Runs `work` in a transaction; a thrown error undoes it. Serialization failures and deadlocks are run again. */
  transaction: <Result>(work: (transaction: Transaction) => Promise<Result>) => Promise<Result>
  /** Calls `hear` for every NOTIFY on the channel, and once after each (re)connection, since some may have been missed. */
  listen: (channel: string, hear: (payload: string) => void) => Promise<{ close: () => Promise<void> }>
  close: () => Promise<void>
}

/**
 * Opens a PostgreSQL database and brings its tables up to date: the numbered `.sql` files of this package first, then
 * those of `migrations`, each once, all under one lock (replicas may start at the same moment).
 *
 * @throws {MigrationError}
 */
export async function openDatabase({
  url,
  migrations,
  connections = 10,
}: {
  url: string
  /** Folders, in order. The name of a folder's parent (`packages/market`) tells one set of numbers from another. */
  migrations: readonly URL[]
  connections?: number
}): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    types: { getTypeParser: typeParser },
    connectionTimeoutMillis: 10_000,
    application_name: 'sealdeal',
  })
  // An idle connection that breaks (the server restarted) is replaced by the pool; without a listener it would end us.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  const database: Database = {
    pool,
    query: (text, values, options) => run(pool, text, values, options),
    transaction: (work) => transaction(pool, work),
    listen: (channel, hear) => listen({ url, channel, hear }),
    close: () => pool.end(),
  }
  try {
    await migrate(database, [new URL('./migrations/', import.meta.url), ...migrations])
  } catch (error) {
    await pool.end()
    throw error
  }
  return database
}

async function run<Result extends Row>(
  on: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[] = [],
  { prepared = false }: { prepared?: boolean } = {},
) {
  const { rows } = await on.query<Result>({ text, values: [...values], ...(prepared ? { name: nameOf(text) } : {}) })
  return rows
}

const names = new Map<string, string>()

/** A prepared statement is known by a name: the same for the same text. */
function nameOf(text: string): string {
  const known = names.get(text)
  if (known) return known
  const name = createHash('sha256').update(text).digest('hex').slice(0, 40)
  names.set(text, name)
  return name
}

async function transaction<Result>(pool: pg.Pool, work: (transaction: Transaction) => Promise<Result>) {
  for (let attempt = 1; ; attempt++) {
    const client = await pool.connect()
    let broken = false
    try {
      await client.query('begin')
      const result = await work({ query: (text, values, options) => run(client, text, values, options) })
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(() => {
        broken = true
      })
      const code = (error as { code?: string }).code
      if ((code !== '40001' && code !== '40P01') || attempt === 5) throw error
    } finally {
      client.release(broken)
    }
  }
}

/** Any number, as long as all replicas use the same. */
const migrationLock = 7_325_401

async function migrate(database: Database, folders: readonly URL[]): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock($1)', [migrationLock])
    await transaction.query(`create table if not exists migration (
      set text not null, number int not null, file text not null, applied_at timestamptz not null default now(),
      primary key (set, number))`)
    for (const folder of folders) await migrateFolder(transaction, fileURLToPath(folder))
  })
}

async function migrateFolder(transaction: Transaction, folder: string): Promise<void> {
  const set =
    folder
      .replace(/[\\/]+$/, '')
      .split(/[\\/]/)
      .at(-2) ?? folder
  const rows = await transaction.query<{ number: number; file: string }>(
    'select number, file from migration where set = $1',
    [set],
  )
  const applied = new Map(rows.map(({ number, file }) => [number, file]))
  const files = (await readdir(folder)).filter((file) => /^\d+_.*\.sql$/.test(file)).sort()
  for (const file of files) {
    const number = Number.parseInt(file, 10)
    const before = applied.get(number)
    if (before === file) continue
    if (before !== undefined)
      throw new MigrationError({ file, reason: `has the number of "${before}", applied before` })
    try {
      await transaction.query(await readFile(join(folder, file), 'utf8'))
    } catch (cause) {
      throw new MigrationError({ file, reason: `failed: ${(cause as Error).message}`, cause })
    }
    await transaction.query('insert into migration (set, number, file) values ($1, $2, $3)', [set, number, file])
    applied.set(number, file)
  }
}

/** A text as PostgreSQL can hold it: without NUL, for which U+FFFD stands. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd')
}

/** JSON as PostgreSQL can hold it: the same of all its texts; numbers of any size as decimal text. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? String(each) : typeof each === 'string' ? storableText(each) : each,
  )
}

function typeParser(oid: number, format?: 'text' | 'binary') {
  if (format !== 'binary') {
    if (oid === pg.types.builtins.INT8) return (text: string) => BigInt(text)
    if (oid === pg.types.builtins.NUMERIC) return (text: string) => (/^-?\d+$/.test(text) ? BigInt(text) : text)
  }
  return pg.types.getTypeParser(oid, format as 'text')
}

async function listen({ url, channel, hear }: { url: string; channel: string; hear: (payload: string) => void }) {
  let closed = false
  let client: pg.Client | undefined
  async function connect(): Promise<void> {
    const fresh = new pg.Client({ connectionString: url, application_name: 'sealdeal-listen' })
    fresh.on('notification', ({ payload }) => hear(payload ?? ''))
    fresh.on('error', () => {})
    try {
      await fresh.connect()
      await fresh.query(`listen ${fresh.escapeIdentifier(channel)}`)
    } catch (error) {
      void fresh.end().catch(() => {})
      throw error
    }
    // Not before: one that never came about ends as well, and whoever tried it tries again already.
    fresh.on('end', () => void reconnect())
    client = fresh
    if (closed) return fresh.end()
    hear('')
  }
  async function reconnect(): Promise<void> {
    while (!closed) {
      await new Promise((resolve) => setTimeout(resolve, 500))
      if (closed) return
      try {
        return await connect()
      } catch {
        // The server is still away.
      }
    }
  }
  await connect()
  return {
    async close() {
      closed = true
      await client?.end()
    },
  }
}
