import { readFile } from 'node:fs/promises'

/** Names a process also after its number was given to another one: by the moment it was started. */
export type ProcessMark = { pid: number; start?: string }

export async function processMark(pid: number): Promise<ProcessMark> {
  const start = await startOf(pid)
  return start === undefined ? { pid } : { pid, start }
}

export async function isRunning({ pid, start }: ProcessMark): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const found = await startOf(pid)
  return start === undefined ? found !== 'ended' : found === start
}

/** Clock ticks since boot at which the process started, and the boot it belongs to. Known on Linux only. */
async function startOf(pid: number): Promise<string | 'ended' | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The second field, the name in parentheses, may hold spaces: count from behind it. Start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A process that ended but was not collected by its parent keeps its number as a zombie.
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : `${boot.trim()}:${fields[19]}`
  } catch {
    return undefined
  }
}
