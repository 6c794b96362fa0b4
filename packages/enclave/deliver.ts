/** Brings the archive to storage and signs what the chain will hold. */
import { type Address, Bytes, type Hex, Result, Task } from '@sealdeal/protocol'
import { z } from 'zod'
import { EnclaveFailureError } from './failures.ts'
import type { Keys } from './keys.ts'
import type { Packed } from './outputs.ts'

const maxSeconds = 600
const Added = z.object({ Hash: z.string().regex(/^[A-Za-z0-9]{10,120}$/) })

/** What a contract is told about a result, signed by the enclave's key. */
export type Delivery = {
  resultDigest: Hex
  results: Hex
  resultsCallback: Hex
  enclaveAddress: Address
  enclaveSignature: Hex
  /** Where the result lies, in words. */
  location: string
}

/**
 * Stores the archive (Kubo's `add`), or nothing for a callback, and signs the digest for this worker and task.
 *
 * @throws EnclaveFailureError `POST_COMPUTE_IPFS_UPLOAD_FAILED`
 */
export async function deliver({
  packed,
  storageUrl,
  callback,
  taskId,
  worker,
  keys,
}: {
  packed: Packed
  storageUrl: string
  callback: Address
  taskId: Hex
  worker: Address
  keys: Keys
}): Promise<Delivery> {
  const { resultDigest, callbackData, archive } = packed
  const place =
    archive === undefined
      ? { storage: 'ethereum', location: callback }
      : { storage: 'ipfs', location: `/ipfs/${await upload({ archive, storageUrl })}` }
  return {
    resultDigest,
    results: Result.encodeLocation(place),
    resultsCallback: callbackData,
    enclaveAddress: keys.enclaveAddress,
    enclaveSignature: await keys.sign(Task.enclaveHash(worker, taskId, resultDigest)),
    location: place.location,
  }
}

async function upload({
  archive,
  storageUrl,
}: {
  archive: Uint8Array<ArrayBuffer>
  storageUrl: string
}): Promise<string> {
  const failed = (reason: string) =>
    new EnclaveFailureError({
      failure: 'POST_COMPUTE_IPFS_UPLOAD_FAILED',
      message: `The storage at ${new URL(storageUrl).origin} did not take the result: ${reason}.`,
    })
  const body = new FormData()
  body.append('file', new Blob([Bytes.owned(archive)]), 'result.zip')
  const url = new URL('/api/v0/add?stream-channels=true&progress=false', storageUrl)
  let response: Response
  let text: string
  try {
    response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(maxSeconds * 1000) })
    text = await response.text()
  } catch {
    throw failed('the connection failed')
  }
  if (!response.ok) throw failed(`status ${response.status}`)
  try {
    // One JSON object per line; the last one names the whole.
    return Added.parse(JSON.parse(text.trim().split('\n').at(-1) ?? '')).Hash
  } catch {
    throw failed('its answer names no content address')
  }
}
