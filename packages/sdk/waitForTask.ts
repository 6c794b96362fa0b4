import { Failure, type Hex, Result, Task } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { TaskFailedError, TaskOverdueError, TimeoutError } from './errors.ts'
import { sleep } from './sleep.ts'

export type TaskState = {
  taskId: Hex
  dealId: Hex
  status: Task.Status
  resultDigest: Hex
  location: Result.Location
  resultsCallback: Hex
  /** Unix seconds; zero before the task is initialized. */
  finalDeadline: bigint
}

export type WaitForTaskParameters = {
  taskId: Hex
  /** Milliseconds; default 10 minutes. */
  timeout?: number
  /** Told of every change of status, and of the first. */
  onStatus?: (task: TaskState) => void
  signal?: AbortSignal
}

/**
 * Follows a task on chain until it has a result. A task that nobody initialized yet is waited for.
 *
 * @throws TaskFailedError (refunded), TaskOverdueError (claim it), TimeoutError.
 */
export async function waitForTask(
  client: Client,
  { taskId, timeout = 600_000, onStatus, signal }: WaitForTaskParameters,
): Promise<TaskState> {
  const end = Date.now() + timeout
  let last: Task.Status | undefined
  for (;;) {
    const task = await readTask(client, { taskId })
    if (task.status !== last) onStatus?.(task)
    last = task.status
    if (task.status === 'COMPLETED') return task
    if (task.status === 'FAILED') throw new TaskFailedError({ taskId, failure: await readFailure(client, taskId) })
    if (task.status !== 'UNSET') await expectInTime(client, task)
    if (Date.now() > end) {
      const remedy = 'It may still finish: wait longer, or look at the workerpool.'
      throw new TimeoutError({ what: `Task ${taskId} did not finish`, milliseconds: timeout, remedy })
    }
    await sleep(client.pollingInterval, signal)
  }
}

/** The cause that an enclave signed, by its name; nothing where the task was claimed, or the node does not tell. */
async function readFailure({ contracts: { hub } }: Client, taskId: Hex): Promise<string | undefined> {
  const [event] = await hub.queryFilter(hub.filters.TaskFailed(taskId)).catch(() => [])
  return event && Failure.nameOf(event.args.cause)
}

/** The task as the chain knows it now. */
export async function readTask({ contracts }: Client, { taskId }: { taskId: Hex }): Promise<TaskState> {
  const task = await contracts.hub.viewTask(taskId)
  return {
    taskId,
    dealId: task.dealid as Hex,
    status: Task.status(task.status),
    resultDigest: task.resultDigest as Hex,
    location: Result.decodeLocation(task.results as Hex),
    resultsCallback: task.resultsCallback as Hex,
    finalDeadline: task.finalDeadline,
  }
}

/** By the chain's clock, which alone decides. */
async function expectInTime({ provider }: Client, { taskId, finalDeadline }: TaskState): Promise<void> {
  const block = await provider.getBlock('latest')
  if (block !== null && BigInt(block.timestamp) >= finalDeadline) {
    throw new TaskOverdueError({ taskId, deadline: finalDeadline })
  }
}
