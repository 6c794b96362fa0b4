import { Bytes, type Hex, Result, type Session } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { ResultNotAvailableError } from './errors.ts'
import { call } from './http.ts'
import { readTask } from './waitForTask.ts'

export type FetchResultParameters = {
  taskId: Hex
  /** PEM of the pair whose public half was stored when the task ran. */
  privateKey?: string
}

export type FetchResultReturnType = {
  /** Path -> content of every output file. */
  files: Map<string, Uint8Array>
  /** Whether the stored result was encrypted. */
  encrypted: boolean
  /** Whether the files are, to the last byte, what the enclave signed and the chain recorded. */
  verified: boolean
  /** Data that the task was to read and did not, as the enclave says; other tasks than those of many datasets have none. */
  leftOut: Session.LeftOut[]
  cid: string
}

/**
 * Fetches and decrypts the result of a completed task, however old, and compares it with the digest on chain.
 *
 * @throws ResultNotAvailableError when there is none, or a key is needed; ResultKeyError when the key is another one.
 */
export async function fetchResult(
  client: Client,
  { taskId, privateKey }: FetchResultParameters,
): Promise<FetchResultReturnType> {
  const { cid, bytes, resultDigest } = await fetchStoredResult(client, { taskId })
  const encrypted = await Result.isEncrypted(bytes)
  if (encrypted && privateKey === undefined) {
    const remedy = 'Give `privateKey`: `run` returned it as `resultKey.privateKey`.'
    throw new ResultNotAvailableError({ taskId, reason: 'it is encrypted', remedy })
  }
  const archive = privateKey !== undefined && encrypted ? await Result.decrypt({ archive: bytes, privateKey }) : bytes
  const files = await Result.files(archive)
  return { files, encrypted, verified: isVerified(files, resultDigest), leftOut: leftOutOf(files), cid }
}

/** The result as it is stored: what anyone can download. */
export async function fetchStoredResult(client: Client, { taskId }: { taskId: Hex }) {
  const { status, location, resultDigest } = await readTask(client, { taskId })
  if (status !== 'COMPLETED') {
    const remedy = 'Wait for it: `waitForTask(client, { taskId })`.'
    throw new ResultNotAvailableError({ taskId, reason: `the task is ${status}`, remedy })
  }
  const cid = location.storage === 'ipfs' ? /^\/ipfs\/(\w+)$/.exec(location.location)?.[1] : undefined
  if (cid === undefined) {
    const reason = `it is stored at "${location.storage}"`
    throw new ResultNotAvailableError({ taskId, reason, remedy: 'A result for a contract is read from the contract.' })
  }
  const response = await call(client, { service: 'storage', path: `/ipfs/${cid}` })
  return { cid, resultDigest, bytes: new Uint8Array(await response.arrayBuffer()) }
}

const computedFile = 'computed.json'

/** The enclave digests `computed.json` without the two members that it adds after digesting. */
function isVerified(files: Map<string, Uint8Array>, resultDigest: Hex): boolean {
  try {
    const { 'result-digest': _, 'result-salt': salt, ...declared } = computed(files)
    const bound = new Map(files).set(computedFile, Bytes.fromUtf8(JSON.stringify(declared)))
    return Result.digest({ files: bound, salt: salt as Hex }) === resultDigest
  } catch {
    // Results of other enclaves carry no salt: they cannot be compared, which is not an error.
    return false
  }
}

function leftOutOf(files: Map<string, Uint8Array>): Session.LeftOut[] {
  try {
    const { 'left-out-datasets': leftOut = [] } = computed(files)
    return (leftOut as Session.LeftOut[]).map(({ address, reason }) => ({ address, reason }))
  } catch {
    // The file is the app's where no enclave of ours wrote it.
    return []
  }
}

function computed(files: Map<string, Uint8Array>): Record<string, unknown> {
  return JSON.parse(Bytes.toUtf8(files.get(computedFile) ?? new Uint8Array()))
}
