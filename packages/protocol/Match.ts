import { type Address, zeroAddress } from './hex.ts'
import type * as Order from './Order.ts'
import * as Tag from './Tag.ts'

/**
 * Twin of `Deals.sol`: the same rules in the same order. What the contract reads from the chain is passed in as
 * `State`, so that the same code serves who asks the chain once and who keeps a copy of it.
 */
export type Orders = {
  app: Order.Signed<'app'>
  /** Absent, or with a zero address: no dataset; nothing else of it is then looked at. */
  dataset?: Order.Signed<'dataset'> | undefined
  workerpool: Order.Signed<'workerpool'>
  request: Order.Signed<'request'>
}

/** What the chain knows. A rule about a fact that is left out is not judged, but for membership: then nobody is one. */
export type State = {
  /** How many categories exist. */
  categoryCount?: bigint
  /** Whether the ERC-734 contract `group` admits `candidate` (purpose 4). */
  isMember?(group: Address, candidate: Address): boolean
  /** Whether the asset is in its registry. */
  registered?: Partial<Record<Asset, boolean>>
  /** Whether the order is signed, or presigned, by the asset's current owner (a request: by the requester). */
  authentic?: Partial<Record<Order.Kind, boolean>>
  /** Volume used up by earlier deals; a closed order has used all. */
  consumed?: Partial<Record<Order.Kind, bigint>>
}

export type Asset = Exclude<Order.Kind, 'request'>

/** One broken rule. `name` is that of the Hub's error; `code` is the reference protocol's number for it. */
export type Mismatch = {
  code: string
  name: string
  values: Record<string, string | bigint>
  /** What is wrong, in words. */
  sentence: string
  /** What would put it right. */
  remedy: string
}

type Restriction = { code: string; by: Order.Kind; what: Order.Kind; restriction: Address; candidate: Address }

/** The rules that these orders break, in the order in which the Hub checks them: it reports the first. */
export function check(orders: Orders, state: State = {}): Mismatch[] {
  return [...checkTerms(orders, state), ...checkRestrictions(orders, state), ...checkFacts(orders, state)]
}

/** How many tasks a deal of these orders has: what is left of the one with the least left. */
export function volume(orders: Orders, consumed: State['consumed'] = {}): bigint {
  let least = orders.request.volume - (consumed.request ?? 0n)
  for (const [kind, order] of present(orders)) {
    const left = order.volume - (consumed[kind] ?? 0n)
    if (left < least) least = left
  }
  return least
}

/** What the payer spends per task. */
export function price({ app, dataset, workerpool }: Omit<Orders, 'request'>): bigint {
  return app.appprice + (hasDataset(dataset) ? dataset.datasetprice : 0n) + workerpool.workerpoolprice
}

/** Share of the workerpool price that the Hub locks of the pool owner's stake, in percent, rounded down per task. */
const poolStakePercentage = 30n

/** What the owner of a pool must have free to accept `volume` tasks at `price`. */
export function poolStake(price: bigint, volume: bigint): bigint {
  return ((price * poolStakePercentage) / 100n) * volume
}

/** Who pays or stakes, and what it has free in the escrow. */
export type Funds = { account: Address; free: bigint }

/** Whose funds do not suffice for `volume` tasks: the payer's, then those of the workerpool's owner, as the Hub locks them. */
export function checkFunds(orders: Orders, volume: bigint, funds: { payer: Funds; poolOwner: Funds }): Mismatch[] {
  if (volume <= 0n) return []
  const stake = poolStake(orders.workerpool.workerpoolprice, volume)
  const found = [
    insufficient('70', 'payer', funds.payer, price(orders) * volume),
    insufficient('71', 'owner of the workerpool', funds.poolOwner, stake),
  ]
  return found.filter((mismatch) => mismatch !== false)
}

function insufficient(code: string, role: string, { account, free }: Funds, needed: bigint): Mismatch | false {
  if (free >= needed) return false
  return {
    code,
    name: 'ERC20InsufficientBalance',
    values: { sender: account, balance: free, needed },
    sentence: `The ${role} ${account} has ${free} free in the escrow, but ${needed} is needed.`,
    remedy: `It must deposit ${needed - free} more.`,
  }
}

/** Whom these orders ask for admission: one question per restriction that is neither open nor met by itself. */
export function groupQuestions(orders: Orders): { group: Address; candidate: Address }[] {
  return restrictions(orders)
    .filter(({ restriction, candidate }) => !isOpen(restriction) && !isSame(restriction, candidate))
    .map(({ restriction, candidate }) => ({ group: restriction, candidate }))
}

/** One order and its kind. */
export type Present = { [kind in Order.Kind]: [kind, Order.Signed<kind>] }[Order.Kind]

/** The orders that take part, without the one of an unused dataset. */
export function present(orders: Orders): Present[] {
  const { app, dataset, workerpool, request } = orders
  return [
    ['app', app],
    ...(hasDataset(dataset) ? [['dataset', dataset] satisfies Present] : []),
    ['workerpool', workerpool],
    ['request', request],
  ]
}

export function hasDataset(dataset: Order.Signed<'dataset'> | undefined): dataset is Order.Signed<'dataset'> {
  return dataset !== undefined && !isOpen(dataset.dataset)
}

function checkTerms({ app, dataset, workerpool, request }: Orders, { categoryCount }: State): Mismatch[] {
  const used = hasDataset(dataset) ? dataset : undefined
  const tag = Tag.ofDeal({ app: app.tag, ...(used ? { dataset: used.tag } : {}), request: request.tag })
  const offered = used?.dataset ?? zeroAddress
  const found: (Mismatch | false)[] = [
    request.category !== workerpool.category && {
      code: '00',
      name: 'CategoryMismatch',
      values: { requested: request.category, offered: workerpool.category },
      sentence: `The request wants category ${request.category}, the workerpool offers ${workerpool.category}.`,
      remedy: 'Choose a workerpool order of the category, or ask for its category.',
    },
    categoryCount !== undefined &&
      request.category >= categoryCount && {
        code: '01',
        name: 'UnknownCategory',
        values: { category: request.category },
        sentence: `Category ${request.category} does not exist.`,
        remedy: `Choose one from 0 to ${categoryCount - 1n}.`,
      },
    request.trust > workerpool.trust && {
      code: '02',
      name: 'TrustTooHigh',
      values: { requested: request.trust, accepted: workerpool.trust },
      sentence: `The request wants trust ${request.trust}, the workerpool accepts at most ${workerpool.trust}.`,
      remedy: 'Ask for less trust (1 is right for enclaves), or choose another workerpool.',
    },
    overpriced('03', 'app', app.appprice, request.appmaxprice),
    used !== undefined && overpriced('04', 'dataset', used.datasetprice, request.datasetmaxprice),
    overpriced('05', 'workerpool', workerpool.workerpoolprice, request.workerpoolmaxprice),
    !Tag.covers(workerpool.tag, tag) && {
      code: '06',
      name: 'TagNotCovered',
      values: { tag, workerpoolTag: workerpool.tag },
      sentence: `The deal demands ${words(tag)}, the workerpool offers ${words(workerpool.tag)}.`,
      remedy: 'Choose a workerpool that offers all of it.',
    },
    Tag.isTee(tag) !== Tag.isTee(app.tag) && {
      code: '07',
      name: 'EnclaveMismatch',
      values: { tag, appTag: app.tag },
      sentence: `The deal demands ${words(tag)}, but the app order offers ${words(app.tag)}: no enclave.`,
      remedy: 'Use an app order with the TEE bit (bit 0) in its tag.',
    },
    !isSame(request.app, app.app) && {
      code: '10',
      name: 'AppMismatch',
      values: { requested: request.app, offered: app.app },
      sentence: `The request is for app ${request.app}, the app order for ${app.app}.`,
      remedy: 'Use an order of the requested app.',
    },
    !isSame(request.dataset, offered) && {
      code: '11',
      name: 'DatasetMismatch',
      values: { requested: request.dataset, offered },
      sentence: `The request is for ${datasetWords(request.dataset)}, the dataset order for ${datasetWords(offered)}.`,
      remedy: isOpen(request.dataset) ? 'Leave the dataset order out.' : 'Use an order of the requested dataset.',
    },
  ]
  return found.filter((mismatch) => mismatch !== false)
}

function overpriced(code: string, kind: Asset, price: bigint, maxPrice: bigint): Mismatch | false {
  if (price <= maxPrice) return false
  return {
    code,
    name: 'Overpriced',
    values: { kind, price, maxPrice },
    sentence: `The ${kind} costs ${price} per task, the request pays at most ${maxPrice}.`,
    remedy: `Raise the request's ${kind}maxprice to ${price}, or find a cheaper order.`,
  }
}

function checkRestrictions(orders: Orders, { isMember = () => false }: State): Mismatch[] {
  return restrictions(orders)
    .filter(({ restriction, candidate }) => !isOpen(restriction) && !isSame(restriction, candidate))
    .filter(({ restriction, candidate }) => !isMember(restriction, candidate))
    .map(({ code, by, what, restriction, candidate }) => ({
      code,
      name: 'Restricted',
      values: { by, what, restriction, candidate },
      sentence: `The ${by} order admits only ${restriction} as ${roleOf(what)}, not ${candidate}.`,
      remedy: `Use the ${roleOf(what)} it admits, or ask the signer of the ${by} order for an order that admits yours.`,
    }))
}

/** Every restriction of these orders, in the order in which the Hub checks them. */
export function restrictions({ app, dataset, workerpool, request }: Orders): Restriction[] {
  const candidates = {
    app: app.app,
    dataset: hasDataset(dataset) ? dataset.dataset : zeroAddress,
    workerpool: workerpool.workerpool,
    request: request.requester,
  }
  const of = (code: string, by: Order.Kind, what: Order.Kind, restriction: Address) => ({
    code,
    by,
    what,
    restriction,
    candidate: candidates[what],
  })
  return [
    of('12', 'request', 'workerpool', request.workerpool),
    of('13', 'app', 'dataset', app.datasetrestrict),
    of('14', 'app', 'workerpool', app.workerpoolrestrict),
    of('15', 'app', 'request', app.requesterrestrict),
    ...(hasDataset(dataset)
      ? [
          of('16', 'dataset', 'app', dataset.apprestrict),
          of('17', 'dataset', 'workerpool', dataset.workerpoolrestrict),
          of('18', 'dataset', 'request', dataset.requesterrestrict),
        ]
      : []),
    of('19', 'workerpool', 'app', workerpool.apprestrict),
    of('1a', 'workerpool', 'dataset', workerpool.datasetrestrict),
    of('1b', 'workerpool', 'request', workerpool.requesterrestrict),
  ]
}

/** Codes of an asset that is not registered, and of an order that is not signed by its owner. */
export const factCodes = {
  app: ['20', '21'],
  dataset: ['30', '31'],
  workerpool: ['40', '41'],
  request: ['', '50'],
} as const

function checkFacts(orders: Orders, { registered = {}, authentic = {}, consumed = {} }: State): Mismatch[] {
  const facts = present(orders).flatMap((present): (Mismatch | false)[] => {
    const [kind] = present
    const entry = signerOf(present)
    return [
      kind !== 'request' &&
        registered[kind] === false && {
          code: factCodes[kind][0],
          name: 'NotRegistered',
          values: { kind, entry },
          sentence: `${entry} is not a registered ${kind}.`,
          remedy: 'Check the address and the chain.',
        },
      authentic[kind] === false && {
        code: factCodes[kind][1],
        name: 'NotAuthentic',
        values: { kind, entry },
        sentence: `The ${kind} order is not signed by ${kind === 'request' ? 'the requester' : `the owner of ${entry}`}.`,
        remedy: 'Get an order signed by the present owner: a transfer ends the orders of the owner before.',
      },
    ]
  })
  const exhausted = present(orders).map(([kind, order]): Mismatch | false => {
    const left = order.volume - (consumed[kind] ?? 0n)
    return (
      left <= 0n && {
        code: '60',
        name: 'NothingLeft',
        values: { kind, volume: order.volume },
        sentence: `The ${kind} order is exhausted: all ${order.volume} of its tasks are used, or it was revoked.`,
        remedy: `Get a new ${kind} order.`,
      }
    )
  })
  return [...facts, ...exhausted].filter((mismatch) => mismatch !== false)
}

/** What the order speaks for: an asset, or the requester. */
function signerOf([kind, order]: Present): Address {
  if (kind === 'app') return order.app
  if (kind === 'dataset') return order.dataset
  return kind === 'workerpool' ? order.workerpool : order.requester
}

function isOpen(address: Address): boolean {
  return BigInt(address) === 0n
}

function isSame(a: Address, b: Address): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function roleOf(kind: Order.Kind): string {
  return kind === 'request' ? 'requester' : kind
}

function words(tag: `0x${string}`): string {
  return Tag.decode(tag).join(' + ') || 'nothing'
}

function datasetWords(dataset: Address): string {
  return isOpen(dataset) ? 'no dataset' : `dataset ${dataset}`
}
