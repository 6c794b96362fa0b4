import { type Address, type Hex, InvalidValueError, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { allGrants } from './getGrantedAccess.ts'
import { send } from './send.ts'

export type RevokeAllAccessParameters = {
  protectedData: Address
  /** Only grants for this app, or for this group of apps. */
  authorizedApp?: Address
  /** Only grants that name this user. */
  authorizedUser?: Address
  /** Grants that are on no market: signed once, and kept. */
  orders?: readonly Order.Signed<'dataset'>[]
}

/** What became of one grant. */
export type RevokedAccess = { orderHash: Hex; authorizedApp: Address; authorizedUser: Address } & (
  | { revoked: true; transactionHash: Hex }
  | { revoked: false; reason: string }
)

/** So many are revoked in one transaction: each takes about 60,000 gas. */
const MOST_AT_ONCE = 100

/**
 * Revokes all open grants of protected data in one transaction (for each hundred), and reports on each. Nobody can use them
 * from the next block on, not even with a copy. The market knows those that were published; name others in `orders`.
 *
 * @throws ContractRevertError when the account is not the owner: then nothing is revoked.
 */
export async function revokeAllAccess(
  client: Client,
  { protectedData, authorizedApp, authorizedUser, orders = [] }: RevokeAllAccessParameters,
): Promise<RevokedAccess[]> {
  const grants = new Map<Hex, Order.Signed<'dataset'>>()
  const named = authorizedUser === undefined ? {} : { authorizedUser, isUserStrict: true }
  for await (const { order, orderHash } of allGrants(client, {
    protectedData,
    ...(authorizedApp ? { authorizedApp } : {}),
    ...named,
  })) {
    grants.set(orderHash, order)
  }
  for (const order of orders) {
    if (order.dataset !== protectedData) {
      throw new InvalidValueError({ path: 'orders.dataset', expected: protectedData, value: order.dataset })
    }
    grants.set(Order.hash('dataset', order, client.domain), order)
  }
  const report: RevokedAccess[] = []
  for (const some of chunks([...grants], MOST_AT_ONCE)) report.push(...(await revokeSome(client, some)))
  return report
}

type Grant = [hash: Hex, order: Order.Signed<'dataset'>]

async function revokeSome(client: Client, grants: readonly Grant[]): Promise<RevokedAccess[]> {
  const { hub } = client.contracts
  const consumed = await Promise.all(grants.map(([hash]) => hub.viewConsumed(hash)))
  const open = grants.filter(([, { volume }], index) => (consumed[index] ?? 0n) < volume)
  const calls = open.map(([, order]) => {
    const operation = { order: Order.tuple('dataset', order), operation: Order.operations.close, sign: '0x' }
    return hub.interface.encodeFunctionData('manageDatasetOrder', [operation])
  })
  const receipt = calls.length === 0 ? undefined : await send(client, hub.multicall(calls))
  return grants.map(([orderHash, order]) => {
    const about = { orderHash, authorizedApp: order.apprestrict, authorizedUser: order.requesterrestrict }
    if (receipt && open.some(([hash]) => hash === orderHash)) {
      return { ...about, revoked: true, transactionHash: receipt.hash as Hex }
    }
    return { ...about, revoked: false, reason: 'nothing is left of it' }
  })
}

function chunks<Item>(items: readonly Item[], most: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, index) =>
    items.slice(index * most, (index + 1) * most),
  )
}
