import type { z } from 'zod'
import { type commonVariables, readConfig } from './config.ts'
import { createLog, type Log } from './log.ts'

/** A process has this long to close after it was asked to, in milliseconds. */
export const CLOSE_TIMEOUT = 5_000

export type Lifecycle = {
  /** Aborted as soon as the process was asked to stop: loops and long polls watch it. */
  signal: AbortSignal
  /** Registers what to close. Called in reverse order of registration, each at most once. */
  onClose(close: () => unknown): void
  /** Closes everything and lets the process exit. */
  close(reason: string): Promise<void>
}

/**
 * Ends the process cleanly on SIGTERM, SIGINT, an uncaught error or, when asked, on the end of standard input (the
 * pipe that whoever started it holds: so it ends even when that one is killed). What has not closed in five seconds is
 * left behind, which must be safe anyway: every process may be killed at any moment.
 */
export function startLifecycle({ log, exitOnStdinEof }: { log: Log; exitOnStdinEof: boolean }): Lifecycle {
  const stop = new AbortController()
  const closers: (() => unknown)[] = []
  let closing: Promise<void> | undefined

  async function closeAll(reason: string, code: number): Promise<void> {
    log.info({ reason }, 'closing')
    setTimeout(() => {
      log.error({ reason }, 'did not close in time')
      process.exit(1)
    }, CLOSE_TIMEOUT).unref()
    stop.abort(reason)
    process.exitCode = code
    for (const close of closers.reverse()) {
      try {
        await close()
      } catch (error) {
        log.error({ error }, 'failed to close')
      }
    }
    log.info('closed')
    process.exit(code)
  }
  function close(reason: string, code = 0): Promise<void> {
    closing ??= closeAll(reason, code)
    return closing
  }

  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => void close(name))
  for (const name of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(name, (error) => {
      log.fatal({ error }, name)
      void close(name, 1)
    })
  }
  // The reader of our log may be gone before us: that must not end the closing.
  process.stdout.on('error', () => {})
  if (exitOnStdinEof) {
    process.stdin.on('end', () => void close('end of standard input'))
    process.stdin.on('error', () => void close('end of standard input'))
    process.stdin.resume()
  }
  return { signal: stop.signal, onClose: (handler) => void closers.push(handler), close }
}

/**
 * The body of every `main.ts`: configuration, log, lifecycle, then `start`. A wrong configuration or a failed start is
 * printed in plain words on standard error, with exit code 1.
 *
 * @example
 * await runProcess({ name: 'market', variables: { ...chainVariables }, schema, env: process.env, start })
 */
export async function runProcess<Schema extends z.ZodType<z.output<z.ZodObject<typeof commonVariables>>>>({
  name,
  schema,
  env,
  start,
}: {
  name: string
  schema: Schema
  env: Record<string, string | undefined>
  start: (process: { config: z.output<Schema>; log: Log } & Lifecycle) => Promise<void>
}): Promise<void> {
  try {
    const config = readConfig({ schema, env })
    const log = createLog({ name, level: config.LOG_LEVEL })
    const lifecycle = startLifecycle({ log, exitOnStdinEof: config.EXIT_ON_STDIN_EOF })
    lifecycle.signal.throwIfAborted()
    await start({ config, log, ...lifecycle })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${name} did not start: ${message}\n`)
    process.exit(1)
  }
}
