import { ZipReader as Reader, Uint8ArrayReader, Uint8ArrayWriter, type ZipReader, ZipWriter } from '@zip.js/zip.js'
import { owned } from './Bytes.ts'
import { BaseError, InvalidValueError } from './errors.ts'

/** Relative paths with `/` between the segments, and what lies there. */
export type Files = Record<string, Uint8Array> | ReadonlyMap<string, Uint8Array>

/** An archive that cannot be read, or that holds what it must not. */
export class ArchiveError extends BaseError {
  override name = 'ArchiveError'
  constructor(message: string, { cause }: { cause?: unknown } = {}) {
    super(message, { cause, docsPath: '/formats#archives' })
  }
}

/** What makes equal files give equal bytes: no compression, the first date that ZIP knows, nothing of this machine. */
const canonical = {
  level: 0,
  dataDescriptor: false,
  extendedTimestamp: false,
  keepOrder: true,
  lastModDate: new Date(1980, 0, 1),
  msDosCompatible: true,
  useWebWorkers: false,
} as const

/** Entries of `files`, sorted by the bytes of their paths. */
export function entries(files: Files): [string, Uint8Array][] {
  const list = files instanceof Map ? [...files] : Object.entries(files as Record<string, Uint8Array>)
  return list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/** A ZIP of `files` whose bytes depend on nothing but their paths and contents. */
export async function pack(files: Files): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), canonical)
  for (const [path, content] of entries(files)) {
    checkPath(path)
    await writer.add(path, new Uint8ArrayReader(owned(content)))
  }
  return owned(await writer.close())
}

/**
 * Files of a ZIP, directories left out. Refuses what could harm whoever writes them to a disk: paths that leave the
 * folder, two entries of one path, links, encrypted entries, and more than `maxBytes` of contents.
 */
export async function unpack(
  bytes: Uint8Array,
  { maxBytes = 2 ** 31 }: { maxBytes?: number } = {},
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const reader = new Reader(new Uint8ArrayReader(owned(bytes)), { useWebWorkers: false, checkSignature: true })
  const files = new Map<string, Uint8Array<ArrayBuffer>>()
  let left = maxBytes
  for (const entry of await list(reader)) {
    if (entry.directory) continue
    checkPath(entry.filename)
    if (files.has(entry.filename)) throw new ArchiveError(`The archive holds "${entry.filename}" twice.`)
    if (isLink(entry)) throw new ArchiveError(`"${entry.filename}" in the archive is a link.`)
    if (entry.encrypted) throw new ArchiveError(`"${entry.filename}" in the archive is encrypted by ZIP itself.`)
    left -= entry.uncompressedSize
    if (left < 0) throw new ArchiveError(`The archive unpacks to more than ${maxBytes} bytes.`)
    files.set(entry.filename, await content(entry))
  }
  await reader.close()
  return files
}

/** Refuses a path that is absolute, empty, leaves its folder, or means different things on different systems. */
export function checkPath(path: string): void {
  const segments = path.split('/')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not stand in a path
  const safe = segments.every((segment) => !['', '.', '..'].includes(segment)) && !/[\\\u0000-\u001f]/.test(path)
  if (!safe) throw new InvalidValueError({ path: 'archive.path', expected: 'a plain relative path', value: path })
}

async function list(reader: ZipReader<unknown>) {
  try {
    return await reader.getEntries()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ArchiveError(`The archive cannot be read: ${reason}.`, { cause })
  }
}

type FileEntry = Extract<Awaited<ReturnType<typeof list>>[number], { directory: false }>

async function content(entry: FileEntry): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const bytes = owned(await entry.getData(new Uint8ArrayWriter()))
    if (bytes.length === entry.uncompressedSize) return bytes
  } catch (cause) {
    throw new ArchiveError(`"${entry.filename}" in the archive is damaged.`, { cause })
  }
  throw new ArchiveError(`"${entry.filename}" in the archive has another size than it says.`)
}

/** Unix mode of a symbolic link, in the upper half of the external attributes. */
function isLink({ externalFileAttributes = 0 }: { externalFileAttributes?: number }): boolean {
  return ((externalFileAttributes >>> 16) & 0o170000) === 0o120000
}
