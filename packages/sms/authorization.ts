import { type Address, type Hex, Secret } from '@sealdeal/protocol'
import { getBytes, hashMessage } from 'ethers'
import type { Chain } from './chain.ts'
import { SecretNotAuthorizedError } from './errors.ts'

/**
 * Throws unless `authorization` (the header as it came) is the EIP-191 signature over the secret's hash by `owner`.
 *
 * @throws SecretNotAuthorizedError
 */
export async function expectAuthorized({
  chain,
  owner,
  secret,
  authorization,
}: {
  chain: Pick<Chain, 'isSignedBy'>
  owner: Address | undefined
  secret: { address: Address; name?: string; value: string }
  authorization: string | undefined
}): Promise<void> {
  const refuse = (reason: string) => new SecretNotAuthorizedError({ owner: secret.address, reason })
  if (!authorization) throw refuse('the `Authorization` header is missing')
  if (!isHex(authorization)) throw refuse('the `Authorization` header is not a signature')
  if (!owner) throw refuse('nobody owns this address, or it is no app or dataset')
  const digest = hashMessage(getBytes(Secret.hash(secret))) as Hex
  if (!(await chain.isSignedBy({ account: owner, digest, signature: authorization }))) {
    throw refuse(`the signature over it is not by "${owner}"`)
  }
}

function isHex(text: string): text is Hex {
  return /^0x([0-9a-fA-F]{2})+$/.test(text)
}
