import { BlobReader, Uint8ArrayReader, ZipWriter } from '@zip.js/zip.js'
import { fileTypeFromBuffer } from 'file-type'
import * as Archive from './Archive.ts'
import * as Bytes from './Bytes.ts'
import { InvalidValueError } from './errors.ts'

export { checksum } from './Bundle.ts'
export { decrypt, decryption, encrypt, encryptedLength, encryption, generateKey } from './Cipher.ts'

/** What can be protected. Files are `Blob`s (a browser's `File` is one) or bytes. */
export type Value = string | number | bigint | boolean | Uint8Array | ArrayBuffer | Blob | Data
export type Data = { [key: string]: Value }

/** The same tree, with the type of each leaf: `bool`, `f64`, `i128`, `string`, or a MIME name. */
export type Schema = { [key: string]: string | Schema }

const keyPattern = /^[a-zA-Z0-9_-]+$/
const i128Max = (1n << 127n) - 1n
const i128Min = -(1n << 127n)

/** MIME names a schema may hold, with the other names under which the detector knows them. */
const mimeNames: Record<string, string> = {
  'application/pdf': 'application/pdf',
  'application/xml': 'application/xml',
  'application/zip': 'application/zip',
  'audio/midi': 'audio/midi',
  'audio/mpeg': 'audio/mpeg',
  'audio/wav': 'audio/x-wav',
  'image/bmp': 'image/bmp',
  'image/gif': 'image/gif',
  'image/jpeg': 'image/jpeg',
  'image/png': 'image/png',
  'image/webp': 'image/webp',
  'video/mp4': 'video/mp4',
  'video/mpeg': 'video/mpeg',
  'video/MP1S': 'video/mpeg',
  'video/MP2P': 'video/mpeg',
  'video/vnd.avi': 'video/x-msvideo',
}
const octetStream = 'application/octet-stream'

/**
 * Refuses, before anything is made or sent, what cannot be protected: arrays, `null`, `undefined`, functions, numbers
 * that are not finite, integers outside 128 bits, keys outside `[a-zA-Z0-9_-]`, objects without members.
 *
 * @throws InvalidValueError naming the path, e.g. `data.contact.age`.
 */
export function check(data: unknown): asserts data is Data {
  checkObject('data', data, [])
}

/** The schema of `data`. Files are recognised by their first bytes, never by their names. */
export async function inferSchema(data: Data): Promise<Schema> {
  check(data)
  const entries = Object.entries(data).map(async ([key, value]) => [
    key,
    isTree(value) ? await inferSchema(value) : await typeOf(value),
  ])
  return Object.fromEntries(await Promise.all(entries))
}

/** The ZIP that is protected: an uncompressed entry per leaf, a folder per nested object. Files are read as it goes. */
export function pack(data: Data): ReadableStream<Uint8Array<ArrayBuffer>> {
  check(data)
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>()
  const zip = new ZipWriter(writable, { level: 0, extendedTimestamp: false, keepOrder: true, useWebWorkers: false })
  // An error here reaches whoever reads the stream.
  addTree(zip, '', data).then(
    () => zip.close(),
    (error) => writable.abort(error),
  )
  return readable
}

/** What `pack` packed, leaf by leaf: path in the object -> serialized bytes. */
export async function unpack(zip: Uint8Array): Promise<Map<string, Uint8Array>> {
  return Archive.unpack(zip)
}

/** What `pack` packed, as an object again. Files come back as bytes. */
export async function read(zip: Uint8Array, schema: Schema): Promise<Data> {
  return readTree(await unpack(zip), '', schema)
}

/** Bytes of one leaf: `string` = u32 little-endian length and UTF-8, `f64` and `i128` little-endian, `bool` one byte. */
export function serialize(value: string | number | bigint | boolean): Uint8Array<ArrayBuffer> {
  if (typeof value === 'string') {
    const text = Bytes.fromUtf8(value)
    return Bytes.concat(littleEndian(BigInt(text.length), 4), text)
  }
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0)
  if (typeof value === 'bigint') return littleEndian(BigInt.asUintN(128, value), 16)
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return bytes
}

/** The value of one leaf; any MIME type gives the bytes as they are. Throws when the bytes have another form. */
export function deserialize(type: string, bytes: Uint8Array): string | number | bigint | boolean | Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === 'bool' && bytes.length === 1 && (bytes[0] ?? 2) < 2) return bytes[0] === 1
  if (type === 'f64' && bytes.length === 8) return view.getFloat64(0, true)
  if (type === 'i128' && bytes.length === 16) return (view.getBigInt64(8, true) << 64n) | view.getBigUint64(0, true)
  if (type === 'string' && bytes.length >= 4 && view.getUint32(0, true) === bytes.length - 4) {
    return Bytes.toUtf8(bytes.subarray(4))
  }
  if (type.includes('/')) return bytes
  throw new InvalidValueError({ path: 'leaf', expected: `a serialized ${type}`, value: `${bytes.length} bytes` })
}

function checkObject(path: string, value: unknown, ancestors: readonly unknown[]): void {
  if (!isTree(value)) throw new InvalidValueError({ path, expected: 'an object of values to protect', value })
  if (ancestors.includes(value)) {
    throw new InvalidValueError({ path, expected: 'an object that does not hold itself', value })
  }
  const entries = Object.entries(value)
  if (entries.length === 0) throw new InvalidValueError({ path, expected: 'an object with members', value: '{}' })
  for (const [key, member] of entries) {
    if (!keyPattern.test(key)) {
      throw new InvalidValueError({ path, expected: 'an object whose keys are made of a-z A-Z 0-9 _ -', value: key })
    }
    checkMember(`${path}.${key}`, member, [...ancestors, value])
  }
}

function checkMember(path: string, value: unknown, ancestors: readonly unknown[]): void {
  if (typeof value === 'boolean' || isFile(value)) return
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new InvalidValueError({ path, expected: 'text of whole characters', value: '…' })
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new InvalidValueError({ path, expected: 'a finite number', value })
  } else if (typeof value === 'bigint') {
    if (value > i128Max || value < i128Min) {
      throw new InvalidValueError({ path, expected: 'an integer from -2^127 to 2^127-1', value })
    }
  } else if (isTree(value)) {
    checkObject(path, value, ancestors)
  } else {
    const expected = 'a string, a number, a bigint, a boolean, a file or an object of these'
    throw new InvalidValueError({ path, expected, value })
  }
}

function isFile(value: unknown): value is Uint8Array | ArrayBuffer | Blob {
  return value instanceof Uint8Array || value instanceof ArrayBuffer || value instanceof Blob
}

/** Plain objects only: a Date or a Map would lose its contents without a word. */
function isTree(value: unknown): value is Data {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

async function typeOf(value: Exclude<Value, Data>): Promise<string> {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return 'f64'
  if (typeof value === 'bigint') return 'i128'
  if (typeof value === 'boolean') return 'bool'
  const detected = await fileTypeFromBuffer(await head(value))
  return mimeNames[detected?.mime ?? ''] ?? octetStream
}

/** As many first bytes as the detector looks at. */
async function head(file: Uint8Array | ArrayBuffer | Blob): Promise<Uint8Array> {
  const size = 4100
  if (file instanceof Blob) return new Uint8Array(await file.slice(0, size).arrayBuffer())
  return file instanceof Uint8Array ? file.subarray(0, size) : new Uint8Array(file.slice(0, size))
}

async function addTree(zip: ZipWriter<unknown>, folder: string, data: Data): Promise<void> {
  for (const [key, value] of Object.entries(data)) {
    const path = `${folder}${key}`
    if (isTree(value)) {
      await zip.add(`${path}/`, undefined, { directory: true })
      await addTree(zip, `${path}/`, value)
    } else if (value instanceof Blob) {
      await zip.add(path, new BlobReader(value))
    } else {
      await zip.add(path, new Uint8ArrayReader(Bytes.owned(leafBytes(value))))
    }
  }
}

function leafBytes(value: Exclude<Value, Data | Blob>): Uint8Array {
  if (value instanceof Uint8Array) return value
  return value instanceof ArrayBuffer ? new Uint8Array(value) : serialize(value)
}

function readTree(leaves: ReadonlyMap<string, Uint8Array>, folder: string, schema: Schema): Data {
  const entries = Object.entries(schema).map(([key, type]): [string, Value] => {
    const path = `${folder}${key}`
    if (typeof type !== 'string') return [key, readTree(leaves, `${path}/`, type)]
    const bytes = leaves.get(path)
    if (bytes === undefined)
      throw new InvalidValueError({ path, expected: 'an entry of the archive', value: undefined })
    return [key, deserialize(type, bytes)]
  })
  return Object.fromEntries(entries)
}

function littleEndian(value: bigint, width: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: width }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn))
}
