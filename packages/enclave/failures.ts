import { BaseError } from '@sealdeal/protocol'
import type { Attested } from './pipe.ts'

/**
 * Named causes of a run without a result. The first words say which stage failed, as in the ecosystem: `PRE_COMPUTE`
 * before the app, `APP` the app itself, `POST_COMPUTE` after it, `TEE` the proof that this is an enclave.
 */
export const causes = [
  'TEE_SANDBOX_UNAVAILABLE',
  'TEE_LAUNCH_FAILED',
  'TEE_QUOTE_FAILED',
  'TEE_SESSION_GENERATION_FAILED',
  'TEE_SESSION_REFUSED',
  'TEE_SESSION_MALFORMED',
  'APP_TYPE_UNSUPPORTED',
  'APP_IMAGE_DOWNLOAD_FAILED',
  'APP_IMAGE_CHECKSUM_INVALID',
  'APP_IMAGE_MALFORMED',
  'PRE_COMPUTE_TASK_DESCRIPTION_INVALID',
  'PRE_COMPUTE_GET_DATASET_SECRET_FAILED',
  'PRE_COMPUTE_GET_REQUESTER_SECRET_FAILED',
  'PRE_COMPUTE_DATASET_URL_MISSING',
  'PRE_COMPUTE_DATASET_KEY_MISSING',
  'PRE_COMPUTE_DATASET_DOWNLOAD_FAILED',
  'PRE_COMPUTE_INVALID_DATASET_CHECKSUM',
  'PRE_COMPUTE_DATASET_DECRYPTION_FAILED',
  'PRE_COMPUTE_SAVING_PLAIN_DATASET_FAILED',
  'PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED',
  'PRE_COMPUTE_INPUT_FILE_TOO_LARGE',
  'PRE_COMPUTE_FAILED_UNKNOWN_ISSUE',
  'APP_COMPUTE_FAILED',
  'APP_COMPUTE_TIMEOUT',
  'APP_COMPUTE_MEMORY_LIMIT_EXCEEDED',
  'APP_COMPUTE_CPU_LIMIT_EXCEEDED',
  'APP_COMPUTE_PROCESS_LIMIT_EXCEEDED',
  'APP_COMPUTE_DISK_LIMIT_EXCEEDED',
  'APP_COMPUTE_TIME_LIMIT_EXCEEDED',
  'POST_COMPUTE_COMPUTED_FILE_NOT_FOUND',
  'POST_COMPUTE_COMPUTED_FILE_MALFORMED',
  'POST_COMPUTE_CALLBACK_DATA_MISSING',
  'POST_COMPUTE_RESULT_FILE_NOT_FOUND',
  'POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT',
  'POST_COMPUTE_RESULT_FILE_NOT_REGULAR',
  'POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME',
  'POST_COMPUTE_RESULT_FILE_NAME_INVALID',
  'POST_COMPUTE_RESULT_TOO_LARGE',
  'POST_COMPUTE_OUT_FOLDER_ZIP_FAILED',
  'POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY',
  'POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING',
  'POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY',
  'POST_COMPUTE_ENCRYPTION_FAILED',
  'POST_COMPUTE_IPFS_UPLOAD_FAILED',
  'POST_COMPUTE_STORAGE_PROVIDER_UNSUPPORTED',
  'POST_COMPUTE_FAILED_UNKNOWN_ISSUE',
] as const
export type Cause = (typeof causes)[number]

/** Causes that another attempt may not meet: a server or this machine was at fault, not the app and not its inputs. */
const passing: ReadonlySet<Cause> = new Set<Cause>([
  'TEE_LAUNCH_FAILED',
  'TEE_QUOTE_FAILED',
  'TEE_SESSION_GENERATION_FAILED',
  'APP_IMAGE_DOWNLOAD_FAILED',
  'PRE_COMPUTE_DATASET_DOWNLOAD_FAILED',
  'PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED',
  'PRE_COMPUTE_FAILED_UNKNOWN_ISSUE',
  'POST_COMPUTE_IPFS_UPLOAD_FAILED',
  'POST_COMPUTE_FAILED_UNKNOWN_ISSUE',
])

/**
 * A run that ends without a result. Its message reaches the worker and its log: never put anything into it that comes
 * from the data, a secret or the app (a parser's message quotes what it parsed).
 */
export class EnclaveFailureError extends BaseError {
  override name = 'EnclaveFailureError'
  readonly failure: Cause
  readonly retryable: boolean
  /** Set where the enclave was let in and could sign the cause. */
  attested?: Attested

  constructor({
    failure,
    message,
    remedies = [],
    retryable = passing.has(failure),
  }: {
    failure: Cause
    message: string
    remedies?: string[]
    retryable?: boolean
  }) {
    super(message, { metaMessages: remedies, docsPath: `/failures#${failure.toLowerCase()}` })
    this.failure = failure
    this.retryable = retryable
  }
}

/**
 * Runs `action`; whatever it throws becomes one named failure. The original error is dropped on purpose: it may quote
 * plaintext.
 */
export async function orFail<T>(failure: Cause, message: string, action: () => Promise<T> | T): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof EnclaveFailureError) throw error
    throw new EnclaveFailureError({ failure, message })
  }
}
