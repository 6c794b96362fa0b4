import { type Market, RLC } from '../market.ts'
import { signOrders } from '../orders.ts'
import { reasons, type Scenario } from './scenario.ts'

/** The chapter of deals: four orders become one. */
export const deals: Scenario[] = [
  {
    name: 'matchOrders, app only',
    expected: 603_280,
    target: 228_000,
    gas: async (market) => match(market, await signOrders(market, 'app only')),
  },
  {
    name: 'matchOrders, app + dataset',
    expected: 723_995,
    target: 275_000,
    gas: async (market) => match(market, await signOrders(market, 'with dataset', { dataset: true })),
  },
  {
    name: 'matchOrders, app + dataset, 500-byte params',
    expected: 1_108_463,
    target: 385_000,
    gas: async (market) =>
      match(market, await signOrders(market, 'params', { dataset: true, params: 'p'.repeat(500) })),
  },
  {
    name: 'matchOrders, app + dataset, orders used before',
    expected: 672_707,
    target: 222_000,
    gas: async (market) => {
      // What is offered serves many deals; the request is new.
      const offered = { name: 'offered', volume: 10n }
      const names = { app: offered, dataset: offered, workerpool: offered }
      await match(market, await signOrders(market, 'first use', { dataset: true }, names))
      return match(market, await signOrders(market, 'second use', { dataset: true }, names))
    },
  },
  {
    name: 'sponsorMatchOrders, app + dataset',
    expected: 725_265,
    gas: async (market) => {
      const orders = await signOrders(market, 'sponsored', { dataset: true })
      return market.gasOf(market.accounts.sponsor, 'sponsorMatchOrders', orders)
    },
  },
  {
    name: 'deposit and match through the token, app + dataset',
    expected: 777_487,
    because: 'it deposits only, so this is two transactions; 6.2 does both in one',
    target: 330_000,
    gas: async (market) => {
      const orders = await signOrders(market, 'through the token', { dataset: true })
      const call = market.hub.interface.encodeFunctionData('matchOrders', orders)
      if (market.side === 'ours') return approveAndCall(market, call)
      return (await approveAndCall(market, '0x')) + (await match(market, orders))
    },
  },
  {
    name: 'sign an app order on chain',
    expected: 82_487,
    because: reasons.olderCode,
    target: 60_000,
    gas: async (market) => manage(market, 'signed on chain', 0),
  },
  {
    name: 'close an app order',
    expected: 84_297,
    because: reasons.olderCode,
    gas: async (market) => manage(market, 'closed', 1),
  },
]

async function match(market: Market, orders: readonly unknown[]): Promise<bigint> {
  return market.gasOf(market.accounts.anyone, 'matchOrders', orders)
}

async function manage(market: Market, name: string, operation: number): Promise<bigint> {
  const [order] = await signOrders(market, name)
  return market.gasOf(market.accounts.appOwner, 'manageAppOrder', [{ order, operation, sign: '0x' }])
}

/** The requester pays into the Hub through its token. */
async function approveAndCall({ chain, hub, token, accounts }: Market, data: string): Promise<bigint> {
  const { requester, tokenDeployer } = accounts
  await chain.send(tokenDeployer, token, 'transfer', [requester.address, 2n * RLC])
  return (await chain.send(requester, token, 'approveAndCall', [hub.target, RLC, data])).gasUsed
}
