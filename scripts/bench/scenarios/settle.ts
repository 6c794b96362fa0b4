import { type Address, type Hex, Task } from '@sealdeal/protocol'
import { getBytes, keccak256, solidityPackedKeccak256 } from 'ethers'
import type { Market } from '../market.ts'
import { dealOf, matchDeal, signOrders } from '../orders.ts'
import { contribution, enclave, failureHash, first, results, settlement } from '../results.ts'
import { reasons, type Scenario } from './scenario.ts'
import { finish } from './tasks.ts'

const wishes = { dataset: true, tee: true }
const batch = 50

/** The chapter of what ours do in one call and the reference in two, or not at all. */
export const settling: Scenario[] = [
  {
    name: 'settle, TEE',
    expected: 222_337 + 544_834,
    because: reasons.noRefund,
    target: 200_000,
    note: 'the reference: initialize, then contributeAndFinalize',
    gas: async (market) => settle(market, await matchDeal(market, 'settled', wishes)),
  },
  {
    name: 'a whole TEE task: match with dataset, settle',
    expected: 723_995 + 222_337 + 544_834,
    because: 'as above, and here the match is of orders with a tag: one slot more',
    target: 475_000,
    note: 'the reference: match, initialize, contributeAndFinalize',
    gas: wholeTask,
  },
  {
    name: 'a whole TEE task, the reference by its Boost',
    expected: 485_878 + 166_374,
    target: 475_000,
    note: 'the reference: matchOrdersBoost, then pushResultBoost, which keeps less on chain',
    gas: (market) => (market.side === 'ours' ? wholeTask(market) : boost(market)),
  },
  {
    name: `settleBatch of ${batch}`,
    only: 'ours',
    gas: (market) => settleBatch(market, batch),
  },
  {
    name: `marginal task of a settleBatch of ${batch}`,
    only: 'ours',
    target: 99_000,
    note: `(gas of ${batch} - gas of 1) / ${batch - 1}, rounded up`,
    gas: async (market) => {
      const one = await market.chain.undone(() => settleBatch(market, 1))
      const rest = (await settleBatch(market, batch)) - one
      return (rest + BigInt(batch) - 2n) / BigInt(batch - 1)
    },
  },
  {
    name: 'settleFailure',
    only: 'ours',
    gas: async (market) => {
      const { dealId, taskId } = await matchDeal(market, 'failed', wishes)
      return settleFailure(market, { dealId, taskId })
    },
  },
]

async function wholeTask(market: Market): Promise<bigint> {
  const deal = await matchDeal(market, 'whole', wishes)
  return deal.gas + (await settle(market, deal))
}

/** Ends the first task of a deal, which nobody has initialized. */
export async function settle(market: Market, { dealId, taskId }: { dealId: Hex; taskId: Hex }): Promise<bigint> {
  const { anyone } = market.accounts
  if (market.side === 'reference') {
    const initialized = await market.gasOf(anyone, 'initialize', [dealId, 0n])
    return initialized + (await finish(market, taskId, wishes))
  }
  return market.gasOf(anyone, 'settle', [dealId, ...Object.values(await settlement(market, dealId, 0n))])
}

/** Ends the first tasks of a deal of many. */
async function settleBatch(market: Market, count: number): Promise<bigint> {
  const { dealId } = await matchDeal(market, 'batch', { ...wishes, volume: BigInt(batch) })
  const settlements = []
  for (let index = 0; index < count; ++index) settlements.push(await settlement(market, dealId, BigInt(index)))
  return market.gasOf(market.accounts.anyone, 'settleBatch', [dealId, settlements])
}

async function settleFailure(market: Market, { dealId, taskId }: { dealId: Hex; taskId: Hex }): Promise<bigint> {
  const worker = first(market.accounts.workers)
  const cause = 1n
  const { challenge, authorizationSign } = await contribution(market, taskId, { worker, tee: true })
  const enclaveSign = await enclave.signMessage(getBytes(failureHash(worker.address as Address, taskId, cause)))
  const args = [dealId, 0n, worker.address, cause, challenge, enclaveSign, authorizationSign]
  return market.gasOf(market.accounts.anyone, 'settleFailure', args)
}

/** The reference's path for tasks of trust 1: the results are an event only. */
async function boost(market: Market): Promise<bigint> {
  const orders = await signOrders(market, 'boost', wishes)
  const matched = await market.gasOf(market.accounts.anyone, 'matchOrdersBoost', orders)
  const dealId = dealOf(market, orders)
  const taskId = Task.id(dealId, 0n)
  const worker = first(market.accounts.workers)
  const { challenge, authorizationSign } = await contribution(market, taskId, { worker, tee: true })
  const words = [worker.address, taskId, keccak256(results)]
  const message = solidityPackedKeccak256(['address', 'bytes32', 'bytes32'], words)
  const enclaveSign = await enclave.signMessage(getBytes(message))
  const args = [dealId, 0n, results, '0x', authorizationSign, challenge, enclaveSign]
  return matched + (await market.gasOf(worker, 'pushResultBoost', args))
}
