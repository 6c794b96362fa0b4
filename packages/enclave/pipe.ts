/**
 * What crosses the pipe between a worker and the enclave it starts: one line of JSON in, lines of JSON out.
 *
 * Nothing on this pipe is secret: the worker that holds its other end must not see plaintext.
 */
import { type Address, type Hex, Printed as Sealed } from '@sealdeal/protocol'
import { z } from 'zod'
import { causes } from './failures.ts'
import { AppLimits } from './limits.ts'
import { RoomSizes } from './sandbox.ts'

const hex = z.templateLiteral(['0x', z.string().regex(/^([0-9a-fA-F]{2})*$/)]).transform((text): Hex => text)
const bytes32 = z.templateLiteral(['0x', z.string().regex(/^[0-9a-fA-F]{64}$/)]).transform((text): Hex => text)
const address = z.templateLiteral(['0x', z.string().regex(/^[0-9a-fA-F]{40}$/)]).transform((text): Address => text)
const decimal = z.union([z.string().regex(/^\d+$/), z.int().nonnegative()]).transform(String)
const origin = z.url({ protocol: /^https?$/ })

/** The task to run, as the worker writes it on the enclave's standard input. Numbers are decimal strings (or numbers). */
export const Launch = z.object({
  chainId: decimal,
  hub: address,
  dealId: bytes32,
  /** Index of the task in the request order. */
  index: decimal,
  worker: address,
  /** What the pool owner signed for this worker; `expiry` in unix seconds. */
  lease: z.object({ attempt: decimal, expiry: decimal, signature: hex }),
  /** The app as the chain names it. `multiaddr` in bytes. */
  app: z.object({ address, type: z.string(), multiaddr: hex, checksum: bytes32 }),
  smsUrl: origin,
  storageUrl: origin,
  /** File of the simulator's platform that makes the quotes. */
  platformFile: z.string().min(1),
})
export type Launch = z.input<typeof Launch>

/** What the app may take, as the worker says it on the enclave's command line: the pool's policy, and no secret. */
export const Bounds = z.object({ limits: AppLimits, sizes: RoomSizes })

/** A sign of life. `attested` always says whether the quote comes from a simulator. */
export const Step = z.discriminatedUnion('step', [
  z.object({ step: z.literal('measured'), runtime: hex, app: hex, sandbox: z.string(), fallen: z.array(z.string()) }),
  z.object({ step: z.literal('attested'), simulated: z.boolean(), enclaveAddress: address, enclaveKey: hex }),
  z.object({
    step: z.literal('fetched'),
    bytes: z.int(),
    dataset: address.optional(),
    datasets: z.array(address).optional(),
    leftOut: z.array(z.object({ address, reason: z.string() })).optional(),
  }),
  z.object({ step: z.literal('computed'), seconds: z.number() }),
  z.object({ step: z.literal('delivered'), bytes: z.int(), encrypted: z.boolean(), location: z.string() }),
])
export type Step = z.output<typeof Step>

/** What the worker takes to the chain. */
export const Outcome = z.object({
  resultDigest: bytes32,
  /** Where the result lies: UTF-8 bytes of the JSON that clients read. */
  results: hex,
  /** What the callback contract receives; `0x` without one. */
  resultsCallback: hex,
  enclaveAddress: address,
  enclaveSignature: hex,
  authorization: hex,
})
export type Outcome = z.output<typeof Outcome>

/** A failure that every attempt would meet, signed for the chain: the payer need not wait for a deadline. */
export const Attested = z.object({ enclaveAddress: address, enclaveSignature: hex, authorization: hex })
export type Attested = z.output<typeof Attested>

/** Why there is no result. `retryable`: another attempt may succeed, the fault is neither the app's nor the input's. */
export const Failure = z.object({
  cause: z.enum(causes),
  message: z.string(),
  retryable: z.boolean(),
  attested: Attested.optional(),
})
export type Failure = z.output<typeof Failure>

/**
 * The storage wants the upload signed: the enclave asks its worker, whose account the result is kept under. One line on standard
 * input answers it. The key stays with the worker, and only a header for this one request comes in.
 */
export const Question = z.object({ question: z.literal('storage authorization') })

/** The answer; without a header the worker does not sign. */
export const Answer = z.object({ authorization: z.string().max(10_000).optional() })

/** The one request that a worker signs for its enclave, with an empty body as storages have it. */
export const uploadRequest = { method: 'POST', path: '/api/v0/add?stream-channels=true&progress=false' }

const sealed = z.string().max(Sealed.longest).regex(Sealed.pattern)

/** What the app printed, each stream sealed to the beneficiary: the worker hands it on, and cannot read it. */
export const Printed = z.object({ stdout: sealed, stderr: sealed })
export type Printed = z.output<typeof Printed>

/** One line of the enclave's standard output. */
export const Line = z.union([
  Step,
  Question,
  z.object({ printed: Printed }),
  z.object({ outcome: Outcome }),
  z.object({ failure: Failure }),
])
export type Line = z.output<typeof Line>
