import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { BaseError } from '@sealdeal/protocol'

/** A program of the stack that is running, or was. */
export type Process = {
  name: string
  pid: number
  /** Where its standard output and error go. */
  logFile: string
  /** Settles when the program has ended, however it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Asks it to end (SIGTERM), and ends it after five seconds. */
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
  /** Whether the program ends by itself when its standard input does; others are tied to this process by the kernel. */
  watchesStdin?: boolean
}

const STOP_TIMEOUT_MS = 5_000

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
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))

/** Starts a program that cannot outlive this process: by the kernel's death signal where there is one, and by the end of its standard input. */
export function startProcess({
  name,
  command,
  args,
  env = {},
  directory,
  logFile,
  watchesStdin = true,
}: Program): Process {
  const log = openSync(logFile, 'a', 0o600)
  const [program, ...rest] = setpriv ? [setpriv, '--pdeathsig', 'KILL', '--', command, ...args] : [command, ...args]
  const child: ChildProcess = spawn(program ?? command, rest, {
    cwd: directory,
    stdio: ['pipe', log, log],
    env: { ...inherited(), ...(watchesStdin ? { EXIT_ON_STDIN_EOF: '1' } : {}), ...env },
    // A group of its own: Ctrl-C in the terminal reaches the stack alone, which then stops its programs in order.
    detached: true,
  })
  closeSync(log)
  child.stdin?.on('error', () => {})
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('error', () => resolve({ code: 127, signal: null }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  const isRunning = () => child.exitCode === null && child.signalCode === null
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    ended,
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

/** What a program may know of the caller's environment: nothing that could carry a secret or change its behaviour. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name] as string]] : [])))
}

/**
 * Waits until a check holds, or the program ends.
 *
 * @param timeoutMs - Milliseconds until it is given up.
 */
export async function untilHealthy({
  program,
  check,
  timeoutMs = 60_000,
}: {
  program: Process
  check: () => Promise<boolean>
  timeoutMs?: number
}) {
  const deadline = performance.now() + timeoutMs
  let ended: string | undefined
  program.ended.then(({ code, signal }) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`
  })
  while (!(await check().catch(() => false))) {
    if (ended) throw new ProcessNotHealthyError({ name: program.name, reason: ended, logFile: program.logFile })
    if (performance.now() > deadline) {
      throw new ProcessNotHealthyError({
        name: program.name,
        reason: `nothing for ${timeoutMs / 1000} s`,
        logFile: program.logFile,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Whether a server answers its readiness check with 200. */
export async function isReady(url: string): Promise<boolean> {
  const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(2_000) })
  await response.body?.cancel()
  return response.ok
}
