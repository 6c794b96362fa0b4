/** One task, from keys to signature: the life of an enclave, read from top to bottom. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replayRtmr3 } from '@sealdeal/attestation'
import { type Address, Bundle, Failure, type Hex, Locator, Params, Printed, type Session } from '@sealdeal/protocol'
import { commandLine, environment, foldersInRoom, pathInRoom, runApp, type Streams, unpackApp } from './app.ts'
import { type AuthorizeUpload, deliver } from './deliver.ts'
import { DownloadError, download, type Reach } from './download.ts'
import { EnclaveFailureError, orFail } from './failures.ts'
import { fetchInputs } from './inputs.ts'
import { createKeys, type Keys } from './keys.ts'
import type { AppLimits } from './limits.ts'
import { appChecksum, appEvents, measureRuntime } from './measure.ts'
import { packOutputs } from './outputs.ts'
import type { Outcome, Printed as SealedStreams, Step } from './pipe.ts'
import type { Prover } from './prover.ts'
import { fallenPromises, type RoomSizes, type Sandbox } from './sandbox.ts'
import { fetchNonce, openSession, type Subject } from './session.ts'

/** What to run, and the two servers it needs. */
export type TaskDescription = Subject & {
  app: { type: string; multiaddr: Hex }
  /** Origin of the secret service. */
  smsUrl: string
  /** Origin of the storage: its gateway and where results go. */
  storageUrl: string
}

/** Where the app runs, and what it may take there. */
type Room = { sandbox: Sandbox; directory: string; limits: AppLimits; sizes: RoomSizes }

/** Ids of chains that only ever run on one machine: there, and nowhere else, inputs may come from it. */
const localChains = new Set([1337n, 31_337n])

/** A bundle is code, not data. */
const bundleLimits = { maxBytes: 256 * 2 ** 20, maxSeconds: 120 }

/**
 * Runs one task. Plaintext exists in this process and below `directory` only.
 *
 * @param directory the private tmpfs
 * @param report called at each step, with nothing that is secret
 * @param print called with what the app printed, sealed to the beneficiary, where there is a key for it
 * @param authorizeUpload called when the storage wants the upload of the result signed
 * @throws EnclaveFailureError with the cause of the step that failed
 */
export async function run({
  task,
  sandbox,
  directory,
  prover,
  limits,
  sizes,
  report,
  print,
  authorizeUpload,
}: {
  task: TaskDescription
  prover: Prover
  report: (step: Step) => void
  print: (printed: SealedStreams) => void
  authorizeUpload: AuthorizeUpload
} & Room): Promise<Outcome> {
  const { smsUrl, storageUrl, worker } = task
  const keys = await createKeys()

  const reach = { gateway: storageUrl, isLocal: localChains.has(task.chainId) }
  const bundle = await fetchApp({ app: task.app, directory, reach })
  const runtime = measureRuntime()
  const eventLog = appEvents(task.app.checksum)
  const rtmr3 = await replayRtmr3(eventLog)
  const fallen = sandbox === 'none' ? [...fallenPromises] : []
  report({ step: 'measured', runtime, app: task.app.checksum, sandbox, fallen })

  const nonce = await fetchNonce({ smsUrl, subject: task })
  const quote = (reportData: Hex) => prover.quote({ runtime, rtmr3, reportData })
  const { content, authorization } = await openSession({ smsUrl, subject: task, keys, nonce, quote, eventLog })
  const { enclaveAddress, enclaveKey } = keys
  report({ step: 'attested', simulated: prover.simulated, enclaveAddress, enclaveKey })

  try {
    const room = { sandbox, directory, limits, sizes }
    const delivery = await compute({ task, content, bundle, room, reach, keys, report, print, authorizeUpload })
    return { ...delivery, authorization }
  } catch (error) {
    throw await attest(error, { worker, taskId: content.taskId, keys, authorization })
  }
}

/** From the inputs to the stored result: what the secret service let this enclave in for. */
async function compute({
  task: { storageUrl, worker },
  content,
  bundle,
  room,
  reach,
  keys,
  report,
  print,
  authorizeUpload,
}: {
  task: TaskDescription
  content: Session.Content
  bundle: Bundle.Bundle
  room: Room
  reach: Reach
  keys: Keys
  report: (step: Step) => void
  print: (printed: SealedStreams) => void
  authorizeUpload: AuthorizeUpload
}): Promise<Omit<Outcome, 'authorization'>> {
  const { sandbox, directory } = room
  const params = readParams(content.params)
  const inputs = await fetchInputs({ content, inputFiles: params.inputFiles ?? [], directory, reach })
  const { bytes, dataset, datasets, leftOut } = inputs
  report({ step: 'fetched', bytes, ...(dataset && { dataset }), ...(datasets && { datasets, leftOut }) })

  await orFail('APP_IMAGE_MALFORMED', 'The files of the app bundle cannot all be written.', () =>
    unpackApp({ directory, files: [...bundle.files] }),
  )
  const folders = foldersInRoom({ sandbox, directory })
  const { seconds, failure, ...streams } = await runApp({
    ...room,
    command: commandLine({ entrypoint: bundle.manifest.entrypoint, args: params.args, sandbox }),
    env: environment({ content, inputs, folders, path: pathInRoom }),
    maxSeconds: content.maxSeconds,
  })
  const printed = await sealStreams(streams, content)
  if (printed) print(printed)
  if (failure) throw failure
  report({ step: 'computed', seconds })

  const packed = await packOutputs({
    out: join(directory, 'out'),
    outName: folders.out,
    taskId: content.taskId,
    callback: content.callback,
    leftOut,
    encrypt: params.encryptResult === true,
    resultKey: content.resultKey,
  })
  const { callback, taskId } = content
  const { location, ...delivery } = await deliver({
    packed,
    storageUrl,
    callback,
    taskId,
    worker,
    keys,
    authorizeUpload,
  })
  report({ step: 'delivered', bytes: packed.archive?.length ?? 0, encrypted: packed.encrypted, location })
  return delivery
}

/** Nobody else may read what an app prints: without a key of the beneficiary, or with one that is none, nobody does. */
async function sealStreams(
  { stdout, stderr }: Streams,
  { resultKey: publicKey }: Session.Content,
): Promise<SealedStreams | undefined> {
  if (publicKey === undefined) return undefined
  try {
    return { stdout: await Printed.seal(stdout, { publicKey }), stderr: await Printed.seal(stderr, { publicKey }) }
  } catch {
    // That the key is malformed is said where the result needs it.
    return undefined
  }
}

/** Signs a cause that ends the task whoever tries: with it the payer has the money back at once. */
async function attest(
  error: unknown,
  { worker, taskId, keys, authorization }: { worker: Address; taskId: Hex; keys: Keys; authorization: Hex },
): Promise<unknown> {
  if (!(error instanceof EnclaveFailureError) || error.retryable) return error
  const cause = error.failure
  if (!Failure.isFinal(cause)) return error
  const enclaveSignature = await keys.sign(Failure.hash(worker, taskId, cause))
  error.attested = { enclaveAddress: keys.enclaveAddress, enclaveSignature, authorization }
  return error
}

/** The bundle that the chain names, its sha256 compared before anything of it is read. */
async function fetchApp({
  app,
  directory,
  reach,
}: {
  app: TaskDescription['app']
  directory: string
  reach: Reach
}): Promise<Bundle.Bundle> {
  if (app.type !== Bundle.type) {
    throw new EnclaveFailureError({
      failure: 'APP_TYPE_UNSUPPORTED',
      message: `This enclave runs apps of type "${Bundle.type}", not "${app.type}".`,
    })
  }
  const file = join(directory, 'app.zip')
  const url = await orFail('APP_IMAGE_DOWNLOAD_FAILED', 'The app names no place to fetch it from.', () =>
    Locator.toUrl(app.multiaddr, { gateway: reach.gateway }),
  )
  try {
    await download({ url, file, reach, ...bundleLimits })
  } catch (error) {
    const detail = error instanceof DownloadError ? error.message : 'It could not be stored.'
    throw new EnclaveFailureError({
      failure: 'APP_IMAGE_DOWNLOAD_FAILED',
      message: `The app could not be fetched. ${detail}`,
      ...(error instanceof DownloadError && error.trouble === 'forbidden' && { retryable: false }),
    })
  }
  const bytes = await readFile(file)
  await rm(file)
  const checksum = appChecksum(bytes)
  if (checksum !== app.checksum.toLowerCase()) {
    throw new EnclaveFailureError({
      failure: 'APP_IMAGE_CHECKSUM_INVALID',
      message: `The stored app is not the registered one: its sha256 is ${checksum}, the chain says ${app.checksum}.`,
    })
  }
  return orFail('APP_IMAGE_MALFORMED', 'The app is not a bundle with an entry point.', () => Bundle.unpack(bytes))
}

function readParams(text: string): Params.Params {
  let params: Params.Params
  try {
    params = Params.parse(text)
    if (params.args !== undefined) Params.argv(params.args)
  } catch {
    throw invalid('The parameters of the request cannot be read.')
  }
  if (params.storageProvider === 'dropbox') {
    throw new EnclaveFailureError({
      failure: 'POST_COMPUTE_STORAGE_PROVIDER_UNSUPPORTED',
      message: 'Results are stored by content address only, not with "dropbox".',
    })
  }
  return params
}

function invalid(message: string): EnclaveFailureError {
  return new EnclaveFailureError({ failure: 'PRE_COMPUTE_TASK_DESCRIPTION_INVALID', message })
}
