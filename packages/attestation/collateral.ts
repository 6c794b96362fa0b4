import { z } from 'zod'
import { equal, fromHex, utf8 } from './bytes.ts'
import { type Certificate, parseChain, verifySignature } from './certificate.ts'
import { expectRole, type TrustedRoot, verifyChain } from './chain.ts'
import { type Rule, refuse } from './errors.ts'
import type { Policy } from './policy.ts'
import { expectNotRevoked, openRevocationList, type RevocationList } from './revocation.ts'
import { type QeIdentity, qeIdentitySchema, type TcbInfo, tcbInfoSchema } from './tcb.ts'

const DAY = 86_400_000

/** The nine fields of DCAP collateral. Revocation lists and signatures are hexadecimal; the two JSON documents are byte-exact. */
export const collateralSchema = z.object({
  pck_crl_issuer_chain: z.string(),
  root_ca_crl: z.string(),
  pck_crl: z.string(),
  tcb_info_issuer_chain: z.string(),
  tcb_info: z.string(),
  tcb_info_signature: z.string(),
  qe_identity_issuer_chain: z.string(),
  qe_identity: z.string(),
  qe_identity_signature: z.string(),
})
export type Collateral = z.output<typeof collateralSchema>

/** Collateral whose every field was authenticated up to the quote's root. */
export type TrustedCollateral = {
  tcbInfo: TcbInfo
  qeIdentity: QeIdentity
  rootList: RevocationList
  pckList: RevocationList
  /** The first moment at which something in it must be renewed. */
  validUntil: Date
}

/** Checks the shape of collateral, for example from a JSON file; nothing in it is trusted yet. */
export function parseCollateral(value: unknown): Collateral {
  const parsed = collateralSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
  refuse({ rule: 'collateral-format', value: fields, reason: 'fields of the collateral are missing or not text' })
}

/** Where the quote's own chain leads: its root, and the authority that issued its PCK certificate. Both were verified. */
export type QuoteAuthorities = { root: TrustedRoot; authority: Certificate }

type OpenParameters = QuoteAuthorities & { collateral: Collateral; at: Date }

/**
 * Authenticates collateral under the root of a quote and at a time: both revocation lists, then the two documents.
 *
 * @throws QuoteRefusedError
 */
export async function openCollateral(parameters: OpenParameters & { policy: Policy }): Promise<TrustedCollateral> {
  const { collateral, root, policy, at } = parameters
  const { rootList, pckList } = await openRevocationLists(parameters)
  const signerOf = (pem: string, what: string) => openSigner({ pem, what, root, rootList, at })
  const { tcb_info_issuer_chain: tcbChain, qe_identity_issuer_chain: qeChain } = collateral
  const tcbSigner = await signerOf(tcbChain, 'TCB info issuer chain')
  const qeSigner = qeChain === tcbChain ? tcbSigner : await signerOf(qeChain, 'QE identity issuer chain')
  const tcbInfo = await openDocument({
    text: collateral.tcb_info,
    signature: collateral.tcb_info_signature,
    signer: tcbSigner,
    schema: tcbInfoSchema,
    rules: ['tcb-info-signature', 'tcb-info-window'],
    policy,
    at,
    what: 'TCB info',
  })
  const qeIdentity = await openDocument({
    text: collateral.qe_identity,
    signature: collateral.qe_identity_signature,
    signer: qeSigner,
    schema: qeIdentitySchema,
    rules: ['qe-identity-signature', 'qe-identity-window'],
    policy,
    at,
    what: 'QE identity',
  })
  const ends = [
    ...[tcbInfo, qeIdentity].flatMap((document) => [
      document.nextUpdate.getTime(),
      ageLimit(document.issueDate, policy),
    ]),
    ...[rootList, pckList].map((list) => list.nextUpdate.getTime()),
    ...[root.certificate, parameters.authority, tcbSigner, qeSigner].map((certificate) =>
      certificate.notAfter.getTime(),
    ),
  ]
  return { tcbInfo, qeIdentity, rootList, pckList, validUntil: new Date(Math.min(...ends)) }
}

async function openRevocationLists({ collateral, root, authority, at }: OpenParameters) {
  const rootList = await openRevocationList({
    hex: collateral.root_ca_crl,
    issuer: root.certificate,
    at,
    what: 'root revocation list',
  })
  expectNotRevoked(authority, rootList)
  const what = 'PCK revocation list issuer chain'
  const known = [authority, root.certificate]
  const chain = parseChain({ pem: collateral.pck_crl_issuer_chain, length: 2, what, known })
  const [issuer, top] = chain
  // The quote's own chain was verified already: only another one has something left to be asked.
  if (issuer !== authority || top !== root.certificate) {
    await verifyChain({ chain, root, at, what, first: 'authority' })
    expectNotRevoked(issuer, rootList)
    // The list must come from the authority that issued the quote's certificate: another's list says nothing about it.
    if (!equal(issuer.publicKey, authority.publicKey) || !equal(issuer.subject, authority.subject)) {
      refuse({
        rule: 'revocation-list',
        value: issuer.commonName,
        reason: 'the PCK revocation list is of another authority',
      })
    }
  }
  const pckList = await openRevocationList({ hex: collateral.pck_crl, issuer, at, what: 'PCK revocation list' })
  return { rootList, pckList }
}

async function openSigner({
  pem,
  what,
  root,
  rootList,
  at,
}: {
  pem: string
  what: string
  root: TrustedRoot
  rootList: RevocationList
  at: Date
}): Promise<Certificate> {
  const [signer, top] = parseChain({ pem, length: 2, what, known: [root.certificate] })
  await verifyChain({ chain: [signer, top], root, at, what })
  expectRole(signer, ['SGX TCB Signing'])
  if (!signer.usage.signatures) {
    refuse({
      rule: 'certificate-chain',
      value: signer.commonName,
      reason: `the signer of the ${what} may not sign documents`,
    })
  }
  expectNotRevoked(signer, rootList)
  return signer
}

type Dated = { issueDate: Date; nextUpdate: Date }

async function openDocument<T extends Dated>({
  text,
  signature,
  signer,
  schema,
  rules,
  policy,
  at,
  what,
}: {
  text: string
  signature: string
  signer: Certificate
  schema: z.ZodType<T>
  rules: [Rule, Rule]
  policy: Policy
  at: Date
  what: string
}): Promise<T> {
  const [signatureRule, windowRule] = rules
  const raw = fromHex(signature)
  const isSigned =
    raw?.length === 64 && (await verifySignature({ publicKey: signer.publicKey, signature: raw, message: utf8(text) }))
  if (!isSigned)
    refuse({ rule: signatureRule, value: signature.slice(0, 16), reason: `the ${what} is not signed by its issuer` })
  const document = schema.safeParse(parseJson(text, what))
  if (!document.success) {
    const fields = document.error.issues.map((issue) => issue.path.join('.')).join(', ')
    refuse({ rule: 'collateral-format', value: fields, reason: `the ${what} is not of a known version and shape` })
  }
  const { issueDate, nextUpdate } = document.data
  if (at < issueDate || at > nextUpdate) {
    const window = `${issueDate.toISOString()} .. ${nextUpdate.toISOString()}`
    refuse({ rule: windowRule, value: window, reason: `the ${what} is not in its window at ${at.toISOString()}` })
  }
  if (at.getTime() > ageLimit(issueDate, policy)) {
    const limit = `more than ${policy.collateralMaxAgeDays} days`
    refuse({ rule: 'collateral-age', value: issueDate.toISOString(), reason: `the ${what} was issued ${limit} ago` })
  }
  return document.data
}

/** The last moment, in milliseconds, at which the policy still accepts a document of this date. */
function ageLimit(issueDate: Date, policy: Policy): number {
  return policy.collateralMaxAgeDays === undefined ? Infinity : issueDate.getTime() + policy.collateralMaxAgeDays * DAY
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    refuse({ rule: 'collateral-format', value: text.slice(0, 32), reason: `the ${what} is not JSON`, cause })
  }
}
