import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '@sealdeal/server'
import type { Blocks } from './blocks.ts'

/** In a folder of blocks: the ledger that knows all that came in. */
const markFile = 'ledger'

/** Any number, as long as all replicas use the same, and nothing else in this database does. */
const lock = 7_325_403

/**
 * Makes the ledger answer for a folder of blocks. What lies there already, from a time without a ledger or with another
 * one, is written down as kept: nobody could say that it is not wanted, and no collection may touch it.
 */
export async function adopt({
  database,
  blocks,
  directory,
}: {
  database: Database
  blocks: Blocks
  directory: string
}): Promise<void> {
  const file = join(directory, markFile)
  await database.transaction(async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock($1)', [lock])
    const [row] = await transaction.query<{ id: string }>('select id from ledger')
    const id = row?.id ?? ''
    if ((await readFile(file, 'utf8').catch(() => '')) === id) return
    for await (const digests of blocks.digests()) {
      await transaction.query('insert into kept_block select unnest($1::bytea[]) on conflict do nothing', [digests])
    }
    // Last: whoever is killed before adopts again.
    const draft = `${file}.${randomBytes(4).toString('hex')}`
    await writeFile(draft, id)
    await rename(draft, file)
  })
}

/** Uploads go on without a ledger: the next one must not take them for what nobody keeps. */
export async function disown({ directory }: { directory: string }): Promise<void> {
  await rm(join(directory, markFile), { force: true })
}
