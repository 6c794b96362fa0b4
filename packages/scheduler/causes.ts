/** What a task's cause of failure means for the pool, and what a reader can do about it. */
export type Cause = {
  /** Whether another attempt may succeed unchanged: the fault lies with a worker or a service, not with app or input. */
  retryable: boolean
  remedy: string
}

const another = 'The pool tries again, with any of its workers.'
const refund = 'The payer is refunded when the pool claims the task after its final deadline.'

/** Something around the app failed: another worker, or the same one later, may do better. */
const passing: Record<string, string> = {
  WORKER_LOST: another,
  LEASE_EXPIRED: another,
  TRANSACTION_FAILED: 'The worker lacks gas, or the chain refused what it sent: see the worker’s log.',
  TEE_SANDBOX_UNAVAILABLE: 'The worker’s machine needs bubblewrap or user namespaces.',
  TEE_LAUNCH_FAILED: another,
  TEE_QUOTE_FAILED: 'The worker’s machine cannot prove what it is: see the worker’s log.',
  TEE_SESSION_GENERATION_FAILED: 'The secret service could not be reached. Run again later.',
  TEE_SESSION_REFUSED: 'The secret service refused the worker’s enclave: its answer is in the message.',
  TEE_SESSION_MALFORMED: another,
  APP_IMAGE_DOWNLOAD_FAILED: 'The app must be readable at the address that its developer registered.',
  PRE_COMPUTE_DATASET_DOWNLOAD_FAILED: 'The data must be readable at the address that its owner registered.',
  PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED: 'Every input file must be readable at its URL.',
  PRE_COMPUTE_FAILED_UNKNOWN_ISSUE: another,
  POST_COMPUTE_IPFS_UPLOAD_FAILED: 'The storage did not take the result. Run again later.',
  POST_COMPUTE_FAILED_UNKNOWN_ISSUE: another,
}

/** App, data or request are at fault, or time is over: every worker would meet the same. */
const final: Record<string, string> = {
  APP_TYPE_UNSUPPORTED: 'This pool’s enclaves run apps of type BUNDLE: ask the developer to deploy one.',
  APP_IMAGE_CHECKSUM_INVALID: 'What is stored is not what the app’s developer registered: deploy the app again.',
  APP_IMAGE_MALFORMED: 'The app’s bundle cannot be read: build and deploy it again.',
  APP_COMPUTE_FAILED: 'The app ended with an error: test it locally with the same input.',
  APP_COMPUTE_TIMEOUT: 'Ask for a category with more time, or give the app less to do.',
  APP_COMPUTE_MEMORY_LIMIT_EXCEEDED: 'Give the app less to do at once, or choose a pool that allows more memory.',
  APP_COMPUTE_CPU_LIMIT_EXCEEDED: 'Give the app less to do, or choose a pool that allows more processor time.',
  APP_COMPUTE_PROCESS_LIMIT_EXCEEDED: 'The app must run fewer processes and threads at a time.',
  APP_COMPUTE_DISK_LIMIT_EXCEEDED: 'The app must write less into its output folder and /tmp.',
  APP_COMPUTE_TIME_LIMIT_EXCEEDED:
    'Give the app less to do, or choose a pool that allows as much time as the category.',
  PRE_COMPUTE_TASK_DESCRIPTION_INVALID: 'The request’s params cannot be understood: sign a new request.',
  PRE_COMPUTE_GET_DATASET_SECRET_FAILED: 'The owner must store the data’s key with the secret service.',
  PRE_COMPUTE_GET_REQUESTER_SECRET_FAILED: 'Store every secret that the request names, then run again.',
  PRE_COMPUTE_DATASET_URL_MISSING: 'The data has no address on chain: ask its owner to protect it again.',
  PRE_COMPUTE_DATASET_KEY_MISSING: 'What is stored as the data’s key is none: ask its owner to protect it again.',
  PRE_COMPUTE_INVALID_DATASET_CHECKSUM: 'The stored data is not what its owner registered: ask to protect it again.',
  PRE_COMPUTE_DATASET_DECRYPTION_FAILED: 'The stored key does not open the data: ask its owner to protect it again.',
  PRE_COMPUTE_SAVING_PLAIN_DATASET_FAILED: 'The data is larger than what the enclave may hold.',
  PRE_COMPUTE_INPUT_FILE_TOO_LARGE: 'Give the app a smaller input file.',
  POST_COMPUTE_COMPUTED_FILE_NOT_FOUND: 'The app must write computed.json into its output folder.',
  POST_COMPUTE_COMPUTED_FILE_MALFORMED: 'computed.json must be a JSON object with `deterministic-output-path`.',
  POST_COMPUTE_CALLBACK_DATA_MISSING: 'A request with a callback needs `callback-data` in computed.json.',
  POST_COMPUTE_RESULT_FILE_NOT_FOUND: 'computed.json names an output that the app did not write.',
  POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT: 'Outputs must lie in the app’s output folder.',
  POST_COMPUTE_RESULT_FILE_NOT_REGULAR: 'Outputs must be ordinary files: no links, no devices.',
  POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME: 'Names of output files have at most 31 characters.',
  POST_COMPUTE_RESULT_FILE_NAME_INVALID: 'Names of output files must be plain UTF-8.',
  POST_COMPUTE_RESULT_TOO_LARGE: 'The app must write less.',
  POST_COMPUTE_OUT_FOLDER_ZIP_FAILED: 'The app’s output folder could not be read or packed: test the app locally.',
  POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY:
    'The beneficiary must store a result key before the run.',
  POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING: 'The beneficiary must store a result key before the run.',
  POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY: 'The beneficiary’s result key is not an RSA public key in PEM.',
  POST_COMPUTE_STORAGE_PROVIDER_UNSUPPORTED: 'Ask for the storage provider `ipfs`.',
  CONTRIBUTION_TIMEOUT: `No worker finished in time. ${refund}`,
  FINAL_DEADLINE_REACHED: 'The payer was refunded. Run again, or choose another pool.',
  TRUST_NOT_SUPPORTED: `This pool runs tasks of trust 1 only. ${refund}`,
}

/** Causes with a remedy of their own. */
export const knownCauses = Object.keys({ ...passing, ...final })

/** What to make of a cause by its name. Unknown causes of the compute stages are final, all others worth another try. */
export function readCause(name: string): Cause {
  const passes = passing[name]
  if (passes) return { retryable: true, remedy: passes }
  const ends = final[name]
  if (ends) return { retryable: false, remedy: ends }
  return /^(APP|PRE_COMPUTE|POST_COMPUTE)_/.test(name)
    ? { retryable: false, remedy: refund }
    : { retryable: true, remedy: another }
}
