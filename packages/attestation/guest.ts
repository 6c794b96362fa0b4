import { concat, equal, fromHex, type Hex, isZero } from './bytes.ts'
import { refuse } from './errors.ts'
import { type LaunchIdentity, launchIdentity, type MeasuredEvent, replayRtmr3 } from './events.ts'
import type { Measurements } from './measurements.ts'
import type { Policy } from './policy.ts'

/**
 * Replays the given events to RTMR3 of a quote and reads the guest's identity out of them.
 *
 * @returns the identity, or `undefined` when there are no events and the policy asks for none.
 * @throws QuoteRefusedError with rule `event-log` or `compose-hash`.
 */
export async function verifyEvents({
  measurements,
  events,
  policy,
}: {
  measurements: Measurements
  events: readonly MeasuredEvent[] | undefined
  policy: Policy
}): Promise<LaunchIdentity | undefined> {
  if (events === undefined) {
    if (policy.composeHashes === undefined) return undefined
    refuse({
      rule: 'compose-hash',
      value: 'no event log',
      reason: 'the policy names compose hashes, so the event log is needed',
    })
  }
  if (measurements.tee !== 'tdx')
    refuse({ rule: 'event-log', value: measurements.tee, reason: 'only TDX guests have an event log' })
  const replayed = await replayRtmr3(events)
  if (replayed !== measurements.rtmr3) {
    refuse({
      rule: 'event-log',
      value: replayed,
      reason: `the event log does not replay to RTMR3 ${measurements.rtmr3}`,
    })
  }
  const identity = launchIdentity(events)
  if (policy.composeHashes !== undefined) {
    const { composeHash } = identity
    if (composeHash === undefined || !policy.composeHashes.includes(composeHash)) {
      refuse({
        rule: 'compose-hash',
        value: composeHash ?? 'none',
        reason: 'the policy does not list what this guest was composed of',
      })
    }
    expectConfigId({ measurements, composeHash })
  }
  return identity
}

/** `mr_config_id` is unset (zero), or starts with a version byte 1 and the compose hash. */
function expectConfigId({
  measurements,
  composeHash,
}: {
  measurements: Measurements & { tee: 'tdx' }
  composeHash: Hex
}): void {
  const configId = fromHex(measurements.mrConfigId) ?? new Uint8Array()
  const expected = concat(Uint8Array.of(1), fromHex(composeHash) ?? new Uint8Array(), new Uint8Array(15))
  if (!isZero(configId) && !equal(configId, expected)) {
    refuse({
      rule: 'compose-hash',
      value: measurements.mrConfigId,
      reason: 'mr_config_id names another compose hash than the event log',
    })
  }
}
