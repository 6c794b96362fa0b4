import { Deal, type Hex, Tag, Task } from '@sealdeal/protocol'
import type { Chain } from './chain.ts'
import {
  DealNotConfidentialError,
  DealNotFoundError,
  DealOverError,
  TaskOutOfRangeError,
  TaskOverError,
} from './errors.ts'

/** A deal that still takes results for this task, in a TDX enclave. `maxSeconds` is how long the app may run. */
export type OpenDeal = { deal: Deal.Deal; maxSeconds: number }

/**
 * Asks the chain whether a task may run now.
 *
 * @throws DealNotFoundError TaskOutOfRangeError DealOverError TaskOverError DealNotConfidentialError
 */
export async function expectDeal({
  chain,
  dealId,
  index,
}: {
  chain: Chain
  dealId: Hex
  index: bigint
}): Promise<OpenDeal> {
  const taskId = Task.id(dealId, index)
  const [deal, { status }, now] = await Promise.all([chain.viewDeal(dealId), chain.viewTask(taskId), chain.now()])
  if (!deal) throw new DealNotFoundError({ dealId })
  const { botFirst, botSize, tag } = deal
  if (index < botFirst || index >= botFirst + botSize) {
    throw new TaskOutOfRangeError({ index, first: botFirst, size: botSize })
  }
  const clock = await chain.workClock(deal.category)
  const deadline = Deal.deadlines(deal, clock).contribution
  if (now >= deadline) throw new DealOverError({ dealId, deadline, now })
  if (status !== 'UNSET' && status !== 'ACTIVE') throw new TaskOverError({ taskId, status })
  if (!Tag.covers(tag, Tag.tdx)) throw new DealNotConfidentialError({ dealId, tag })
  return { deal, maxSeconds: Math.min(Number(clock), Number(deadline - now)) }
}
