import { type Address, Match } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { readMatchState } from './matchState.ts'

const stakePercentage = 30n

/**
 * Why these orders cannot be matched now: every broken rule in the order of the contract, then whose balance is too
 * small. Empty when a match would succeed.
 */
export async function explainMatch(
  client: Client,
  orders: Match.Orders,
  { payer = orders.request.requester }: { payer?: Address } = {},
): Promise<Match.Mismatch[]> {
  const state = await readMatchState(client, orders)
  const mismatches = Match.check(orders, state)
  const volume = Match.volume(orders, state.consumed)
  return volume > 0n ? [...mismatches, ...(await checkBalances(client, orders, volume, payer))] : mismatches
}

/** What the owner of a pool must have free to accept `volume` tasks at `price`. */
export function poolStake(price: bigint, volume: bigint): bigint {
  return ((price * stakePercentage) / 100n) * volume
}

async function checkBalances({ contracts }: Client, orders: Match.Orders, volume: bigint, payer: Address) {
  const { hub, workerpoolRegistry } = contracts
  const pool = orders.workerpool.workerpool
  const poolOwner = await workerpoolRegistry.registrantOf(pool)
  const [payerAccount, poolAccount] = await Promise.all([hub.viewAccount(payer), hub.viewAccount(poolOwner)])
  const cost = Match.price(orders) * volume
  const stake = poolStake(orders.workerpool.workerpoolprice, volume)
  return [
    ...insufficient('70', 'payer', payer, payerAccount.stake, cost),
    ...insufficient('71', 'owner of the workerpool', poolOwner as Address, poolAccount.stake, stake),
  ]
}

function insufficient(code: string, role: string, account: Address, free: bigint, needed: bigint): Match.Mismatch[] {
  if (free >= needed) return []
  return [
    {
      code,
      name: 'ERC20InsufficientBalance',
      values: { sender: account, balance: free, needed },
      sentence: `The ${role} ${account} has ${free} free in the escrow, but ${needed} is needed.`,
      remedy: `It must deposit ${needed - free} more.`,
    },
  ]
}
