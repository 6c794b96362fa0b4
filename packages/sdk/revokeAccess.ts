import { type Hex, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { closeOrder } from './closeOrder.ts'
import { AccessNotActiveError } from './errors.ts'
import { findOrder } from './findOrders.ts'

/** The grant itself (also one kept aside), or the hash of a published one. */
export type RevokeAccessParameters = { order: Order.Signed<'dataset'> } | { orderHash: Hex }

/**
 * Revokes a grant on chain: from the next block on nobody can use it, not even with a copy of the signed order. Tasks
 * of deals made before go on.
 *
 * @throws AccessNotActiveError when nothing is left of it; ContractRevertError when the account is not the owner.
 */
export async function revokeAccess(
  client: Client,
  grant: RevokeAccessParameters,
): Promise<{ orderHash: Hex; transactionHash: Hex }> {
  const order = 'order' in grant ? grant.order : (await findOrder(client, { kind: 'dataset', ...grant })).order
  const orderHash = Order.hash('dataset', order, client.domain)
  if ((await client.contracts.hub.viewConsumed(orderHash)) >= order.volume)
    throw new AccessNotActiveError({ orderHash })
  return closeOrder(client, { kind: 'dataset', order })
}
