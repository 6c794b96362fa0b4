import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isReady, type LogLine, type Process, startProcess } from '../../packages/stack/processes.ts'
import { root } from '../run.ts'

/** One of the processes of a service. */
export type Replica = {
  service: string
  /** Where it listens; 0 where it serves nobody. */
  port: number
  /** Whether it is at work. */
  isUp: () => Promise<boolean>
  /** Kill -9; false when it is not running just now. */
  kill: () => boolean
}

/** What a process that should have lived ended with. */
export type Loss = { service: string; code: number | null }

/**
 * Starts a replica, and again whenever it has ended, as a supervisor does: at once, and a little later when it ended by
 * itself.
 *
 * @param parameters.greeting - What it says when it is at work, where it serves no `/ready`.
 */
export function superviseReplica({
  service,
  index,
  port,
  env,
  logs,
  greeting,
  onLost,
}: {
  service: string
  index: number
  port: number
  env: Record<string, string>
  logs: string
  greeting?: string
  onLost: (loss: Loss) => void
}): Replica & { stop: () => Promise<void> } {
  let program: Process
  /** Whether it should run on. */
  let isMeant = false
  let isStopping = false
  const life = live()

  async function live(): Promise<void> {
    while (!isStopping) {
      program = startProcess({
        name: `${service}-${index}`,
        command: process.execPath,
        args: [join(root, 'packages', service, 'main.ts')],
        env: { ...env, ...(port === 0 ? {} : { PORT: String(port) }) },
        directory: root,
        logFile: join(logs, `${service}-${index}.log`),
      })
      isMeant = true
      const { code } = await program.ended
      if (!isMeant || isStopping) continue
      isMeant = false
      onLost({ service, code })
      await sleep(500)
    }
  }
  return {
    service,
    port,
    async isUp() {
      if (!isMeant) return false
      if (greeting !== undefined) return (await program.lines()).some(({ msg }: LogLine) => msg === greeting)
      return isReady(`http://127.0.0.1:${port}`).catch(() => false)
    },
    kill() {
      if (!isMeant) return false
      isMeant = false
      program.kill('SIGKILL')
      return true
    },
    async stop() {
      isStopping = true
      await program.stop()
      await life
    },
  }
}
