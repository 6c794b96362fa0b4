import { decodeBase64, encodeBase64, getBytes, hexlify, randomBytes, toUtf8Bytes, toUtf8String } from 'ethers'
import type { Hex } from './hex.ts'

/** Bytes as `0x` and hexadecimal digits. */
export function toHex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex
}

/** Bytes of a `0x` string. Throws when it is not one. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return owned(getBytes(hex))
}

/** UTF-8 bytes of a text. */
export function fromUtf8(text: string): Uint8Array<ArrayBuffer> {
  return owned(toUtf8Bytes(text))
}

/** Text of UTF-8 bytes. Throws on malformed UTF-8 instead of replacing it. */
export function toUtf8(bytes: Uint8Array): string {
  return toUtf8String(bytes)
}

export function toBase64(bytes: Uint8Array): string {
  return encodeBase64(bytes)
}

/** Bytes of a standard base64 string. Throws when it is not one. */
export function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  return owned(decodeBase64(base64))
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** `length` bytes from the platform's secure generator. */
export function random(length: number): Uint8Array<ArrayBuffer> {
  return owned(randomBytes(length))
}

/**
 * The same bytes, typed as WebCrypto wants them. A view over shared memory is copied: WebCrypto refuses those.
 */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
