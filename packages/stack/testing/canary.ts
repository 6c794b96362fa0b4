// Looks for a secret in everything that others can see. A finding names where it lies and in which form.
import { createReadStream, type Dirent, existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

/** Where a canary was found, and in which disguise. */
export type Finding = { where: string; form: string }

type Needle = { form: string; bytes: Buffer }

/** Larger files are read in pieces of this many bytes, which overlap by the longest needle. */
const PIECE_BYTES = 32 * 1024 * 1024
const ARCHIVE_DEPTH = 4

/** Every form in which a leak would show: raw, hexadecimal, Base64 at each of its three alignments (also the URL alphabet), UTF-16. */
export function needles(canary: string | Uint8Array): Needle[] {
  const raw = Buffer.from(canary)
  const forms: Needle[] = [
    { form: 'raw', bytes: raw },
    { form: 'hex', bytes: Buffer.from(raw.toString('hex')) },
    { form: 'HEX', bytes: Buffer.from(raw.toString('hex').toUpperCase()) },
  ]
  if (typeof canary === 'string') {
    forms.push({ form: 'utf16le', bytes: Buffer.from(canary, 'utf16le') })
    forms.push({ form: 'utf16be', bytes: Buffer.from(canary, 'utf16le').swap16() })
  }
  for (const shift of [0, 1, 2]) {
    // Only the characters that the canary alone decides: neighbours share the first and the last ones.
    const shifted = Buffer.concat([Buffer.alloc(shift), raw])
      .toString('base64')
      .replace(/=+$/, '')
    const own = shifted.slice(shift === 0 ? 0 : shift + 1, Math.floor(((raw.length + shift) * 8) / 6))
    forms.push({ form: `base64+${shift}`, bytes: Buffer.from(own) })
    const url = own.replaceAll('+', '-').replaceAll('/', '_')
    if (url !== own) forms.push({ form: `base64url+${shift}`, bytes: Buffer.from(url) })
  }
  return forms
}

/** Searches bytes, and what they hold if they are a zip or gzip archive, to a depth of four. */
export function scanBytes(bytes: Buffer, wanted: Needle[], where: string, depth = 0): Finding[] {
  const found = wanted.filter((needle) => bytes.includes(needle.bytes)).map(({ form }) => ({ where, form }))
  if (depth >= ARCHIVE_DEPTH) return found
  for (const { name, content } of archived(bytes))
    found.push(...scanBytes(content, wanted, `${where}!${name}`, depth + 1))
  return found
}

/** The members of every zip entry and gzip stream that begins anywhere in the bytes. Damaged ones are passed over: nothing hides in them. */
function* archived(bytes: Buffer): Generator<{ name: string; content: Buffer }> {
  for (let at = bytes.indexOf('PK\x03\x04', 0, 'latin1'); at >= 0; at = bytes.indexOf('PK\x03\x04', at + 4, 'latin1')) {
    if (at + 30 > bytes.length || bytes.readUInt16LE(at + 8) !== 8) continue
    const name = bytes.subarray(at + 30, at + 30 + bytes.readUInt16LE(at + 26)).toString()
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)
    const content = attempt(() => inflateRawSync(bytes.subarray(start)))
    if (content) yield { name, content }
  }
  for (
    let at = bytes.indexOf('\x1f\x8b\x08', 0, 'latin1');
    at >= 0;
    at = bytes.indexOf('\x1f\x8b\x08', at + 3, 'latin1')
  ) {
    const content = attempt(() => inflateRawSync(bytes.subarray(gzipBody(bytes, at))))
    if (content) yield { name: `gzip@${at}`, content }
  }
}

/** Where the compressed stream behind a gzip header begins (RFC 1952, 2.3). */
function gzipBody(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3] ?? 0
  let body = at + 10
  if (flags & 4) body += 2 + bytes.readUInt16LE(body)
  if (flags & 8) body = bytes.indexOf(0, body) + 1
  if (flags & 16) body = bytes.indexOf(0, body) + 1
  return flags & 2 ? body + 2 : body
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

/** Searches one file. */
export async function scanFile(path: string, wanted: Needle[]): Promise<Finding[]> {
  const { size } = await stat(path)
  if (size <= PIECE_BYTES) return scanBytes(await readFile(path), wanted, path)
  const overlap = Math.max(...wanted.map(({ bytes }) => bytes.length))
  const found: Finding[] = []
  let rest = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    const piece = Buffer.concat([rest, chunk as Buffer])
    found.push(...scanBytes(piece, wanted, path))
    rest = piece.subarray(Math.max(0, piece.length - overlap))
  }
  return found
}

/**
 * Searches every regular file below a folder, and the names of files and folders too.
 *
 * @param options.since - Only files changed at or after this time, for folders that others use as well.
 * @param options.leaveOut - Paths (with all below them) that may hold the canary: the owner's own files.
 */
export async function scanFolder(
  folder: string,
  wanted: Needle[],
  { since = new Date(0), leaveOut = [] }: { since?: Date; leaveOut?: string[] } = {},
): Promise<Finding[]> {
  if (!existsSync(folder) || leaveOut.includes(folder)) return []
  // A file that vanishes between listing and reading is gone for everyone.
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => [])
  const found: Finding[] = []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (leaveOut.includes(path)) continue
    found.push(...scanBytes(Buffer.from(entry.name), wanted, `the name of ${path}`))
    if (entry.isDirectory()) found.push(...(await scanFolder(path, wanted, { since, leaveOut })))
    if (!entry.isFile()) continue
    const { mtime } = await stat(path).catch(() => ({ mtime: new Date(0) }))
    if (mtime >= since) found.push(...(await scanFile(path, wanted).catch(() => [])))
  }
  return found
}
