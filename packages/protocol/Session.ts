import { sha512, solidityPacked, toUtf8Bytes } from 'ethers'
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

/** What the secret service answers: HPKE output in base64, and the signature that lets the enclave's key contribute. */
export type Answer = { sealed: { enc: string; ciphertext: string }; authorization: Hex }

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
  dataset?: { address: Address; multiaddr: Hex; checksum: Hex; key: string }
  /** The request order's `params`, as signed. */
  params: string
  secrets: { app?: string; requester: Record<string, string> }
  /** Base64 of the beneficiary's public key in PEM. */
  resultKey?: string
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
