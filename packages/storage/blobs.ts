import { createHash } from 'node:crypto'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { exporter, type UnixFSEntry } from 'ipfs-unixfs-exporter'
import { type BufferImporter, type ImportCandidate, importer } from 'ipfs-unixfs-importer'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import type { Blocks } from './blocks.ts'
import { BlobNotFoundError, BlockNotFoundError, InvalidPathError } from './errors.ts'

/** Files and folders by content. A driver over another IPFS node has the same three functions. */
export type Blobs = {
  add(files: AsyncIterable<Upload>, options?: { wrap?: boolean }): Promise<Added[]>
  find(path: string): Promise<Blob>
}

/** A file to add; a folder when `content` is absent. `path` is relative, with slashes. */
export type Upload = { path: string; content?: AsyncIterable<Uint8Array> }

/** `size` counts the blocks, not the content: what Kubo calls cumulative size. */
export type Added = { path: string; cid: string; size: bigint }

/** `read` yields the bytes from `start` (counted from 0) up to, not including, `end`. */
export type Blob = {
  cid: string
  size: number
  read(range?: { start: number; end: number }): AsyncGenerator<Uint8Array>
}

const chunkBytes = 262_144
const windowBytes = 16 * chunkBytes

/** Files and folders over `blocks`, cut and linked as Kubo does by default (CIDv0, dag-pb, 256 KiB, 174 links). */
export function createBlobs({ blocks }: { blocks: Blocks }): Blobs {
  const readable = {
    async *get(cid: CID) {
      yield await blocks.get(cid)
    },
  }

  async function add(files: AsyncIterable<Upload>, { wrap = false } = {}): Promise<Added[]> {
    const batch = blocks.batch()
    const added: Added[] = []
    const entries = importer(
      candidates(files),
      { put: async (cid, bytes) => batch.put(cid, await join(bytes)) },
      {
        profile: 'unixfs-v0-2015',
        wrapWithDirectory: wrap,
        // The parts of a form arrive one after the other: asking for the second before the first is read would wait
        // for ever.
        fileImportConcurrency: 1,
        blockWriteConcurrency: 16,
        bufferImporter: importChunks,
      },
    )
    for await (const entry of entries) {
      added.push({ path: entry.path || entry.cid.toString(), cid: entry.cid.toString(), size: entry.size })
    }
    await batch.flush()
    return added
  }

  async function find(path: string): Promise<Blob> {
    const entry = await resolve(path)
    if (entry.type !== 'file' && entry.type !== 'raw' && entry.type !== 'identity') {
      throw new BlobNotFoundError({ path, reason: `it is a ${entry.type}, not a file` })
    }
    const { content } = entry
    const size = Number(entry.size)

    // One call of `content` reads ahead without waiting for its reader: a window at a time keeps the memory constant.
    async function* read({ start = 0, end = size } = {}): AsyncGenerator<Uint8Array> {
      let offset = start
      while (offset < end) {
        const stop = Math.min(end, (Math.floor(offset / windowBytes) + 1) * windowBytes)
        for await (const bytes of content({ offset, length: stop - offset, blockReadConcurrency: 4 })) {
          if (bytes.length > 0) yield bytes
        }
        offset = stop
      }
    }

    return { cid: entry.cid.toString(), size, read }
  }

  async function resolve(path: string): Promise<UnixFSEntry> {
    const [first = ''] = path.split('/')
    try {
      CID.parse(first)
    } catch {
      throw new InvalidPathError({ path })
    }
    try {
      return await exporter(path, readable)
    } catch (error) {
      if (error instanceof BlockNotFoundError) throw new BlobNotFoundError({ path })
      if (error instanceof Error && unreadable.has(error.name)) {
        throw new BlobNotFoundError({ path, reason: error.message })
      }
      throw error
    }
  }

  return { add, find }
}

const unreadable = new Set(['NotFoundError', 'NoResolverError', 'NotUnixFSError', 'BadPathError'])

async function* candidates(files: AsyncIterable<Upload>): AsyncGenerator<ImportCandidate> {
  for await (const { path, content } of files) yield content ? { path, content } : { path }
}

async function join(bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

/**
 * Stores each chunk as a leaf and keeps only its length: the importer's own version keeps the bytes of up to 174 leaves
 * (45 MB an upload) until their parent is built.
 */
const importChunks: BufferImporter = async function* (file, store) {
  for await (const chunk of file.content) {
    yield async () => {
      const leaf = new UnixFS({ type: 'file', data: chunk })
      const block = dagPb.encode(dagPb.prepare({ Data: leaf.marshal(), Links: [] }))
      const hash = createHash('sha256').update(block).digest()
      const cid = CID.createV0(Digest.create(0x12, hash))
      await store.put(cid, block)
      const unixfs = new UnixFS({ type: 'file' })
      if (chunk.length > 0) unixfs.addBlockSize(BigInt(chunk.length))
      return { cid, unixfs, size: BigInt(block.length), block: new Uint8Array(0) }
    }
  }
}
