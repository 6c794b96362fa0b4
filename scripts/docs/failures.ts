import { Failure } from '@sealdeal/protocol'
import { causes, type Cause as EnclaveCause } from '../../packages/enclave/failures.ts'
import { knownCauses, readCause } from '../../packages/scheduler/causes.ts'
import { wrap } from './wrap.ts'

type PoolCause =
  | 'WORKER_LOST'
  | 'LEASE_EXPIRED'
  | 'TRANSACTION_FAILED'
  | 'CONTRIBUTION_TIMEOUT'
  | 'FINAL_DEADLINE_REACHED'
  | 'TRUST_NOT_SUPPORTED'

const meanings: Record<EnclaveCause | PoolCause, string> = {
  WORKER_LOST:
    'The worker gave no sign of life for longer than the pool allows, or came back without knowing the task.',
  LEASE_EXPIRED: 'The attempt was not finished when its lease ended.',
  TRANSACTION_FAILED: 'The worker has a result, but its transaction was refused or could not be sent.',
  CONTRIBUTION_TIMEOUT: 'No attempt succeeded before the deadline for results (7 category clocks after the match).',
  FINAL_DEADLINE_REACHED: 'The task was claimed after its final deadline (10 category clocks after the match).',
  TRUST_NOT_SUPPORTED: 'The deal asks for several workers per task.',
  TEE_SANDBOX_UNAVAILABLE:
    'The worker cannot lock an app away. A worker of ours notices at its start and then takes no work, so a task meets ' +
    'this with workers of others only.',
  TEE_LAUNCH_FAILED: 'The enclave ended without an answer: it was killed, ran out of memory, or never started.',
  TEE_QUOTE_FAILED: 'The platform made no quote, so there is nothing to prove the enclave with.',
  TEE_SESSION_GENERATION_FAILED: 'The secret service did not answer, or answered 429 or 5xx.',
  TEE_SESSION_REFUSED: 'The secret service looked at deal, lease and quote, and said no. See [sessions](sessions.md).',
  TEE_SESSION_MALFORMED:
    'The answer of the secret service cannot be opened with the enclave’s key, or is about another task or app.',
  APP_TYPE_UNSUPPORTED: 'The registered type of the app is not one that the enclave runs.',
  APP_IMAGE_DOWNLOAD_FAILED: 'The app’s bundle could not be fetched: no place on chain, no answer, or over 256 MiB.',
  APP_IMAGE_CHECKSUM_INVALID: 'The sha256 of the fetched bundle is not the checksum on chain. Nothing of it was read.',
  APP_IMAGE_MALFORMED: 'The bundle is not a ZIP with a usable `iapp.json`. See [the format](formats.md#app-bundle).',
  PRE_COMPUTE_TASK_DESCRIPTION_INVALID:
    'The signed `params` cannot be read, name more than 100 input files, or ask for bulk processing.',
  PRE_COMPUTE_GET_DATASET_SECRET_FAILED: 'The secret service holds no key for the data.',
  PRE_COMPUTE_GET_REQUESTER_SECRET_FAILED: 'The request names a secret that the requester has not stored.',
  PRE_COMPUTE_DATASET_URL_MISSING: 'The data’s location on chain is neither a content address nor a URL.',
  PRE_COMPUTE_DATASET_KEY_MISSING: 'What the secret service holds for the data is not a key of 32 bytes in base64.',
  PRE_COMPUTE_DATASET_DOWNLOAD_FAILED: 'The encrypted data could not be fetched, or is over 8 GiB.',
  PRE_COMPUTE_INVALID_DATASET_CHECKSUM:
    'The sha256 of the fetched ciphertext is not the checksum on chain: somebody changed or exchanged it. Nothing was ' +
    'decrypted.',
  PRE_COMPUTE_DATASET_DECRYPTION_FAILED: 'The ciphertext is the registered one, but the stored key does not open it.',
  PRE_COMPUTE_SAVING_PLAIN_DATASET_FAILED: 'The plaintext could not be written to the private tmpfs.',
  PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED: 'An input file of the request could not be fetched within two minutes.',
  PRE_COMPUTE_INPUT_FILE_TOO_LARGE: 'An input file of the request is over 256 MiB.',
  PRE_COMPUTE_FAILED_UNKNOWN_ISSUE: 'Something else failed before the app ran.',
  APP_COMPUTE_FAILED:
    'The app did not start, or ended with a code other than 0 or by a signal. What it printed is dropped.',
  APP_COMPUTE_TIMEOUT: 'The app was still running when the time of its category was over, and was killed.',
  APP_COMPUTE_MEMORY_LIMIT_EXCEEDED:
    'The app’s processes together held more memory of their own than the pool allows (`APP_MEMORY`), and were killed.',
  APP_COMPUTE_CPU_LIMIT_EXCEEDED:
    'The app’s processes together took more processor time than the pool allows (`APP_CPU_SECONDS`), and were killed.',
  APP_COMPUTE_PROCESS_LIMIT_EXCEEDED:
    'The app ran more processes and threads at a time than the pool allows (`APP_PROCESSES`), and was killed.',
  APP_COMPUTE_DISK_LIMIT_EXCEEDED:
    'The app filled its output folder (`APP_OUTPUT`) or its /tmp (`APP_SCRATCH`): no byte was left, and it was killed.',
  APP_COMPUTE_TIME_LIMIT_EXCEEDED:
    'The app was still running after the time that the pool allows (`APP_SECONDS`), less than its category grants.',
  POST_COMPUTE_COMPUTED_FILE_NOT_FOUND: 'The app left no `computed.json` in its output folder.',
  POST_COMPUTE_COMPUTED_FILE_MALFORMED:
    'The app’s `computed.json` is not the JSON object that it must be, or names no output though there is no callback.',
  POST_COMPUTE_CALLBACK_DATA_MISSING:
    'The deal names a callback contract, but `computed.json` holds no `callback-data`.',
  POST_COMPUTE_RESULT_FILE_NOT_FOUND: 'The output that `computed.json` names does not exist.',
  POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT: 'The output that `computed.json` names lies outside of the output folder.',
  POST_COMPUTE_RESULT_FILE_NOT_REGULAR: 'The app left a link, pipe, socket or device in its output folder.',
  POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME: 'A file or folder in the output has a name of more than 31 characters.',
  POST_COMPUTE_RESULT_FILE_NAME_INVALID:
    'A file or folder in the output has a name with control characters, backslashes, or bytes that are no UTF-8.',
  POST_COMPUTE_RESULT_TOO_LARGE: 'The output is over 512 MiB, or over 10 000 files and folders.',
  POST_COMPUTE_OUT_FOLDER_ZIP_FAILED: 'The output folder could not be read or packed.',
  POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY:
    'The request asks for encryption, and the secret service holds no result key of the beneficiary.',
  POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING: 'The request asks for encryption, and the session brought no result key.',
  POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY: 'The stored result key is not an RSA public key in PEM.',
  POST_COMPUTE_ENCRYPTION_FAILED: 'The result could not be encrypted for another reason.',
  POST_COMPUTE_IPFS_UPLOAD_FAILED: 'The storage did not take the encrypted result.',
  POST_COMPUTE_STORAGE_PROVIDER_UNSUPPORTED: 'The request asks for a storage other than `ipfs`.',
  POST_COMPUTE_FAILED_UNKNOWN_ISSUE: 'Something else failed after the app ran.',
}

/** Every cause that a task may fail with. */
export const failures = Object.keys(meanings)

const stages: [string, string, RegExp | string[]][] = [
  ['Pool and chain', 'Said by the scheduler or the worker.', knownCauses.filter((name) => !isEnclaveCause(name))],
  ['Enclave', 'The proof that this is an enclave, and the session with the secret service.', /^TEE_/],
  ['App image', 'Getting the app.', /^APP_(TYPE|IMAGE)/],
  ['Before the app', 'Getting and opening what it reads.', /^PRE_COMPUTE/],
  ['The app', 'Running it.', /^APP_COMPUTE/],
  ['After the app', 'Reading, packing, encrypting and storing what it wrote.', /^POST_COMPUTE/],
]

/** Causes that the pool knows and this page does not. */
export function unexplainedCauses(): string[] {
  return knownCauses.filter((name) => !failures.includes(name))
}

/** docs/failures.md: every cause with its meaning, whether the pool tries again, and what to do. */
export function failuresPage(): string {
  const sections = stages.flatMap(([title, intro, which]) => {
    const names = failures.filter((name) => (Array.isArray(which) ? which.includes(name) : which.test(name)))
    return [`## ${title}`, intro, ...names.map(section)]
  })
  return `${[
    '# Why a task failed',
    '<!-- Written by `node scripts/docs.ts --write` out of scripts/docs/failures.ts and packages/scheduler/causes.ts. -->',
    [
      'A task that has no result has a cause with one of these names. Ask the scheduler of the deal’s pool:',
      '`GET /tasks/<task id>` answers `cause`, `message` and `remedy` (see [status](workerpool.md#status)). The stage is in',
      'the first words, as in the ecosystem.',
    ].join('\n'),
    [
      '"Tried again" means that the pool leases the task to a worker anew, up to five failures in all. "Final" means that',
      'every worker would meet the same. In both cases nobody is paid without a result, and the payer gets everything back: at',
      'once where the enclave [signs the cause](#on-chain), else after the final deadline (see [claims](tasks.md#claim)).',
    ].join('\n'),
    ...sections,
    '## On chain',
    [
      'What an enclave found impossible after the secret service let it in, it signs; the worker brings that to the Hub',
      '(`settleFailure`), which refunds the payer, frees the pool’s stake and emits `TaskFailed` with the number of the cause.',
      'Whoever reads the chain learns which of these it was, and no more. A failure pays nobody: an app that fails on purpose',
      'after it has said something in another way would be used for nothing, so grant data to apps that you know.',
    ].join('\n'),
    [
      '| number | cause |',
      '|---:|---|',
      ...Object.entries(Failure.codes).map(([name, code]) => `| ${code} | ${name} |`),
    ].join('\n'),
  ].join('\n\n')}\n`
}

function section(name: string): string {
  const { retryable, remedy } = readCause(name)
  const isEnd = name === 'CONTRIBUTION_TIMEOUT' || name === 'FINAL_DEADLINE_REACHED'
  const says = isEnd || remedy.startsWith('The pool tries again') ? '' : retryable ? 'Tried again. ' : 'Final. '
  return [`### ${name}`, wrap(meanings[name as keyof typeof meanings]), wrap(`${says}${remedy}`)].join('\n\n')
}

function isEnclaveCause(name: string): boolean {
  return (causes as readonly string[]).includes(name)
}
