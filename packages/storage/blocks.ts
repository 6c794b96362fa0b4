import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import type { CID } from 'multiformats/cid'
import { BlockNotFoundError } from './errors.ts'

/** Blocks on disk: one file per block, named by its hash. */
export type Blocks = {
  get(cid: CID): Promise<Uint8Array>
  has(cid: CID): Promise<boolean>
  batch(): Batch
  /** Throws where the disk cannot be written. */
  check(): Promise<void>
}

/** The blocks of one upload. Nothing is promised to survive a power cut before `flush` has returned. */
export type Batch = {
  put(cid: CID, bytes: Uint8Array): Promise<CID>
  flush(): Promise<void>
}

/** A write lives in `incoming` for milliseconds: what is older was left by a process that died. */
const deadAfterMs = 10 * 60_000

/**
 * Opens the block store in `directory` and sweeps what dead processes left half written. Several processes may share
 * the directory.
 */
export async function openBlocks({ directory }: { directory: string }): Promise<Blocks> {
  const root = join(directory, 'blocks')
  const incoming = join(directory, 'incoming')
  const layout = new NextToLast()
  const store = new FsBlockstore(root, { shardingStrategy: layout })
  await store.open()
  await mkdir(incoming, { recursive: true })
  await sweep({ incoming })

  const writing = new Map<string, Promise<void>>()

  function fileOf(cid: CID): string {
    const { dir, file } = layout.encode(cid)
    return join(root, dir, file)
  }

  async function get(cid: CID): Promise<Uint8Array> {
    try {
      return await readFile(fileOf(cid))
    } catch (error) {
      if (isMissing(error)) throw new BlockNotFoundError({ cid: cid.toString() })
      throw error
    }
  }

  async function write(file: string, bytes: Uint8Array): Promise<void> {
    await mkdir(dirname(file), { recursive: true })
    const draft = join(incoming, randomBytes(16).toString('hex'))
    try {
      const handle = await open(draft, 'wx')
      try {
        await handle.writeFile(bytes)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(draft, file)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  }

  // The store's own `put` drafts every copy of a block under one name, so that two writers of the same block could
  // show a half written file; here each draft has its own name and its bytes are on disk before the rename.
  async function put(cid: CID, bytes: Uint8Array): Promise<void> {
    const file = fileOf(cid)
    const running = writing.get(file)
    if (running) return running
    if (await store.has(cid)) return
    const started = writing.get(file) ?? write(file, bytes).finally(() => writing.delete(file))
    writing.set(file, started)
    return started
  }

  function batch(): Batch {
    const folders = new Set<string>()
    return {
      async put(cid, bytes) {
        folders.add(dirname(fileOf(cid)))
        await put(cid, bytes)
        return cid
      },
      async flush() {
        for (const folder of folders) await syncFolder(folder)
        if (folders.size > 0) await syncFolder(root)
        folders.clear()
      },
    }
  }

  const check = () => access(incoming, constants.W_OK)

  return { get, has: (cid) => store.has(cid), batch, check }
}

async function sweep({ incoming }: { incoming: string }): Promise<void> {
  for (const name of await readdir(incoming)) {
    const draft = join(incoming, name)
    const facts = await stat(draft).catch(() => undefined)
    if (facts && Date.now() - facts.mtimeMs > deadAfterMs) await rm(draft, { force: true })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
