import { Uint8ArrayReader, ZipWriter } from '@zip.js/zip.js'
import { concat, keccak256, toUtf8Bytes } from 'ethers'
import * as Archive from './Archive.ts'
import * as Bytes from './Bytes.ts'
import * as Cipher from './Cipher.ts'
import { BaseError, InvalidValueError } from './errors.ts'
import type { Hex } from './hex.ts'
import * as RsaKey from './RsaKey.ts'

/** Entries of an encrypted result. */
const keyEntry = 'aes-key.rsa'
const dataEntry = 'iexec_out.zip.aes'

/** The format of the ecosystem. */
const scheme = 'RSAES-PKCS1-V1_5'

/** Keys in PEM: the public one as SPKI, the private one as PKCS#8. */
export type KeyPair = { publicKey: string; privateKey: string }

/** The private key does not open this result. */
export class ResultKeyError extends BaseError {
  override name = 'ResultKeyError'
  constructor({ cause }: { cause?: unknown } = {}) {
    super('The result was not encrypted to this private key.', {
      cause,
      metaMessages: ['Use the key whose public half was stored for the beneficiary when the task ran.'],
      docsPath: '/results#keys',
    })
  }
}

/** A fresh RSA key pair for results. */
export async function generateKeyPair({ bits = 4096 }: { bits?: number } = {}): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey(
    { name: 'RSA-OAEP', modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' },
    true,
    ['encrypt', 'decrypt'],
  )
  const [spki, pkcs8] = await Promise.all([
    crypto.subtle.exportKey('spki', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ])
  return { publicKey: pem('PUBLIC KEY', spki), privateKey: pem('PRIVATE KEY', pkcs8) }
}

/**
 * Encrypts an archive of outputs to the beneficiary: a ZIP of `aes-key.rsa` and `iexec_out.zip.aes`.
 *
 * `publicKey` is PEM, or base64 of PEM as secret services store it. Each call makes its own AES key.
 */
export function encryption({
  archive,
  publicKey,
}: {
  archive: ReadableStream<Uint8Array>
  publicKey: string
}): ReadableStream<Uint8Array<ArrayBuffer>> {
  const key = Cipher.generateKey()
  const wrapped = RsaKey.wrap(Cipher.keyBytes(key), { publicKey, scheme })
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>()
  const zip = new ZipWriter(writable, { level: 0, extendedTimestamp: false, keepOrder: true, useWebWorkers: false })
  const add = async () => {
    await zip.add(keyEntry, new Uint8ArrayReader(wrapped))
    await zip.add(dataEntry, archive.pipeThrough(Cipher.encryption({ key })))
    await zip.close()
  }
  // An error here reaches whoever reads the stream.
  add().catch((error) => writable.abort(error))
  return readable
}

/** `encryption` for bytes at hand. */
export async function encrypt({ archive, publicKey }: { archive: Uint8Array; publicKey: string }) {
  return Cipher.collect(encryption({ archive: Cipher.stream(archive), publicKey }))
}

/**
 * The archive of outputs inside an encrypted result.
 *
 * @throws ResultKeyError when `privateKey` (PEM, PKCS#8 or PKCS#1) is not the one.
 */
export async function decrypt({ archive, privateKey }: { archive: Uint8Array; privateKey: string }) {
  const entries = await Archive.unpack(archive)
  const [wrapped, data] = [entries.get(keyEntry), entries.get(dataEntry)]
  if (wrapped === undefined || data === undefined) {
    throw new Archive.ArchiveError(`The result is not encrypted: it holds no "${keyEntry}" and "${dataEntry}".`)
  }
  try {
    return await Cipher.decrypt(data, Bytes.toBase64(RsaKey.unwrap(wrapped, { privateKey, scheme })))
  } catch (cause) {
    throw cause instanceof InvalidValueError && cause.path === 'privateKey' ? cause : new ResultKeyError({ cause })
  }
}

/** Whether a result is encrypted: what its archive holds tells. */
export async function isEncrypted(archive: Uint8Array): Promise<boolean> {
  const entries = await Archive.unpack(archive)
  return entries.has(keyEntry) && entries.has(dataEntry)
}

/** Output files of a decrypted archive. */
export async function files(archive: Uint8Array): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  return Archive.unpack(archive)
}

/** Archive of output files, equal bytes for equal files. */
export async function pack(files: Archive.Files): Promise<Uint8Array<ArrayBuffer>> {
  return Archive.pack(files)
}

/**
 * What a result is known by on chain: it binds the path and the content of every file, nested ones too.
 *
 * keccak256(salt (32 bytes) ‖ for each file, sorted by path: keccak256(path in UTF-8) ‖ keccak256(content)). The salt is
 * the enclave's secret: without it, a result with few possible values could be guessed from its digest.
 */
export function digest({ files, salt }: { files: Archive.Files; salt: Hex }): Hex {
  if ((salt.length - 2) / 2 !== 32) throw new InvalidValueError({ path: 'salt', expected: '32 bytes', value: '…' })
  const leaves = Archive.entries(files).flatMap(([path, content]) => [keccak256(toUtf8Bytes(path)), keccak256(content)])
  return keccak256(concat([salt, ...leaves])) as Hex
}

/** Digest of a result that goes to a contract: what the Hub compares `resultsCallback` with. */
export function callbackDigest(data: Hex): Hex {
  return keccak256(data) as Hex
}

/** Where a result lies, as the Hub's `results` bytes tell. */
export type Location = { storage: string; location: string }

export function encodeLocation({ storage, location }: Location): Hex {
  return Bytes.toHex(toUtf8Bytes(JSON.stringify({ storage, location })))
}

/** Reads the Hub's `results` bytes; anything unreadable is a result stored nowhere, `{ storage: 'none' }`. */
export function decodeLocation(results: Hex): Location {
  try {
    const json: unknown = JSON.parse(Bytes.toUtf8(Bytes.fromHex(results)))
    if (typeof json === 'object' && json !== null && 'storage' in json && 'location' in json) {
      return { storage: String(json.storage), location: String(json.location) }
    }
  } catch {
    // Callback-only and foreign results need not be JSON.
  }
  return { storage: 'none', location: '' }
}

/** Public key in PEM -> what a secret service keeps: base64 of the PEM. */
export function encodePublicKey(publicKey: string): string {
  return Bytes.toBase64(toUtf8Bytes(publicKey))
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Bytes.toBase64(new Uint8Array(der)).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
