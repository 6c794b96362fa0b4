import { type Address, Match } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { readMatchState } from './matchState.ts'

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

async function checkBalances({ contracts }: Client, orders: Match.Orders, volume: bigint, payer: Address) {
  const { hub, workerpoolRegistry } = contracts
  const poolOwner = (await workerpoolRegistry.registrantOf(orders.workerpool.workerpool)) as Address
  const [{ stake: paid }, { stake: staked }] = await Promise.all([hub.viewAccount(payer), hub.viewAccount(poolOwner)])
  const funds = { payer: { account: payer, free: paid }, poolOwner: { account: poolOwner, free: staked } }
  return Match.checkFunds(orders, volume, funds)
}
