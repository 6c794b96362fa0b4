import { AsnConvert } from '@peculiar/asn1-schema'
import {
  BasicConstraints,
  Certificate as CertificateSchema,
  KeyUsage,
  KeyUsageFlags,
  type Name,
} from '@peculiar/asn1-x509'
import { type Bytes, concat, equal, fromBase64, toHex } from './bytes.ts'
import { isCanonical, signatureFromDer } from './der.ts'
import { QuoteRefusedError, refuse } from './errors.ts'

const KEY_USAGE = '2.5.29.15'
const BASIC_CONSTRAINTS = '2.5.29.19'
const COMMON_NAME = '2.5.4.3'
const UNDERSTOOD_CRITICAL = [KEY_USAGE, BASIC_CONSTRAINTS]

/** A certificate taken apart, P-256 and ECDSA with SHA-256 only. Nothing in it is trusted yet. */
export type Certificate = {
  der: Bytes
  /** What the issuer signed. */
  tbs: Bytes
  /** Raw signature (r, s). */
  signature: Bytes
  /** DER of the names: compared byte by byte. */
  subject: Bytes
  issuer: Bytes
  commonName: string
  serial: string
  notBefore: Date
  notAfter: Date
  /** SubjectPublicKeyInfo in DER, as WebCrypto imports it. */
  publicKey: Bytes
  isAuthority: boolean
  pathLength: number | undefined
  usage: { certificates: boolean; revocations: boolean; signatures: boolean }
  /** Values of the extensions by object identifier. */
  extensions: Map<string, Bytes>
}

/** Reads the common name of a distinguished name; empty when there is none. */
function commonNameOf(name: Name): string {
  for (const relative of name) {
    for (const attribute of relative) if (attribute.type === COMMON_NAME) return attribute.value.toString()
  }
  return ''
}

/**
 * Reads one DER certificate. The encoding must be the one and only DER form: no byte outside what is signed can be changed.
 *
 * @throws QuoteRefusedError with rule `certificate`.
 */
export function parseCertificate(der: Bytes): Certificate {
  try {
    return readCertificate(der)
  } catch (cause) {
    if (cause instanceof QuoteRefusedError) throw cause
    // The decoder throws errors of many kinds.
    refuse({ rule: 'certificate', value: toHex(der.slice(0, 16)), reason: 'a certificate is not valid DER', cause })
  }
}

function readCertificate(der: Bytes): Certificate {
  const parsed = AsnConvert.parse(der, CertificateSchema)
  const { tbsCertificate: body, tbsCertificateRaw } = parsed
  const name = commonNameOf(body.subject)
  const tbs = concat(new Uint8Array(tbsCertificateRaw ?? new ArrayBuffer(0)))
  const bits = concat(new Uint8Array(parsed.signatureValue))
  if (!isCanonical({ der, tbs, signature: bits })) {
    refuse({
      rule: 'certificate',
      value: name,
      reason: 'a certificate is not canonical DER signed by ECDSA with SHA-256',
    })
  }
  const signature = signatureFromDer(bits)
  if (signature === undefined)
    refuse({ rule: 'certificate', value: name, reason: 'a certificate has a malformed signature' })
  const extensions = new Map<string, Bytes>()
  for (const extension of body.extensions ?? []) {
    if (extensions.has(extension.extnID)) {
      refuse({ rule: 'certificate', value: extension.extnID, reason: `the certificate "${name}" repeats an extension` })
    }
    if (extension.critical && !UNDERSTOOD_CRITICAL.includes(extension.extnID)) {
      refuse({
        rule: 'certificate',
        value: extension.extnID,
        reason: `the certificate "${name}" has an unknown critical extension`,
      })
    }
    extensions.set(extension.extnID, concat(new Uint8Array(extension.extnValue.buffer)))
  }
  const constraints = readExtension(extensions, BASIC_CONSTRAINTS, BasicConstraints)
  const usage = readExtension(extensions, KEY_USAGE, KeyUsage)?.toNumber() ?? 0
  return {
    der,
    tbs,
    signature,
    subject: concat(new Uint8Array(AsnConvert.serialize(body.subject))),
    issuer: concat(new Uint8Array(AsnConvert.serialize(body.issuer))),
    commonName: name,
    serial: serialText(body.serialNumber),
    notBefore: body.validity.notBefore.getTime(),
    notAfter: body.validity.notAfter.getTime(),
    publicKey: concat(new Uint8Array(AsnConvert.serialize(body.subjectPublicKeyInfo))),
    isAuthority: constraints?.cA ?? false,
    pathLength: constraints?.pathLenConstraint,
    usage: {
      certificates: (usage & KeyUsageFlags.keyCertSign) !== 0,
      revocations: (usage & KeyUsageFlags.cRLSign) !== 0,
      signatures: (usage & KeyUsageFlags.digitalSignature) !== 0,
    },
    extensions,
  }
}

function readExtension<T>(extensions: Map<string, Bytes>, id: string, schema: new () => T): T | undefined {
  const value = extensions.get(id)
  if (value === undefined) return undefined
  return AsnConvert.parse(value, schema)
}

/** Serial numbers as minimal hexadecimal, so that a certificate and a revocation entry compare equal. */
export function serialText(serial: ArrayBuffer): string {
  return toHex(new Uint8Array(serial))
    .slice(2)
    .replace(/^(00)+(?=.)/, '')
}

const PEM_BLOCK =
  /-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n)-----END CERTIFICATE-----\n?/y

export type ParseChainParameters = {
  pem: string
  length: number
  /** What the chain is called in refusals. */
  what: string
  /** Certificates already taken apart: the same bytes need not be read twice. */
  known?: Certificate[]
}

/**
 * Reads a PEM chain of an exact number of certificates, leaf first, in strict form (64 columns, canonical base64, nothing between).
 *
 * @throws QuoteRefusedError with rule `certificate`.
 */
export function parseChain(parameters: ParseChainParameters & { length: 2 }): [Certificate, Certificate]
export function parseChain(parameters: ParseChainParameters & { length: 3 }): [Certificate, Certificate, Certificate]
export function parseChain({ pem, length, what, known = [] }: ParseChainParameters): Certificate[] {
  const chain: Certificate[] = []
  PEM_BLOCK.lastIndex = 0
  let end = 0
  for (let block = PEM_BLOCK.exec(pem); block !== null; block = PEM_BLOCK.exec(pem)) {
    const der = fromBase64((block[1] ?? '').replaceAll('\n', ''))
    if (der === undefined) refuse({ rule: 'certificate', value: what, reason: 'a certificate is not canonical base64' })
    chain.push(known.find((certificate) => equal(certificate.der, der)) ?? parseCertificate(der))
    end = PEM_BLOCK.lastIndex
    if (chain.length > length) break
  }
  if (end !== pem.length || chain.length !== length) {
    refuse({
      rule: 'certificate',
      value: `${chain.length} certificates, ${pem.length - end} characters left`,
      reason: `the ${what} is not a PEM chain of ${length} certificates`,
    })
  }
  return chain
}

/** Verifies an ECDSA P-256 signature (raw r, s) over SHA-256 of the message, under a SubjectPublicKeyInfo. */
export async function verifySignature({
  publicKey,
  signature,
  message,
}: {
  publicKey: Bytes
  signature: Bytes
  message: Bytes
}): Promise<boolean> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  try {
    const key = await crypto.subtle.importKey('spki', publicKey, algorithm, false, ['verify'])
    return await crypto.subtle.verify(algorithm, key, signature, message)
  } catch {
    // A key that is not a point of P-256 verifies nothing.
    return false
  }
}

/** True when `issuer` names and signed `certificate`. */
export async function isIssuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  if (!equal(certificate.issuer, issuer.subject)) return false
  return verifySignature({ publicKey: issuer.publicKey, signature: certificate.signature, message: certificate.tbs })
}
