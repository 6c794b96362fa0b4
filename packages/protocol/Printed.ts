import * as Bytes from './Bytes.ts'
import { BaseError, InvalidValueError } from './errors.ts'
import { ResultKeyError } from './Result.ts'
import * as RsaKey from './RsaKey.ts'

/**
 * What an app printed to one of its streams, sealed inside the enclave to the result key of the beneficiary, as text:
 *
 *     -----BEGIN SEALDEAL PRINTED-----
 *     base64 of: version 1 (1 byte) ‖ length of the wrapped key (2 bytes) ‖ wrapped key ‖ nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)
 *     -----END SEALDEAL PRINTED-----
 *
 * The key is 32 random bytes under RSA-OAEP (SHA-256); the cipher is AES-256-GCM, and what stands before the nonce is its
 * additional data. The plaintext is the length of the text (4 bytes) ‖ the text ‖ zeros up to one of {@link sizes}: how
 * much an app prints must not tell what it saw. Lengths are big-endian.
 */
export type Sealed = string

/** Bytes of a stream that are kept: its last ones, where errors stand. */
export const cap = 256 * 1024

/** What a sealed text may seem to hold, in bytes. */
export const sizes = [4 * 1024, 32 * 1024, cap] as const

const [begin, end] = ['-----BEGIN SEALDEAL PRINTED-----', '-----END SEALDEAL PRINTED-----']
const version = 1
const nonceLength = 12

/** What any sealed text looks like: whoever passes it on can see that it passes on no plaintext. */
export const pattern =
  /^-----BEGIN SEALDEAL PRINTED-----\n(?:[A-Za-z0-9+/]{1,64}={0,2}\n)+-----END SEALDEAL PRINTED-----\n$/

/** Characters of the longest sealed text, with a key of 8,192 bits. */
export const longest = Math.ceil((Math.ceil((cap + 4 + 16 + nonceLength + 3 + 1024) / 3) * 4 * 65) / 64) + 128

/** The text is not one that an enclave sealed. */
export class PrintedMalformedError extends BaseError {
  override name = 'PrintedMalformedError'
  constructor({ reason }: { reason: string }) {
    super(`This is not what an enclave seals: ${reason}.`, {
      metaMessages: [`Give it whole, from "${begin}" to "${end}".`],
      docsPath: '/results#printed',
    })
  }
}

/**
 * Seals the last {@link cap} bytes of `text`.
 *
 * @param publicKey PEM, or base64 of PEM as secret services store it
 */
export async function seal(text: Uint8Array, { publicKey }: { publicKey: string }): Promise<Sealed> {
  const kept = text.subarray(Math.max(0, text.length - cap))
  const plain = new Uint8Array(4 + (sizes.find((size) => kept.length <= size) ?? cap))
  new DataView(plain.buffer).setUint32(0, kept.length)
  plain.set(kept, 4)

  const [key, nonce] = [Bytes.random(32), Bytes.random(nonceLength)]
  const wrapped = RsaKey.wrap(key, { publicKey, scheme: 'RSA-OAEP' })
  const head = Uint8Array.of(version, wrapped.length >> 8, wrapped.length & 0xff, ...wrapped)
  const cipher = { name: 'AES-GCM', iv: nonce, additionalData: head }
  const body = new Uint8Array(await crypto.subtle.encrypt(cipher, await importKey(key), plain))
  const lines = Bytes.toBase64(Bytes.concat(head, nonce, body)).match(/.{1,64}/g) ?? []
  return [begin, ...lines, end, ''].join('\n')
}

/**
 * The bytes that the app printed.
 *
 * @param privateKey PEM (PKCS#8 or PKCS#1) of the pair whose public half was the beneficiary's when the task ran
 * @throws PrintedMalformedError, ResultKeyError when the key is another one or the text was changed
 */
export async function open(sealed: Sealed, { privateKey }: { privateKey: string }): Promise<Uint8Array<ArrayBuffer>> {
  const { head, wrapped, nonce, body } = parse(sealed)
  let plain: Uint8Array<ArrayBuffer>
  try {
    const key = await importKey(RsaKey.unwrap(wrapped, { privateKey, scheme: 'RSA-OAEP' }))
    const cipher = { name: 'AES-GCM', iv: nonce, additionalData: head }
    plain = new Uint8Array(await crypto.subtle.decrypt(cipher, key, body))
  } catch (cause) {
    throw cause instanceof InvalidValueError && cause.path === 'privateKey' ? cause : new ResultKeyError({ cause })
  }
  const length = new DataView(plain.buffer).getUint32(0)
  if (4 + length > plain.length) throw new PrintedMalformedError({ reason: `it says that it holds ${length} bytes` })
  return plain.subarray(4, 4 + length)
}

function parse(sealed: string) {
  const text = sealed.replaceAll('\r\n', '\n').trim()
  if (!pattern.test(`${text}\n`)) throw new PrintedMalformedError({ reason: 'its frame is another' })
  const bytes = Bytes.fromBase64(text.slice(begin.length, -end.length).replaceAll('\n', ''))
  const [found, high = 0, low = 0] = bytes
  if (found !== version) throw new PrintedMalformedError({ reason: `its version is ${found}, not ${version}` })
  const keyEnd = 3 + high * 256 + low
  if (bytes.length < keyEnd + nonceLength + 16 + 4) throw new PrintedMalformedError({ reason: 'it is cut short' })
  return {
    head: bytes.slice(0, keyEnd),
    wrapped: bytes.slice(3, keyEnd),
    nonce: bytes.slice(keyEnd, keyEnd + nonceLength),
    body: bytes.slice(keyEnd + nonceLength),
  }
}

function importKey(key: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
