import { type Address, type Explanation, type Hex, InvalidValueError, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { callJson } from './http.ts'

/** A request of the book by its hash, or what one would say; left out: your account, no dataset, any workerpool. */
export type ExplainParameters =
  | { requestorderHash: Hex }
  | ({ app: Address; requester?: Address } & Partial<
      Pick<
        Order.Request,
        | 'dataset'
        | 'workerpool'
        | 'category'
        | 'trust'
        | 'volume'
        | 'tag'
        | 'appmaxprice'
        | 'datasetmaxprice'
        | 'workerpoolmaxprice'
      >
    >)

/** A broken rule: which order breaks it, what was wanted and found, in a sentence, and what would put it right. */
export type Reason = Extract<Explanation.Answer, { holds: false }>

export type ExplainReturnType = {
  /** Whether it would run now. */
  runs: boolean
  /** Why not: empty when it runs. */
  reasons: Reason[]
  /** One answer per rule of matching, those that hold included. */
  answers: Explanation.Answer[]
  /** The orders that were looked at: the cheapest that match, or those that come nearest to it. */
  orders: Partial<Record<Order.Kind, Hex>>
  volume: bigint
  /** Of one task, in units of the token. */
  price: bigint
}

/**
 * Why can this not run? Asks the market, which looks for the orders that come nearest to a match. For orders that are at
 * hand, `explainMatch` asks the chain.
 *
 * @example
 * const { runs, reasons } = await explain(client, { app, dataset })
 * console.log(runs ? 'It runs.' : printReasons(reasons))
 */
export async function explain(client: Client, wanted: ExplainParameters): Promise<ExplainReturnType> {
  const named = 'requestorderHash' in wanted ? wanted : { requester: client.account, ...wanted }
  const query = { chainId: client.chainId, ...named }
  const answer = await callJson(client, { service: 'market', path: '/explain', query })
  const { answers, orders, runs, volume, price } = answer
  if (!Array.isArray(answers) || !answers.every(isAnswer)) {
    throw new InvalidValueError({ path: 'market.answers', expected: 'one answer per rule', value: answers })
  }
  return {
    runs: runs === true,
    reasons: answers.filter((each): each is Reason => !each.holds),
    answers,
    orders: (orders ?? {}) as ExplainReturnType['orders'],
    volume: BigInt(String(volume ?? 0)),
    price: BigInt(String(price ?? 0)),
  }
}

/** One line per broken rule: its name, the order, what is wrong and what to do. */
export function printReasons(reasons: readonly Reason[]): string {
  return reasons
    .map(({ rule, order, sentence, remedy }) => `${rule} (${order} order): ${sentence} ${remedy}`)
    .join('\n')
}

function isAnswer(value: unknown): value is Explanation.Answer {
  const { rule, order, holds, sentence, remedy } = (value ?? {}) as Record<keyof Reason, unknown>
  if (typeof rule !== 'string' || !Order.kinds.some((kind) => kind === order)) return false
  return holds === true || (holds === false && typeof sentence === 'string' && typeof remedy === 'string')
}
