import { type Address, BaseError, type Hex, Order } from '@sealdeal/protocol'
import { TypedDataEncoder, type Wallet } from 'ethers'
import { z } from 'zod'

/** The market refuses the pool's order, or does not answer. */
export class MarketCallError extends BaseError {
  override name = 'MarketCallError'
  constructor({ call, reason, cause }: { call: string; reason: string; cause?: unknown }) {
    super(`The market did not take ${call}: ${reason}`, {
      cause,
      metaMessages: ['Is MARKET_URL right? Does the pool’s owner hold enough stake for the order?'],
      docsPath: '/workerpool#order',
    })
  }
}

const Challenge = z.object({
  data: z.object({
    types: z.record(z.string(), z.array(z.object({ name: z.string(), type: z.string() }))),
    domain: z.record(z.string(), z.union([z.string(), z.number()])),
    message: z.record(z.string(), z.string()),
  }),
})
const Listed = z.object({ status: z.string(), remaining: z.union([z.number(), z.string()]).transform(BigInt) })
const Compass = z.object({ apiUrl: z.string() })
const Published = z.object({ published: z.object({ orderHash: z.string() }) })
const Refusal = z.object({ error: z.string() })

export type Market = {
  /** The order as the market lists it; undefined when it does not know it (any more). */
  find(orderHash: Hex): Promise<{ status: string; remaining: bigint } | undefined>
  publish(order: Order.Signed<'workerpool'>): Promise<Hex>
  unpublish(orderHash: Hex): Promise<void>
  /** Says where the pool's API is, unless that is known already. */
  announce(workerpool: Address, apiUrl: string): Promise<void>
}

/** The little of the market's interface that a pool needs. Methods throw {MarketCallError}. */
export function connectMarket({ url, wallet, chainId }: { url: string; wallet: Wallet; chainId: bigint }): Market {
  async function call({
    method = 'GET',
    path,
    query,
    body,
    authorization,
  }: {
    method?: string
    path: string
    query: Record<string, string>
    body?: unknown
    authorization?: string
  }): Promise<{ status: number; answer: unknown }> {
    const target = new URL(path, url)
    target.search = new URLSearchParams(query).toString()
    try {
      const response = await fetch(target, {
        method,
        headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      })
      return { status: response.status, answer: await response.json() }
    } catch (cause) {
      throw new MarketCallError({ call: `${method} ${path}`, reason: 'it does not answer.', cause })
    }
  }
  function expect<Schema extends z.ZodType>(
    schema: Schema,
    { status, answer }: { status: number; answer: unknown },
    name: string,
  ): z.output<Schema> {
    const parsed = schema.safeParse(answer)
    if (status < 300 && parsed.success) return parsed.data
    const refusal = Refusal.safeParse(answer)
    throw new MarketCallError({ call: name, reason: refusal.success ? refusal.data.error : `status ${status}` })
  }

  const chain = { chainId: String(chainId) }
  const path = '/workerpoolorders'

  async function login(): Promise<string> {
    const address = wallet.address as Address
    const answer = await call({ path: '/challenge', query: { ...chain, address } })
    const { types, domain, message } = expect(Challenge, answer, 'the login').data
    const { EIP712Domain: _, ...own } = types
    const hash = TypedDataEncoder.hash(domain, own, message)
    return `${hash}_${await wallet.signTypedData(domain, own, message)}_${address}`
  }

  return {
    async find(orderHash) {
      const answer = await call({ path: `${path}/${orderHash}`, query: chain })
      return answer.status === 404 ? undefined : expect(Listed, answer, `the look at order ${orderHash}`)
    },
    async publish(order) {
      const authorization = await login()
      const body = { order: Order.toJson('workerpool', order) }
      const answer = await call({ method: 'POST', path, query: chain, body, authorization })
      return expect(Published, answer, 'the pool’s order').published.orderHash as Hex
    },
    async unpublish(orderHash) {
      const authorization = await login()
      const body = { target: 'unpublish_orderHash', orderHash }
      const answer = await call({ method: 'PUT', path, query: chain, body, authorization })
      expect(z.unknown(), answer, `the end of order ${orderHash}`)
    },
    async announce(workerpool, apiUrl) {
      const place = `/${chainId}/workerpools/${workerpool}`
      const known = await call({ path: place, query: {} })
      if (known.status !== 404 && expect(Compass, known, 'the look at the pool’s URL').apiUrl === apiUrl) return
      const authorization = await login()
      const answer = await call({ method: 'PUT', path: place, query: {}, body: { apiUrl }, authorization })
      expect(Compass, answer, 'the pool’s URL')
    },
  }
}
