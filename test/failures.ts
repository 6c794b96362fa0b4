// What an enclave that could not compute anything signs, and who lets it.
import { ethers, type MessageSigner, taskIdOf } from './fixtures.ts'

const TASK_FAILURE = ethers.id('TaskFailure(bytes32 taskid,address worker,uint256 cause)')

/** The arguments of `settleFailure`. The pool's owner authorizes unless `authorizer` is given. */
export async function failureOf(
  { scheduler }: { scheduler: MessageSigner },
  {
    dealId,
    index = 0n,
    worker,
    cause,
    enclave = ethers.Wallet.createRandom(),
    authorizer = scheduler,
  }: {
    dealId: string
    index?: bigint
    worker: { address: string }
    cause: bigint
    enclave?: MessageSigner & { address: string }
    authorizer?: MessageSigner
  },
) {
  const taskId = taskIdOf(dealId, index)
  const fields = [TASK_FAILURE, taskId, worker.address, cause]
  const failure = ethers.AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'address', 'uint256'], fields)
  const authorization = ethers.solidityPacked(
    ['address', 'bytes32', 'address'],
    [worker.address, taskId, enclave.address],
  )
  const enclaveSign = await enclave.signMessage(ethers.getBytes(ethers.keccak256(failure)))
  const authorizationSign = await authorizer.signMessage(ethers.getBytes(ethers.keccak256(authorization)))
  return [dealId, index, worker.address, cause, enclave.address, enclaveSign, authorizationSign] as const
}
