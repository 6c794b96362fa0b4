import { type Address, type Hex, Order, Tag } from '@sealdeal/protocol'
import { id, Wallet } from 'ethers'
import { createAsset, depositFor, type Market } from '../market.ts'
import { matchDeal, prices } from '../orders.ts'
import type { Scenario } from './scenario.ts'
import { settle } from './settle.ts'

/** The chapter of tasks over many datasets, each of another owner and each paid. The reference has nothing like it. */
export const bulk: Scenario[] = [1, 10, 100].flatMap((count) => [
  {
    name: `attachDatasets, ${count}`,
    only: 'ours' as const,
    gas: async (market: Market) => (await attach(market, count)).gas,
  },
  {
    name: `settle, TEE, of a task with ${count} attached`,
    only: 'ours' as const,
    gas: async (market: Market) => settle(market, await attach(market, count)),
  },
])

/** Matches a deal without dataset and attaches that many to its first task. */
async function attach(market: Market, count: number): Promise<{ dealId: Hex; taskId: Hex; gas: bigint }> {
  const owners = Array.from({ length: count }, (_, index) => new Wallet(id(`the key of data owner ${index}`)))
  await depositFor(
    market,
    owners.map(({ address }) => address),
  )
  const orders = []
  for (const owner of owners) orders.push(await offer(market, owner))
  const { dealId, taskId } = await matchDeal(market, 'bulk', { tee: true })
  const args = [dealId, 0n, orders, prices.dataset * BigInt(count)]
  return { dealId, taskId, gas: await market.gasOf(market.accounts.requester, 'attachDatasets', args) }
}

/** A new dataset of that owner, with an order for it. */
async function offer(market: Market, owner: Wallet): Promise<Order.Signed<'dataset'>> {
  const { address } = await createAsset(market, 'dataset', owner.address, 'one of many')
  const order = Order.create('dataset', {
    dataset: address as Address,
    datasetprice: prices.dataset,
    tag: Tag.encode(['tee']),
    salt: id(`dataset order of ${owner.address}`) as Hex,
  })
  return Order.tuple('dataset', await Order.sign('dataset', order, owner, market.domain))
}
