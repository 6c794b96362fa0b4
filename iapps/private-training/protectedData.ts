import { crc32 } from 'node:zlib'
import { InputError } from './errors.ts'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_ENTRY = 0x04034b50
const STORED = 0

/**
 * Reads one leaf of protected data: an entry of its ZIP archive, stored without compression. The app carries this page instead of an
 * archive library, so that whoever grants access can read all that will see the data.
 *
 * @throws InputError when the archive is damaged or has no such entry.
 */
export function readLeaf({ archive, path, what }: { archive: Buffer; path: string; what: string }): Buffer {
  try {
    const content = findEntry(archive, path)
    if (content !== undefined) return withoutLength(content)
  } catch (cause) {
    if (cause instanceof InputError) throw cause
    throw new InputError(`${what} is not a readable protected-data archive.`, { cause })
  }
  throw new InputError(`${what} has no entry "${path}".`)
}

function findEntry(archive: Buffer, path: string): Buffer | undefined {
  const end = findEnd(archive)
  let offset = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(offset) !== DIRECTORY_ENTRY) throw new RangeError('no directory entry')
    const nameLength = archive.readUInt16LE(offset + 28)
    const name = archive.toString('utf8', offset + 46, offset + 46 + nameLength)
    if (name === path) return readEntry(archive, offset)
    offset += 46 + nameLength + archive.readUInt16LE(offset + 30) + archive.readUInt16LE(offset + 32)
  }
  return undefined
}

function findEnd(archive: Buffer): number {
  // The record is 22 bytes; a comment of up to 64 KiB may follow it.
  for (let offset = archive.length - 22; offset >= Math.max(0, archive.length - 22 - 0xffff); offset--) {
    if (archive.readUInt32LE(offset) === END_OF_DIRECTORY) return offset
  }
  throw new RangeError('no end of directory')
}

function readEntry(archive: Buffer, directory: number): Buffer {
  if (archive.readUInt16LE(directory + 10) !== STORED) throw new RangeError('the entry is compressed')
  const checksum = archive.readUInt32LE(directory + 16)
  const size = archive.readUInt32LE(directory + 20)
  const local = archive.readUInt32LE(directory + 42)
  if (archive.readUInt32LE(local) !== LOCAL_ENTRY) throw new RangeError('no local entry')
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
  const content = archive.subarray(start, start + size)
  if (content.length !== size || crc32(content) !== checksum) throw new RangeError('the entry is damaged')
  return content
}

/** Text that was protected as a string, not as a file, starts with its length in four bytes. */
function withoutLength(content: Buffer): Buffer {
  const isString = content.length >= 4 && content.readUInt32LE(0) === content.length - 4
  return isString ? content.subarray(4) : content
}
