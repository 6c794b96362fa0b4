import { concat, id, keccak256, sha512, solidityPacked, toUtf8Bytes } from 'ethers'
import * as Bytes from './Bytes.ts'
import * as Canonical from './Canonical.ts'
import type { Address, Hex } from './hex.ts'

/** What an enclave binds into the report data of its quote. */
export type Binding = {
  chainId: bigint | number
  hub: Address
  taskId: Hex
  attempt: bigint
  worker: Address
  /** X25519 public key, 32 bytes: secrets are sealed to it. */
  enclaveKey: Hex
  /** Address of the enclave's own secp256k1 key: results are signed by it. */
  enclaveAddress: Address
  /** 32 bytes chosen by the secret service, for one session. */
  nonce: Hex
}

/** An extension of the runtime measurement register 3. */
export type MeasuredEvent = { event: string; payload: Hex }

/** What an enclave sends to `POST /sessions`. */
export type Request = {
  dealId: Hex
  /** Task index, decimal. */
  index: string
  worker: Address
  /** `attempt` and `expiry` (unix seconds) are decimal strings. */
  lease: { attempt: string; expiry: string; signature: Hex }
  enclaveKey: Hex
  enclaveAddress: Address
  nonce: Hex
  /** Base64. */
  quote: string
  eventLog: MeasuredEvent[]
}

/** HPKE output in base64. */
export type Sealed = { enc: string; ciphertext: string }

/**
 * What the secret service answers to a request for a nonce. `nonce` is `nonceOf` the other two: bound into a quote, it
 * says whose secrets the enclave takes, and that service alone accepts it.
 */
export type NonceAnswer = { nonce: Hex; signer: Address; seed: Hex }

/**
 * What the secret service answers: the sealed content, its signature over `sealedHash`, and the signature that lets the
 * enclave's key contribute. Both are EIP-191, by the signer of the nonce.
 */
export type Answer = { sealed: Sealed; signature: Hex; authorization: Hex }

/** Data that an enclave may read: where it lies, what it must hash to, and its key. */
export type Dataset = { address: Address; multiaddr: Hex; checksum: Hex; key: string }

/** Data that one task of many was to read and cannot; `reason` is a sentence. */
export type LeftOut = { address: Address; reason: string }

/** What the sealed part opens to. Numbers are decimal strings, binary values base64 unless typed `Hex`. */
export type Content = {
  chainId: string
  hub: Address
  dealId: Hex
  index: string
  taskId: Hex
  worker: Address
  requester: Address
  beneficiary: Address
  callback: Address
  tag: Hex
  /** How long the app may run. */
  maxSeconds: number
  botFirst: string
  botSize: string
  app: { address: Address; type: string; multiaddr: Hex; checksum: Hex }
  dataset?: Dataset
  /** Of a task that reads many datasets: those that it may read, in the order in which they were named. */
  datasets?: Dataset[]
  /** Those that were named and may not be read. */
  leftOut?: LeftOut[]
  /** The request order's `params`, as signed. */
  params: string
  secrets: { app?: string; requester: Record<string, string> }
  /** Base64 of the beneficiary's public key in PEM. */
  resultKey?: string
}

/**
 * On what a session was given: enough for anybody to judge it again, and the secret service's EIP-191 signature over
 * `evidenceHash`, by the key that authorized the enclave. Nothing in it is secret.
 */
export type Evidence = Pick<Request, 'worker' | 'enclaveKey' | 'enclaveAddress' | 'nonce' | 'quote' | 'eventLog'> & {
  /** Decimal. */
  attempt: string
  /** What Intel said of the platform then, and whom the service believed: `Collateral`, `Policy` of attestation. */
  collateral: Record<string, string>
  policy: Record<string, unknown>
  /** When, ISO 8601. */
  at: string
  signature: Hex
}

/** Name of the event that measures the app: it is the last one, and its payload is the app's on-chain checksum. */
export const appEvent = 'sealdeal-app'

const version = 'sealdeal-session-v1'

/**
 * Report data (64 bytes) that a quote must carry: sha512 over the packed
 *
 * `"sealdeal-session-v1"` (19 bytes) ‖ chainId (32, big-endian) ‖ hub (20) ‖ taskId (32) ‖ attempt (32) ‖ worker (20)
 * ‖ enclaveKey (32) ‖ enclaveAddress (20) ‖ nonce (32).
 *
 * Every member has a fixed width, so two different bindings never pack alike. It also is the `info` of the HPKE seal.
 */
export function reportData(binding: Binding): Hex {
  const packed = solidityPacked(
    ['bytes', 'uint256', 'address', 'bytes32', 'uint256', 'address', 'bytes32', 'address', 'bytes32'],
    [
      toUtf8Bytes(version),
      binding.chainId,
      binding.hub,
      binding.taskId,
      binding.attempt,
      binding.worker,
      binding.enclaveKey,
      binding.enclaveAddress,
      binding.nonce,
    ],
  )
  return sha512(packed) as Hex
}

/** The nonce (32 bytes) of a service that signs as `signer`: keccak256 over a domain, the signer (20) and `seed` (32). */
export function nonceOf({ signer, seed }: { signer: Address; seed: Hex }): Hex {
  return keccak256(concat([id('sealdeal-nonce-v1'), signer, seed])) as Hex
}

/**
 * What the service signs of its sealed answer. HPKE in base mode says nothing of its sender: whoever knows the enclave's
 * public key, its worker first of all, could seal other content for it.
 */
export function sealedHash({ reportData, sealed }: { reportData: Hex; sealed: Sealed }): Hex {
  const parts = [sealed.enc, sealed.ciphertext].map((text) => keccak256(Bytes.fromBase64(text)))
  return keccak256(concat([id('sealdeal-sealed-v1'), reportData, ...parts])) as Hex
}

/** What the service signs of the evidence. `reportData` binds all that is not hashed beside it. */
export function evidenceHash(
  reportData: Hex,
  { quote, eventLog, collateral, policy, at }: Omit<Evidence, 'signature'>,
): Hex {
  const judged = Canonical.hash({ quote, eventLog, collateral, policy, at })
  return keccak256(concat([id('sealdeal-evidence-v1'), reportData, judged])) as Hex
}
