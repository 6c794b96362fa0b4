import type { Database } from '@sealdeal/server'

/** Wakes whoever waits for work, in whichever replica there is some. A ring that nobody waits for is not lost. */
export type Bell = {
  ring: () => void
  /** Resolves at a ring, or after so many milliseconds. For one waiter. */
  next: (timeout: number) => Promise<void>
  close: () => Promise<void>
}

export async function hangBell({
  database,
  channel,
}: {
  database: Pick<Database, 'listen'>
  channel: string
}): Promise<Bell> {
  let rung = false
  let wake: (() => void) | undefined
  function ring(): void {
    rung = true
    wake?.()
  }
  const listening = await database.listen(channel, ring)
  return {
    ring,
    async next(timeout) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeout)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      wake = undefined
      rung = false
    },
    close: listening.close,
  }
}
