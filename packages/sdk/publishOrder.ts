import { type Hex, InvalidValueError, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { callJson } from './http.ts'
import { login } from './login.ts'

export type PublishOrderParameters<kind extends Order.Kind> = {
  kind: kind
  /** What the order says; what is left out has a default. A signed order is published as it is. */
  order: Order.Input<kind> | Order.Signed<kind>
}

/**
 * Signs an order and publishes it in the market's book.
 *
 * @example
 * await publishOrder(client, { kind: 'app', order: { app, appprice: 5n, volume: 1000n } })
 */
export async function publishOrder<kind extends Order.Kind>(
  client: Client,
  { kind, order }: PublishOrderParameters<kind>,
): Promise<{ order: Order.Signed<kind>; orderHash: Hex }> {
  const signed = isSigned(order) ? order : await signOrder(client, { kind, order })
  const answer = await callJson(client, {
    service: 'market',
    path: `/${kind}orders`,
    method: 'POST',
    query: { chainId: client.chainId },
    headers: { 'content-type': 'application/json', ...(await login(client)) },
    body: JSON.stringify({ order: Order.toJson(kind, signed) }),
  })
  const orderHash = Order.hash(kind, signed, client.domain)
  const published = (answer.published ?? {}) as { orderHash?: unknown }
  if (published.orderHash !== orderHash) {
    throw new InvalidValueError({ path: 'market.orderHash', expected: orderHash, value: published.orderHash })
  }
  return { order: signed, orderHash }
}

/** A complete, signed order, published nowhere. */
export async function signOrder<kind extends Order.Kind>(
  client: Client,
  { kind, order }: { kind: kind; order: Order.Input<kind> },
): Promise<Order.Signed<kind>> {
  return Order.sign(kind, Order.create(kind, order), client.signer, client.domain)
}

/** Takes an order off the book. Whoever kept a copy can still match it: `closeOrder` ends it for everybody. */
export async function unpublishOrder(client: Client, { kind, orderHash }: { kind: Order.Kind; orderHash: Hex }) {
  await callJson(client, {
    service: 'market',
    path: `/${kind}orders`,
    method: 'PUT',
    query: { chainId: client.chainId },
    headers: { 'content-type': 'application/json', ...(await login(client)) },
    body: JSON.stringify({ target: 'unpublish_orderHash', orderHash }),
  })
}

function isSigned<kind extends Order.Kind>(order: Order.Input<kind> | Order.Signed<kind>): order is Order.Signed<kind> {
  return 'sign' in order && typeof order.sign === 'string' && order.sign !== '0x'
}
