import forge from 'node-forge'
import * as Bytes from './Bytes.ts'
import { InvalidValueError } from './errors.ts'

/** How a symmetric key is wrapped (RFC 8017). The first is the format of the ecosystem, which WebCrypto lacks. */
export type Scheme = 'RSAES-PKCS1-V1_5' | 'RSA-OAEP'

/** SHA-256 for OAEP, as WebCrypto does with `hash: 'SHA-256'`; the other scheme does not hash. */
const options = () => ({ md: forge.md.sha256.create(), mgf1: { md: forge.md.sha256.create() } })

/** Encrypts a symmetric key. `publicKey` is PEM (SPKI), or base64 of PEM as secret services store it. */
export function wrap(
  key: Uint8Array,
  { publicKey, scheme }: { publicKey: string; scheme: Scheme },
): Uint8Array<ArrayBuffer> {
  const pem = publicKey.includes('-----BEGIN') ? publicKey : Bytes.toUtf8(Bytes.fromBase64(publicKey))
  return fromBinary(forge.pki.publicKeyFromPem(pem).encrypt(toBinary(key), scheme, options()))
}

/**
 * Decrypts a symmetric key with a private key in PEM (PKCS#8 or PKCS#1).
 *
 * @throws InvalidValueError (`privateKey`) where it is no key; whatever the library throws where it is another one.
 */
export function unwrap(
  wrapped: Uint8Array,
  { privateKey, scheme }: { privateKey: string; scheme: Scheme },
): Uint8Array<ArrayBuffer> {
  return fromBinary(parse(privateKey).decrypt(toBinary(wrapped), scheme, options()))
}

function parse(privateKey: string): forge.pki.rsa.PrivateKey {
  try {
    return forge.pki.privateKeyFromPem(privateKey)
  } catch {
    // The parser's own words may repeat parts of the key.
    throw new InvalidValueError({ path: 'privateKey', expected: 'an RSA private key in PEM', value: '…' })
  }
}

function toBinary(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function fromBinary(binary: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
