import { InvalidValueError } from '@sealdeal/protocol'
import { TypedDataEncoder } from 'ethers'
import type { Client } from './client.ts'
import { callJson } from './http.ts'

type Challenge = {
  domain: Record<string, unknown>
  types: Record<string, { name: string; type: string }[]>
  message: Record<string, unknown>
}

/**
 * Logs in to the market: signs a fresh challenge (EIP-712, readable in a wallet), and returns the header that proves it.
 *
 * Only a challenge is signed: a market that sends anything else, an order for example, is refused.
 */
export async function login(client: Client): Promise<{ authorization: string }> {
  const query = { chainId: client.chainId, address: client.account }
  const answer = await callJson(client, { service: 'market', path: '/challenge', query })
  const { domain, types, message } = readChallenge(answer.data ?? answer)
  const signature = await client.signer.signTypedData(domain, types, message)
  const digest = TypedDataEncoder.hash(domain, types, message)
  return { authorization: `${digest}_${signature}_${client.account}` }
}

function readChallenge(data: unknown): Challenge {
  const { domain, types, message, primaryType } = (data ?? {}) as Partial<Challenge & { primaryType: string }>
  const challenge = types?.Challenge
  const isChallenge =
    primaryType === 'Challenge' &&
    Array.isArray(challenge) &&
    challenge.length === 1 &&
    challenge[0]?.name === 'challenge' &&
    challenge[0].type === 'string' &&
    typeof message?.challenge === 'string' &&
    typeof domain === 'object' &&
    domain !== null &&
    !('verifyingContract' in domain)
  if (isChallenge) return { domain, types: { Challenge: challenge }, message: { challenge: message.challenge } }
  throw new InvalidValueError({ path: 'market.challenge', expected: 'a login challenge and nothing else', value: data })
}
