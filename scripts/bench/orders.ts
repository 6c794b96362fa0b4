import { type Address, Deal, type Hex, Order, Tag, Task, zeroAddress } from '@sealdeal/protocol'
import { id } from 'ethers'
import type { Market } from './market.ts'

/** Prices per task, in units of the token. */
export const prices = { app: 1_000n, dataset: 1_000_000n, workerpool: 1_000_000_000n }

/** What a scenario wants of its orders; without a wish: one task without protected data and without an enclave. */
export type Wishes = {
  dataset?: boolean
  tee?: boolean
  volume?: bigint
  trust?: bigint
  params?: string
  callback?: Address
}

export type Quadruple = ReturnType<typeof Order.quadruple>

/**
 * Four orders that match, signed. Their salts follow from `name`, or from `names` of single orders, so that every run makes
 * the same signatures.
 */
export async function signOrders(
  market: Market,
  name: string,
  { dataset = false, tee = false, volume = 1n, trust = 1n, params = '', callback = zeroAddress }: Wishes = {},
  names: Partial<Record<Order.Kind, { name: string; volume: bigint }>> = {},
): Promise<Quadruple> {
  const { domain, app, workerpool } = market
  const { appOwner, datasetOwner, scheduler, requester } = market.accounts
  const common = (kind: Order.Kind) => ({
    volume: names[kind]?.volume ?? volume,
    tag: tee ? Tag.encode(['tee']) : Tag.none,
    salt: id(`${names[kind]?.name ?? name}, ${kind} order`) as Hex,
  })
  const pool = { ...common('workerpool'), workerpool, workerpoolprice: prices.workerpool, trust }
  const request = {
    ...common('request'),
    app,
    appmaxprice: prices.app,
    dataset: dataset ? market.dataset : zeroAddress,
    datasetmaxprice: dataset ? prices.dataset : 0n,
    workerpoolmaxprice: prices.workerpool,
    requester: requester.address as Address,
    beneficiary: zeroAddress,
    trust,
    params,
    callback,
  }
  const data = { ...common('dataset'), dataset: market.dataset, datasetprice: prices.dataset }
  return Order.quadruple({
    app: await Order.sign(
      'app',
      Order.create('app', { ...common('app'), app, appprice: prices.app }),
      appOwner,
      domain,
    ),
    dataset: dataset ? await Order.sign('dataset', Order.create('dataset', data), datasetOwner, domain) : undefined,
    workerpool: await Order.sign('workerpool', Order.create('workerpool', pool), scheduler, domain),
    request: await Order.sign('request', Order.create('request', request), requester, domain),
  })
}

/** The deal that a fresh request order becomes. */
export function dealOf({ domain }: Market, [, , , request]: Quadruple): Hex {
  return Deal.id(Order.hash('request', request, domain), 0n)
}

/** Matches orders of a scenario; its first task is at index 0. */
export async function matchDeal(market: Market, name: string, wishes: Wishes = {}) {
  const orders = await signOrders(market, name, wishes)
  const gas = await market.gasOf(market.accounts.anyone, 'matchOrders', orders)
  const dealId = dealOf(market, orders)
  return { orders, gas, dealId, taskId: Task.id(dealId, 0n) }
}
