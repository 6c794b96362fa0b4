import type { Hex } from '@sealdeal/protocol'

/** A request that could not be matched is looked at again after this many milliseconds, twice as many each time. */
const FIRST_MS = 500
const LONGEST_MS = 5_000

/** Nobody asks for a request any more that was not postponed again for so long. */
const FORGOTTEN_MS = 60_000

/** When to look again at what could not be matched. */
export function createPauses(now: () => number = Date.now) {
  const pauses = new Map<Hex, { until: number; pause: number }>()

  function sweep(): void {
    for (const [requestHash, { until }] of pauses) if (until < now() - FORGOTTEN_MS) pauses.delete(requestHash)
  }
  return {
    isPaused: (requestHash: Hex): boolean => (pauses.get(requestHash)?.until ?? 0) > now(),
    /** Answers for how many milliseconds. */
    postpone(requestHash: Hex): number {
      const pause = Math.min((pauses.get(requestHash)?.pause ?? FIRST_MS / 2) * 2, LONGEST_MS)
      if (pauses.size > 10_000) sweep()
      pauses.set(requestHash, { until: now() + pause, pause })
      return pause
    },
    forget: (requestHash: Hex): void => void pauses.delete(requestHash),
  }
}
