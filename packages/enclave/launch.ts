/** The worker's side: starts the enclave, listens, and leaves neither a process nor a mount behind. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EnclaveFailureError } from './failures.ts'
import { type AppLimits, defaultLimits } from './limits.ts'
import { type Failure, type Launch, Line, type Outcome, type Printed, type Step } from './pipe.ts'
import { defaultSizes, detectSandbox, outerRoom, type RoomSizes, type Sandbox, searchPath } from './sandbox.ts'

export type LaunchParameters = {
  /** The task. */
  launch: Launch
  /** The worker's own folder: an empty folder below it becomes the mount point of the private tmpfs. */
  directory: string
  /** What `detectSandbox` answered at the worker's start; `auto` looks again at each launch. */
  sandbox: 'auto' | Sandbox
  /** Called with every step, as it happens. */
  onStep?: (step: Step) => void
  /** Called at most once, with what the app printed, sealed to the beneficiary. */
  onPrinted?: (printed: Printed) => void
  /** Signs the enclave's upload (`uploadRequest`) where the storage wants that; without it such a storage takes no result. */
  authorizeUpload?: () => Promise<string>
  /** Called with the process id of what was started (it leads its own process group). */
  onStart?: (pid: number) => void
  /** Aborting kills the enclave and everything in it at once. */
  signal?: AbortSignal
  /** What each tmpfs may hold; as {@link defaultSizes} unless given. */
  sizes?: RoomSizes
  /** What the app may take; as {@link defaultLimits} unless given. Without a sandbox only its time is bounded. */
  limits?: AppLimits
}
export type LaunchReturnType = { outcome: Outcome } | { failure: Failure }

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

/**
 * Runs one task in an enclave process of its own and returns what it achieved. A task that fails is an answer
 * (`{ failure }`), not an exception.
 *
 * @throws SandboxUnavailableError when no sandbox works here and `sandbox` is not `none`
 * @throws EnclaveFailureError (`TEE_LAUNCH_FAILED`) when the enclave ends without an answer: killed, aborted, not started
 *
 * @example
 * const answer = await launch({ launch: task, directory: config.workDirectory, sandbox: 'auto' })
 */
export async function launch({
  launch: task,
  directory,
  sandbox: wanted,
  onStep,
  onPrinted,
  onStart,
  authorizeUpload,
  signal,
  sizes = defaultSizes(),
  limits = defaultLimits(),
}: LaunchParameters): Promise<LaunchReturnType> {
  signal?.throwIfAborted()
  const room = await prepareRoom({ directory, bare: wanted === 'none' })
  try {
    const sandbox = wanted === 'auto' ? await detectSandbox({ preference: 'auto', directory: room }) : wanted
    const bounds = JSON.stringify({ limits, sizes })
    const command = [process.execPath, main, '--sandbox', sandbox, '--directory', room, '--bounds', bounds]
    const [program = '', ...args] = outerRoom({ sandbox, directory: room, command, sizes })
    return await converse({ program, args, task, onStep, onPrinted, onStart, authorizeUpload, signal })
  } finally {
    if (wanted === 'none') await rm(room, { recursive: true, force: true })
  }
}

/**
 * The mount point may be shared by any number of enclaves at once: each covers it in its own mount namespace. Without a
 * sandbox it is a real folder, one per run.
 */
async function prepareRoom({ directory, bare }: { directory: string; bare: boolean }): Promise<string> {
  const room = join(directory, 'enclave')
  await mkdir(room, { recursive: true, mode: 0o700 })
  return bare ? mkdtemp(join(room, 'bare-')) : room
}

function converse({
  program,
  args,
  task,
  onStep,
  onPrinted,
  onStart,
  authorizeUpload = async () => undefined,
  signal,
}: {
  program: string
  args: string[]
  task: Launch
  onStep: LaunchParameters['onStep'] | undefined
  onPrinted: LaunchParameters['onPrinted'] | undefined
  onStart: LaunchParameters['onStart'] | undefined
  authorizeUpload: (() => Promise<string | undefined>) | undefined
  signal: AbortSignal | undefined
}): Promise<LaunchReturnType> {
  return new Promise((resolve, reject) => {
    // Its own process group: a Ctrl-C at the terminal reaches the worker, which decides.
    const child = spawn(program, args, { env: { PATH: searchPath }, stdio: 'pipe', detached: true, cwd: '/' })
    const kill = () => {
      if (child.pid !== undefined) killGroup(child.pid)
    }
    const reply = (authorization: string | undefined) => child.stdin.write(`${JSON.stringify({ authorization })}\n`)
    let answer: LaunchReturnType | undefined
    let heard = false
    let complaint = ''

    signal?.addEventListener('abort', kill, { once: true })
    if (child.pid !== undefined) onStart?.(child.pid)

    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = readLine(text)
      heard = true
      if (line === undefined) return kill()
      if ('step' in line) onStep?.(line)
      else if ('question' in line)
        void authorizeUpload()
          .catch(() => undefined)
          .then(reply)
      else if ('printed' in line) onPrinted?.(line.printed)
      else answer = line
    })
    // What the tools say before the enclave speaks for the first time holds no secret; what comes later is dropped.
    child.stderr.on('data', (chunk: Buffer) => {
      if (!heard) complaint = `${complaint}${chunk}`.slice(0, 2000)
    })
    child.stdin.on('error', () => {})
    child.stdin.write(`${JSON.stringify(task)}\n`)

    const end = (reason: string) => {
      signal?.removeEventListener('abort', kill)
      if (answer !== undefined) return resolve(answer)
      const why = heard ? reason : `${reason}: ${complaint.trim() || 'it said nothing'}`
      reject(
        new EnclaveFailureError({
          failure: 'TEE_LAUNCH_FAILED',
          message: `The enclave ended without an answer, ${why}.`,
        }),
      )
    }
    child.on('error', (error) => end(error.message))
    child.on('close', (code, name) => end(name === null ? `with code ${code}` : `killed by ${name}`))
  })
}

function readLine(text: string): Line | undefined {
  try {
    return Line.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Already gone.
  }
}
