import { randomBytes } from 'node:crypto'
import {
  access,
  constants,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import { base32upper } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { BlockNotFoundError } from './errors.ts'

/** Blocks on disk: one file per block, named by its hash. */
export type Blocks = {
  get(cid: CID): Promise<Uint8Array>
  has(cid: CID): Promise<boolean>
  batch(): Batch
  /** The sha2-256 of every block, a folder's share at a time. */
  digests(): AsyncGenerator<Uint8Array[]>
  /** Removes a block that nobody wrote or reused since `before` (Unix time in milliseconds). Says how many bytes that freed. */
  remove(digest: Uint8Array, before: number): Promise<Removal>
  /** Brings back what a removal that was killed had taken away. */
  restore(): Promise<void>
  /** Throws where the disk cannot be written. */
  check(): Promise<void>
}

/** `fresh`: it stays, somebody may be about to need it. */
export type Removal = { bytes: number } | 'fresh' | 'missing'

/** The blocks of one upload. Nothing is promised to survive a power cut before `flush` has returned. */
export type Batch = {
  put(cid: CID, bytes: Uint8Array): Promise<CID>
  flush(): Promise<void>
}

/** A write lives in `incoming` for milliseconds: what is older was left by a process that died. */
const deadAfterMs = 10 * 60_000

/** A removal holds a block for less, unless it is killed, in milliseconds. */
const removalMs = 20

/**
 * Opens the block store in `directory` and sweeps what dead processes left half written. Several processes may share
 * the directory.
 */
export async function openBlocks({ directory }: { directory: string }): Promise<Blocks> {
  const root = join(directory, 'blocks')
  const incoming = join(directory, 'incoming')
  const outgoing = join(directory, 'outgoing')
  const layout = new NextToLast({ base: base32upper })
  const store = new FsBlockstore(root, { shardingStrategy: layout })
  await store.open()
  for (const folder of [incoming, outgoing]) await mkdir(folder, { recursive: true })
  await sweep({ incoming })

  const writing = new Map<string, Promise<void>>()

  function fileOf(cid: CID): string {
    const { dir, file } = layout.encode(cid)
    return join(root, dir, file)
  }
  const cidOf = (digest: Uint8Array) => CID.createV0(Digest.create(0x12, digest))

  async function get(cid: CID): Promise<Uint8Array> {
    const bytes = await read(fileOf(cid))
    if (bytes) return bytes
    // It may be looked at by a removal, which puts back what is needed.
    await sleep(removalMs)
    const again = await read(fileOf(cid))
    if (again) return again
    throw new BlockNotFoundError({ cid: cid.toString() })
  }

  async function write(file: string, bytes: Uint8Array): Promise<void> {
    await mkdir(dirname(file), { recursive: true })
    const draft = join(incoming, randomBytes(16).toString('hex'))
    try {
      const handle = await open(draft, 'wx')
      try {
        await handle.writeFile(bytes)
        await stamp(handle)
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
    for (let running = writing.get(file); running; running = writing.get(file)) await running.catch(() => {})
    if (await touch(file)) return
    const started = writing.get(file) ?? write(file, bytes).finally(() => writing.delete(file))
    writing.set(file, started)
    return started
  }

  /**
   * Marks a block as needed now, where there is one. A removal that began before sees the mark and puts the block back;
   * one that was quicker has taken the name away, and the second look sees that.
   */
  async function touch(file: string): Promise<boolean> {
    const now = new Date()
    try {
      await utimes(file, now, now)
      await access(file)
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  async function remove(digest: Uint8Array, before: number): Promise<Removal> {
    const file = fileOf(cidOf(digest))
    const first = await stat(file).catch(unlessMissing)
    if (!first) return 'missing'
    if (first.mtimeMs >= before) return 'fresh'
    const held = join(outgoing, basename(file))
    try {
      await rename(file, held)
    } catch (error) {
      if (isMissing(error)) return 'missing'
      throw error
    }
    const second = await stat(held).catch(unlessMissing)
    if (second && second.mtimeMs >= before) {
      await putBack(held, file)
      return 'fresh'
    }
    await rm(held, { force: true })
    return { bytes: first.size }
  }

  /** Never over a block that was written anew meanwhile: that one is younger. */
  async function putBack(held: string, file: string): Promise<void> {
    await link(held, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
    })
    await rm(held, { force: true })
  }

  async function restore(): Promise<void> {
    for (const name of await readdir(outgoing)) {
      await putBack(join(outgoing, name), fileOf(cidOf(digestOf(name))))
    }
  }

  async function* digests(): AsyncGenerator<Uint8Array[]> {
    for (const folder of await readdir(root)) {
      const names = await readdir(join(root, folder)).catch(() => [])
      yield names.filter((name) => name.endsWith(layout.extension)).map(digestOf)
    }
  }
  function digestOf(name: string): Uint8Array {
    return Digest.decode(base32upper.decoder.decode(basename(name, layout.extension))).digest
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

  await restore()
  return { get, has: (cid) => store.has(cid), batch, digests, remove, restore, check }
}

/** The times of blocks are by this process's own clock, as those of its uploads are: a disk elsewhere may have another. */
async function stamp(handle: FileHandle): Promise<void> {
  const now = new Date()
  await handle.utimes(now, now)
}

async function read(file: string): Promise<Uint8Array | undefined> {
  return readFile(file).catch(unlessMissing)
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
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
