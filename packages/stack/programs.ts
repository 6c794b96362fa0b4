import { join } from 'node:path'
import { isReady, type LogLine, type Process, startProcess, untilHealthy } from './processes.ts'

/** The programs of a stack: the chain, the servers, the agents that use them. */
export const programs = [
  'chain',
  'market',
  'indexer',
  'sms',
  'storage',
  'scheduler',
  'matcher',
  'worker',
  'callbacks',
] as const

export type ProgramName = (typeof programs)[number]

/** What is started on top of the chain. */
export type ServiceName = Exclude<ProgramName, 'chain'>

/** The environment of each service. */
export type Environments = Record<ServiceName, Record<string, string>>

export type Launcher = {
  /** Starts a program, with further environment variables when given, and waits until it is healthy. */
  launch: (name: ServiceName, env?: Record<string, string>) => Promise<Process>
  /** The program as it was started last. */
  running: (name: ServiceName) => Process | undefined
  stop: (name: ServiceName) => Promise<void>
}

/**
 * Starts and stops the services of a stack.
 *
 * @param parameters.onLost - Told of a program that ended although nobody asked it to.
 */
export function createLauncher({
  root,
  logs,
  environments,
  onLost,
  signal,
}: {
  /** The repository's root. */
  root: string
  /** The folder for logs. */
  logs: string
  environments: Environments
  onLost: (program: Process) => void
  /** Aborted when waiting for health is of no use any more. */
  signal: AbortSignal
}): Launcher {
  const running = new Map<ServiceName, Process>()
  const stopped = new WeakSet<Process>()

  async function launch(name: ServiceName, env: Record<string, string> = {}): Promise<Process> {
    const environment = { ...environments[name], ...env }
    const program = startProcess({
      name,
      command: process.execPath,
      args: [join(root, 'packages', name, 'main.ts')],
      env: environment,
      directory: root,
      logFile: join(logs, `${name}.log`),
    })
    running.set(name, program)
    await untilHealthy({ program, check: () => isHealthy({ program, environment }), signal })
    program.ended.then(() => {
      if (!stopped.has(program)) onLost(program)
    })
    return program
  }
  async function stop(name: ServiceName): Promise<void> {
    const program = running.get(name)
    if (!program) return
    stopped.add(program)
    await program.stop()
  }
  return { launch, stop, running: (name) => running.get(name) }
}

/** What an agent says when it is at work; servers are asked. */
const greetings: Partial<Record<string, string>> = {
  matcher: 'watching the book',
  worker: 'registered with the pool',
}

async function isHealthy({
  program,
  environment,
}: {
  program: Process
  environment: Record<string, string>
}): Promise<boolean> {
  const greeting = greetings[program.name]
  if (greeting) return (await program.lines()).some(({ msg }: LogLine) => msg === greeting)
  return isReady(`http://127.0.0.1:${environment.PORT}`)
}

/** Whether the market lists an order of the pool: only then can anybody run anything. */
export async function isOffered({ market, workerpool }: { market: string; workerpool: string }): Promise<boolean> {
  const url = new URL('/workerpoolorders', market)
  url.searchParams.set('workerpool', workerpool)
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  const { count } = (await response.json()) as { count?: number }
  return response.ok && (count ?? 0) > 0
}
