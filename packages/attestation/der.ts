import { fromBER, Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import { type Bytes, concat, equal } from './bytes.ts'

/** AlgorithmIdentifier of ECDSA with SHA-256 (1.2.840.10045.4.3.2, no parameters). */
const ECDSA_WITH_SHA256 = Uint8Array.from([0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])
const SEQUENCE = 0x30
const BIT_STRING = 0x03

/** SubjectPublicKeyInfo of a P-256 key up to its raw point. */
const P256_KEY_INFO = Uint8Array.from([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
  0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
])

/** Puts a raw P-256 point (x, y) into a SubjectPublicKeyInfo. */
export function keyInfoOfPoint(point: Uint8Array): Bytes {
  return concat(P256_KEY_INFO, point)
}

/** Takes the raw P-256 point (x, y) out of a SubjectPublicKeyInfo; `undefined` for any other key. */
export function pointOfKeyInfo(keyInfo: Uint8Array): Bytes | undefined {
  const isP256 =
    keyInfo.length === P256_KEY_INFO.length + 64 && equal(keyInfo.subarray(0, P256_KEY_INFO.length), P256_KEY_INFO)
  return isP256 ? concat(keyInfo.subarray(P256_KEY_INFO.length)) : undefined
}

function wrap(tag: number, content: Uint8Array): Bytes {
  const { length } = content
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content)
  if (length < 0x100) return concat(Uint8Array.of(tag, 0x81, length), content)
  if (length < 0x10000) return concat(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), content)
  return concat(Uint8Array.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff), content)
}

/** Encloses what was signed and its DER signature as certificates and revocation lists do. */
export function seal({ tbs, signature }: { tbs: Uint8Array; signature: Uint8Array }): Bytes {
  return wrap(SEQUENCE, concat(tbs, ECDSA_WITH_SHA256, wrap(BIT_STRING, concat(Uint8Array.of(0), signature))))
}

/**
 * True when `der` is exactly the canonical enclosure of the signed part and the signature. What lies around the signed part is
 * signed by nobody; rebuilding it leaves no room for a second encoding.
 */
export function isCanonical({
  der,
  tbs,
  signature,
}: {
  der: Uint8Array
  tbs: Uint8Array
  signature: Uint8Array
}): boolean {
  return equal(der, seal({ tbs, signature }))
}

/** Writes a raw ECDSA signature (r, s of 32 bytes) in DER. */
export function signatureToDer(raw: Bytes): Bytes {
  const numbers = [raw.slice(0, 32), raw.slice(32, 64)].map((half) => {
    const start = half.findIndex((byte) => byte !== 0)
    const digits = start < 0 ? Uint8Array.of(0) : half.subarray(start)
    return wrap(0x02, (digits[0] ?? 0) >= 0x80 ? concat(Uint8Array.of(0), digits) : digits)
  })
  return wrap(SEQUENCE, concat(...numbers))
}

/** Decodes one DER value that fills the bytes; `undefined` for anything else, whatever the decoder thinks of it. */
function decode(der: Bytes): unknown {
  try {
    const { result, offset } = fromBER(der)
    return offset === der.length ? result : undefined
  } catch {
    return undefined
  }
}

/** Reads a DER ECDSA signature as raw r, s of 32 bytes each; `undefined` unless it is in canonical form. */
export function signatureFromDer(der: Bytes): Bytes | undefined {
  const result = decode(der)
  if (!(result instanceof Sequence)) return undefined
  const raw = new Uint8Array(64)
  const numbers = result.valueBlock.value
  if (numbers.length !== 2) return undefined
  for (const [index, number] of numbers.entries()) {
    if (!(number instanceof Integer)) return undefined
    const digits = new Uint8Array(number.valueBlock.valueHexView)
    const start = digits.findIndex((byte) => byte !== 0)
    const significant = start < 0 ? new Uint8Array() : digits.subarray(start)
    if (significant.length > 32) return undefined
    raw.set(significant, 32 * (index + 1) - significant.length)
  }
  return equal(signatureToDer(raw), der) ? raw : undefined
}

/** A tree of (object identifier, value) pairs, as the SGX extension nests them: byte strings, numbers and further pairs. */
export type OidValue = Bytes | number | Map<string, OidValue>

/** Reads a SEQUENCE of (OBJECT IDENTIFIER, value) pairs; `undefined` for another shape. Values of other types are left out. */
export function readOidTree(der: Bytes): Map<string, OidValue> | undefined {
  const result = decode(der)
  if (!(result instanceof Sequence)) return undefined
  return readPairs(result)
}

function readPairs(sequence: Sequence): Map<string, OidValue> | undefined {
  const tree = new Map<string, OidValue>()
  for (const pair of sequence.valueBlock.value) {
    if (!(pair instanceof Sequence) || pair.valueBlock.value.length !== 2) return undefined
    const [id, value] = pair.valueBlock.value
    if (!(id instanceof ObjectIdentifier)) return undefined
    const key = id.valueBlock.toString()
    if (tree.has(key)) return undefined
    if (value instanceof OctetString) tree.set(key, concat(value.valueBlock.valueHexView))
    else if (value instanceof Integer) tree.set(key, value.valueBlock.valueDec)
    else if (value instanceof Sequence) {
      const inner = readPairs(value)
      if (inner === undefined) return undefined
      tree.set(key, inner)
    }
  }
  return tree
}

/** Writes such a tree: the simulator's half of {@link readOidTree}. */
export function writeOidTree(tree: Map<string, OidValue>): Bytes {
  return new Uint8Array(treeBlock(tree).toBER())
}

function treeBlock(tree: Map<string, OidValue>): Sequence {
  const pairs = [...tree].map(([id, value]) => {
    const block =
      value instanceof Map
        ? treeBlock(value)
        : typeof value === 'number'
          ? new Integer({ value })
          : new OctetString({ valueHex: concat(value).buffer })
    return new Sequence({ value: [new ObjectIdentifier({ value: id }), block] })
  })
  return new Sequence({ value: pairs })
}
