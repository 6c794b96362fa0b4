import { type Hex, type Match, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { OrdersMismatchError } from './errors.ts'
import { explainMatch } from './explainMatch.ts'
import { events, send } from './send.ts'

export type MatchOrdersReturnType = { dealId: Hex; volume: bigint; transactionHash: Hex; gasUsed: bigint }

/**
 * Matches four orders into a deal. The requester pays; with `sponsor: true` the client's account does.
 *
 * @throws OrdersMismatchError, before anything is sent, with every rule that the orders break.
 *
 * @example
 * const { dealId } = await matchOrders(client, { app, dataset, workerpool, request })
 */
export async function matchOrders(
  client: Client,
  { sponsor = false, ...orders }: Match.Orders & { sponsor?: boolean },
): Promise<MatchOrdersReturnType> {
  const payer = sponsor ? client.account : orders.request.requester
  const mismatches = await explainMatch(client, orders, { payer })
  if (mismatches.length > 0) throw new OrdersMismatchError({ mismatches })
  const four = Order.quadruple(orders)
  const { hub } = client.contracts
  const receipt = await send(client, sponsor ? hub.sponsorMatchOrders(...four) : hub.matchOrders(...four))
  const matched = events(receipt).find((event) => event.name === 'OrdersMatched')
  return {
    dealId: matched?.args.dealid as Hex,
    volume: matched?.args.volume as bigint,
    transactionHash: receipt.hash as Hex,
    gasUsed: receipt.gasUsed,
  }
}
