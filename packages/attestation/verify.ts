import { expectAttributes } from './attributes.ts'
import { type Bytes, concat, digest, equal, type Hex, isZero, toHex } from './bytes.ts'
import { parseChain, verifySignature } from './certificate.ts'
import { expectRole, openRoot, type TrustedRoot, verifyChain } from './chain.ts'
import { type Collateral, openCollateral, parseCollateral, type TrustedCollateral } from './collateral.ts'
import { keyInfoOfPoint } from './der.ts'
import { refuse } from './errors.ts'
import type { LaunchIdentity, MeasuredEvent } from './events.ts'
import { verifyEvents } from './guest.ts'
import { expectMeasurement, type Measurements, measurementsOf } from './measurements.ts'
import { INTEL_QE_VENDOR, parseQuote, type Quote } from './parse.ts'
import { type Pck, readPck } from './pck.ts'
import { type Policy, type PolicyInput, parsePolicy, type TcbStatus } from './policy.ts'
import { expectNotRevoked } from './revocation.ts'
import { joinRatings, type Rating, ratePlatform, rateQuotingEnclave, rateTdxModule } from './tcb.ts'

const DAY = 86_400_000

export type VerifyQuoteParameters = {
  quote: Uint8Array
  collateral: Collateral
  policy: PolicyInput
  /** The time at which everything must be valid. There is no clock in here. */
  at: Date
  /** When given, the 64 bytes that the quote must carry. */
  reportData?: Hex | undefined
  /** When given, the events that must replay to RTMR3 (TDX only). */
  events?: readonly MeasuredEvent[] | undefined
}

/** What a verified quote proves. Everything in it is safe to show and to store. */
export type Verdict = {
  /** True under a simulator's root: nothing here was measured by hardware. Show it wherever the verdict is shown. */
  simulated: boolean
  /** The policy's name of the root. */
  root: string
  version: 3 | 4 | 5
  measurements: Measurements
  reportData: Hex
  tcb: { status: TcbStatus; date: Date; advisories: string[]; evaluationDataNumber: number }
  platform: { fmspc: Hex; pceId: Hex; ppid: Hex; instanceId?: Hex }
  /** The policy's name of the measurement entry that matched. */
  measuredAs?: string
  /** Who the guest is, when its events were given. */
  identity?: LaunchIdentity
  /** The first moment at which this verdict must be renewed. */
  validUntil: Date
}

/**
 * Verifies an SGX or TDX quote: certificate chain to a pinned root, revocation, collateral, signatures, TCB, attributes,
 * measurements, report data and, when given, the event log. It asks no network and no clock, and runs in browsers.
 *
 * @returns what the quote proves.
 * @throws QuoteRefusedError naming the first rule that is broken and the value found; PolicyInvalidError.
 *
 * @example
 * const verdict = await verifyQuote({ quote, collateral, policy, at: new Date(), reportData })
 */
export async function verifyQuote(parameters: VerifyQuoteParameters): Promise<Verdict> {
  const { at, reportData, events } = parameters
  const policy = parsePolicy(parameters.policy)
  const quote = parseQuote(parameters.quote)
  if (!equal(quote.qeVendor, INTEL_QE_VENDOR)) {
    refuse({ rule: 'qe-vendor', value: toHex(quote.qeVendor), reason: "the quoting enclave's vendor is not Intel" })
  }
  const { root, pck, collateral } = await verifyCertificates({
    quote,
    collateral: parseCollateral(parameters.collateral),
    policy,
    at,
  })
  expectSamePlatform({ quote, pck, collateral })
  await verifySignatures({ quote, pckKey: pck.publicKey })
  const rating = rate({ quote, pck, collateral })
  expectTcb({ rating, collateral, policy, at })
  expectAttributes(quote)
  expectPlatform({ pck, policy })
  const measurements = measurementsOf(quote)
  const measuredAs = expectMeasurement({ measurements, policy })
  const carried = toHex(quote.body.report.reportData)
  if (reportData !== undefined && reportData.toLowerCase() !== carried) {
    refuse({ rule: 'report-data', value: carried, reason: 'the quote is bound to other data' })
  }
  const identity = await verifyEvents({ measurements, events, policy })
  return {
    simulated: root.simulated,
    root: root.name,
    version: quote.version,
    measurements,
    reportData: carried,
    tcb: {
      status: rating.status,
      date: rating.tcbDate,
      advisories: rating.advisories,
      evaluationDataNumber: collateral.tcbInfo.tcbEvaluationDataNumber,
    },
    platform: {
      fmspc: toHex(pck.fmspc),
      pceId: toHex(pck.pceId),
      ppid: toHex(pck.ppid),
      ...(pck.platformInstanceId === undefined ? {} : { instanceId: toHex(pck.platformInstanceId) }),
    },
    ...(measuredAs === undefined ? {} : { measuredAs }),
    ...(identity === undefined ? {} : { identity }),
    validUntil: new Date(Math.min(collateral.validUntil.getTime(), pck.notAfter.getTime())),
  }
}

type TrustedPck = Pck & { publicKey: Bytes; notAfter: Date }

async function verifyCertificates({
  quote,
  collateral: given,
  policy,
  at,
}: {
  quote: Quote
  collateral: Collateral
  policy: Policy
  at: Date
}): Promise<{ root: TrustedRoot; pck: TrustedPck; collateral: TrustedCollateral }> {
  const what = 'PCK certificate chain'
  const [leaf, authority, top] = parseChain({ pem: quote.pckChain, length: 3, what })
  const root = await openRoot({ certificate: top, policy, at })
  await verifyChain({ chain: [leaf, authority, top], root, at, what })
  expectRole(leaf, ['SGX PCK Certificate'])
  expectRole(authority, ['SGX PCK Platform CA', 'SGX PCK Processor CA'])
  const collateral = await openCollateral({ collateral: given, root, authority, policy, at })
  expectNotRevoked(leaf, collateral.pckList)
  return { root, pck: { ...readPck(leaf), publicKey: leaf.publicKey, notAfter: leaf.notAfter }, collateral }
}

function expectSamePlatform({
  quote,
  pck,
  collateral,
}: {
  quote: Quote
  pck: Pck
  collateral: TrustedCollateral
}): void {
  const { tcbInfo, qeIdentity } = collateral
  const [tcbId, qeId] = quote.body.tee === 'sgx' ? ['SGX', 'QE'] : ['TDX', 'TD_QE']
  if (tcbInfo.id !== tcbId || qeIdentity.id !== qeId) {
    refuse({
      rule: 'platform-mismatch',
      value: `${tcbInfo.id}, ${qeIdentity.id}`,
      reason: `the collateral is not for ${tcbId}`,
    })
  }
  if (!equal(tcbInfo.fmspc, pck.fmspc)) {
    refuse({
      rule: 'platform-mismatch',
      value: toHex(tcbInfo.fmspc),
      reason: `the TCB info is not for FMSPC ${toHex(pck.fmspc)}`,
    })
  }
  if (!equal(tcbInfo.pceId, pck.pceId)) {
    refuse({
      rule: 'platform-mismatch',
      value: toHex(tcbInfo.pceId),
      reason: `the TCB info is not for PCE ${toHex(pck.pceId)}`,
    })
  }
}

/** The PCK signed the quoting enclave's report, the report binds the attestation key, and that key signed the quote. */
async function verifySignatures({ quote, pckKey }: { quote: Quote; pckKey: Bytes }): Promise<void> {
  const { qeReport, qeReportBytes, qeReportSignature, attestationKey, qeAuthenticationData, signature, signed } = quote
  if (!(await verifySignature({ publicKey: pckKey, signature: qeReportSignature, message: qeReportBytes }))) {
    const value = toHex(qeReportSignature.slice(0, 8))
    refuse({ rule: 'qe-report-signature', value, reason: "the quoting enclave's report is not signed by the PCK key" })
  }
  const bound = await digest('SHA-256', concat(attestationKey, qeAuthenticationData))
  if (!equal(qeReport.reportData.subarray(0, 32), bound) || !isZero(qeReport.reportData.subarray(32))) {
    refuse({
      rule: 'qe-report-data',
      value: toHex(qeReport.reportData),
      reason: 'the quoting enclave vouches for another attestation key',
    })
  }
  if (!(await verifySignature({ publicKey: keyInfoOfPoint(attestationKey), signature, message: signed }))) {
    refuse({
      rule: 'quote-signature',
      value: toHex(signature.slice(0, 8)),
      reason: 'the quote is not signed by its attestation key',
    })
  }
}

function rate({ quote, pck, collateral }: { quote: Quote; pck: Pck; collateral: TrustedCollateral }): Rating {
  const { tcbInfo, qeIdentity } = collateral
  const quotingEnclave = rateQuotingEnclave({ identity: qeIdentity, report: quote.qeReport })
  if (quote.body.tee === 'sgx') return joinRatings(ratePlatform({ tcbInfo, pck }), quotingEnclave)
  const { report } = quote.body
  const ratings = [report.teeTcbSvn, report.teeTcbSvn2].flatMap((teeTcbSvn) =>
    teeTcbSvn === undefined
      ? []
      : [ratePlatform({ tcbInfo, pck, teeTcbSvn }), rateTdxModule({ tcbInfo, report, teeTcbSvn })],
  )
  return joinRatings(quotingEnclave, ...ratings)
}

function expectTcb({
  rating,
  collateral,
  policy,
  at,
}: {
  rating: Rating
  collateral: TrustedCollateral
  policy: Policy
  at: Date
}): void {
  const { tcb } = policy
  const number = Math.min(collateral.tcbInfo.tcbEvaluationDataNumber, collateral.qeIdentity.tcbEvaluationDataNumber)
  if (number < tcb.minEvaluationDataNumber) {
    refuse({
      rule: 'evaluation-number',
      value: number,
      reason: `the policy asks for at least ${tcb.minEvaluationDataNumber}`,
    })
  }
  const { status, supersededAt } = rating
  const isAccepted = tcb.accepted.some((accepted) => accepted === status)
  const grace = tcb.grace.find((entry) => entry.status === status)
  const isInGrace =
    grace !== undefined && supersededAt !== undefined && at.getTime() <= supersededAt.getTime() + grace.days * DAY
  if (!isAccepted && !isInGrace) {
    const since = supersededAt === undefined ? '' : ` since ${supersededAt.toISOString()}`
    refuse({ rule: 'tcb-status', value: `${status}${since}`, reason: 'the policy does not accept this TCB status' })
  }
  if (tcb.advisories === 'any') return
  const tolerated = new Set(tcb.advisories)
  const advisory = rating.advisories.find((id) => !tolerated.has(id))
  if (advisory !== undefined) {
    refuse({
      rule: 'advisory',
      value: advisory,
      reason: 'a security advisory applies to the platform that the policy does not tolerate',
    })
  }
}

function expectPlatform({ pck, policy }: { pck: Pck; policy: Policy }): void {
  if (policy.platformIds === undefined) return
  const ids = [pck.ppid, pck.platformInstanceId].flatMap((id) => (id === undefined ? [] : [toHex(id)]))
  if (!ids.some((id) => policy.platformIds?.includes(id))) {
    refuse({ rule: 'platform-id', value: ids.join(', '), reason: 'the policy does not list this platform' })
  }
}
