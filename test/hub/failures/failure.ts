// What is handed in when there can be no result, by name, so that each part can be forged.
import { failureOf } from '../../failures.ts'
import { ethers, loadFixture, type MessageSigner, matchedDeal, taskIdOf } from '../../fixtures.ts'

/** The key that the enclave of these tests made for itself. */
export const enclave = new ethers.Wallet(ethers.id('the key of an enclave'))

/** What enclaves call a fault of the input; the Hub does not mind. */
export const CAUSE = 7n

type Wish = Omit<Parameters<typeof failureOf>[1], 'cause' | 'enclave'> & { cause?: bigint }

/** A failure that the enclave signed, with the pool's authorization unless another's is wished. */
export async function attestedFailure(roles: { scheduler: MessageSigner }, wish: Wish) {
  const { dealId, index = 0n, worker, cause = CAUSE, authorizer = roles.scheduler } = wish
  const signed = await failureOf(roles, { dealId, index, worker, cause, enclave, authorizer })
  const [, idx, address, , enclaveChallenge, enclaveSign, authorizationSign] = signed
  const taskId = taskIdOf(dealId, index)
  return { dealId, idx, taskId, worker: address, cause, enclaveChallenge, enclaveSign, authorizationSign }
}

export type Failure = Awaited<ReturnType<typeof attestedFailure>>

/** The arguments of `settleFailure`. */
export function failureArguments({ dealId, idx, worker, cause, ...signed }: Failure) {
  return [dealId, idx, worker, cause, signed.enclaveChallenge, signed.enclaveSign, signed.authorizationSign] as const
}

/** The usual deal, whose only task cannot be computed. */
export async function hopelessTask() {
  const deal = await loadFixture(matchedDeal)
  return { ...deal, failure: await attestedFailure(deal, deal) }
}
