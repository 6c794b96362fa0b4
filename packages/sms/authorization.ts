import { type Address, type Hex, Secret, SignedRequest } from '@sealdeal/protocol'
import { type AppRequest, type Database, NotAuthorizedError, verifyRequest } from '@sealdeal/server'
import { getBytes, hashMessage } from 'ethers'
import type { Chain } from './chain.ts'
import { SecretNotAuthorizedError } from './errors.ts'

/** Who asks the chain and keeps nonces. */
export type Authorizing = { chain: Pick<Chain, 'chainId' | 'hub' | 'isSignedBy'>; database: Database }

/** What is asked of a secret, and by what request. */
export type Asked = {
  owner: Address | undefined
  secret: { address: Address; name?: string; value: string }
  request: AppRequest
}

/**
 * Throws unless `owner` signed: the request itself, bound to this service, chain and moment; or, as published clients do, the
 * secret's hash by EIP-191. Such a hash is returned: whoever has seen the signature has it too, so it may count once only.
 *
 * @throws SecretNotAuthorizedError
 */
export async function expectAuthorized(authorizing: Authorizing, asked: Asked): Promise<Hex | undefined> {
  const { authorization } = asked.request.headers
  if (SignedRequest.isSignedRequest(authorization)) return expectSigned(authorizing, asked)
  const { owner, secret } = asked
  if (!authorization) throw refusal(asked, 'the `Authorization` header is missing')
  if (!isHex(authorization)) throw refusal(asked, 'the `Authorization` header is not a signature')
  if (!owner) throw refusal(asked, nobody)
  const digest = hashMessage(getBytes(Secret.hash(secret))) as Hex
  if (!(await authorizing.chain.isSignedBy({ account: owner, digest, signature: authorization }))) {
    throw refusal(asked, `the signature over it is not by "${owner}"`)
  }
  return digest
}

/**
 * Throws unless `owner` signed this very request (`SignedRequest`), which counts once.
 *
 * @throws SecretNotAuthorizedError
 */
export async function expectSigned({ chain, database }: Authorizing, asked: Asked): Promise<undefined> {
  const { owner, request } = asked
  if (!owner) throw refusal(asked, nobody)
  const { account } = await verifyRequest({
    header: request.headers.authorization,
    domain: { chainId: chain.chainId, hub: chain.hub, service: 'sms' },
    method: request.method,
    path: request.url,
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    database,
    isSignedBy: chain.isSignedBy,
  }).catch((error: unknown) => {
    throw error instanceof NotAuthorizedError ? refusal(asked, lowered(error.reason)) : error
  })
  if (account !== owner) throw refusal(asked, `the request is signed by "${account}", and the owner is "${owner}"`)
}

const nobody = 'nobody owns this address, or it is no app or dataset'

function refusal({ secret }: Asked, reason: string): SecretNotAuthorizedError {
  return new SecretNotAuthorizedError({ owner: secret.address, reason })
}

function lowered(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`
}

function isHex(text: string): text is Hex {
  return /^0x([0-9a-fA-F]{2})+$/.test(text)
}
