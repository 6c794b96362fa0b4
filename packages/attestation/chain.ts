import { type Bytes, digest, equal, toHex } from './bytes.ts'
import { type Certificate, isIssuedBy } from './certificate.ts'
import { refuse } from './errors.ts'
import type { Policy } from './policy.ts'

/** What a certificate is for, told by its common name; Intel's, and the simulator's which end alike. */
export type Role =
  | 'SGX Root CA'
  | 'SGX PCK Platform CA'
  | 'SGX PCK Processor CA'
  | 'SGX PCK Certificate'
  | 'SGX TCB Signing'

/** How every certificate of the simulator is named. A root that is named so can never be trusted as hardware. */
export const SIMULATED_NAME = 'SIMULATED'

/** The root that the quote leads to, and the policy's word about it. */
export type TrustedRoot = { certificate: Certificate; name: string; simulated: boolean }

/**
 * Finds the quote's root among the policy's pinned ones and verifies it.
 *
 * @throws QuoteRefusedError with rule `root` when the root is not pinned, or is a simulator's and not marked as one.
 */
export async function openRoot({
  certificate,
  policy,
  at,
}: {
  certificate: Certificate
  policy: Policy
  at: Date
}): Promise<TrustedRoot> {
  const fingerprint = toHex(await digest('SHA-256', certificate.der))
  const pinned = policy.roots.find((root) => root.sha256 === fingerprint)
  if (pinned === undefined) {
    refuse({
      rule: 'root',
      value: fingerprint,
      reason: `the root "${certificate.commonName}" is not one that the policy accepts`,
    })
  }
  if (certificate.commonName.includes(SIMULATED_NAME) && !pinned.simulated) {
    refuse({ rule: 'root', value: certificate.commonName, reason: 'a simulator root is pinned as if it were hardware' })
  }
  expectAuthority({ certificate, depth: 1 })
  expectWindow({ certificate, at })
  expectRole(certificate, ['SGX Root CA'])
  if (!(await isIssuedBy(certificate, certificate))) {
    refuse({
      rule: 'certificate-chain',
      value: certificate.commonName,
      reason: 'the root certificate is not signed by itself',
    })
  }
  return { certificate, name: pinned.name, simulated: pinned.simulated }
}

/**
 * Verifies a chain, leaf first, up to the opened root: the same root bytes, every signature, name, window, authority and path length.
 *
 * @throws QuoteRefusedError with rule `certificate`, `certificate-chain` or `certificate-window`.
 */
export async function verifyChain({
  chain,
  root,
  at,
  what,
  first = 'leaf',
}: {
  chain: Certificate[]
  root: TrustedRoot
  at: Date
  what: string
  /** What the first certificate must be; an authority's chain is verified with room for one leaf below it. */
  first?: 'leaf' | 'authority'
}): Promise<void> {
  const top = chain.at(-1)
  if (top === undefined || !equal(top.der, root.certificate.der)) {
    refuse({
      rule: 'certificate-chain',
      value: top?.commonName ?? 'nothing',
      reason: `the ${what} does not end at the quote's root`,
    })
  }
  for (const [depth, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[depth + 1] ?? top
    expectWindow({ certificate, at })
    if (depth === 0 && first === 'leaf' && certificate.isAuthority) {
      refuse({
        rule: 'certificate-chain',
        value: certificate.commonName,
        reason: `the leaf of the ${what} is an authority`,
      })
    }
    if (depth > 0 || first === 'authority') expectAuthority({ certificate, depth: Math.max(0, depth - 1) })
    if (!(await isIssuedBy(certificate, issuer))) {
      refuse({
        rule: 'certificate-chain',
        value: certificate.commonName,
        reason: `a link of the ${what} is not signed by its issuer`,
      })
    }
  }
}

function expectAuthority({ certificate, depth }: { certificate: Certificate; depth: number }): void {
  const { isAuthority, usage, pathLength } = certificate
  if (!isAuthority || !usage.certificates || (pathLength !== undefined && pathLength < depth)) {
    refuse({
      rule: 'certificate-chain',
      value: certificate.commonName,
      reason: 'an issuer may not issue at this place of the chain',
    })
  }
}

function expectWindow({ certificate, at }: { certificate: Certificate; at: Date }): void {
  const { notBefore, notAfter, commonName } = certificate
  if (at < notBefore || at > notAfter) {
    const window = `${notBefore.toISOString()} .. ${notAfter.toISOString()}`
    refuse({
      rule: 'certificate-window',
      value: window,
      reason: `the certificate "${commonName}" is not valid at ${at.toISOString()}`,
    })
  }
}

/** Refuses a certificate that is used in another role than it was made for. */
export function expectRole(certificate: Certificate, roles: Role[]): void {
  if (!roles.some((role) => certificate.commonName.endsWith(role))) {
    refuse({
      rule: 'certificate-chain',
      value: certificate.commonName,
      reason: `the certificate is not named "${roles.join('" or "')}"`,
    })
  }
}

/** Reads the fingerprint by which a policy pins a root: SHA-256 of its DER form. */
export async function rootFingerprint(der: Bytes): Promise<`0x${string}`> {
  return toHex(await digest('SHA-256', der))
}
