import { concat, getBytes, id, keccak256, toUtf8Bytes, verifyMessage } from 'ethers'
import type { Address, Hex } from './hex.ts'

/** Names that the protocol itself gives to a user's own (web2) secrets. */
export const reserved = {
  /** Base64 of the beneficiary's public key in PEM. */
  resultKey: 'iexec-result-encryption-public-key',
  dropboxToken: 'iexec-result-dropbox-token',
} as const

/** Largest secret the service takes, in bytes. */
export const maxBytes = 4096

/** Name under which an app's one developer secret is hashed. */
export const appSecretName = '1'

/** The names a requester's secret may have. */
export const requesterName = /^[0-9A-Za-z_-]{1,64}$/

/**
 * What the owner of a secret signs, as EIP-191 over the 32 bytes, to store `value`.
 *
 * `address` is the dataset, the app, or the account that owns the secret. A dataset's key (web3) has no name; an app's
 * secret is named `1`.
 */
export function hash({ address, name, value }: { address: Address; name?: string; value: string }): Hex {
  const named = name === undefined ? [] : [keccak256(toUtf8Bytes(name))]
  return keccak256(concat([id('IEXEC_SMS_DOMAIN'), address, ...named, keccak256(toUtf8Bytes(value))])) as Hex
}

/** The `Authorization` header for storing a secret. */
export async function authorize(
  secret: { address: Address; name?: string; value: string },
  signer: { signMessage(message: Uint8Array): Promise<string> },
): Promise<Hex> {
  return (await signer.signMessage(getBytes(hash(secret)))) as Hex
}

/** Who wrote the `Authorization` header. Throws on a malformed signature. */
export function recover(secret: { address: Address; name?: string; value: string }, authorization: string): Address {
  return verifyMessage(getBytes(hash(secret)), authorization) as Address
}
