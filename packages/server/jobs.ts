import { Logger, run } from 'graphile-worker'
import pg from 'pg'
import type { z } from 'zod'
import type { Database, Query } from './database.ts'
import type { Log } from './log.ts'

/** What there is to do: for each name the shape of its payload and how it is done. A thrown error means: again, later. */
export type JobTable = Record<string, { payload: z.ZodType; run: (payload: never) => Promise<void> }>

export type Jobs = {
  /**
   * Puts a job into the queue; with `on` in a transaction, the job exists if and only if it is committed. A second job
   * of the same `key` replaces one that has not started.
   */
  enqueue: (job: {
    name: string
    payload: unknown
    on?: Query
    key?: string
    /** Not before this moment. */
    at?: Date
    attempts?: number
  }) => Promise<void>
  /** Rejects when the queue itself has failed. */
  ended: Promise<void>
  close: () => Promise<void>
}

/**
 * Jobs that survive crashes, in the service's own database: handed out by it, so replicas share the work, each job runs
 * at a time in one of them, failed ones are tried again with growing pauses.
 */
export async function startJobs({
  database,
  jobs,
  log,
  concurrency = 4,
}: {
  database: Database
  jobs: JobTable
  log: Log
  concurrency?: number
}): Promise<Jobs> {
  // Connections of its own: the queue reads numbers the driver's way, our rows are read exactly.
  const pool = new pg.Pool({ connectionString: database.pool.options.connectionString, max: concurrency + 2 })
  // A connection that breaks is replaced; without listeners it would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  const runner = await run({
    pgPool: pool,
    concurrency,
    noHandleSignals: true,
    pollInterval: 500,
    logger: new Logger(() => (level, message) => {
      if (level === 'error' || level === 'warning') log.warn({ jobs: level }, message)
    }),
    taskList: Object.fromEntries(
      Object.entries(jobs).map(([name, job]) => [
        name,
        async (payload: unknown) => job.run((await job.payload.parseAsync(payload)) as never),
      ]),
    ),
  })
  return {
    async enqueue({ name, payload, on = database, key, at, attempts = 25 }) {
      await on.query(
        `select graphile_worker.add_job($1, payload := $2::json, run_at := $3::timestamptz, max_attempts := $4::int,
           job_key := $5)`,
        [name, JSON.stringify(payload), at ?? null, attempts, key ?? null],
      )
    },
    ended: runner.promise,
    async close() {
      await runner.stop()
      await pool.end()
    },
  }
}
