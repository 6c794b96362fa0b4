/**
 * The enclave process: a task on standard input, steps and one answer on standard output, nothing else anywhere.
 *
 * Standard input stays open as long as the worker lives; its end is this process's end.
 */
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { EnclaveFailureError, orFail } from './failures.ts'
import { Answer, Bounds, type Failure, Launch, type Line, type Printed } from './pipe.ts'
import { simulatorProver } from './prover.ts'
import { run, type TaskDescription } from './run.ts'
import type { Sandbox } from './sandbox.ts'

const { values } = parseArgs({
  options: { sandbox: { type: 'string' }, directory: { type: 'string' }, bounds: { type: 'string' } },
})
const { sandbox, directory, bounds } = readArguments(values)

// Whatever goes wrong unforeseen: no stack, no message, for both may quote plaintext.
process.on('uncaughtException', () => process.exit(70))
process.on('unhandledRejection', () => process.exit(70))
process.umask(0o022)

const input = createInterface({ input: process.stdin })
input.on('close', () => process.exit(0))
const [text = ''] = (await once(input, 'line')).map(String)

let isComputed = false
try {
  const { task, platformFile } = readTask(text)
  if (sandbox === 'none') await mkdir(join(directory, 'out'))
  const prover = await orFail('TEE_QUOTE_FAILED', 'The file of the simulated platform cannot be used.', () =>
    simulatorProver({ platformFile }),
  )
  const print = (printed: Printed) => say({ printed })
  say({ outcome: await run({ task, sandbox, directory, prover, ...bounds, report: say, print, authorizeUpload }) })
} catch (error) {
  say({ failure: describe(error) })
}
// A pipe takes 64 KiB at once: what does not fit waits for the worker, and an exit would drop it.
process.stdout.write('', () => process.exit(0))

function say(line: Line): void {
  isComputed ||= 'step' in line && line.step === 'computed'
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** The worker answers in milliseconds, or not at all. */
async function authorizeUpload(): Promise<string | undefined> {
  const answering = once(input, 'line', { signal: AbortSignal.timeout(30_000) }).catch(() => [''])
  say({ question: 'storage authorization' })
  const [answer = ''] = (await answering).map(String)
  return Answer.safeParse(parseJson(answer)).data?.authorization
}

function readArguments({ sandbox, directory, bounds }: { sandbox?: string; directory?: string; bounds?: string }) {
  const known: readonly Sandbox[] = ['bubblewrap', 'unshare', 'none']
  const chosen = known.find((name) => name === sandbox)
  const parsed = Bounds.safeParse(parseJson(bounds ?? ''))
  if (chosen !== undefined && directory !== undefined && parsed.success) {
    return { sandbox: chosen, directory, bounds: parsed.data }
  }
  process.stderr.write('usage: main.ts --sandbox bubblewrap|unshare|none --directory FOLDER --bounds JSON\n')
  return process.exit(64)
}

function readTask(line: string): { task: TaskDescription; platformFile: string } {
  const launch = Launch.safeParse(parseJson(line))
  if (!launch.success) {
    const fields = launch.error.issues.map((issue) => issue.path.join('.')).join(', ')
    throw new EnclaveFailureError({
      failure: 'TEE_LAUNCH_FAILED',
      message: `The task on standard input is not complete: look at ${fields || 'its JSON'}.`,
    })
  }
  const { chainId, index, lease, platformFile, ...rest } = launch.data
  return {
    task: {
      ...rest,
      chainId: BigInt(chainId),
      index: BigInt(index),
      lease: { ...lease, attempt: BigInt(lease.attempt), expiry: BigInt(lease.expiry) },
    },
    platformFile,
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function describe(error: unknown): Failure {
  if (error instanceof EnclaveFailureError) {
    const { failure: cause, message, retryable, attested } = error
    return { cause, message, retryable, ...(attested && { attested }) }
  }
  const name = error instanceof Error ? ` (${error.name})` : ''
  const cause = isComputed ? 'POST_COMPUTE_FAILED_UNKNOWN_ISSUE' : 'PRE_COMPUTE_FAILED_UNKNOWN_ISSUE'
  return { cause, message: `Something unforeseen happened inside the enclave${name}.`, retryable: true }
}
