import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from '@sealdeal/protocol'
import { GasBalanceTooLowError, requireGas } from './gas.ts'
import { PoolRefusedError, PoolUnreachableError } from './pool.ts'
import { resume, type WorkParameters, work } from './work.ts'

/** How long one request for work stays open, in seconds. */
const WAIT = 20

/** Pause after a refusal that somebody must do something about, in milliseconds. */
const PAUSE = 5_000

export type LoopParameters = Omit<WorkParameters, 'beatEvery'> & {
  /** Shown by the pool. */
  name: string
  /** Tasks at a time. */
  concurrency: number
}

/**
 * The worker's life: first what the journal left over, then one lease after the other until the signal is aborted. It
 * never gives up on its own: a scheduler that is away, a refusal, an empty wallet are said in the log and waited out.
 */
export async function loop(parameters: LoopParameters): Promise<void> {
  const { pool, journal, sender, provider, log, signal, concurrency, name } = parameters
  const busy = new Map<Hex, Promise<unknown>>()
  let registered: { silenceMs: number } | undefined

  function begin(taskId: Hex, action: () => Promise<unknown>): void {
    const doing = action()
      .catch((error: unknown) => log.error({ error, task: taskId }, 'the task was left'))
      .finally(() => busy.delete(taskId))
    busy.set(taskId, doing)
  }
  function withBeat(silenceMs: number): WorkParameters {
    return { ...parameters, beatEvery: Math.max(silenceMs / 3, 50) }
  }
  /** Takes one lease, or comes back without. */
  async function turn(): Promise<void> {
    if (!registered) {
      registered = await pool.register(name)
      log.info({ worker: sender.address, silenceMs: registered.silenceMs }, 'registered with the pool')
    }
    await requireGas({ account: sender.address, provider })
    const lease = await pool.ask({ holding: [...busy.keys()], wait: WAIT, signal })
    if (!lease) return
    // The same task again: its earlier attempt here must come to its end first, they share a journal entry.
    await busy.get(lease.taskId)
    const { silenceMs } = registered
    begin(lease.taskId, () => work(withBeat(silenceMs), lease))
  }

  for (const entry of await journal.entries()) {
    log.info({ task: entry.lease.taskId, attempt: entry.lease.attempt }, 'taken up from the journal')
    begin(entry.lease.taskId, () => resume(withBeat(3_000), entry))
  }
  for (let pause = 100; !signal.aborted; ) {
    if (busy.size >= concurrency) {
      await Promise.race(busy.values())
      continue
    }
    try {
      await turn()
      pause = 100
    } catch (error) {
      if (signal.aborted) break
      log.error({ error }, 'no work taken')
      if (error instanceof PoolRefusedError) registered = undefined
      const patient = error instanceof GasBalanceTooLowError || error instanceof PoolRefusedError
      pause = patient ? PAUSE : Math.min(pause * 2, error instanceof PoolUnreachableError ? 1_000 : PAUSE)
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }
  await Promise.allSettled(busy.values())
}
