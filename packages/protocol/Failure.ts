import { AbiCoder, keccak256, id as keccakOfText } from 'ethers'
import type { Address, Hex } from './hex.ts'

/**
 * Causes that an enclave may sign, and that end a task on chain at once: app, data or request made a result impossible,
 * whoever tries: what one pool allows less of than another is not among them. The numbers are part of the protocol: they are never given to another cause.
 */
export const codes = {
  PRE_COMPUTE_TASK_DESCRIPTION_INVALID: 1,
  PRE_COMPUTE_DATASET_URL_MISSING: 2,
  PRE_COMPUTE_DATASET_KEY_MISSING: 3,
  PRE_COMPUTE_INVALID_DATASET_CHECKSUM: 4,
  PRE_COMPUTE_DATASET_DECRYPTION_FAILED: 5,
  PRE_COMPUTE_INPUT_FILE_TOO_LARGE: 7,
  APP_IMAGE_MALFORMED: 20,
  APP_COMPUTE_FAILED: 21,
  APP_COMPUTE_TIMEOUT: 22,
  POST_COMPUTE_COMPUTED_FILE_NOT_FOUND: 40,
  POST_COMPUTE_COMPUTED_FILE_MALFORMED: 41,
  POST_COMPUTE_CALLBACK_DATA_MISSING: 42,
  POST_COMPUTE_RESULT_FILE_NOT_FOUND: 43,
  POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT: 44,
  POST_COMPUTE_RESULT_FILE_NOT_REGULAR: 45,
  POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME: 46,
  POST_COMPUTE_RESULT_FILE_NAME_INVALID: 47,
  POST_COMPUTE_RESULT_TOO_LARGE: 48,
  POST_COMPUTE_OUT_FOLDER_ZIP_FAILED: 49,
  POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING: 50,
  POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY: 51,
  POST_COMPUTE_STORAGE_PROVIDER_UNSUPPORTED: 52,
} as const

/** Name of such a cause. */
export type Cause = keyof typeof codes

/** What the Hub is told, with what proves it: all of it goes on chain. */
export type Attested = { cause: Cause; enclaveAddress: Address; enclaveSignature: Hex; authorization: Hex }

/** Whether a cause of this name ends a task on chain. */
export function isFinal(name: string): name is Cause {
  return Object.hasOwn(codes, name)
}

/** Name of the number in a `TaskFailed` event; `CAUSE_<number>` for one that is not known here. */
export function nameOf(code: bigint): string {
  return Object.entries(codes).find(([, number]) => BigInt(number) === code)?.[0] ?? `CAUSE_${code}`
}

/** What the enclave signs, as EIP-191, to have a task end without a result; see `IFailures.settleFailure`. */
export function hash(worker: Address, taskId: Hex, cause: Cause): Hex {
  const type = keccakOfText('TaskFailure(bytes32 taskid,address worker,uint256 cause)')
  const words = [type, taskId, worker, codes[cause]]
  return keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'address', 'uint256'], words)) as Hex
}
