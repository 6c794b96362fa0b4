import { type Address, Bytes, type Hex } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import { z } from 'zod'

const hexText = (pattern: RegExp, what: string) =>
  z
    .string()
    .regex(pattern, { error: `must be ${what}` })
    .transform((text) => text.toLowerCase() as Hex)

const bytes32 = hexText(/^0x[0-9a-fA-F]{64}$/, '0x and 64 hex digits')
const bytes = hexText(/^0x([0-9a-fA-F]{2})*$/, '0x and hex digits')

/** An address in any case, as its checksummed form. */
export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, { error: 'must be an address: 0x and 40 hex digits' })
  .transform((text) => getAddress(text.toLowerCase()) as Address)

/** A whole number of at most 256 bits, as a decimal string or a small number. */
const uint = z
  .union([z.string().regex(/^\d{1,78}$/, { error: 'must be a decimal number' }), z.number().int().nonnegative()])
  .transform((value) => BigInt(value))
  .refine((value) => value < 1n << 256n, { error: 'must fit 256 bits' })

const base64 = z
  .base64({ error: 'must be base64' })
  .max(100_000)
  .transform((text) => Bytes.fromBase64(text))

/** Path of `GET /evidence/:taskId/:enclaveAddress`. */
export const EvidenceParams = z.object({ taskId: bytes32, enclaveAddress: address })

/** Body of `POST /sessions/nonce`. */
export const NonceRequest = z.object({ dealId: bytes32, index: uint, attempt: uint })

/** Body of `POST /sessions`. */
export const SessionRequest = z.object({
  dealId: bytes32,
  index: uint,
  worker: address,
  lease: z.object({ attempt: uint, expiry: uint, signature: bytes }),
  enclaveKey: bytes32,
  enclaveAddress: address,
  nonce: bytes32,
  quote: base64,
  eventLog: z.array(z.object({ event: z.string().max(256), payload: bytes })).max(1_000),
})
