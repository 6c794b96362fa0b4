import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { BaseError } from '@sealdeal/protocol'

/** How a program ended. */
export type Ended = { code: number | null; signal: NodeJS.Signals | null }

/** One line of a program's log. */
export type LogLine = Record<string, unknown> & { msg?: string; moment?: string }

/** A program of the stack that is running, or was. */
export type Process = {
  name: string
  pid: number
  /** Where its standard output and error go. */
  logFile: string
  /** Settles when the program has ended, however it ended. */
  ended: Promise<Ended>
  /** What it has said so far: the lines of its log that are JSON, without those of earlier runs. */
  lines: () => Promise<LogLine[]>
  /** Asks it to end (SIGTERM), and ends it after six seconds: its own closing takes five at most. */
  stop: () => Promise<void>
  /** Sends a signal and waits for nothing. */
  kill: (signal: NodeJS.Signals) => void
}

/** How to start a program. Secrets are never among `args`: they go in files. */
export type Program = {
  name: string
  command: string
  args: string[]
  env?: Record<string, string>
  directory: string
  logFile: string
}

const STOP_TIMEOUT_MS = 6_000

/** Thrown when a program of the stack ends before it was healthy, or never becomes so. */
export class ProcessNotHealthyError extends BaseError {
  override name = 'ProcessNotHealthyError'
  constructor({ name, reason, logFile }: { name: string; reason: string; logFile: string }) {
    const tail = existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15) : []
    super(`"${name}" did not become healthy: ${reason}.`, {
      metaMessages: [`Its log is ${logFile}; it ends with:`, ...tail],
      docsPath: '/operate#stack',
    })
  }
}

/** Linux can end a child together with its parent, whatever kills the parent. */
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path))

/**
 * Starts a program that cannot outlive this process: the kernel ends it where it can, and everywhere it ends itself when
 * its standard input does, a pipe that only this process holds.
 */
export function startProcess({ name, command, args, env = {}, directory, logFile }: Program): Process {
  const log = openSync(logFile, 'a', 0o600)
  const begin = fstatSync(log).size
  const [program, ...rest] = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--', command, ...args] : [command, ...args]
  const child: ChildProcess = spawn(program ?? command, rest, {
    cwd: directory,
    stdio: ['pipe', log, log],
    env: { ...inherited(), EXIT_ON_STDIN_EOF: '1', ...env },
    // A group of its own: Ctrl-C in the terminal reaches the stack alone, which then stops its programs in order.
    detached: true,
  })
  closeSync(log)
  child.stdin?.on('error', () => {})
  const ended = new Promise<Ended>((resolve) => {
    child.on('error', () => resolve({ code: 127, signal: null }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    ended,
    lines: () => readLines(logFile, begin),
    kill: (signal) => {
      if (isRunning()) child.kill(signal)
    },
    stop: async () => {
      if (!isRunning()) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

async function readLines(path: string, begin: number): Promise<LogLine[]> {
  const file = await open(path)
  const chunks: Uint8Array[] = []
  for await (const chunk of file.createReadStream({ start: begin })) chunks.push(chunk)
  const lines = Buffer.concat(chunks).toString('utf8').split('\n')
  // The last one may still be being written.
  return lines.slice(0, -1).flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []))
}

/** What a program may know of the caller's environment: nothing that could carry a secret or change its behaviour. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name] as string]] : [])))
}

/**
 * Waits until a check holds, or the program ends.
 *
 * @param timeoutMs - Milliseconds until it is given up.
 * @throws ProcessNotHealthyError, or the signal's reason
 */
export async function untilHealthy({
  program,
  check,
  timeoutMs = 60_000,
  signal,
}: {
  program: Process
  check: () => Promise<boolean>
  timeoutMs?: number
  signal?: AbortSignal | undefined
}) {
  const { name, logFile } = program
  const deadline = performance.now() + timeoutMs
  let ended: string | undefined
  program.ended.then(({ code, signal }) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`
  })
  while (!(await check().catch(() => false))) {
    signal?.throwIfAborted()
    if (ended) throw new ProcessNotHealthyError({ name, reason: ended, logFile })
    if (performance.now() > deadline)
      throw new ProcessNotHealthyError({ name, reason: `nothing for ${timeoutMs / 1000} s`, logFile })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  signal?.throwIfAborted()
}

/** Whether a server answers its readiness check with 200. */
export async function isReady(url: string): Promise<boolean> {
  const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(2_000) })
  await response.body?.cancel()
  return response.ok
}
