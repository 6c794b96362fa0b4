/** A byte string in lower-case hexadecimal with its prefix. */
export type Hex = `0x${string}`

/** Bytes on memory that WebCrypto accepts (never a shared buffer). */
export type Bytes = Uint8Array<ArrayBuffer>

/** Writes bytes as lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): Hex {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return `0x${text}`
}

/** Reads hexadecimal with or without prefix, in either case; `undefined` when the text is anything else. */
export function fromHex(text: string): Bytes | undefined {
  const digits = text.startsWith('0x') ? text.slice(2) : text
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined
  const bytes = new Uint8Array(digits.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16)
  }
  return bytes
}

/** Writes bytes as canonical base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Reads base64; `undefined` unless the text is exactly what {@link toBase64} would write for those bytes. */
export function fromBase64(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  return toBase64(bytes) === text ? bytes : undefined
}

/** Joins byte strings. */
export function concat(...parts: Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Compares public byte strings (not in constant time: nothing secret is compared here). */
export function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}

/** True when every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** True when `value`, under `mask`, is `expected`. All three must have the same length. */
export function equalUnderMask(value: Uint8Array, mask: Uint8Array, expected: Uint8Array): boolean {
  if (value.length !== mask.length || value.length !== expected.length) return false
  return value.every((byte, index) => (byte & (mask[index] ?? 0)) === expected[index])
}

/** The text as UTF-8. */
export function utf8(text: string): Bytes {
  return new Uint8Array(new TextEncoder().encode(text))
}

/** SHA-2 of the bytes, by the platform's WebCrypto. */
export async function digest(hash: 'SHA-256' | 'SHA-384', bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(hash, bytes))
}
