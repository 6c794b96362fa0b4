import { Counter, Gauge, Registry } from '@sealdeal/server'
import { type Pool, PoolRefusedError } from './pool.ts'

/** Requests for work stay open for 20 seconds: after so many milliseconds without an answer the scheduler is away. */
const SILENT_MS = 60_000

/**
 * Counts what a worker and its scheduler say to each other. `check` throws while the worker is not registered, and when
 * its scheduler refused it or said nothing for a minute.
 */
export function meterPool(pool: Pool): { pool: Pool; registry: Registry; check: () => void } {
  const registry = new Registry()
  const registers = [registry]
  const leases = new Counter({ name: 'worker_leases_total', help: 'Leases taken', registers })
  const ended = new Counter({
    name: 'worker_tasks_total',
    help: 'Tasks that the scheduler was told of',
    labelNames: ['outcome'],
    registers,
  })
  const heard = new Gauge({
    name: 'worker_scheduler_heard_seconds',
    help: 'When the scheduler last answered, in Unix time',
    registers,
  })
  let heardAt: number | undefined
  let trouble = 'not registered with the pool yet'

  async function hear<Answer>(asking: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await asking
      heardAt = Date.now()
      heard.set(heardAt / 1_000)
      return answer
    } catch (error) {
      if (error instanceof PoolRefusedError && error.status !== 409) {
        heardAt = undefined
        trouble = error.message.split('\n')[0] ?? error.name
      }
      throw error
    }
  }
  return {
    registry,
    check() {
      if (heardAt === undefined) throw new Error(trouble)
      const silence = Date.now() - heardAt
      if (silence > SILENT_MS) throw new Error(`nothing from the scheduler for ${Math.floor(silence / 1_000)} s`)
    },
    pool: {
      register: (name) => hear(pool.register(name)),
      async ask(parameters) {
        const lease = await hear(pool.ask(parameters))
        if (lease) leases.inc()
        return lease
      },
      beat: (lease, reached) => hear(pool.beat(lease, reached)),
      async complete(lease, transaction) {
        await hear(pool.complete(lease, transaction))
        ended.inc({ outcome: 'completed' })
      },
      async fail(lease, failure) {
        await hear(pool.fail(lease, failure))
        ended.inc({ outcome: 'failed' })
      },
      keepPrinted: (lease, printed) => hear(pool.keepPrinted(lease, printed)),
    },
  }
}
