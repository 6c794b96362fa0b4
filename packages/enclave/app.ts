/** Runs the app: its environment, its folders, its time, and what it prints. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Params, Printed, type Session } from '@sealdeal/protocol'
import { EnclaveFailureError, orFail } from './failures.ts'
import type { Inputs } from './inputs.ts'
import { type AppLimits, bounded, watchApp, yieldPriority } from './limits.ts'
import { type Furniture, innerRoom, isPrivileged, nobody, nodeInRoom, type RoomSizes, type Sandbox } from './sandbox.ts'

/** Where an app finds its folders. Inside the sandbox these are fixed; without one they are real folders. */
export type Folders = { app: string; in: string; out: string }

/** The search path of an app: the enclave's Node first. */
export const pathInRoom = `${dirname(nodeInRoom)}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin`

/** What an app printed, the last {@link Printed.cap} bytes of each stream. It is as secret as its results. */
export type Streams = { stdout: Uint8Array; stderr: Uint8Array }

/** How an app ended: well where `failure` is absent. */
export type AppReturnType = Streams & { seconds: number; failure?: EnclaveFailureError }

/** The folders as the app sees them. */
export function foldersInRoom({ sandbox, directory }: { sandbox: Sandbox; directory: string }): Folders {
  if (sandbox !== 'none') return { app: '/app', in: '/iexec_in', out: '/iexec_out' }
  return { app: join(directory, 'app'), in: join(directory, 'in'), out: join(directory, 'out') }
}

/**
 * The environment that the ecosystem promises to an app, and nothing else of ours. Numbers of secrets, files and data
 * sets begin at 1; variables without a value are left out.
 */
export function environment({
  content,
  inputs,
  folders,
  path,
}: {
  content: Session.Content
  inputs: Inputs
  folders: Folders
  path: string
}): Record<string, string> {
  const { dataset, datasets, files } = inputs
  const { app, requester } = content.secrets
  return {
    PATH: path,
    HOME: '/tmp',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    IEXEC_DEAL_ID: content.dealId,
    IEXEC_TASK_ID: content.taskId,
    IEXEC_TASK_INDEX: content.index,
    IEXEC_BOT_SIZE: content.botSize,
    IEXEC_BOT_FIRST_INDEX: content.botFirst,
    IEXEC_BOT_TASK_INDEX: content.index,
    IEXEC_IN: folders.in,
    IEXEC_OUT: folders.out,
    ...(dataset !== undefined && { IEXEC_DATASET_ADDRESS: dataset, IEXEC_DATASET_FILENAME: dataset }),
    ...(datasets !== undefined && {
      IEXEC_BULK_SLICE_SIZE: String(datasets.length),
      ...Object.fromEntries(datasets.map((name, position) => [`IEXEC_DATASET_${position + 1}_FILENAME`, name])),
    }),
    IEXEC_INPUT_FILES_FOLDER: folders.in,
    IEXEC_INPUT_FILES_NUMBER: String(files.length),
    ...Object.fromEntries(files.map((name, position) => [`IEXEC_INPUT_FILE_NAME_${position + 1}`, name])),
    ...(app !== undefined && { IEXEC_APP_DEVELOPER_SECRET: app, IEXEC_APP_DEVELOPER_SECRET_1: app }),
    ...Object.fromEntries(
      Object.entries(requester).map(([number, secret]) => [`IEXEC_REQUESTER_SECRET_${number}`, secret]),
    ),
  }
}

/** The bundle's entrypoint and the words of `iexec_args`. `node` is the enclave's own Node. */
export function commandLine({
  entrypoint,
  args,
  sandbox,
}: {
  entrypoint: string[]
  args: string | undefined
  sandbox: Sandbox
}): string[] {
  const [program = '', ...fixed] = entrypoint
  const node = sandbox === 'none' ? process.execPath : nodeInRoom
  return [program === 'node' ? node : program, ...fixed, ...(args === undefined ? [] : Params.argv(args))]
}

/** Writes the unpacked bundle where the app will find it, read-only. */
export async function unpackApp({ directory, files }: { directory: string; files: [string, Uint8Array][] }) {
  const folder = join(directory, 'app')
  await mkdir(folder, { mode: 0o755 })
  for (const [path, bytes] of files) {
    const target = join(folder, path)
    if (!target.startsWith(`${folder}/`)) {
      throw new EnclaveFailureError({
        failure: 'APP_IMAGE_MALFORMED',
        message: 'The app bundle names a file outside of itself.',
      })
    }
    await mkdir(dirname(target), { recursive: true, mode: 0o755 })
    await writeFile(target, bytes, { mode: 0o555, flag: 'wx' })
  }
}

/**
 * Runs the app until it ends or its time is over; then nothing of it is left running. What it prints is kept in memory
 * only. Its failure is returned, not thrown, for what it printed tells most where it failed: `APP_COMPUTE_FAILED` (it
 * ended with another code than 0), `APP_COMPUTE_TIMEOUT`, `APP_COMPUTE_…_LIMIT_EXCEEDED`.
 *
 * @param maxSeconds what the deal's category grants
 * @throws EnclaveFailureError `APP_COMPUTE_FAILED` where it cannot be started at all
 */
export async function runApp({
  sandbox,
  directory,
  command,
  env,
  maxSeconds: granted,
  limits,
  sizes,
}: {
  sandbox: Sandbox
  directory: string
  command: string[]
  env: Record<string, string>
  maxSeconds: number
  limits: AppLimits
  sizes: RoomSizes
}): Promise<AppReturnType> {
  const folders = foldersInRoom({ sandbox, directory })
  const argv = await orFail('APP_COMPUTE_FAILED', 'The folders of the app could not be prepared.', async () => {
    const root = join(directory, 'root')
    await mkdir(root, { mode: 0o755 })
    if (isPrivileged() && sandbox !== 'none') await chown(join(directory, 'out'), nobody, nobody)
    const furniture = await furnish({ directory, folders })
    const held = sandbox === 'none' ? command : bounded({ limits, command })
    return innerRoom({ sandbox, root, furniture, folder: folders.app, command: held, sizes })
  })

  const maxSeconds = Math.min(granted, limits.seconds ?? granted)
  const started = performance.now()
  const [program = '', ...args] = argv
  const disks = [
    { name: 'output folder', path: join(directory, 'out'), bytes: sizes.output },
    { name: '/tmp', path: join(directory, 'scratch'), bytes: sizes.scratch },
  ]
  const kill = () => child.kill('SIGKILL')
  // Before the app exists: whatever is there later is the app's.
  const watch = sandbox === 'none' ? undefined : watchApp({ limits, disks, onExceeded: kill })
  const child = start({ program, args, env, folder: sandbox === 'none' ? folders.app : '/', group: sandbox === 'none' })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  yieldPriority(child)
  const read = once(child, 'close').catch(() => {})
  const end = await ended({ child, group: sandbox === 'none', maxSeconds })
  // What it printed last is still in the pipes. Without a sandbox a process that fled its group may hold them open.
  await Promise.race([read, sleep(1000, undefined, { ref: false })])
  const excess = watch?.stop()
  const seconds = (performance.now() - started) / 1000

  const failure = end === 0 ? undefined : (excess ?? failed(end, { maxSeconds, granted }))
  return { seconds, stdout: stdout(), stderr: stderr(), ...(failure && { failure }) }
}

function failed(
  end: Exclude<End, 0>,
  { maxSeconds, granted }: { maxSeconds: number; granted: number },
): EnclaveFailureError {
  if (end === 'timeout') return tooLong({ maxSeconds, granted })
  return new EnclaveFailureError({ failure: 'APP_COMPUTE_FAILED', message: `The app ended with ${name(end)}.` })
}

/** Another pool may allow more: only the deal's own time is the end for every pool. */
function tooLong({ maxSeconds, granted }: { maxSeconds: number; granted: number }): EnclaveFailureError {
  if (maxSeconds < granted) {
    return new EnclaveFailureError({
      failure: 'APP_COMPUTE_TIME_LIMIT_EXCEEDED',
      message: `The app did not end within the ${maxSeconds} seconds that this pool allows; the deal grants ${granted}.`,
    })
  }
  return new EnclaveFailureError({
    failure: 'APP_COMPUTE_TIMEOUT',
    message: `The app did not end within the ${maxSeconds} seconds that the deal grants.`,
    remedies: ['Ask for a category with more time.'],
  })
}

/** A zero byte in an argument or a secret is refused at once, by an error that quotes it. */
function start({
  program,
  args,
  env,
  folder,
  group,
}: {
  program: string
  args: string[]
  env: Record<string, string>
  folder: string
  group: boolean
}) {
  try {
    return spawn(program, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: group })
  } catch {
    throw new EnclaveFailureError({
      failure: 'APP_COMPUTE_FAILED',
      message: 'The app cannot be started with these arguments and secrets.',
    })
  }
}

/** What the app finds besides the system's programs: its own files, its inputs, its output, a name for its user. */
async function furnish({ directory, folders }: { directory: string; folders: Folders }): Promise<Furniture[]> {
  const etc = join(directory, 'etc')
  await mkdir(etc, { mode: 0o755 })
  const files = {
    passwd: `root:x:0:0::/tmp:/bin/sh\nnobody:x:${nobody}:${nobody}::/tmp:/bin/sh\n`,
    group: `root:x:0:\nnogroup:x:${nobody}:\n`,
    hosts: '127.0.0.1 localhost\n',
  }
  for (const [file, text] of Object.entries(files)) await writeFile(join(etc, file), text, { mode: 0o444 })
  return [
    ...Object.keys(files).map((file): Furniture => ({ place: 'ro', from: join(etc, file), to: `/etc/${file}` })),
    { place: 'ro', from: join(directory, 'app'), to: folders.app },
    { place: 'ro', from: join(directory, 'in'), to: folders.in },
    { place: 'rw', from: join(directory, 'out'), to: folders.out },
    { place: 'rw', from: join(directory, 'scratch'), to: '/tmp' },
  ]
}

type End = 'timeout' | 'unstartable' | NodeJS.Signals | number

/** `exit`, not `close`: without a sandbox a grandchild could hold the pipes open for ever. */
function ended({
  child,
  group,
  maxSeconds,
}: {
  child: ChildProcess
  group: boolean
  maxSeconds: number
}): Promise<End> {
  const kill = () => {
    if (child.pid === undefined) return
    try {
      process.kill(group ? -child.pid : child.pid, 'SIGKILL')
    } catch {
      // Already gone.
    }
  }
  return new Promise((resolve) => {
    let isLate = false
    // A timer holds at most 2^31 - 1 milliseconds; beyond, Node would fire at once.
    const timer = setTimeout(
      () => {
        isLate = true
        kill()
      },
      Math.min(maxSeconds * 1000, 2 ** 31 - 1),
    )
    const settle = (end: End) => {
      clearTimeout(timer)
      process.off('exit', kill)
      // In the sandbox the end of the first process is the end of all; without one its group may still run.
      if (group) kill()
      resolve(isLate ? 'timeout' : end)
    }
    // The worker's end is this process's, and must be the app's.
    process.on('exit', kill)
    child.on('error', () => settle('unstartable'))
    child.on('exit', (code, signal) => settle(signal ?? code ?? 'unstartable'))
  })
}

function name(end: End): string {
  if (end === 'unstartable') return 'an error before its first instruction'
  if (typeof end === 'string') return `signal ${end}`
  return end > 128 && end < 160 ? `code ${end} (killed by signal ${end - 128})` : `code ${end}`
}

/** Keeps the end of a stream; how much there was before is forgotten. */
function collect(stream: NodeJS.ReadableStream): () => Uint8Array {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    while (size - (chunks[0]?.length ?? 0) >= Printed.cap) size -= chunks.shift()?.length ?? 0
  })
  return () => Buffer.concat(chunks).subarray(-Printed.cap)
}
