/** What the app may read: the data sets, each decrypted after its checksum held, and the requester's input files. */
import { createHash } from 'node:crypto'
import { createWriteStream, openAsBlob } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Address, Locator, ProtectedData, type Session } from '@sealdeal/protocol'
import { DownloadError, download, type Reach } from './download.ts'
import { type Cause, EnclaveFailureError, orFail } from './failures.ts'

/** What lies in the input folder, by file name. */
export type Inputs = {
  dataset?: Address
  /** Of a task that reads many: those that are there. */
  datasets?: Address[]
  /** Of those named for such a task, the others, and why. */
  leftOut: Session.LeftOut[]
  files: string[]
  bytes: number
}

/** Bounds on what is fetched; `maxBytes` for one file. */
export type Limits = { maxBytes: number; maxSeconds: number }

/** 8 GiB of data within half an hour; the tmpfs it lands on may be smaller. */
export const datasetLimits: Limits = { maxBytes: 8 * 2 ** 30, maxSeconds: 1800 }

/** 256 MiB and two minutes for each input file. */
export const fileLimits: Limits = { maxBytes: 256 * 2 ** 20, maxSeconds: 120 }

/** At most this many input files. */
export const maxFiles = 100

/**
 * Fetches what the task names into `<directory>/in`. Of many datasets one that cannot be had is left out; the app runs
 * while one is left.
 *
 * @param reach the gateway serves `/ipfs/<cid>`
 * @throws EnclaveFailureError `PRE_COMPUTE_…`
 */
export async function fetchInputs({
  content,
  inputFiles,
  directory,
  reach,
}: {
  content: Pick<Session.Content, 'dataset' | 'datasets' | 'leftOut'>
  inputFiles: string[]
  directory: string
  reach: Reach
}): Promise<Inputs> {
  await mkdir(join(directory, 'in'), { mode: 0o755 })
  if (inputFiles.length > maxFiles) {
    throw new EnclaveFailureError({
      failure: 'PRE_COMPUTE_TASK_DESCRIPTION_INVALID',
      message: `The request names ${inputFiles.length} input files; at most ${maxFiles} are fetched.`,
    })
  }
  const { dataset, datasets, leftOut = [] } = content
  const many = datasets && (await fetchDatasets({ datasets, directory, reach }))
  let bytes = many?.bytes ?? (dataset === undefined ? 0 : await fetchDataset({ dataset, directory, reach }))
  const files: string[] = []
  for (const url of inputFiles) {
    const name = inputFileName(url)
    // The same URL twice is one file, named twice.
    if (!files.includes(name)) bytes += await fetchFile({ url, file: join(directory, 'in', name), reach })
    files.push(name)
  }
  const read = { ...(dataset && { dataset: dataset.address }), ...(many && { datasets: many.fetched }) }
  return { ...read, leftOut: [...leftOut, ...(many?.leftOut ?? [])], files, bytes }
}

/** Where none can be had, the first one's failure is the task's. */
async function fetchDatasets({
  datasets,
  directory,
  reach,
}: {
  datasets: Session.Dataset[]
  directory: string
  reach: Reach
}): Promise<{ fetched: Address[]; leftOut: Session.LeftOut[]; bytes: number }> {
  const fetched: Address[] = []
  const leftOut: Session.LeftOut[] = []
  let bytes = 0
  let first: EnclaveFailureError | undefined
  for (const dataset of datasets) {
    const { address } = dataset
    try {
      bytes += await fetchDataset({ dataset, directory, reach })
      fetched.push(address)
    } catch (error) {
      if (!(error instanceof EnclaveFailureError)) throw error
      first ??= error
      leftOut.push({ address, reason: `${error.failure}: ${error.shortMessage}` })
    }
  }
  if (fetched.length === 0 && first !== undefined) throw first
  return { fetched, leftOut, bytes }
}

/** Name of an input file: sha256 of its URL's text, as `0x` and hexadecimal digits. */
export function inputFileName(url: string): string {
  return `0x${createHash('sha256').update(url, 'utf8').digest('hex')}`
}

/**
 * Ciphertext to the tmpfs, its checksum compared with the chain's, and only then decrypted to `in/<address>`.
 * Returns the size of what was fetched.
 */
export async function fetchDataset({
  dataset,
  directory,
  reach,
  limits = datasetLimits,
}: {
  dataset: NonNullable<Session.Content['dataset']>
  directory: string
  reach: Reach
  limits?: Limits
}): Promise<number> {
  const url = await orFail('PRE_COMPUTE_DATASET_URL_MISSING', 'The data set names no place to fetch it from.', () =>
    Locator.toUrl(dataset.multiaddr, { gateway: reach.gateway }),
  )
  checkKey(dataset.key)
  const file = join(directory, 'dataset.encrypted')
  try {
    const hash = createHash('sha256')
    const size = await fetched('PRE_COMPUTE_DATASET_DOWNLOAD_FAILED', 'The data set could not be fetched.', () =>
      download({ url, file, reach, ...limits, tap: (chunk) => hash.update(chunk) }),
    )
    const checksum = `0x${hash.digest('hex')}`
    if (checksum !== dataset.checksum.toLowerCase()) {
      throw new EnclaveFailureError({
        failure: 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM',
        message: `The stored data set is not the registered one: its sha256 is ${checksum}, the chain says ${dataset.checksum}.`,
        remedies: ['The bytes in storage were changed or exchanged. Nothing was decrypted.'],
      })
    }
    await orFail('PRE_COMPUTE_DATASET_DECRYPTION_FAILED', 'The key of the data set does not decrypt it.', () =>
      decryptFile({ from: file, to: join(directory, 'in', dataset.address), key: dataset.key }),
    )
    return size
  } finally {
    await rm(file, { force: true })
  }
}

async function decryptFile({ from, to, key }: { from: string; to: string; key: string }) {
  try {
    const encrypted = await openAsBlob(from)
    const plain = encrypted.stream().pipeThrough(ProtectedData.decryption({ key }))
    await pipeline(plain, createWriteStream(to, { flags: 'wx', mode: 0o444 }))
  } catch (error) {
    await rm(to, { force: true })
    throw error
  }
}

function checkKey(base64: string): void {
  if (/^[0-9A-Za-z+/]{43}=$/.test(base64)) return
  throw new EnclaveFailureError({
    failure: 'PRE_COMPUTE_DATASET_KEY_MISSING',
    message: 'What the secret service holds for the data set is not a key of 32 bytes.',
    remedies: ['Its owner must push the key that protectData returned.'],
  })
}

function fetchFile({
  url,
  file,
  reach,
  limits = fileLimits,
}: {
  url: string
  file: string
  reach: Reach
  limits?: Limits
}): Promise<number> {
  return fetched('PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED', 'An input file could not be fetched.', () =>
    download({ url, file, reach, ...limits }),
  )
}

async function fetched(failure: Cause, message: string, action: () => Promise<number>): Promise<number> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof DownloadError)) throw new EnclaveFailureError({ failure, message })
    const large = error.trouble === 'too large' && failure === 'PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED'
    throw new EnclaveFailureError({
      failure: large ? 'PRE_COMPUTE_INPUT_FILE_TOO_LARGE' : failure,
      message: `${message} ${error.message}`,
      ...(error.trouble === 'forbidden' && { retryable: false }),
    })
  }
}
