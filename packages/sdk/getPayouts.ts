import { type Address, Deal, type Hex } from '@sealdeal/protocol'
import type { LogDescription } from 'ethers'
import type { Client } from './client.ts'
import { ResultNotAvailableError } from './errors.ts'
import { events } from './send.ts'
import { readTask } from './waitForTask.ts'

/** One movement of money when a task ended. */
export type Payout = {
  /** `paid` and `lost` were taken from what was locked, `earned` was received, `unlocked` is free again. */
  movement: 'paid' | 'lost' | 'earned' | 'unlocked'
  account: Address
  /** What the account is in this deal; one account may be several things. */
  roles: string[]
  amount: bigint
}

export type GetPayoutsReturnType = {
  transactionHash: Hex
  gasUsed: bigint
  /** `failed`: its enclave attested that there can be no result; `claimed`: nobody did it in time. */
  outcome: 'finalized' | 'failed' | 'claimed'
  payouts: Payout[]
}

/**
 * Who paid, earned and got back what when a task ended, from the events of its last transaction.
 *
 * @param fromBlock where to begin looking for it; a real network may not search from its beginning.
 */
export async function getPayouts(
  client: Client,
  { taskId, fromBlock = 0 }: { taskId: Hex; fromBlock?: number },
): Promise<GetPayoutsReturnType> {
  const { hub } = client.contracts
  const hubAddress = await hub.getAddress()
  const { TaskFinalize, TaskFailed, TaskClaimed } = hub.filters
  const [finalized, failed, claimed] = await Promise.all([
    hub.queryFilter(TaskFinalize(taskId), fromBlock),
    hub.queryFilter(TaskFailed(taskId), fromBlock),
    hub.queryFilter(TaskClaimed(taskId), fromBlock),
  ])
  const end = finalized[0] ?? failed[0] ?? claimed[0]
  const receipt = await end?.getTransactionReceipt()
  if (end === undefined || receipt === undefined) {
    const remedy = 'Wait for it: `waitForTask(client, { taskId })`.'
    throw new ResultNotAvailableError({ taskId, reason: 'it has not ended, so nobody was paid', remedy })
  }
  const outcome = finalized.length > 0 ? 'finalized' : failed.length > 0 ? 'failed' : 'claimed'
  const own = eventsOf(
    taskId,
    events(receipt).filter(({ address }) => address === hubAddress),
  )
  const { payer, rolesOf } = await readRoles(client, taskId, own)
  const payouts = own.flatMap(({ name, args }): Payout[] => {
    const { owner: account, amount } = args as unknown as { owner: Address; amount: bigint }
    const paid = outcome === 'finalized' && account === payer ? 'paid' : 'lost'
    const movements: Partial<Record<string, Payout['movement']>> = { Seize: paid, Reward: 'earned', Unlock: 'unlocked' }
    const movement = movements[name]
    return movement === undefined ? [] : [{ movement, account, roles: rolesOf(account), amount }]
  })
  return { transactionHash: end.transactionHash as Hex, gasUsed: receipt.gasUsed, outcome, payouts }
}

/**
 * The Hub's events of one task. A transaction may end several: those of one stand between the end of the one before and
 * its own end. An unlock does not name its task.
 */
function eventsOf(taskId: Hex, all: LogDescription[]): LogDescription[] {
  const isEnd = ({ name }: LogDescription) => ['TaskFinalize', 'TaskFailed', 'TaskClaimed'].includes(name)
  const last = all.findIndex((event) => isEnd(event) && event.args.taskid === taskId)
  const first = all.slice(0, last).findLastIndex(isEnd) + 1
  return all.slice(first, last)
}

async function readRoles(client: Client, taskId: Hex, own: LogDescription[]) {
  const { hub } = client.contracts
  const { dealId } = await readTask(client, { taskId })
  const deal = Deal.fromChain(await hub.viewDeal(dealId))
  const workers = own
    .filter(({ name }) => name === 'TaskContribute')
    .map(({ args }): [string, string] => ['worker', args.worker])
  const held: [string, string][] = [
    ['payer', deal.sponsor],
    ['requester', deal.requester],
    ['app owner', deal.app.owner],
    ['dataset owner', deal.dataset.owner],
    ['scheduler', deal.workerpool.owner],
    ...workers,
    ['kitty', await hub.kitty_address()],
  ]
  const rolesOf = (account: Address) => held.filter(([, holder]) => holder === account).map(([role]) => role)
  return { payer: deal.sponsor, rolesOf }
}
