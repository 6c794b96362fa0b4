/** Brings the archive to storage and signs what the chain will hold. */
import { type Address, Bytes, type Hex, Result, SignedRequest, Task } from '@sealdeal/protocol'
import { z } from 'zod'
import { EnclaveFailureError } from './failures.ts'
import type { Keys } from './keys.ts'
import type { Packed } from './outputs.ts'
import { uploadRequest } from './pipe.ts'

const maxSeconds = 600
const Added = z.object({ Hash: z.string().regex(/^[A-Za-z0-9]{10,120}$/) })

/** Asks the worker for the `authorization` header of the upload; nothing where it does not sign. */
export type AuthorizeUpload = () => Promise<string | undefined>

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
  authorizeUpload,
}: {
  packed: Packed
  storageUrl: string
  callback: Address
  taskId: Hex
  worker: Address
  keys: Keys
  authorizeUpload: AuthorizeUpload
}): Promise<Delivery> {
  const { resultDigest, callbackData, archive } = packed
  const place =
    archive === undefined
      ? { storage: 'ethereum', location: callback }
      : { storage: 'ipfs', location: `/ipfs/${await upload({ archive, storageUrl, authorizeUpload })}` }
  return {
    resultDigest,
    results: Result.encodeLocation(place),
    resultsCallback: callbackData,
    enclaveAddress: keys.enclaveAddress,
    enclaveSignature: await keys.sign(Task.enclaveHash(worker, taskId, resultDigest)),
    location: place.location,
  }
}

/** Where the storage answers 401 the worker is asked to sign, and the upload is sent again. */
async function upload({
  archive,
  storageUrl,
  authorizeUpload,
}: {
  archive: Uint8Array<ArrayBuffer>
  storageUrl: string
  authorizeUpload: AuthorizeUpload
}): Promise<string> {
  const failed = (reason: string) =>
    new EnclaveFailureError({
      failure: 'POST_COMPUTE_IPFS_UPLOAD_FAILED',
      message: `The storage at ${new URL(storageUrl).origin} did not take the result: ${reason}.`,
    })
  const body = new FormData()
  body.append('file', new Blob([Bytes.owned(archive)]), 'result.zip')
  const { method, path } = uploadRequest
  async function post(headers: Record<string, string> = {}) {
    try {
      const signal = AbortSignal.timeout(maxSeconds * 1000)
      const response = await fetch(new URL(path, storageUrl), { method, body, headers, signal })
      return { response, text: await response.text() }
    } catch {
      throw failed('the connection failed')
    }
  }
  let { response, text } = await post()
  if (response.status === 401) {
    const authorization = await authorizeUpload()
    // Whatever else the worker says does not go out as a header of ours.
    if (!SignedRequest.parse(authorization)) throw failed('it wants signed uploads, and the worker does not sign')
    ;({ response, text } = await post({ authorization: authorization ?? '' }))
  }
  if (!response.ok) throw failed(`status ${response.status}`)
  try {
    // One JSON object per line; the last one names the whole.
    return Added.parse(JSON.parse(text.trim().split('\n').at(-1) ?? '')).Hash
  } catch {
    throw failed('its answer names no content address')
  }
}
