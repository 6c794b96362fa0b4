import { AbiCoder, keccak256, id as keccakOfText, solidityPackedKeccak256 } from 'ethers'
import { InvalidValueError } from './errors.ts'
import type { Address, Hex } from './hex.ts'

/** Names of a task's statuses, at the number that the Hub gives them. */
export const statuses = ['UNSET', 'ACTIVE', 'REVEALING', 'COMPLETED', 'FAILED'] as const
export type Status = (typeof statuses)[number]

/** Identity of a task: its deal and its index in the request order. */
export function id(dealId: Hex, index: bigint): Hex {
  return solidityPackedKeccak256(['bytes32', 'uint256'], [dealId, index]) as Hex
}

/** Name of the Hub's status number. */
export function status(number: bigint | number): Status {
  const name = statuses[Number(number)]
  if (name === undefined)
    throw new InvalidValueError({ path: 'task.status', expected: 'between 0 and 4', value: number })
  return name
}

/** What contributors of one task agree on. */
export function resultHash(taskId: Hex, resultDigest: Hex): Hex {
  return solidityPackedKeccak256(['bytes32', 'bytes32'], [taskId, resultDigest]) as Hex
}

/** What proves that one worker knew the digest. */
export function resultSeal(worker: Address, taskId: Hex, resultDigest: Hex): Hex {
  return solidityPackedKeccak256(['address', 'bytes32', 'bytes32'], [worker, taskId, resultDigest]) as Hex
}

/** What the TEE broker (or, without one, the pool owner) signs, as EIP-191, to let `worker` contribute with `enclave`. */
export function authorizationHash(worker: Address, taskId: Hex, enclave: Address): Hex {
  return solidityPackedKeccak256(['address', 'bytes32', 'address'], [worker, taskId, enclave]) as Hex
}

/** What the enclave signs, as EIP-191, over the result. */
export function enclaveHash(worker: Address, taskId: Hex, resultDigest: Hex): Hex {
  return solidityPackedKeccak256(
    ['bytes32', 'bytes32'],
    [resultHash(taskId, resultDigest), resultSeal(worker, taskId, resultDigest)],
  ) as Hex
}

/** What the enclave signs, as EIP-191, to have the result settled; `contributeAndFinalize` does not take it. */
export function settlementHash(worker: Address, taskId: Hex, resultDigest: Hex): Hex {
  const type = keccakOfText('TaskResult(bytes32 taskid,address worker,bytes32 resultDigest)')
  const words = [type, taskId, worker, resultDigest]
  return keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'address', 'bytes32'], words)) as Hex
}
