/**
 * What the app left in its output folder: checked, digested, packed and encrypted as the signed request asks.
 *
 * The digest (see `Result.digest` of the protocol) binds the path and the content of every file. `computed.json` enters
 * it as this enclave writes it, without its last two members: `result-digest` and `result-salt`. So whoever can read the
 * archive can compute the digest again and compare it with the chain, and nobody else can test a guess against it.
 */
import { constants } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { type Address, Bytes, type Hex, Result, type Session, zeroAddress } from '@sealdeal/protocol'
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js'
import { z } from 'zod'
import { type Cause, EnclaveFailureError, orFail } from './failures.ts'

/** Longest name of a result file, in characters: what the ecosystem's readers accept. */
export const maxNameLength = 31

/** Bounds of a result: bytes of all files together, and number of files and folders. */
export type OutputLimits = { maxBytes: number; maxEntries: number }
export const outputLimits: OutputLimits = { maxBytes: 512 * 2 ** 20, maxEntries: 10_000 }

/** What the app declares: where its result lies, or what its callback receives. */
export type Computed = { path?: string; callbackData?: Hex }

/** The digest for the chain, and the archive for storage; a callback has no archive. */
export type Packed = { resultDigest: Hex; callbackData: Hex; archive?: Uint8Array<ArrayBuffer>; encrypted: boolean }

const computedFile = 'computed.json'

/** What the Hub has room for: it keeps a result as the code of one contract, 24,576 bytes with all that goes with it. */
export const callbackMaxBytes = 24_000

/** More than a transaction can carry; a parser would take many times its size of memory. */
const computedMaxBytes = 2 ** 20

/** The part of `computed.json` that is the app's. */
const Declaration = z.object({
  'deterministic-output-path': z.string().min(1).optional(),
  'callback-data': z
    .templateLiteral(['0x', z.string().regex(/^([0-9a-fA-F]{2})*$/)])
    .transform((text): Hex => text)
    .optional(),
})

/**
 * Checks the output contract and makes what leaves the enclave.
 *
 * @param out the output folder; nothing writes to it any more
 * @param outName what the app was told that its folder is called
 * @param callback the deal's callback contract, zero for none: the result then is the callback's bytes
 * @param leftOut data that the task was to read and did not: whoever reads the result must know
 * @param resultKey the beneficiary's public key, where the request asks for encryption
 * @throws EnclaveFailureError `POST_COMPUTE_…`, one cause for each way to break the contract
 */
export async function packOutputs({
  out,
  outName,
  taskId,
  callback,
  leftOut = [],
  encrypt,
  resultKey,
  limits = outputLimits,
}: {
  out: string
  outName: string
  taskId: Hex
  callback: Address
  leftOut?: Session.LeftOut[]
  encrypt: boolean
  resultKey: string | undefined
  limits?: OutputLimits
}): Promise<Packed> {
  const files = await collect({ out, limits })
  const computed = readComputed(files.get(computedFile))
  if (BigInt(callback) !== BigInt(zeroAddress)) return packCallback(computed)

  checkPath({ path: computed.path, files, outName })
  const { digest, described } = describe({ files, computed, taskId, leftOut })
  const archive = await orFail('POST_COMPUTE_OUT_FOLDER_ZIP_FAILED', 'The result could not be packed.', () =>
    zip(described),
  )
  if (!encrypt) return { resultDigest: digest, callbackData: '0x', archive, encrypted: false }
  return { resultDigest: digest, callbackData: '0x', archive: await seal({ archive, resultKey }), encrypted: true }
}

/** Every regular file below `out`, by relative path. Anything else in there is refused. */
export async function collect({
  out,
  limits,
}: {
  out: string
  limits: OutputLimits
}): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  let bytes = 0
  let entries = 0
  const visit = async (folder: string): Promise<void> => {
    for (const raw of await readdir(join(out, folder), { encoding: 'buffer' })) {
      const path = posix.join(folder, checkName(raw))
      entries += 1
      if (entries > limits.maxEntries)
        fail('POST_COMPUTE_RESULT_TOO_LARGE', `over ${limits.maxEntries} files and folders`)
      const stat = await lstat(join(out, path))
      if (stat.isDirectory()) {
        await visit(path)
        continue
      }
      if (!stat.isFile()) fail('POST_COMPUTE_RESULT_FILE_NOT_REGULAR', 'a link, pipe, socket or device')
      bytes += stat.size
      if (bytes > limits.maxBytes) fail('POST_COMPUTE_RESULT_TOO_LARGE', `over ${limits.maxBytes} bytes`)
      files.set(path, await readRegular(join(out, path)))
    }
  }
  await orFail('POST_COMPUTE_OUT_FOLDER_ZIP_FAILED', 'The output folder of the app cannot be read.', () => visit(''))
  return files
}

/** Adds what a reader needs to `computed.json`, and digests everything. */
function describe({
  files,
  computed,
  taskId,
  leftOut,
}: {
  files: Map<string, Uint8Array>
  computed: Computed
  taskId: Hex
  leftOut: Session.LeftOut[]
}): { digest: Hex; described: Map<string, Uint8Array> } {
  const salt = Bytes.toHex(Bytes.random(32))
  const declared = {
    ...(computed.path !== undefined && { 'deterministic-output-path': computed.path }),
    ...(computed.callbackData !== undefined && { 'callback-data': computed.callbackData }),
    'task-id': taskId,
    ...(leftOut.length > 0 && { 'left-out-datasets': leftOut }),
  }
  const bound = new Map(files).set(computedFile, json(declared))
  const digest = Result.digest({ files: bound, salt })
  const described = new Map(files).set(
    computedFile,
    json({ ...declared, 'result-digest': digest, 'result-salt': salt }),
  )
  return { digest, described }
}

function readComputed(bytes: Uint8Array | undefined): Computed {
  if (bytes === undefined) {
    throw new EnclaveFailureError({
      failure: 'POST_COMPUTE_COMPUTED_FILE_NOT_FOUND',
      message: `The app wrote no ${computedFile} into its output folder.`,
      remedies: [
        'Write {"deterministic-output-path": "/iexec_out/<your result>"} to $IEXEC_OUT/computed.json at the end.',
      ],
    })
  }
  try {
    if (bytes.length > computedMaxBytes) throw new Error('too long')
    const declared = Declaration.parse(JSON.parse(Bytes.toUtf8(bytes)))
    const { 'deterministic-output-path': path, 'callback-data': callbackData } = declared
    return { ...(path !== undefined && { path }), ...(callbackData !== undefined && { callbackData }) }
  } catch {
    // What the parser says quotes the file, which is plaintext.
    throw new EnclaveFailureError({
      failure: 'POST_COMPUTE_COMPUTED_FILE_MALFORMED',
      message: `The app's ${computedFile} is not the JSON object that it must be.`,
      remedies: [
        'It holds "deterministic-output-path" (a text) or "callback-data" (0x and hexadecimal digits), or both.',
      ],
    })
  }
}

function packCallback({ callbackData }: Computed): Packed {
  if (callbackData === undefined) {
    throw new EnclaveFailureError({
      failure: 'POST_COMPUTE_CALLBACK_DATA_MISSING',
      message: `The deal names a callback, but the app's ${computedFile} holds no "callback-data".`,
    })
  }
  if (callbackData.length > 2 + 2 * callbackMaxBytes) {
    fail('POST_COMPUTE_RESULT_TOO_LARGE', `over ${callbackMaxBytes} bytes for the callback`)
  }
  return { resultDigest: Result.callbackDigest(callbackData), callbackData, encrypted: false }
}

function checkPath({
  path,
  files,
  outName,
}: {
  path: string | undefined
  files: ReadonlyMap<string, Uint8Array>
  outName: string
}): void {
  if (path === undefined) {
    throw new EnclaveFailureError({
      failure: 'POST_COMPUTE_COMPUTED_FILE_MALFORMED',
      message: `The app's ${computedFile} names no "deterministic-output-path", and the deal has no callback.`,
    })
  }
  const absolute = posix.resolve(outName, path)
  const base = [outName, '/iexec_out'].find((folder) => absolute === folder || absolute.startsWith(`${folder}/`))
  if (base === undefined) fail('POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT', 'a path outside of the output folder')
  const relative = posix.relative(base, absolute)
  const found = [...files.keys()].some(
    (file) => relative === '' || file === relative || file.startsWith(`${relative}/`),
  )
  if (found) return
  throw new EnclaveFailureError({
    failure: 'POST_COMPUTE_RESULT_FILE_NOT_FOUND',
    message: `The result that the app's ${computedFile} names does not exist.`,
  })
}

/** A name that every reader can write to a disk: UTF-8, no control characters, not too long. */
function checkName(raw: Buffer): string {
  const name = raw.toString('utf8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not stand in a name
  if (!Buffer.from(name, 'utf8').equals(raw) || /[\u0000-\u001f\u007f\\]/.test(name)) {
    fail(
      'POST_COMPUTE_RESULT_FILE_NAME_INVALID',
      'a file name with control characters, backslashes or bytes that are no text',
    )
  }
  if ([...name].length > maxNameLength) {
    fail('POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME', `a file name of more than ${maxNameLength} characters`)
  }
  return name
}

/** Never through a link, whatever happened since it was looked at. */
async function readRegular(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return await file.readFile()
  } finally {
    await file.close()
  }
}

async function zip(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level: 6, useWebWorkers: false, extendedTimestamp: false })
  for (const [path, content] of files) await writer.add(path, new Uint8ArrayReader(content))
  return writer.close()
}

async function seal({
  archive,
  resultKey,
}: {
  archive: Uint8Array
  resultKey: string | undefined
}): Promise<Uint8Array<ArrayBuffer>> {
  if (resultKey === undefined) {
    throw new EnclaveFailureError({
      failure: 'POST_COMPUTE_ENCRYPTION_PUBLIC_KEY_MISSING',
      message: 'The request asks for an encrypted result, but the beneficiary has stored no key for results.',
    })
  }
  return orFail(
    'POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY',
    'The key for results is not an RSA public key in PEM.',
    () => Result.encrypt({ archive, publicKey: resultKey }),
  )
}

function json(value: unknown): Uint8Array {
  return Bytes.fromUtf8(JSON.stringify(value))
}

function fail(failure: Cause, what: string): never {
  throw new EnclaveFailureError({ failure, message: `The app left ${what} as its result.` })
}
