import { type Hex, toHex } from './bytes.ts'
import { refuse } from './errors.ts'
import type { Quote } from './parse.ts'
import type { Measurement, Policy } from './policy.ts'

/** What was measured, in hexadecimal. */
export type Measurements =
  | {
      tee: 'tdx'
      mrTd: Hex
      rtmr0: Hex
      rtmr1: Hex
      rtmr2: Hex
      rtmr3: Hex
      mrConfigId: Hex
      mrOwner: Hex
      mrOwnerConfig: Hex
      mrSeam: Hex
    }
  | { tee: 'sgx'; mrEnclave: Hex; mrSigner: Hex; isvProdId: number; isvSvn: number }

/** Reads the measurements of a quote. */
export function measurementsOf({ body }: Quote): Measurements {
  if (body.tee === 'sgx') {
    const { mrEnclave, mrSigner, isvProdId, isvSvn } = body.report
    return { tee: 'sgx', mrEnclave: toHex(mrEnclave), mrSigner: toHex(mrSigner), isvProdId, isvSvn }
  }
  const { rtmr, mrTd, mrConfigId, mrOwner, mrOwnerConfig, mrSeam } = body.report
  return {
    tee: 'tdx',
    mrTd: toHex(mrTd),
    rtmr0: toHex(rtmr[0]),
    rtmr1: toHex(rtmr[1]),
    rtmr2: toHex(rtmr[2]),
    rtmr3: toHex(rtmr[3]),
    mrConfigId: toHex(mrConfigId),
    mrOwner: toHex(mrOwner),
    mrOwnerConfig: toHex(mrOwnerConfig),
    mrSeam: toHex(mrSeam),
  }
}

function matches(measurements: Measurements, entry: Measurement): boolean {
  if (measurements.tee === 'tdx' && entry.tee === 'tdx') {
    const { tee: _tee, name: _name, ...expected } = entry
    const found: Record<string, string> = measurements
    return Object.entries(expected).every(([register, value]) => value === undefined || found[register] === value)
  }
  if (measurements.tee === 'sgx' && entry.tee === 'sgx') {
    return (
      (entry.mrEnclave === undefined || entry.mrEnclave === measurements.mrEnclave) &&
      (entry.mrSigner === undefined || entry.mrSigner === measurements.mrSigner) &&
      (entry.isvProdId === undefined || entry.isvProdId === measurements.isvProdId) &&
      (entry.minIsvSvn === undefined || measurements.isvSvn >= entry.minIsvSvn)
    )
  }
  return false
}

/**
 * Finds the policy's entry that the measurements equal.
 *
 * @returns the name of the entry, if it has one.
 * @throws QuoteRefusedError with rule `measurement` when no entry matches; an empty list matches nothing.
 */
export function expectMeasurement({
  measurements,
  policy,
}: {
  measurements: Measurements
  policy: Policy
}): string | undefined {
  if (policy.measurements === 'any') return undefined
  const entry = policy.measurements.find((candidate) => matches(measurements, candidate))
  if (entry === undefined) {
    const value = measurements.tee === 'tdx' ? measurements.mrTd : measurements.mrEnclave
    refuse({ rule: 'measurement', value, reason: 'the policy does not list this measurement' })
  }
  return entry.name
}
