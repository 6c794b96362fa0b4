import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hex } from '@sealdeal/protocol'
import { firstFreeNonce, type Outbox } from '@sealdeal/server'
import { z } from 'zod'
import { flushFolder, replaceFile } from './files.ts'

type OutboxEntry = Parameters<Outbox['replace']>[0]
type OutboxSession = Parameters<Parameters<Outbox['locked']>[0]>[0]

const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]+$/)
  .transform((text) => text as Hex)
const Stored = z.object({
  id: z.string(),
  nonce: z.int().nonnegative(),
  hashes: z.array(hex).min(1),
  raw: hex,
  reference: z.string().optional(),
})

/**
 * Signed transactions in files, for an agent that has no database: they are on disk before they leave, so after a kill
 * the very same ones are sent again, and a nonce is mined only once. One process per wallet and directory.
 */
export async function fileOutbox(directory: string): Promise<Outbox> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = (id: string) => join(directory, `${id}.json`)
  let last: Promise<unknown> = Promise.resolve()

  async function pending(): Promise<OutboxEntry[]> {
    const names = (await readdir(directory)).filter((name) => /^[\w-]+\.json$/.test(name))
    const read = await Promise.all(names.map((name) => readStored(join(directory, name))))
    return read.filter((entry) => entry !== undefined).sort((one, other) => one.nonce - other.nonce)
  }
  async function remove(id: string): Promise<void> {
    await rm(path(id), { force: true })
    await flushFolder(directory)
  }
  const session: OutboxSession = {
    nextNonce: async (mined) => firstFreeNonce(mined, await pending()),
    async add(entry, write) {
      await write()
      await replaceFile(path(entry.id), entry)
    },
    drop: remove,
  }
  return {
    locked(work) {
      const result = last.then(() => work(session))
      last = result.catch(() => {})
      return result
    },
    pending,
    replace: (entry) => replaceFile(path(entry.id), entry),
    finish: remove,
  }
}

/** What cannot be read was never sent whole: it is set aside, and its nonce used again. */
async function readStored(path: string): Promise<OutboxEntry | undefined> {
  try {
    const { reference, ...entry } = Stored.parse(JSON.parse(await readFile(path, 'utf8')))
    return reference === undefined ? entry : { ...entry, reference }
  } catch {
    await rename(path, `${path}.damaged`)
    return undefined
  }
}
