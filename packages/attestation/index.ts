export { type Hex, toHex } from './bytes.ts'
export { type Collateral, collateralSchema, parseCollateral } from './collateral.ts'
export { AttestationError, KeyFileError, PolicyInvalidError, QuoteRefusedError, type Rule } from './errors.ts'
export {
  eventDigest,
  type LaunchIdentity,
  type LogEntry,
  launchIdentity,
  type MeasuredEvent,
  parseEventLog,
  replayDigests,
  replayRtmr3,
  runtimeEvents,
} from './events.ts'
export type { Measurements } from './measurements.ts'
export { type CollateralNeeds, collateralNeeds } from './needs.ts'
export { parseQuote, type Quote, trimQuote } from './parse.ts'
export {
  INTEL_ROOT_SHA256,
  type Policy,
  type PolicyInput,
  parsePolicy,
  TCB_STATUSES,
  type TcbStatus,
  trustsSimulator,
} from './policy.ts'
export { type SimulateQuoteParameters, simulateQuote } from './simulateQuote.ts'
export {
  createCollateral,
  createPlatform,
  createPolicy,
  createRoot,
  type Platform,
  parsePlatform,
  parseRoot,
  pinRoot,
  type SimulatorRoot,
} from './simulator.ts'
export { type Verdict, type VerifyQuoteParameters, verifyQuote } from './verify.ts'
