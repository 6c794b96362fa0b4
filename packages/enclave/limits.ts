/** What an app may take of the machine, and the watch that ends it when it takes more. */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, statfsSync } from 'node:fs'
import { constants, setPriority, totalmem } from 'node:os'
import { z } from 'zod'
import { EnclaveFailureError } from './failures.ts'

/**
 * Bounds of one app. `memory`: bytes that its processes hold of their own, together, without files. `cpuSeconds`: of all
 * its processes together. `processes`: threads count as processes. `seconds`: from its start to its end, where the deal
 * grants more.
 */
export const AppLimits = z.object({
  memory: z.int().positive(),
  processes: z.int().positive(),
  cpuSeconds: z.number().positive().optional(),
  seconds: z.number().positive().optional(),
})
export type AppLimits = z.output<typeof AppLimits>

/** Half of the machine's memory and 1,024 processes and threads; no bound on time but the deal's. */
export function defaultLimits(): AppLimits {
  return { memory: Math.floor(totalmem() / 2), processes: 1024 }
}

/** Milliseconds between two looks at the app. */
const interval = 50

/**
 * The app's command under the kernel's own bounds. They only hold it until the watch has looked: they bind each process
 * alone (memory) or each user (processes), and end an app without saying why, so they lie well above the limits.
 */
export function bounded({ limits, command }: { limits: AppLimits; command: string[] }): string[] {
  const { memory, processes, cpuSeconds } = limits
  const seconds = cpuSeconds === undefined ? [] : [`--cpu=${Math.ceil(cpuSeconds) + 5}`]
  const bounds = [`--data=${2 * memory + 2 ** 30}`, `--nproc=${4 * processes + 256}`, '--core=0', ...seconds]
  return ['prlimit', ...bounds, '--', ...command]
}

/** What one look at the app saw. */
type Sight = { memory: number; cpuSeconds: number; processes: number; full: Disk | undefined }

/** A folder on a file system of its own. */
export type Disk = { name: string; path: string; bytes: number }

/**
 * Looks at the app until `stop` is called; calls `onExceeded` once, when it takes more than it may. Every process that
 * this one can see is the app's: inside the outer room there are no others.
 *
 * @param disks what the app must not fill
 */
export function watchApp({
  limits,
  disks,
  onExceeded,
}: {
  limits: AppLimits
  disks: Disk[]
  onExceeded: (failure: EnclaveFailureError) => void
}): { stop: () => EnclaveFailureError | undefined } {
  // Ourselves, and the room's first process.
  const ours = new Set(pids())
  let failure: EnclaveFailureError | undefined
  const look = () => {
    if (failure !== undefined) return
    failure = exceeded({ sight: see({ ours, disks, limits }), limits })
    if (failure !== undefined) onExceeded(failure)
  }
  const timer = setInterval(look, interval)
  return {
    stop() {
      clearInterval(timer)
      // Its processes are gone, but what it filled is still full.
      return failure ?? exceeded({ sight: see({ ours, disks, limits }), limits })
    },
  }
}

/** Less of the processor than the enclave and its worker: they must stay able to end the app. */
export function yieldPriority(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It ended already.
  }
}

function exceeded({ sight, limits }: { sight: Sight; limits: AppLimits }): EnclaveFailureError | undefined {
  const { memory, processes, cpuSeconds = Number.POSITIVE_INFINITY } = limits
  if (sight.processes > processes) {
    return new EnclaveFailureError({
      failure: 'APP_COMPUTE_PROCESS_LIMIT_EXCEEDED',
      message: `The app ran more than the ${processes} processes and threads that this pool allows.`,
    })
  }
  if (sight.memory > memory) {
    return new EnclaveFailureError({
      failure: 'APP_COMPUTE_MEMORY_LIMIT_EXCEEDED',
      message: `The app took more than the ${memory} bytes of memory that this pool allows.`,
    })
  }
  if (sight.cpuSeconds > cpuSeconds) {
    return new EnclaveFailureError({
      failure: 'APP_COMPUTE_CPU_LIMIT_EXCEEDED',
      message: `The app took more than the ${cpuSeconds} seconds of processor time that this pool allows.`,
    })
  }
  if (sight.full === undefined) return undefined
  const { name, bytes } = sight.full
  return new EnclaveFailureError({
    failure: 'APP_COMPUTE_DISK_LIMIT_EXCEEDED',
    message: `The app filled its ${name}, for which this pool allows ${bytes} bytes.`,
  })
}

function see({ ours, disks, limits }: { ours: ReadonlySet<string>; disks: Disk[]; limits: AppLimits }): Sight {
  const theirs = pids().filter((pid) => !ours.has(pid))
  const sight: Sight = { memory: 0, cpuSeconds: 0, processes: 0, full: disks.find(isFull) }
  // Each look into one of them costs time, in which a fork bomb makes more.
  if (theirs.length > limits.processes) return { ...sight, processes: theirs.length }
  for (const pid of theirs) {
    const status = read(`/proc/${pid}/status`)
    sight.processes += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    sight.memory += 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    sight.cpuSeconds += ticks(read(`/proc/${pid}/stat`)) / ticksPerSecond
  }
  return sight
}

/** Linux counts in hundredths of a second for whoever reads `/proc`. */
const ticksPerSecond = 100

/** User and system time of a process and of its ended children; the second field, a name, may hold anything. */
function ticks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
}

function isFull({ path }: Disk): boolean {
  const { bavail, files, ffree } = statfsSync(path)
  return bavail === 0 || (files > 0 && ffree === 0)
}

function pids(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
