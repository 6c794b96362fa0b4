import type { Log } from './log.ts'

/** Reports that the process stands at a named point of its work. */
export type Moment = (name: string, details?: Record<string, unknown>) => void

/** Chain ids that are never a real network. */
const localChains = new Set(['31337', '1337'])

/**
 * Whether `KILL_AT` may be obeyed: in tests (`NODE_ENV=test`), or on a chain whose id no real network has. Anywhere
 * else a process would otherwise offer everyone who can set its environment a switch to end it mid-payment.
 */
export function mayKill({ chainId, nodeEnv }: { chainId: bigint | number; nodeEnv: string | undefined }): boolean {
  return nodeEnv === 'test' || localChains.has(String(chainId))
}

/**
 * Makes `moment(name)`: one structured log line `{ moment: name, ... }` at each point of an agent's work where it may
 * be killed and must recover. Fault-injection tests set `KILL_AT=<name>`: the process then sends itself SIGKILL there,
 * after the line was written, so that a test hits the point exactly and can prove that it did.
 *
 * @example
 * const moment = createMoment({ log, killAt: config.KILL_AT, armed: mayKill({ chainId, nodeEnv: config.NODE_ENV }) })
 * moment('lease taken', { task: taskId })
 */
export function createMoment({
  log,
  killAt,
  armed,
  kill = () => process.kill(process.pid, 'SIGKILL'),
}: {
  log: Pick<Log, 'info'>
  killAt?: string | undefined
  armed: boolean
  kill?: () => unknown
}): Moment {
  return function moment(name, details = {}) {
    log.info({ moment: name, ...details }, name)
    if (armed && killAt === name) kill()
  }
}
