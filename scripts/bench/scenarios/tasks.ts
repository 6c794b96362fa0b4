import type { Address, Hex } from '@sealdeal/protocol'
import type { Account } from '../chain.ts'
import type { Market } from '../market.ts'
import { matchDeal, type Wishes } from '../orders.ts'
import { contribution, first, results } from '../results.ts'
import { reasons, type Scenario } from './scenario.ts'

/** Past the final deadline of the shortest category. */
export const untilClaim = 3_600n

/** The chapter of tasks that one worker ends. */
export const tasks: Scenario[] = [
  {
    name: 'initialize',
    expected: 222_337,
    target: 52_000,
    gas: async (market) => {
      const { dealId } = await matchDeal(market, 'initialize', { dataset: true })
      return market.gasOf(market.accounts.anyone, 'initialize', [dealId, 0n])
    },
  },
  {
    name: 'contributeAndFinalize, TEE',
    expected: 544_834,
    because: reasons.noRefund,
    target: 180_000,
    gas: (market) => contributeAndFinalize(market, 'enclave', { dataset: true, tee: true }),
  },
  {
    name: 'contributeAndFinalize, TEE, with callback',
    expected: 663_569,
    because: reasons.noRefund,
    target: 290_000,
    gas: async (market) => {
      const callback = await deployConsumer(market)
      return contributeAndFinalize(market, 'callback', { dataset: true, tee: true, callback })
    },
  },
  {
    name: 'contributeAndFinalize, without enclave',
    expected: 513_643,
    because: reasons.noRefund,
    gas: (market) => contributeAndFinalize(market, 'no enclave', { dataset: true }),
  },
  {
    name: 'claim',
    expected: 129_819,
    target: 62_000,
    gas: async (market) => {
      const [earlier, later] = [await openTask(market, 'claimed earlier'), await openTask(market, 'claimed')]
      await market.chain.passTime(untilClaim)
      await market.gasOf(market.accounts.anyone, 'claim', [earlier])
      return market.gasOf(market.accounts.anyone, 'claim', [later])
    },
  },
  {
    name: 'initializeAndClaimArray of 3',
    expected: 680_097,
    target: 190_000,
    gas: async (market) => {
      const earlier = await openTask(market, 'claimed earlier')
      const { dealId } = await matchDeal(market, 'three of four tasks', { dataset: true, volume: 4n })
      await market.chain.passTime(untilClaim)
      await market.gasOf(market.accounts.anyone, 'claim', [earlier])
      const args = [
        [dealId, dealId, dealId],
        [1n, 2n, 3n],
      ]
      return market.gasOf(market.accounts.anyone, 'initializeAndClaimArray', args)
    },
  },
]

/** A deal whose first task is active. */
export async function openTask(market: Market, name: string, wishes: Wishes = { dataset: true }): Promise<Hex> {
  const { dealId, taskId } = await matchDeal(market, name, wishes)
  await market.gasOf(market.accounts.anyone, 'initialize', [dealId, 0n])
  return taskId
}

/** Has a worker end a task that is active, in one call. */
export async function finish(market: Market, taskId: Hex, { tee = false, callback }: Wishes): Promise<bigint> {
  const worker: Account = first(market.accounts.workers)
  const made = await contribution(market, taskId, { worker, tee, callback: callback !== undefined })
  const { digest, resultsCallback, challenge, enclaveSign, authorizationSign } = made
  const args = [taskId, digest, results, resultsCallback, challenge, enclaveSign, authorizationSign]
  return market.gasOf(worker, 'contributeAndFinalize', args)
}

async function contributeAndFinalize(market: Market, name: string, wishes: Wishes): Promise<bigint> {
  return finish(market, await openTask(market, name, wishes), wishes)
}

/** A contract that wants to be called back with a result; the same one on either side. */
export async function deployConsumer({ chain }: Market): Promise<Address> {
  const factory = await chain.ethers.getContractFactory('ResultKeeper')
  const { contractAddress } = await chain.transact(chain.accounts.mockDeployer, await factory.getDeployTransaction())
  return contractAddress as Address
}
