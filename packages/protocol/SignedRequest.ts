// One HTTP request, signed by a wallet. The header is
//
//   authorization: Sealdeal account=0x..,nonce=0x..(32 bytes),expiry=1700000000,signature=0x..
//
// where signature is EIP-712 over domain { name: 'Sealdeal', version: '1', chainId, verifyingContract: hub } and
//   Request(string service,string method,string path,bytes32 body,address account,bytes32 nonce,uint256 expiry)
// path includes the query; body is keccak256 of the bytes of the body (of nothing when there is none); expiry is in
// unix seconds and at most five minutes away. A nonce counts once per account: a captured request cannot be repeated.
import { getAddress, hexlify, keccak256, randomBytes, TypedDataEncoder, toUtf8Bytes } from 'ethers'
import type { Address, Hex } from './hex.ts'

type TypedDataSigner = {
  getAddress(): Promise<string>
  signTypedData(
    domain: Record<string, unknown>,
    types: Record<string, { name: string; type: string }[]>,
    message: Record<string, unknown>,
  ): Promise<string>
}

/** Where a signature counts: on one chain, for one Hub, at one service. */
export type Domain = { chainId: bigint; hub: Address; service: string }

/** What a header says. Nothing of it is believed yet. */
export type Claim = { account: Address; nonce: Hex; expiry: number; signature: Hex }

/** The longest that a signed request may live, in seconds. */
export const longestExpiry = 300

const types = {
  Request: [
    { name: 'service', type: 'string' },
    { name: 'method', type: 'string' },
    { name: 'path', type: 'string' },
    { name: 'body', type: 'bytes32' },
    { name: 'account', type: 'address' },
    { name: 'nonce', type: 'bytes32' },
    { name: 'expiry', type: 'uint256' },
  ],
}

const typedDomain = ({ chainId, hub }: Domain) => ({ name: 'Sealdeal', version: '1', chainId, verifyingContract: hub })

type Signing = { domain: Domain; method: string; path: string; body?: string | Uint8Array }

function message({ domain, method, path, body = '' }: Signing, claim: Omit<Claim, 'signature'>) {
  const bytes = typeof body === 'string' ? toUtf8Bytes(body) : body
  const { account, nonce, expiry } = claim
  return { service: domain.service, method: method.toUpperCase(), path, body: keccak256(bytes), account, nonce, expiry }
}

/** Makes the `authorization` header of one request. `path` is what comes after the origin, query included. */
export async function sign({
  signer,
  lifetime = 60,
  ...request
}: Signing & {
  signer: TypedDataSigner
  /** Seconds. */
  lifetime?: number
}): Promise<string> {
  const account = (await signer.getAddress()) as Address
  const nonce = hexlify(randomBytes(32)) as Hex
  const expiry = Math.floor(Date.now() / 1_000) + lifetime
  const typed = message(request, { account, nonce, expiry })
  const signature = await signer.signTypedData(typedDomain(request.domain), types, typed)
  return `Sealdeal account=${account},nonce=${nonce},expiry=${expiry},signature=${signature}`
}

/** Whether a header is of this form, well made or not. */
export function isSignedRequest(header: string | undefined): header is string {
  return header?.startsWith('Sealdeal ') ?? false
}

/** Reads a header; nothing when it is not of the known form. */
export function parse(header: string | undefined): Claim | undefined {
  const parts = header?.match(
    /^Sealdeal account=(0x[0-9a-fA-F]{40}),nonce=(0x[0-9a-f]{64}),expiry=(\d{1,12}),signature=(0x[0-9a-fA-F]{2,4096})$/,
  )
  if (!parts) return undefined
  const [, sender = '', nonce, expiry, signature] = parts
  const account = getAddress(sender.toLowerCase()) as Address
  return { account, nonce: nonce as Hex, expiry: Number(expiry), signature: signature as Hex }
}

/** What the account has to have signed. */
export function digest(request: Signing, claim: Claim): Hex {
  return TypedDataEncoder.hash(typedDomain(request.domain), types, message(request, claim)) as Hex
}
