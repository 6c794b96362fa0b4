import { rm } from 'node:fs/promises'
import { BaseError } from '@sealdeal/protocol'
import { startPostgres } from '@sealdeal/server'
import pg from 'pg'

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
const services = ['market', 'sms', 'scheduler', 'matcher'] as const

const databaseName = (service: string) => `sealdeal_${service}`

/**
 * Opens one database for each service: on the server of `serverUrl` when given, else on an embedded one that keeps its
 * files in `directory`. Rows of another chain are noticed: an embedded server is emptied, with a word to `notice`; a
 * foreign one only when `wipe` says so.
 *
 * @throws StaleDatabaseError
 */
export async function openDatabases(parameters: {
  directory: string
  serverUrl?: string | undefined
  /** Hash of the chain's first block. */
  genesis: string
  wipe?: boolean
  notice: (text: string) => void
}): Promise<Databases> {
  const { directory, genesis, serverUrl, wipe = false, notice } = parameters
  if (serverUrl) return foreign({ serverUrl, genesis, wipe, notice })
  if (wipe) await rm(directory, { recursive: true, force: true })
  const postgres = await startPostgres({ directory })
  try {
    for (const service of services) await postgres.database(databaseName(service))
    const stale = await findStale({ url: (service) => postgres.url(databaseName(service)), genesis })
    if (stale) {
      notice(`the database of an earlier run belongs to another chain (it began with ${stale.known}): it is emptied`)
      for (const service of services) await recreate(postgres.url(), databaseName(service))
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
  return { url: (service) => postgres.url(databaseName(service)), close: postgres.stop }
}

async function foreign({
  serverUrl,
  genesis,
  wipe,
  notice,
}: {
  serverUrl: string
  genesis: string
  wipe: boolean
  notice: (text: string) => void
}): Promise<Databases> {
  const url = (service: string) => {
    const target = new URL(serverUrl)
    target.pathname = `/${databaseName(service)}`
    return target.href
  }
  for (const service of services) await createIfMissing(serverUrl, databaseName(service))
  const stale = await findStale({ url, genesis })
  if (stale && !wipe) throw new StaleDatabaseError({ database: stale.database, known: stale.known, found: genesis })
  if (wipe) {
    notice('the databases of the stack are emptied, as asked')
    for (const service of services) await recreate(serverUrl, databaseName(service))
  }
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

async function createIfMissing(serverUrl: string, name: string) {
  const known = await query(serverUrl, 'select 1 from pg_database where datname = $1', [name])
  if (known.length === 0) await query(serverUrl, `create database ${name}`)
}

async function recreate(serverUrl: string, name: string) {
  await query(serverUrl, `drop database if exists ${name} with (force)`)
  await query(serverUrl, `create database ${name}`)
}

/** The first database whose rows come from another chain. */
async function findStale({ url, genesis }: { url: (service: string) => string; genesis: string }) {
  for (const service of services) {
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
