import { AsnConvert } from '@peculiar/asn1-schema'
import { CertificateList } from '@peculiar/asn1-x509'
import { type Bytes, concat, equal, fromHex } from './bytes.ts'
import { type Certificate, serialText, verifySignature } from './certificate.ts'
import { isCanonical, signatureFromDer } from './der.ts'
import { refuse } from './errors.ts'

/** A revocation list whose signature, issuer and window were verified. */
export type RevocationList = { serials: Set<string>; thisUpdate: Date; nextUpdate: Date }

/**
 * Reads a revocation list and authenticates it: canonical DER, issued and signed by `issuer`, which may sign lists, and in its
 * window at the given time. Another authority's list, an edited one or an expired one is never consulted: it is refused.
 *
 * @param hex - The list in DER, as hexadecimal.
 * @throws QuoteRefusedError with rule `revocation-list` or `revocation-window`.
 */
export async function openRevocationList({
  hex,
  issuer,
  at,
  what,
}: {
  hex: string
  issuer: Certificate
  at: Date
  what: string
}): Promise<RevocationList> {
  const der = fromHex(hex)
  if (der === undefined || der.length === 0) {
    refuse({ rule: 'revocation-list', value: what, reason: 'the revocation list is not DER in hexadecimal' })
  }
  const { list, tbs, signature } = parseList(der, what)
  const { tbsCertList: body } = list
  if (!equal(new Uint8Array(AsnConvert.serialize(body.issuer)), issuer.subject)) {
    refuse({ rule: 'revocation-list', value: what, reason: `the list was not issued by "${issuer.commonName}"` })
  }
  if (!issuer.usage.revocations) {
    refuse({
      rule: 'revocation-list',
      value: issuer.commonName,
      reason: `the issuer of the ${what} may not sign revocation lists`,
    })
  }
  if (!(await verifySignature({ publicKey: issuer.publicKey, signature, message: tbs }))) {
    refuse({ rule: 'revocation-list', value: what, reason: `the list is not signed by "${issuer.commonName}"` })
  }
  const thisUpdate = body.thisUpdate.getTime()
  const nextUpdate = body.nextUpdate?.getTime()
  if (nextUpdate === undefined || at < thisUpdate || at > nextUpdate) {
    const window = `${thisUpdate.toISOString()} .. ${nextUpdate?.toISOString() ?? 'never'}`
    refuse({
      rule: 'revocation-window',
      value: window,
      reason: `the ${what} is not in its window at ${at.toISOString()}`,
    })
  }
  const serials = new Set((body.revokedCertificates ?? []).map((entry) => serialText(entry.userCertificate)))
  return { serials, thisUpdate, nextUpdate }
}

function parseList(der: Bytes, what: string): { list: CertificateList; tbs: Bytes; signature: Bytes } {
  let list: CertificateList
  try {
    list = AsnConvert.parse(der, CertificateList)
  } catch (cause) {
    refuse({ rule: 'revocation-list', value: what, reason: 'the revocation list is not valid DER', cause })
  }
  const tbs = concat(new Uint8Array(list.tbsCertListRaw ?? new ArrayBuffer(0)))
  const bits = concat(new Uint8Array(list.signature))
  const signature = signatureFromDer(bits)
  if (signature === undefined || !isCanonical({ der, tbs, signature: bits })) {
    refuse({
      rule: 'revocation-list',
      value: what,
      reason: 'the list is not canonical DER signed by ECDSA with SHA-256',
    })
  }
  const extensions = [
    ...(list.tbsCertList.crlExtensions ?? []),
    ...(list.tbsCertList.revokedCertificates ?? []).flatMap((entry) => entry.crlEntryExtensions ?? []),
  ]
  // A partial, delta or indirect list says so in a critical extension: treating it as complete would fail open.
  const critical = extensions.find((extension) => extension.critical)
  if (critical !== undefined) {
    refuse({
      rule: 'revocation-list',
      value: critical.extnID,
      reason: `the ${what} has a critical extension that is not understood`,
    })
  }
  return { list, tbs, signature }
}

/** Refuses a certificate that is on its issuer's list. */
export function expectNotRevoked(certificate: Certificate, list: RevocationList): void {
  if (list.serials.has(certificate.serial)) {
    refuse({
      rule: 'revoked',
      value: certificate.serial,
      reason: `the certificate "${certificate.commonName}" is revoked`,
    })
  }
}
