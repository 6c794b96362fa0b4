import { type Address, type Hex, Match, Order, readMembership, zeroAddress } from '@sealdeal/protocol'
import type { Client } from './client.ts'

/** What the chain says now about four orders. */
export async function readMatchState(client: Client, orders: Match.Orders): Promise<Match.State> {
  const [categoryCount, isMember, ...facts] = await Promise.all([
    client.contracts.hub.countCategory(),
    readMembership(client.provider, Match.groupQuestions(orders)),
    ...Match.present(orders).map((present) => readFacts(client, present)),
  ])
  return {
    categoryCount,
    isMember,
    registered: Object.assign({}, ...facts.map(({ registered }) => registered)),
    authentic: Object.assign({}, ...facts.map(({ authentic }) => authentic)),
    consumed: Object.assign({}, ...facts.map(({ consumed }) => consumed)),
  }
}

/** What the chain says now about one order. */
export async function readFacts({ contracts, domain }: Client, present: Match.Present) {
  const [kind, order] = present
  const orderHash = hashOf(present, domain)
  const owner = await ownerOf(contracts, present)
  const isRegistered = owner !== zeroAddress
  const [isAuthentic, used] = await Promise.all([
    isRegistered && contracts.hub.verifyPresignatureOrSignature(owner, orderHash, order.sign),
    contracts.hub.viewConsumed(orderHash),
  ])
  return {
    owner: owner as Address,
    registered: kind === 'request' ? {} : { [kind]: isRegistered },
    authentic: { [kind]: isAuthentic },
    consumed: { [kind]: used },
  } satisfies Match.State & { owner: Address }
}

async function ownerOf(contracts: Client['contracts'], [kind, order]: Match.Present): Promise<string> {
  if (kind === 'app') return contracts.appRegistry.registrantOf(order.app)
  if (kind === 'dataset') return contracts.datasetRegistry.registrantOf(order.dataset)
  if (kind === 'workerpool') return contracts.workerpoolRegistry.registrantOf(order.workerpool)
  return order.requester
}

/** A pair of a kind and its order, taken apart so that the two keep belonging together. */
export function hashOf([kind, order]: Match.Present, domain: Order.Domain): Hex {
  if (kind === 'app') return Order.hash(kind, order, domain)
  if (kind === 'dataset') return Order.hash(kind, order, domain)
  return kind === 'workerpool' ? Order.hash(kind, order, domain) : Order.hash(kind, order, domain)
}
