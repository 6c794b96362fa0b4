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
  outcome: 'finalized' | 'claimed'
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
  const [finalized, claimed] = await Promise.all([
    hub.queryFilter(hub.filters.TaskFinalize(taskId), fromBlock),
    hub.queryFilter(hub.filters.TaskClaimed(taskId), fromBlock),
  ])
  const end = finalized[0] ?? claimed[0]
  const receipt = await end?.getTransactionReceipt()
  if (end === undefined || receipt === undefined) {
    const remedy = 'Wait for it: `waitForTask(client, { taskId })`.'
    throw new ResultNotAvailableError({ taskId, reason: 'it has not ended, so nobody was paid', remedy })
  }
  const own = events(receipt).filter(({ address }) => address === hubAddress)
  const roles = await rolesOf(client, taskId, own)
  const payouts = ofTask(taskId, own).map(({ movement, account, amount }) => ({
    movement: movement === 'paid' && !roles(account).includes('payer') ? ('lost' as const) : movement,
    account,
    roles: roles(account),
    amount,
  }))
  const outcome = finalized.length > 0 ? 'finalized' : 'claimed'
  return { transactionHash: end.transactionHash as Hex, gasUsed: receipt.gasUsed, outcome, payouts }
}

type Movement = Pick<Payout, 'movement' | 'account' | 'amount'>

/**
 * The movements of one task. Seizures and rewards name their task; an unlock does not, but stands between those of its
 * own task, for a transaction may end several.
 */
function ofTask(taskId: Hex, all: LogDescription[]): Movement[] {
  const references = all.map(({ name, args }) => (name === 'Seize' || name === 'Reward' ? String(args.ref) : undefined))
  const first = references.indexOf(taskId)
  const tasks = new Set(references.filter((reference) => reference !== undefined))
  return all.flatMap(({ name, args }, position): Movement[] => {
    const { owner: account, amount } = args as unknown as { owner: Address; amount: bigint }
    const isOwn = references[position] === taskId
    if (name === 'Seize' && isOwn) return [{ movement: 'paid', account, amount }]
    if (name === 'Reward' && isOwn) return [{ movement: 'earned', account, amount }]
    const lastBefore = references.slice(0, position).findLast((reference) => reference !== undefined)
    const belongs = tasks.size <= 1 || (position > first && lastBefore === taskId)
    return name === 'Unlock' && belongs ? [{ movement: 'unlocked', account, amount }] : []
  })
}

async function rolesOf(client: Client, taskId: Hex, all: LogDescription[]): Promise<(account: Address) => string[]> {
  const { hub } = client.contracts
  const { dealId } = await readTask(client, { taskId })
  const deal = Deal.fromChain(await hub.viewDeal(dealId))
  const workers = all
    .filter(({ name, args }) => name === 'TaskContribute' && args.taskid === taskId)
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
  return (account) => held.filter(([, holder]) => holder === account).map(([role]) => role)
}
