import { decodeBase58, encodeBase58, getBytes, hexlify, toBeArray, toUtf8Bytes, toUtf8String } from 'ethers'
import { InvalidValueError } from './errors.ts'
import type { Hex } from './hex.ts'

/** Where bytes lie: content by its address, or any URL. */
export type Locator = { cid: string } | { url: string }

/** A multiaddr of protocol `p2p` (code 421 as a varint: a5 03) and 34 bytes of sha2-256 multihash (12 20 …). */
const prefix = Uint8Array.of(0xa5, 0x03, 0x22)
const multihashPrefix = Uint8Array.of(0x12, 0x20)

/** The bytes to write on chain: `/p2p/<CIDv0>` for content, the plain text of any other URL. */
export function toBytes(locator: Locator): Hex {
  if ('url' in locator) return hexlify(toUtf8Bytes(locator.url)) as Hex
  return hexlify(Uint8Array.of(...prefix, ...multihash(locator.cid))) as Hex
}

/** Reads what stands on chain. Throws when it is neither a content address nor a URL. */
export function fromBytes(value: Hex | Uint8Array): Locator {
  const bytes = getBytes(value)
  if (bytes.length === 37 && prefix.every((byte, index) => byte === bytes[index])) {
    return { cid: encodeBase58(bytes.slice(prefix.length)) }
  }
  const text = utf8(bytes)
  const path = text === undefined ? undefined : /^\/(?:ipfs|p2p)\/(\w+)$/.exec(text)?.[1]
  if (path !== undefined) return { cid: path }
  if (text !== undefined && URL.canParse(text)) return { url: text }
  throw new InvalidValueError({ path: 'multiaddr', expected: 'a content address or a URL', value: hexlify(bytes) })
}

/** Where to fetch the bytes: a URL as it is, content through `gateway` (an origin such as `https://gateway.example`). */
export function toUrl(value: Hex | Uint8Array | Locator, { gateway }: { gateway: string }): string {
  const locator = typeof value === 'string' || value instanceof Uint8Array ? fromBytes(value) : value
  return 'url' in locator ? locator.url : `${gateway.replace(/\/+$/, '')}/ipfs/${locator.cid}`
}

/** The multihash inside a CIDv0. Later CID versions are refused: the ecosystem's readers expect version 0. */
function multihash(cid: string): Uint8Array {
  if (/^Qm[1-9A-HJ-NP-Za-km-z]{44}$/.test(cid)) {
    const bytes = toBeArray(decodeBase58(cid))
    if (bytes.length === 34 && multihashPrefix.every((byte, index) => byte === bytes[index])) return bytes
  }
  throw new InvalidValueError({ path: 'cid', expected: 'a CID of version 0 (Qm…)', value: cid })
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return toUtf8String(bytes)
  } catch {
    return undefined
  }
}
