import {
  type Collateral,
  type MeasuredEvent,
  type Policy,
  QuoteRefusedError,
  trustsSimulator,
  type Verdict,
  verifyQuote,
} from '@sealdeal/attestation'
import type { Hex } from '@sealdeal/protocol'
import {
  EventLogMismatchError,
  PolicyTooOpenError,
  ReportDataMismatchError,
  RuntimeNotAllowedError,
  SimulatorOnRealChainError,
} from './errors.ts'
import type { CollateralSource } from './pccs.ts'

/** A verdict, and what it was judged by. */
export type Judged = { verdict: Verdict; collateral: Collateral; policy: Policy }

/** Verifies a quote at a time, bound to `reportData`, with `events` that explain its RTMR3. */
export type Attest = (evidence: {
  quote: Uint8Array
  events: MeasuredEvent[]
  reportData: Hex
  at: Date
}) => Promise<Judged>

/** Ids of chains that only ever run on one machine. */
const localChains = new Set([1337n, 31_337n])

/**
 * A verifier under `policy`. Collateral is asked for at each quote: it may be renewed meanwhile.
 *
 * @throws RuntimeNotAllowedError ReportDataMismatchError EventLogMismatchError, or QuoteRefusedError with its rule.
 */
export function createAttest({ policy, collateral }: { policy: Policy; collateral: CollateralSource }): Attest {
  return async function attest({ quote, events, reportData, at }) {
    const current = await collateral(quote)
    try {
      const verdict = await verifyQuote({ quote, collateral: current, policy, at, reportData, events })
      return { verdict, collateral: current, policy }
    } catch (error) {
      throw error instanceof QuoteRefusedError ? explain(error) : error
    }
  }
}

/**
 * Throws where `policy` must not decide over secrets of this chain.
 *
 * @throws SimulatorOnRealChainError PolicyTooOpenError
 */
export function expectPolicyFits({
  policy,
  chainId,
  localChain,
}: {
  policy: Policy
  chainId: bigint
  /** The operator says that this chain is local although its id does not. */
  localChain: boolean
}): void {
  if (policy.measurements === 'any' || policy.measurements.length === 0) throw new PolicyTooOpenError()
  if (!trustsSimulator(policy) || localChain || localChains.has(chainId)) return
  throw new SimulatorOnRealChainError({ chainId, root: policy.roots.find((root) => root.simulated)?.name ?? '' })
}

function explain(error: QuoteRefusedError): Error {
  if (error.rule === 'measurement') {
    return new RuntimeNotAllowedError({ measurement: error.value, reason: 'the policy lists no such measurement' })
  }
  if (error.rule === 'report-data') return new ReportDataMismatchError({ found: error.value })
  if (error.rule === 'event-log') return new EventLogMismatchError({ reason: error.shortMessage })
  return error
}
