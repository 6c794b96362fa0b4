import { rm } from 'node:fs/promises'
import { BaseError } from '@sealdeal/protocol'
import { type Postgres, PostgresFailedError, startPostgres } from '@sealdeal/server'
import pg from 'pg'

/** The server that DATABASE_URL names cannot be used. */
export class DatabaseUnusableError extends BaseError {
  override name = 'DatabaseUnusableError'
  constructor({ reason, cause }: { reason: string; cause?: unknown }) {
    super(`The server of DATABASE_URL cannot be used: ${reason}.`, {
      cause,
      metaMessages: [
        'It must be a running PostgreSQL, with an account that may create databases:',
        'postgres://user:password@host:5432/postgres. Without DATABASE_URL the stack starts a database of its own.',
      ],
      docsPath: '/operate#database',
    })
  }
}

/** The databases of a stack belong to a chain that is gone, and they are not ours to empty. */
export class StaleDatabaseError extends BaseError {
  override name = 'StaleDatabaseError'
  constructor({ database, known, found }: { database: string; known: string; found: string }) {
    super(
      `The database "${database}" was filled from a chain that began with block ${known}; this one began with ${found}.`,
      {
        metaMessages: [
          'Start again with --wipe to empty the databases of the stack, or name another server in DATABASE_URL.',
        ],
        docsPath: '/operate#database',
      },
    )
  }
}

export type Databases = {
  /** Connection URL of a service's database; it carries a password. */
  url: (service: string) => string
  close: () => Promise<void>
}

/** Services that keep rows. */
const services = ['market', 'indexer', 'sms', 'scheduler', 'matcher', 'callbacks'] as const

const databaseName = (service: string) => `sealdeal_${service}`

/**
 * Opens one database for each service: on the server of `serverUrl` when given, else on an embedded one that keeps its
 * files in `directory`. Rows of another chain are noticed: an embedded server is emptied, with a word to `notice`; a
 * foreign one only when `wipe` says so.
 *
 * @param parameters.genesis - Hash of the chain's first block; awaited when it is needed, as chain and server start side by side.
 * @param parameters.durable - `false` does not wait for the disk.
 * @throws StaleDatabaseError, DatabaseUnusableError, and what `startPostgres` throws
 */
export async function openDatabases(parameters: {
  directory: string
  serverUrl?: string | undefined
  genesis: Promise<string>
  wipe?: boolean
  durable?: boolean
  notice: (text: string) => void
}): Promise<Databases> {
  const { serverUrl } = parameters
  // It may fail while nobody waits for it yet.
  parameters.genesis.catch(() => {})
  if (serverUrl === undefined) return embedded(parameters)
  const url = readServerUrl(serverUrl)
  try {
    return await foreign({ ...parameters, serverUrl: url })
  } catch (cause) {
    if (cause instanceof BaseError) throw cause
    const { message, code } = cause as { message: string; code?: string }
    throw new DatabaseUnusableError({ reason: `${new URL(url).host}: ${message || (code ?? 'no answer')}`, cause })
  }
}

type Opening = Parameters<typeof openDatabases>[0]

async function embedded({ directory, genesis, wipe = false, durable = true, notice }: Opening): Promise<Databases> {
  const postgres = await openEmbedded({ directory, wipe, durable })
  const url = (service: string) => postgres.url(databaseName(service))
  try {
    const known = await existing(postgres.url())
    const stale = await findStale({ url, known, genesis: await genesis })
    if (stale) {
      notice(`the database of an earlier run belongs to another chain (it began with ${stale.known}): it is emptied`)
    }
    await Promise.all(
      services.map((service) => provide(postgres.url(), databaseName(service), { known, empty: wipe || !!stale })),
    )
  } catch (error) {
    await postgres.stop()
    throw error
  }
  return { url, close: postgres.stop }
}

/** A server whose files are of no use any more (another version wrote them) is begun anew, when it is to be emptied anyway. */
async function openEmbedded({
  directory,
  wipe,
  durable,
}: {
  directory: string
  wipe: boolean
  durable: boolean
}): Promise<Postgres> {
  try {
    return await startPostgres({ directory, durable })
  } catch (error) {
    if (!wipe || !(error instanceof PostgresFailedError)) throw error
    await rm(directory, { recursive: true, force: true })
    return startPostgres({ directory, durable })
  }
}

function readServerUrl(text: string): string {
  if (URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol)) return text
  throw new DatabaseUnusableError({ reason: 'this is not a postgres:// URL' })
}

async function foreign({
  serverUrl,
  genesis,
  wipe = false,
  notice,
}: Opening & { serverUrl: string }): Promise<Databases> {
  const url = (service: string) => {
    const target = new URL(serverUrl)
    target.pathname = `/${databaseName(service)}`
    return target.href
  }
  const known = await existing(serverUrl)
  const found = await genesis
  const stale = await findStale({ url, known, genesis: found })
  if (stale && !wipe) throw new StaleDatabaseError({ database: stale.database, known: stale.known, found })
  if (wipe) notice('the databases of the stack are emptied, as asked')
  await Promise.all(services.map((service) => provide(serverUrl, databaseName(service), { known, empty: wipe })))
  return { url, close: async () => {} }
}

async function query<Row extends pg.QueryResultRow>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Names of the databases that the server holds. */
async function existing(serverUrl: string): Promise<Set<string>> {
  return new Set(
    (await query<{ name: string }>(serverUrl, 'select datname as name from pg_database')).map(({ name }) => name),
  )
}

async function provide(
  serverUrl: string,
  name: string,
  { known, empty }: { known: ReadonlySet<string>; empty: boolean },
): Promise<void> {
  if (known.has(name) && !empty) return
  if (known.has(name)) await query(serverUrl, `drop database ${name} with (force)`)
  // From the template that nobody connects to: several may be copied at once.
  await query(serverUrl, `create database ${name} template template0`)
}

/** The first database whose rows come from another chain. */
async function findStale({
  url,
  known,
  genesis,
}: {
  url: (service: string) => string
  known: ReadonlySet<string>
  genesis: string
}) {
  for (const service of services) {
    if (!known.has(databaseName(service))) continue
    const [table] = await query<{ found: string | null }>(
      url(service),
      "select to_regclass('follow_cursor')::text as found",
    )
    if (!table?.found) continue
    const rows = await query<{ genesis: string }>(url(service), 'select genesis from follow_cursor')
    const other = rows.find((row) => row.genesis !== genesis)
    if (other) return { database: databaseName(service), known: other.genesis }
  }
  return undefined
}
