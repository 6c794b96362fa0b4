import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type Database, openDatabase } from './database.ts'
import { startPostgres } from './postgres.ts'

/**
 * A fresh, empty database with the tables of `migrations`, for one test file. With `url` (a server shared by a whole
 * test run) it is created there and dropped afterwards; without, an embedded server is started and thrown away.
 */
export async function openTestDatabase({
  migrations,
  url = process.env.TEST_DATABASE_URL,
}: {
  migrations: readonly URL[]
  url?: string | undefined
}): Promise<{ database: Database; url: string; close: () => Promise<void> }> {
  const server = url ? borrowed(url) : await embedded()
  const name = `test_${randomBytes(6).toString('hex')}`
  const databaseUrl = await server.create(name)
  const database = await openDatabase({ url: databaseUrl, migrations })
  async function close(): Promise<void> {
    await database.close()
    await server.drop(name)
  }
  return { database, url: databaseUrl, close }
}

async function embedded() {
  const directory = await mkdtemp(join(tmpdir(), 'sealdeal-test-'))
  const postgres = await startPostgres({ directory, durable: false })
  async function drop(): Promise<void> {
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return { create: postgres.database, drop }
}

function borrowed(url: string) {
  async function command(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }
  async function create(name: string): Promise<string> {
    await command(`create database ${name}`)
    const target = new URL(url)
    target.pathname = `/${name}`
    return target.href
  }
  return { create, drop: (name: string) => command(`drop database if exists ${name} with (force)`) }
}
