/** What apps print: workers hand it over sealed, the requester alone gets it. */
import { type Address, BaseError, type Hex } from '@sealdeal/protocol'
import type { Database } from '@sealdeal/server'
import { type Holder, LeaseLostError } from './leases.ts'
import { TaskNotFoundError } from './view.ts'

/** Somebody else's task. */
export class NotTheRequesterError extends BaseError {
  override name = 'NotTheRequesterError'
  constructor({ taskId, account }: { taskId: Hex; account: Address }) {
    super(`Account "${account}" did not request task "${taskId}": what its app printed is not for it.`, {
      metaMessages: ['Ask as the requester of its deal.'],
      docsPath: '/workerpool#printed',
    })
  }
}

/** Nothing is kept of what the app printed. */
export class NothingPrintedError extends BaseError {
  override name = 'NothingPrintedError'
  constructor({ taskId }: { taskId: Hex }) {
    super(`Nothing is kept of what the app of task "${taskId}" printed.`, {
      metaMessages: [
        'Either it has not run to its end yet, or its beneficiary had no result key, or it was too long ago.',
        'With a result key (`pushResultKey`) the next task of this beneficiary leaves what it prints here.',
      ],
      docsPath: '/workerpool#printed',
    })
  }
}

/**
 * Keeps what the app of an attempt printed. Who held the lease may say it also when the lease has ended; what was said
 * first stays.
 *
 * @throws {LeaseLostError} when the lease was never this worker's
 */
export async function keepPrinted(
  database: Database,
  { stdout, stderr, ...holder }: Holder & { stdout: string; stderr: string },
): Promise<void> {
  const { taskId, attempt, worker } = holder
  const [held] = await database.query<{ kept: boolean }>(
    `with held as (select task_id, attempt from lease where task_id = $1 and attempt = $2 and worker = $3),
       kept as (insert into printed (task_id, attempt, stdout, stderr)
         select task_id, attempt, $4, $5 from held on conflict do nothing)
     select true as kept from held`,
    [taskId, attempt, worker, stdout, stderr],
  )
  if (!held) throw new LeaseLostError(holder)
}

/** What one attempt printed, as published clients read it; each stream is text that only the result key opens. */
export type ComputeLogs = { walletAddress: Address; stdout: string; stderr: string }

/** @throws {TaskNotFoundError}, {NotTheRequesterError}, {NothingPrintedError} */
export async function readPrinted(
  database: Database,
  { taskId, account }: { taskId: Hex; account: Address },
): Promise<ComputeLogs[]> {
  const [task] = await database.query<{ requester: Address }>(
    'select requester from task join deal using (deal_id) where task_id = $1',
    [taskId],
  )
  if (!task) throw new TaskNotFoundError({ taskId })
  if (task.requester !== account) throw new NotTheRequesterError({ taskId, account })
  const rows = await database.query<{ worker: Address; stdout: string; stderr: string }>(
    `select worker, stdout, stderr from printed join lease using (task_id, attempt)
     where task_id = $1 order by attempt`,
    [taskId],
  )
  if (rows.length === 0) throw new NothingPrintedError({ taskId })
  return rows.map(({ worker, stdout, stderr }) => ({ walletAddress: worker, stdout, stderr }))
}

/** Deletes what is older than so many days. */
export async function forgetPrinted(database: Database, { days }: { days: number }): Promise<void> {
  await database.query('delete from printed where at < now() - make_interval(days => $1)', [days])
}
