import { randomBytes } from 'node:crypto'
import type { Address, Hex } from '@sealdeal/protocol'
import { BaseError } from '@sealdeal/protocol'
import {
  AbiCoder,
  getAddress,
  hexlify,
  keccak256,
  recoverAddress,
  Signature,
  TypedDataEncoder,
  toUtf8Bytes,
} from 'ethers'
import type { ChainAccess } from './chain.ts'
import type { Database } from './database.ts'

// Two ways to say who is asking.
//
// 1. Signed requests, for our own agents (worker -> scheduler). The header of one request is
//
//      authorization: Sealdeal account=0x..,nonce=0x..(32 bytes),expiry=1700000000,signature=0x..
//
//    where signature is EIP-712 over domain { name: 'Sealdeal', version: '1', chainId, verifyingContract: hub } and
//      Request(string service,string method,string path,bytes32 body,address account,bytes32 nonce,uint256 expiry)
//    path includes the query; body is keccak256 of the bytes of the body (of nothing when there is none); expiry is in
//    unix seconds and at most five minutes away. A nonce counts once per account: a captured request cannot be repeated.
//
// 2. Challenges, for published clients (market and scheduler API): the client asks for a challenge, signs it and sends
//
//      authorization: <EIP-712 digest>_<signature>_<address>
//
//    Each challenge is random, made for one address, expires after ten minutes, and counts once: parallel requests of one
//    wallet each bring their own.
//
// Both accept contract accounts (ERC-1271) beside keys.

/** Nobody is known to have asked this. One text for all causes, as published clients expect; `reason` is for our log. */
export class NotAuthorizedError extends BaseError {
  override name = 'NotAuthorizedError'
  readonly reason: string
  constructor({ reason }: { reason: string }) {
    super('invalid authorization', { metaMessages: [reason], docsPath: '/operate#authorization' })
    this.reason = reason
  }
}

type TypedDataSigner = {
  getAddress(): Promise<string>
  signTypedData(
    domain: Record<string, unknown>,
    types: Record<string, { name: string; type: string }[]>,
    message: Record<string, unknown>,
  ): Promise<string>
}

/** Where a signature counts: on one chain, for one Hub, at one service. */
export type AuthDomain = { chainId: bigint; hub: Address; service: string }

const requestTypes = {
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
const longestExpiry = 300

const domainOf = ({ chainId, hub }: AuthDomain) => ({
  name: 'Sealdeal',
  version: '1',
  chainId,
  verifyingContract: hub,
})

/** Makes the `authorization` header of one request. `path` is what comes after the origin, query included. */
export async function signRequest({
  signer,
  domain,
  method,
  path,
  body = '',
  lifetime = 60,
}: {
  signer: TypedDataSigner
  domain: AuthDomain
  method: string
  path: string
  body?: string | Uint8Array
  /** Seconds. */
  lifetime?: number
}): Promise<string> {
  const account = await signer.getAddress()
  const nonce = hexlify(randomBytes(32))
  const expiry = Math.floor(Date.now() / 1_000) + lifetime
  const message = requestMessage({ domain, method, path, body, account, nonce, expiry })
  const signature = await signer.signTypedData(domainOf(domain), requestTypes, message)
  return `Sealdeal account=${account},nonce=${nonce},expiry=${expiry},signature=${signature}`
}

function requestMessage({
  domain,
  method,
  path,
  body,
  account,
  nonce,
  expiry,
}: {
  domain: AuthDomain
  method: string
  path: string
  body: string | Uint8Array
  account: string
  nonce: string
  expiry: number
}) {
  const bytes = typeof body === 'string' ? toUtf8Bytes(body) : body
  return { service: domain.service, method: method.toUpperCase(), path, body: keccak256(bytes), account, nonce, expiry }
}

/**
 * Who signed this request. Use it once per request: the nonce is spent.
 *
 * @throws {NotAuthorizedError} when nobody did, too long ago, or before.
 */
export async function verifyRequest({
  header,
  domain,
  method,
  path,
  body,
  chain,
  database,
}: {
  header: string | undefined
  domain: AuthDomain
  method: string
  path: string
  body: Uint8Array
  chain: ChainAccess
  database: Database
}): Promise<{ account: Address }> {
  const parts = header?.match(
    /^Sealdeal account=(0x[0-9a-fA-F]{40}),nonce=(0x[0-9a-f]{64}),expiry=(\d{1,12}),signature=(0x[0-9a-fA-F]{2,4096})$/,
  )
  if (!parts) throw new NotAuthorizedError({ reason: 'The authorization header is absent or not of the known form.' })
  const [, sender = '', nonce = '', until = '', signature = ''] = parts
  const account = getAddress(sender.toLowerCase()) as Address
  const expiry = Number(until)
  const now = Date.now() / 1_000
  if (expiry <= now) throw new NotAuthorizedError({ reason: 'The authorization has expired.' })
  if (expiry > now + longestExpiry) throw new NotAuthorizedError({ reason: 'The authorization would live too long.' })
  const message = requestMessage({ domain, method, path, body, account, nonce, expiry })
  const digest = TypedDataEncoder.hash(domainOf(domain), requestTypes, message) as Hex
  if (!(await isSignedBy({ account, digest, signature: signature as Hex, chain }))) {
    throw new NotAuthorizedError({ reason: 'The signature is not that of the account over this request.' })
  }
  await database.query('delete from used_nonce where expires_at < now()')
  const fresh = await database.query(
    `insert into used_nonce (account, nonce, expires_at) values ($1, $2, to_timestamp($3))
     on conflict do nothing returning 1`,
    [account, nonce, expiry],
  )
  if (fresh.length === 0) throw new NotAuthorizedError({ reason: 'The authorization was used before.' })
  return { account }
}

/** Whether a key (65 or 64 bytes) or a contract (ERC-1271) approved the digest. A key's own signature is tried first. */
export async function isSignedBy({
  account,
  digest,
  signature,
  chain,
}: {
  account: Address
  digest: Hex
  signature: Hex
  chain: ChainAccess
}): Promise<boolean> {
  try {
    if (recoverAddress(digest, Signature.from(signature)) === account) return true
  } catch {
    // Not a key's signature; a contract may read it in its own way.
  }
  const code = await chain.send('eth_getCode', [account, 'latest'])
  if (code === '0x') return false
  const selector = '0x1626ba7e'
  const data = selector + AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes'], [digest, signature]).slice(2)
  try {
    const answer = (await chain.send('eth_call', [{ to: account, data }, 'latest'])) as string
    // The whole word, as the Hub compares it: a contract that echoes its input begins with these four bytes as well.
    return answer.slice(0, 66) === selector.padEnd(66, '0')
  } catch {
    return false
  }
}

const challengeTypes = { Challenge: [{ name: 'challenge', type: 'string' }] }

export type Challenge = {
  types: Record<string, { name: string; type: string }[]>
  domain: { name: string; version: string; chainId: number }
  primaryType: 'Challenge'
  message: { challenge: string }
}

/** Makes a challenge for an address. `name` is the EIP-712 domain's, `text` what the wallet shows before the nonce. */
export async function issueChallenge({
  database,
  account,
  chainId,
  name,
  text,
  lifetime = 600,
}: {
  database: Database
  account: Address
  chainId: bigint
  name: string
  text: string
  /** Seconds. */
  lifetime?: number
}): Promise<Challenge> {
  const domain = { name, version: '1', chainId: Number(chainId) }
  const message = { challenge: `${text}${randomBytes(32).toString('base64')}` }
  const hash = TypedDataEncoder.hash(domain, challengeTypes, message)
  await database.query('delete from challenge where expires_at < now()')
  await database.query(
    `insert into challenge (hash, account, expires_at) values ($1, $2, now() + make_interval(secs => $3))`,
    [hash, account, lifetime],
  )
  const types = {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
    ],
    ...challengeTypes,
  }
  return { types, domain, primaryType: 'Challenge', message }
}

/**
 * Who answered a challenge: reads `<digest>_<signature>_<address>`. The challenge is spent.
 *
 * @throws {NotAuthorizedError}
 */
export async function verifyChallenge({
  token,
  database,
  chain,
}: {
  token: string | undefined
  database: Database
  chain: ChainAccess
}): Promise<{ account: Address }> {
  const parts = token?.match(/^(0x[0-9a-fA-F]{64})_(0x[0-9a-fA-F]{2,4096})_(0x[0-9a-fA-F]{40})$/)
  if (!parts) throw new NotAuthorizedError({ reason: 'The authorization is absent or not of the known form.' })
  const [, hash = '', signature = '', sender = ''] = parts
  const account = getAddress(sender.toLowerCase()) as Address
  const digest = hash.toLowerCase() as Hex
  const known = await database.query(
    'select 1 from challenge where hash = $1 and account = $2 and expires_at > now()',
    [digest, account],
  )
  if (known.length === 0) {
    throw new NotAuthorizedError({ reason: 'The challenge was not made for this address, was used, or has expired.' })
  }
  if (!(await isSignedBy({ account, digest, signature: signature as Hex, chain }))) {
    throw new NotAuthorizedError({ reason: 'The signature is not that of the address over the challenge.' })
  }
  const spent = await database.query('delete from challenge where hash = $1 returning 1', [digest])
  if (spent.length === 0) throw new NotAuthorizedError({ reason: 'The challenge was used before.' })
  return { account }
}
