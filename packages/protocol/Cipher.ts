import * as Bytes from './Bytes.ts'
import { BaseError, InvalidValueError } from './errors.ts'

/**
 * AES-256-CBC with PKCS#7 padding, `IV (16 bytes) ‖ ciphertext`: how protected data and results are stored.
 *
 * WebCrypto encrypts whole messages only. A stream is cut into chunks of whole blocks, and the last block of one chunk
 * is the IV of the next, which is what CBC is; so memory holds one chunk, whatever the length.
 */
const blockSize = 16
const chunkSize = 1 << 20
const algorithm = 'AES-CBC'

/** The key does not open the ciphertext, or the ciphertext is damaged. */
export class DecryptionError extends BaseError {
  override name = 'DecryptionError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('The bytes cannot be decrypted with this key.', {
      cause,
      metaMessages: ['Either the key belongs to something else, or the bytes were changed: compare their checksum.'],
      docsPath: '/formats#encryption',
    })
  }
}

/** 32 random bytes, in base64 (44 characters). */
export function generateKey(): string {
  return Bytes.toBase64(Bytes.random(32))
}

/** Length of the ciphertext, IV included, of `length` bytes. */
export function encryptedLength(length: number): number {
  return blockSize + (Math.floor(length / blockSize) + 1) * blockSize
}

/** Plaintext in, `IV ‖ ciphertext` out. `iv` is random unless given (tests only: reuse reveals equal beginnings). */
export function encryption({ key, iv = Bytes.random(blockSize) }: { key: string; iv?: Uint8Array }) {
  const cryptoKey = importKey(keyBytes(key))
  let chain = Bytes.owned(iv)
  return chunked({
    before: [chain],
    async chunk(bytes, isLast) {
      const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: algorithm, iv: chain }, await cryptoKey, bytes))
      if (isLast) return sealed
      // WebCrypto pads every message; only the last block of the last chunk is padding that belongs to the stream.
      const kept = sealed.subarray(0, bytes.length)
      chain = kept.slice(-blockSize)
      return kept
    },
  })
}

/** `IV ‖ ciphertext` in, plaintext out. The stream fails with `DecryptionError` at its end when the key is wrong. */
export function decryption({ key }: { key: string }) {
  const cryptoKey = importKey(keyBytes(key))
  let chain: Uint8Array<ArrayBuffer> | undefined
  return chunked({
    before: [],
    async chunk(bytes, isLast) {
      const body = chain === undefined ? bytes.subarray(blockSize) : bytes
      const iv = chain ?? bytes.slice(0, blockSize)
      if (body.length % blockSize !== 0 || iv.length < blockSize || (isLast && body.length === 0)) {
        throw new DecryptionError()
      }
      chain = body.slice(-blockSize)
      const message = isLast ? body : Bytes.concat(body, await paddingAfter(await cryptoKey, chain))
      try {
        return new Uint8Array(await crypto.subtle.decrypt({ name: algorithm, iv }, await cryptoKey, message))
      } catch (cause) {
        throw new DecryptionError({ cause })
      }
    },
  })
}

export async function encrypt(bytes: Uint8Array, key: string): Promise<Uint8Array<ArrayBuffer>> {
  return collect(stream(bytes).pipeThrough(encryption({ key })))
}

/** @throws DecryptionError when the key is wrong, which CBC notices by its padding in all but 1 of 256 cases. */
export async function decrypt(bytes: Uint8Array, key: string): Promise<Uint8Array<ArrayBuffer>> {
  return collect(stream(bytes).pipeThrough(decryption({ key })))
}

export function stream(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([Bytes.owned(bytes)]).stream() as ReadableStream<Uint8Array<ArrayBuffer>>
}

export async function collect(readable: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  const reader = readable.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value)
  return Bytes.concat(...parts)
}

/** The block that decrypts, after `previous`, to a whole block of padding: it ends a message that goes on. */
async function paddingAfter(key: CryptoKey, previous: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.encrypt({ name: algorithm, iv: previous }, key, new Uint8Array(0)))
}

async function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, algorithm, false, ['encrypt', 'decrypt'])
}

/** The 32 bytes of a key in base64. The error never repeats the value: it may be a key with a typing error. */
export function keyBytes(base64: string): Uint8Array<ArrayBuffer> {
  const bytes = /^[0-9A-Za-z+/]{43}=$/.test(base64) ? Bytes.fromBase64(base64) : undefined
  if (bytes?.length !== 32) throw new InvalidValueError({ path: 'key', expected: '32 bytes in base64', value: '…' })
  return bytes
}

type Chunked = {
  /** What goes out first. */
  before: Uint8Array[]
  /** Called with whole chunks, and at the end, once, with what is left (never with more than two chunks). */
  chunk(bytes: Uint8Array<ArrayBuffer>, isLast: boolean): Promise<Uint8Array>
}

/** Cuts a stream into chunks of one size, holding one back so that the last one is known to be the last. */
function chunked({ before, chunk }: Chunked): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  let held: Uint8Array<ArrayBuffer> = new Uint8Array(chunkSize)
  let length = 0
  return new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const part of before) controller.enqueue(Bytes.owned(part))
    },
    async transform(input, controller) {
      for (let offset = 0; offset < input.length; ) {
        if (length === chunkSize) {
          controller.enqueue(Bytes.owned(await chunk(held, false)))
          held = new Uint8Array(chunkSize)
          length = 0
        }
        const part = input.subarray(offset, offset + chunkSize - length)
        held.set(part, length)
        length += part.length
        offset += part.length
      }
    },
    async flush(controller) {
      controller.enqueue(Bytes.owned(await chunk(held.subarray(0, length), true)))
    },
  })
}
