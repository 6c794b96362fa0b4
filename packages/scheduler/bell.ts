import type { Database } from '@sealdeal/server'
import { taskChannel } from './tasks.ts'

/** Wakes waiting requests when a task may have become free, in whichever replica that happened. */
export type Bell = {
  /** Resolves at the next ring, or after so many milliseconds. */
  next(timeout: number): Promise<void>
  close(): Promise<void>
}

export async function hangBell(database: Pick<Database, 'listen'>): Promise<Bell> {
  const waiting = new Set<() => void>()
  function ring(): void {
    for (const wake of [...waiting]) wake()
  }
  const channel = await database.listen(taskChannel, ring)
  return {
    next: (timeout) =>
      new Promise((resolve) => {
        const timer = setTimeout(wake, timeout)
        function wake(): void {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        waiting.add(wake)
      }),
    async close() {
      ring()
      await channel.close()
    },
  }
}
