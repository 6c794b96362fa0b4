import { sha256 } from '@noble/hashes/sha2.js'
import { toHex } from './Bytes.ts'
import type { Hex } from './hex.ts'

/** sha256 of bytes at hand. */
export function of(bytes: Uint8Array): Hex {
  return toHex(sha256(bytes))
}

/** Lets a stream pass and counts it: `digest()` and `length()` are right once the stream has ended. */
export function meter(): {
  stream: TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>
  digest(): Hex
  length(): number
} {
  const hash = sha256.create()
  let length = 0
  return {
    stream: new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform(bytes, controller) {
        hash.update(bytes)
        length += bytes.length
        controller.enqueue(bytes as Uint8Array<ArrayBuffer>)
      },
    }),
    digest: () => toHex(hash.clone().digest()),
    length: () => length,
  }
}
