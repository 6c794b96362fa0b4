import type { Address, Hex } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import { z } from 'zod'
import { kinds } from './events.ts'
import { relayStates } from './relays.ts'
import { states } from './subscriptions.ts'

// What requests and answers look like.

export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, { error: 'must be an address' })
  .transform((text) => getAddress(text.toLowerCase()) as Address)
const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, { error: 'must be 32 bytes in hex' })
  .transform((text) => text.toLowerCase() as Hex)
const whole = z.string().regex(/^\d{1,18}$/, { error: 'must be a whole number' })

export const challengeQuery = z.object({ address, chainId: whole.transform(BigInt).optional() })

export const creation = z.strictObject({
  url: z.string().min(1).max(2_048),
  kinds: z.array(z.enum(kinds)).min(1).max(kinds.length).optional(),
  requester: address.optional(),
  app: address.optional(),
  dataset: address.optional(),
  workerpool: address.optional(),
  owner: address.optional(),
  orderHash: hash.optional(),
})

export const subscriptionId = z.object({ id: z.uuid() })
export const deliveryId = z.object({ id: z.uuid(), delivery: z.uuid() })

export const deliveriesQuery = z.object({
  state: z.enum(states).optional(),
  after: whole.transform(BigInt).optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|1\d\d|200)$/, { error: 'must be from 1 to 200' })
    .transform(Number)
    .optional(),
})

export const relaysQuery = z.object({
  state: z.enum(relayStates).optional(),
  after: hash.optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|1\d\d|200)$/, { error: 'must be from 1 to 200' })
    .transform(Number)
    .optional(),
})

const ok = { ok: z.literal(true) }
const named = z.string().nullable()

const subscription = z.object({
  id: z.string(),
  url: z.string(),
  kinds: z.array(z.string()).nullable(),
  requester: named,
  app: named,
  dataset: named,
  workerpool: named,
  owner: named,
  orderHash: named,
  createdAt: z.string(),
})

const listed = z.object({
  id: z.string(),
  position: z.string(),
  kind: z.string(),
  state: z.enum(states),
  attempts: z.number(),
  failure: named,
  createdAt: z.string(),
  nextAttemptAt: named,
  data: z.unknown(),
})

const relay = z.object({
  taskId: z.string(),
  consumer: z.string(),
  state: z.enum(relayStates),
  attempts: z.number(),
  failure: named,
  nextAttemptAt: named,
})

export const answers = {
  relays: z.object({ ...ok, relays: z.array(relay), next: z.string().optional() }),
  done: z.object(ok),
  created: z.object({ ...ok, subscription, secret: z.string() }),
  subscriptions: z.object({ ...ok, subscriptions: z.array(subscription) }),
  rotated: z.object({ ...ok, secret: z.string(), formerUntil: z.string() }),
  deliveries: z.object({ ...ok, deliveries: z.array(listed), next: z.string().optional() }),
  resent: z.object({ ...ok, resent: z.number() }),
}
