// What an enclave signs when there can be no result.
import { contributionTo, ethers, loadFixture, type MessageSigner, matchedDeal, taskIdOf } from '../../fixtures.ts'

/** The key that the enclave of these tests made for itself. */
export const enclave = new ethers.Wallet(ethers.id('the key of an enclave'))

/** What enclaves call a fault of the input; the Hub does not mind. */
export const CAUSE = 7n

type Wish = {
  dealId: string
  index?: bigint
  worker: { address: string }
  cause?: bigint
  authorizer?: MessageSigner
}

/** What an enclave signs when there can be no result, with the pool's authorization unless another's is wished. */
export async function failureOf(roles: { scheduler: MessageSigner }, wish: Wish) {
  const { dealId, index = 0n, worker, cause = CAUSE, authorizer } = wish
  const taskId = taskIdOf(dealId, index)
  const signers = authorizer === undefined ? { enclave } : { enclave, authorizer }
  const { authorizationSign } = await contributionTo(roles, { taskId, worker, ...signers })
  const fields = { taskid: taskId, worker: worker.address, cause }
  const types = {
    TaskFailure: [
      { name: 'taskid', type: 'bytes32' },
      { name: 'worker', type: 'address' },
      { name: 'cause', type: 'uint256' },
    ],
  }
  const structHash = ethers.TypedDataEncoder.hashStruct('TaskFailure', types, fields)
  const enclaveSign = await enclave.signMessage(ethers.getBytes(structHash))
  const challenge = { enclaveChallenge: enclave.address }
  return { dealId, idx: index, taskId, worker: worker.address, cause, ...challenge, enclaveSign, authorizationSign }
}

export type Failure = Awaited<ReturnType<typeof failureOf>>

/** The arguments of `settleFailure`. */
export function failureArguments({ dealId, idx, worker, cause, ...signed }: Failure) {
  return [dealId, idx, worker, cause, signed.enclaveChallenge, signed.enclaveSign, signed.authorizationSign] as const
}

/** The usual deal, whose only task cannot be computed. */
export async function hopelessTask() {
  const deal = await loadFixture(matchedDeal)
  return { ...deal, failure: await failureOf(deal, deal) }
}
