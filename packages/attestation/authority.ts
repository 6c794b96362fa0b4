import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Extension,
  Extensions,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  RevokedCertificate,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  TBSCertList,
  Time,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { type Bytes, concat, digest, fromBase64, fromHex, toBase64, toHex } from './bytes.ts'
import { pointOfKeyInfo, seal, signatureToDer } from './der.ts'
import { AttestationError } from './errors.ts'

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'

/** A P-256 key pair in writing. `secret` (PKCS #8) and `publicKey` (SubjectPublicKeyInfo) are DER in base64. */
export type KeyPair = { secret: string; publicKey: string }

/** Someone who signs certificates or documents: a key and the certificate that names it (DER in base64). */
export type Signer = { key: KeyPair; certificate: string }

/** Makes a key pair. */
export async function createKeyPair(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey(ECDSA, true, ['sign', 'verify'])
  const secret = await crypto.subtle.exportKey('pkcs8', pair.privateKey)
  const publicKey = await crypto.subtle.exportKey('spki', pair.publicKey)
  return { secret: toBase64(new Uint8Array(secret)), publicKey: toBase64(new Uint8Array(publicKey)) }
}

/** Reads base64 that this package wrote. */
export function readBase64(text: string): Bytes {
  const bytes = fromBase64(text)
  if (bytes === undefined) throw new AttestationError('A key or certificate of the simulator is not base64.', {})
  return bytes
}

/** Signs by ECDSA P-256 with SHA-256; the signature is raw (r, s), 64 bytes. */
export async function sign({ key, message }: { key: KeyPair; message: Bytes }): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('pkcs8', readBase64(key.secret), ECDSA, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign(ECDSA, imported, message))
}

/** The raw point (x, y) of a pair's public key. */
export function publicPoint(key: KeyPair): Bytes {
  const point = pointOfKeyInfo(readBase64(key.publicKey))
  if (point === undefined) throw new AttestationError('A key of the simulator is not on the curve P-256.', {})
  return point
}

async function keyIdentifier(key: KeyPair): Promise<Bytes> {
  return (await digest('SHA-256', readBase64(key.publicKey))).slice(0, 20)
}

function nameOf(commonName: string): Name {
  const attribute = (type: string, utf8String: string) =>
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })])
  return new Name([attribute('2.5.4.3', commonName), attribute('2.5.4.10', 'Sealdeal simulator, not hardware')])
}

function extension(id: string, value: Bytes, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(value) })
}

function encode(value: unknown): Bytes {
  return concat(new Uint8Array(AsnConvert.serialize(value)))
}

function algorithm(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
}

async function sealWith(key: KeyPair, tbs: Bytes): Promise<Bytes> {
  return seal({ tbs, signature: signatureToDer(await sign({ key, message: tbs })) })
}

export type CreateCertificateParameters = {
  subject: string
  publicKey: KeyPair
  /** The issuer's common name and key; a root names itself. */
  issuer: { subject: string; key: KeyPair }
  notBefore: Date
  notAfter: Date
  /** Authorities may sign certificates and revocation lists, leaves documents only. */
  authority?: { pathLength: number }
  extensions?: { id: string; value: Bytes }[]
}

/** Makes and signs a certificate, with a random serial number. */
export async function createCertificate(parameters: CreateCertificateParameters): Promise<Signer> {
  const { subject, publicKey, issuer, notBefore, notAfter, authority } = parameters
  const usage =
    authority === undefined ? KeyUsageFlags.digitalSignature : KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
  const constraints =
    authority === undefined
      ? new BasicConstraints()
      : new BasicConstraints({ cA: true, pathLenConstraint: authority.pathLength })
  const issuerId = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(await keyIdentifier(issuer.key)) })
  const extensions = [
    extension('2.5.29.35', encode(issuerId)),
    extension('2.5.29.14', encode(new SubjectKeyIdentifier(await keyIdentifier(publicKey)))),
    extension('2.5.29.15', encode(new KeyUsage(usage)), true),
    extension('2.5.29.19', encode(constraints), true),
    ...(parameters.extensions ?? []).map(({ id, value }) => extension(id, value)),
  ]
  const serial = crypto.getRandomValues(new Uint8Array(20))
  // Positive, and of exactly 20 bytes.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const tbs = encode(
    new TBSCertificate({
      version: Version.v3,
      serialNumber: serial.buffer,
      signature: algorithm(),
      issuer: nameOf(issuer.subject),
      validity: new Validity({ notBefore, notAfter }),
      subject: nameOf(subject),
      subjectPublicKeyInfo: AsnConvert.parse(readBase64(publicKey.publicKey), SubjectPublicKeyInfo),
      extensions: new Extensions(extensions),
    }),
  )
  return { key: publicKey, certificate: toBase64(await sealWith(issuer.key, tbs)) }
}

/** Makes and signs a revocation list, in hexadecimal. Serial numbers are hexadecimal. */
export async function createRevocationList({
  issuer,
  serials,
  thisUpdate,
  nextUpdate,
}: {
  issuer: { subject: string; key: KeyPair }
  serials: string[]
  thisUpdate: Date
  nextUpdate: Date
}): Promise<string> {
  const issuerId = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(await keyIdentifier(issuer.key)) })
  const tbs = encode(
    new TBSCertList({
      version: Version.v2,
      signature: algorithm(),
      issuer: nameOf(issuer.subject),
      thisUpdate: new Time(thisUpdate),
      nextUpdate: new Time(nextUpdate),
      ...(serials.length === 0 ? {} : { revokedCertificates: serials.map((serial) => revoked(serial, thisUpdate)) }),
      crlExtensions: [
        extension('2.5.29.20', Uint8Array.of(0x02, 0x01, 0x01)),
        extension('2.5.29.35', encode(issuerId)),
      ],
    }),
  )
  return toHex(await sealWith(issuer.key, tbs)).slice(2)
}

function revoked(serial: string, at: Date): RevokedCertificate {
  const bytes = fromHex(serial.length % 2 === 0 ? serial : `0${serial}`) ?? new Uint8Array()
  return new RevokedCertificate({ userCertificate: bytes.buffer, revocationDate: new Time(at) })
}

/** Writes certificates (DER in base64) as a PEM chain. */
export function toPem(certificates: string[]): string {
  return certificates
    .map(
      (text) =>
        `-----BEGIN CERTIFICATE-----\n${(text.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    )
    .join('')
}
