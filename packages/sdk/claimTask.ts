import { type Hex, Task } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { send } from './send.ts'

/**
 * Gets the money of an overdue task back to its payer. Anyone may, from the final deadline on. A task that was never
 * initialized is named by its deal and index.
 *
 * @throws ContractRevertError `DeadlineNotReached` before the deadline.
 */
export async function claimTask(
  client: Client,
  task: { taskId: Hex } | { dealId: Hex; index: bigint },
): Promise<{ transactionHash: Hex }> {
  const { hub } = client.contracts
  const taskId = 'taskId' in task ? task.taskId : Task.id(task.dealId, task.index)
  const isOpen = Task.status((await hub.viewTask(taskId)).status) !== 'UNSET'
  const sending =
    isOpen || 'taskId' in task ? hub.claim(taskId) : hub.initializeAndClaimArray([task.dealId], [task.index])
  return { transactionHash: (await send(client, sending)).hash as Hex }
}
