import { type Address, connectGroup, type Hex, Match, Order, zeroAddress } from '@sealdeal/protocol'
import { zeroPadValue } from 'ethers'
import type { Client } from './client.ts'

const groupMemberPurpose = 4n

/** What the chain says now about four orders. */
export async function readMatchState(client: Client, orders: Match.Orders): Promise<Match.State> {
  const [categoryCount, isMember, ...facts] = await Promise.all([
    client.contracts.hub.countCategory(),
    readMembership(client, Match.groupQuestions(orders)),
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

/** Asks each group once whether it admits the candidate; whoever cannot answer refuses. */
export async function readMembership(
  { provider }: Client,
  questions: { group: Address; candidate: Address }[],
): Promise<(group: Address, candidate: Address) => boolean> {
  const keyOf = (group: Address, candidate: Address) => `${group}${candidate}`.toLowerCase()
  const unique = new Map(questions.map((question) => [keyOf(question.group, question.candidate), question]))
  const answers = await Promise.all(
    [...unique].map(async ([key, { group, candidate }]) => {
      const asked = connectGroup(group, provider).keyHasPurpose(zeroPadValue(candidate, 32), groupMemberPurpose)
      return [key, await asked.catch(() => false)] as const
    }),
  )
  const members = new Map(answers)
  return (group, candidate) => members.get(keyOf(group, candidate)) === true
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
