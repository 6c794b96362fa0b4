import { solidityPackedKeccak256 } from 'ethers'
import type { Address, Hex } from './hex.ts'
import * as Task from './Task.ts'

/** Asset of a deal: what, whose at the time of the match, at what price per task. */
export type Resource = { pointer: Address; owner: Address; price: bigint }

/** What the Hub records of a match (`viewDeal`). Later transfers and policy changes do not touch it. */
export type Deal = {
  app: Resource
  dataset: Resource
  workerpool: Resource
  trust: bigint
  category: bigint
  tag: Hex
  requester: Address
  beneficiary: Address
  callback: Address
  params: string
  /** Unix seconds. */
  startTime: bigint
  /** Index of the first task. */
  botFirst: bigint
  /** Number of tasks. */
  botSize: bigint
  workerStake: bigint
  schedulerRewardRatio: bigint
  sponsor: Address
}

/** Deadlines, in category clocks after the start of the deal. */
export const contributionRatio = 7n
export const finalRatio = 10n

/** Identity of a deal: its request order, and how much of that order earlier deals had consumed. */
export function id(requestHash: Hex, consumed: bigint): Hex {
  return solidityPackedKeccak256(['bytes32', 'uint256'], [requestHash, consumed]) as Hex
}

/** Indexes and ids of the deal's tasks. */
export function tasks(dealId: Hex, deal: Pick<Deal, 'botFirst' | 'botSize'>): { index: bigint; taskId: Hex }[] {
  return Array.from({ length: Number(deal.botSize) }, (_, offset) => {
    const index = deal.botFirst + BigInt(offset)
    return { index, taskId: Task.id(dealId, index) }
  })
}

/** What the payer spends per task. */
export function price(deal: Pick<Deal, 'app' | 'dataset' | 'workerpool'>): bigint {
  return deal.app.price + deal.dataset.price + deal.workerpool.price
}

/** When the deal's tasks must be contributed and, at the latest, be finished (unix seconds). */
export function deadlines(deal: Pick<Deal, 'startTime'>, workClock: bigint): { contribution: bigint; final: bigint } {
  return {
    contribution: deal.startTime + contributionRatio * workClock,
    final: deal.startTime + finalRatio * workClock,
  }
}

/** The same members with plain strings, as contract libraries type them. */
type Plain<type> = type extends Hex
  ? string
  : type extends object
    ? { [member in keyof type]: Plain<type[member]> }
    : type

/** Reads `viewDeal`'s answer, which ethers gives as a frozen array with names. */
export function fromChain(plain: Plain<Deal>): Deal {
  const view = plain as Deal
  const resource = ({ pointer, owner, price }: Resource): Resource => ({ pointer, owner, price })
  return {
    app: resource(view.app),
    dataset: resource(view.dataset),
    workerpool: resource(view.workerpool),
    trust: view.trust,
    category: view.category,
    tag: view.tag,
    requester: view.requester,
    beneficiary: view.beneficiary,
    callback: view.callback,
    params: view.params,
    startTime: view.startTime,
    botFirst: view.botFirst,
    botSize: view.botSize,
    workerStake: view.workerStake,
    schedulerRewardRatio: view.schedulerRewardRatio,
    sponsor: view.sponsor,
  }
}
