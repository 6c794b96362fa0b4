import { fileURLToPath } from 'node:url'
import { type Database, openDatabase } from './database.ts'
import type { Lifecycle } from './lifecycle.ts'
import { startPostgres } from './postgres.ts'
import { postgresDirectory } from './postgresHome.ts'

/**
 * The database of a server or agent, with its tables: at `url`, or in an embedded PostgreSQL of its own, kept between runs,
 * when there is none. Both are closed with the process.
 */
export async function openServiceDatabase({
  name,
  url,
  migrations,
  onClose,
}: {
  /** Of the process. */
  name: string
  url: string | undefined
  migrations: readonly URL[]
} & Pick<Lifecycle, 'onClose'>): Promise<Database> {
  const database = await openDatabase({ url: url ?? (await embedded({ name, onClose })), migrations })
  onClose(database.close)
  return database
}

async function embedded({ name, onClose }: { name: string } & Pick<Lifecycle, 'onClose'>): Promise<string> {
  const clone = fileURLToPath(new URL('../../', import.meta.url))
  const postgres = await startPostgres({ directory: `${postgresDirectory({ clone })}-${name}` })
  onClose(postgres.stop)
  return postgres.database(name)
}
