import { type Address, type Contracts, type Hex, Task } from '@sealdeal/protocol'
import type { Database, Log, Sender } from '@sealdeal/server'
import { isError } from 'ethers'
import { settle } from './tasks.ts'

/** Tasks that one transaction claims: what fits into a small block with room to spare. */
const BATCH = 20

/** A replica that died while claiming holds its tasks for so long, in seconds. */
const HOLD = 30

type Overdue = { task_id: Hex; deal_id: Hex; index: bigint }

export type ClaimParameters = { database: Database; hub: Contracts.Hub; sender: Sender; now: bigint; log: Log }

/**
 * Claims tasks whose final deadline passed, so that their payers are refunded without having to ask. The rows change
 * when the chain says that it happened. Returns how many were claimed.
 *
 * @param now unix seconds of the chain
 */
export async function claimOverdue(parameters: ClaimParameters): Promise<number> {
  const { database, hub, now } = parameters
  const overdue = await database.query<Overdue>(
    `update task set claiming_until = now() + make_interval(secs => $2) where task_id in (
       select task_id from task where settlement is null and final_deadline <= $1 and claiming_until <= now()
       order by final_deadline, task_id limit $3 for update skip locked)
     returning task_id, deal_id, index`,
    [now, HOLD, BATCH],
  )
  if (overdue.length === 0) return 0
  const tasks = await Promise.all(
    overdue.map(async (task) => ({ ...task, status: await readStatus(hub, task.task_id) })),
  )
  await catchUp(parameters, tasks)
  const unset = tasks.filter(({ status }) => status === 'UNSET')
  const open = tasks.filter(({ status }) => status === 'ACTIVE' || status === 'REVEALING')
  return (
    (await claim(parameters, unset, (some) =>
      hub.initializeAndClaimArray.populateTransaction(
        some.map(({ deal_id }) => deal_id),
        some.map(({ index }) => index),
      ),
    )) +
    (await claim(parameters, open, (some) => hub.claimArray.populateTransaction(some.map(({ task_id }) => task_id))))
  )
}

async function readStatus(hub: Contracts.Hub, taskId: Hex): Promise<Task.Status> {
  return Task.status((await hub.viewTask(taskId)).status)
}

/** Tasks that ended before they had a row left no event that would find one. */
async function catchUp(
  { database, hub }: ClaimParameters,
  tasks: readonly (Overdue & { status: Task.Status })[],
): Promise<void> {
  const ended = tasks.filter(({ status }) => status === 'COMPLETED' || status === 'FAILED')
  if (ended.length === 0) return
  const blockNumber = BigInt((await hub.runner?.provider?.getBlockNumber()) ?? 0)
  for (const { task_id: taskId, status } of ended) {
    const settlement = status === 'COMPLETED' ? 'finalized' : 'claimed'
    await database.transaction((transaction) =>
      settle(transaction, { taskId, settlement, transaction: null, blockNumber }),
    )
  }
}

type Call = { to?: string; data?: string }

/** All at once; where one of them makes the call fail (somebody claimed it just now), one after the other. */
async function claim(
  { sender, log }: Pick<ClaimParameters, 'sender' | 'log'>,
  tasks: readonly Overdue[],
  build: (some: readonly Overdue[]) => Promise<Call>,
): Promise<number> {
  if (tasks.length === 0) return 0
  try {
    const { to, data } = (await build(tasks)) as { to: Address; data: Hex }
    const sent = await sender.send({ to, data })
    const { status } = await sent.wait()
    log.info({ tasks: tasks.length, transaction: sent.hash, status }, 'claimed overdue tasks')
    return status === 1 ? tasks.length : 0
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION')) throw error
    if (tasks.length === 1) {
      log.warn({ error, task: tasks[0]?.task_id }, 'a task cannot be claimed yet')
      return 0
    }
  }
  let claimed = 0
  for (const task of tasks) claimed += await claim({ sender, log }, [task], build)
  return claimed
}
