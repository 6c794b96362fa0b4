import type { Hex, Order } from '@sealdeal/protocol'
import type { Transaction } from '@sealdeal/server'

/** The channel of the database on which replicas tell one another what changed. */
export const channel = 'market'

/** What happened, in the words of published clients, and to which order or deal. */
export type News = {
  event: `${Order.Kind}order_${'published' | 'unpublished' | 'updated'}` | 'deal_created' | 'deal_removed'
  id: Hex
}

/** Tells all replicas, when and only when the transaction commits. */
export async function announce(transaction: Transaction, news: readonly News[]): Promise<void> {
  if (news.length === 0) return
  const payloads = news.map(payloadOf)
  await transaction.query('select pg_notify($1, payload) from unnest($2::text[]) payload', [channel, payloads])
}

/** What goes over the channel. */
export function payloadOf({ event, id }: News): string {
  return `${event} ${id}`
}

/** What a payload says; nothing when the connection is new and something may have been missed. */
export function heard(payload: string): News | undefined {
  const [event, id] = payload.split(' ')
  return event && id ? ({ event, id } as News) : undefined
}
