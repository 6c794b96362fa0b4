import { randomBytes } from 'node:crypto'
import type { Address, Hex } from '@sealdeal/protocol'
import { BaseError, SignedRequest } from '@sealdeal/protocol'
import { AbiCoder, getAddress, TypedDataEncoder } from 'ethers'
import type { ChainAccess } from './chain.ts'
import { challengesOf } from './challenges.ts'
import type { Database } from './database.ts'
import { recoverSigner } from './recovery.ts'

// Two ways to say who is asking.
//
// 1. Signed requests, for our own tools and agents: `SignedRequest` of the protocol.
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

/** Makes the `authorization` header of one request. */
export const signRequest = SignedRequest.sign

/** Where a signature counts: on one chain, for one Hub, at one service. */
export type AuthDomain = SignedRequest.Domain

/** Who says whether an account approved of a digest: a chain, or whoever asks one. */
export type Judge =
  | { chain: ChainAccess }
  | { isSignedBy: (asked: { account: Address; digest: Hex; signature: Hex }) => Promise<boolean> }

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
  database,
  ...judge
}: {
  header: string | undefined
  domain: AuthDomain
  method: string
  path: string
  body: Uint8Array
  database: Database
} & Judge): Promise<{ account: Address }> {
  const claim = SignedRequest.parse(header)
  if (!claim) throw new NotAuthorizedError({ reason: 'The authorization header is absent or not of the known form.' })
  const { account, nonce, expiry, signature } = claim
  const now = Date.now() / 1_000
  if (expiry <= now) throw new NotAuthorizedError({ reason: 'The authorization has expired.' })
  if (expiry > now + SignedRequest.longestExpiry) {
    throw new NotAuthorizedError({ reason: 'The authorization would live too long.' })
  }
  const digest = SignedRequest.digest({ domain, method, path, body }, claim)
  const asked = { account, digest, signature }
  if (!(await ('isSignedBy' in judge ? judge.isSignedBy(asked) : isSignedBy({ ...asked, ...judge })))) {
    throw new NotAuthorizedError({ reason: 'The signature is not that of the account over this request.' })
  }
  await forget(database, 'used_nonce')
  const fresh = await database.query(
    `insert into used_nonce (account, nonce, expires_at) values ($1, $2, to_timestamp($3))
     on conflict do nothing returning 1`,
    [account, nonce, expiry],
    { prepared: true },
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
  // What is not a key's signature, a contract may read in its own way.
  if (recoverSigner(digest, signature) === account) return true
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
  const digest = TypedDataEncoder.hash(domain, challengeTypes, message) as Hex
  await forget(database, 'challenge')
  await challengesOf(database).keep({ digest, account, lifetime })
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

/** When each table was last rid of what has expired. */
const forgotten = { used_nonce: new WeakMap<Database, number>(), challenge: new WeakMap<Database, number>() }

/** Deletes what has expired, once a minute: an entry that is still there says itself that it counts no more. */
async function forget(database: Database, table: keyof typeof forgotten): Promise<void> {
  const now = Date.now()
  if (now - (forgotten[table].get(database) ?? 0) < 60_000) return
  forgotten[table].set(database, now)
  await database.query(`delete from ${table} where expires_at < now()`)
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
  // Only who asked for it knows its digest: spent is it by the first who names it, whatever the signature.
  if (!(await challengesOf(database).spend({ digest, account }))) {
    throw new NotAuthorizedError({ reason: 'The challenge was not made for this address, was used, or has expired.' })
  }
  if (!(await isSignedBy({ account, digest, signature: signature as Hex, chain }))) {
    throw new NotAuthorizedError({ reason: 'The signature is not that of the address over the challenge.' })
  }
  return { account }
}
