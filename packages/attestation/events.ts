import { z } from 'zod'
import { type Bytes, concat, digest, fromHex, type Hex, toHex, utf8 } from './bytes.ts'
import { refuse } from './errors.ts'

/** Type number of the events that a dstack guest extends into RTMR3. */
const RUNTIME_EVENT = 0x08000001

/** Something measured at run time: a name and the bytes that were measured under it. */
export type MeasuredEvent = { event: string; payload: Hex }

/** One line of a dstack event log: which register (0..3), and what was extended into it. */
export type LogEntry = { register: number; type: number; digest: Hex; event: string; payload: Hex }

/** Who a dstack guest is: only what was measured before `system-ready` says so. */
export type LaunchIdentity = {
  appId?: Hex
  composeHash?: Hex
  instanceId?: Hex
  osImageHash?: Hex
  keyProvider?: Hex
}

/**
 * Digest of one event: `sha384(le32(0x08000001) ":" event ":" payload)`.
 *
 * @throws QuoteRefusedError with rule `event-log` when the name holds a colon: it could then be cut in two ways.
 */
export async function eventDigest({ event, payload }: MeasuredEvent): Promise<Hex> {
  const bytes = fromHex(payload)
  if (bytes === undefined)
    refuse({ rule: 'event-log', value: payload, reason: `the payload of "${event}" is not hexadecimal` })
  if (event.includes(':')) refuse({ rule: 'event-log', value: event, reason: 'an event name holds a colon' })
  const type = new Uint8Array(4)
  new DataView(type.buffer).setUint32(0, RUNTIME_EVENT, true)
  const colon = utf8(':')
  return toHex(await digest('SHA-384', concat(type, colon, utf8(event), colon, bytes)))
}

/**
 * Replays events into RTMR3, from 48 zero bytes. The digests are recomputed from the payloads, because given digests prove nothing
 * about payloads.
 *
 * @returns the value that RTMR3 of the quote must have.
 */
export async function replayRtmr3(events: readonly MeasuredEvent[]): Promise<Hex> {
  const digests: Hex[] = []
  for (const event of events) digests.push(await eventDigest(event))
  return replayDigests(digests)
}

/** Extends digests of 48 bytes, one after the other, into a register that starts at zero. */
export async function replayDigests(digests: readonly Hex[]): Promise<Hex> {
  let register: Bytes = new Uint8Array(48)
  for (const text of digests) {
    const bytes = fromHex(text)
    if (bytes?.length !== 48) refuse({ rule: 'event-log', value: text, reason: 'an event digest is not 48 bytes' })
    register = await digest('SHA-384', concat(register, bytes))
  }
  return toHex(register)
}

const hexText = z
  .string()
  .regex(/^([0-9a-fA-F]{2})*$/)
  .transform((text): Hex => `0x${text.toLowerCase()}`)
const logSchema = z.array(
  z.object({
    imr: z.number().int().min(0).max(3),
    event_type: z.number().int(),
    digest: hexText.default('0x'),
    event: z.string(),
    event_payload: hexText,
  }),
)

/** Reads the event log of a dstack guest agent (JSON text). */
export function parseEventLog(text: string): LogEntry[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    refuse({ rule: 'event-log', value: text.slice(0, 32), reason: 'the event log is not JSON', cause })
  }
  const parsed = logSchema.safeParse(value)
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
    refuse({ rule: 'event-log', value: fields, reason: 'the event log is malformed' })
  }
  return parsed.data.map((entry) => ({
    register: entry.imr,
    type: entry.event_type,
    digest: entry.digest,
    event: entry.event,
    payload: entry.event_payload,
  }))
}

/** The events of RTMR3, ready to be replayed. Any other type of event in that register is refused. */
export function runtimeEvents(log: readonly LogEntry[]): MeasuredEvent[] {
  const events = log.filter((entry) => entry.register === 3)
  const foreign = events.find((entry) => entry.type !== RUNTIME_EVENT)
  if (foreign !== undefined)
    refuse({ rule: 'event-log', value: foreign.type, reason: 'RTMR3 holds an event of another type' })
  return events.map(({ event, payload }) => ({ event, payload }))
}

const IDENTITY_EVENTS = {
  'app-id': 'appId',
  'compose-hash': 'composeHash',
  'instance-id': 'instanceId',
  'os-image-hash': 'osImageHash',
  'key-provider': 'keyProvider',
} as const

function isIdentityEvent(event: string): event is keyof typeof IDENTITY_EVENTS {
  return Object.hasOwn(IDENTITY_EVENTS, event)
}

/**
 * Reads the launch identity out of events that were replayed. Later events are the app's own and cannot claim one; a claim made
 * twice is refused.
 */
export function launchIdentity(events: readonly MeasuredEvent[]): LaunchIdentity {
  const identity: LaunchIdentity = {}
  for (const { event, payload } of events) {
    if (event === 'system-ready') break
    if (!isIdentityEvent(event)) continue
    const field = IDENTITY_EVENTS[event]
    if (identity[field] !== undefined)
      refuse({ rule: 'event-log', value: event, reason: 'an identity event comes twice' })
    identity[field] = payload
  }
  return identity
}
