import { type Address, type Hex, Order } from '@sealdeal/protocol'
import { TypedDataEncoder, type Wallet } from 'ethers'
import { inParallel, percentile } from './client.ts'
import type { Scene } from './scene.ts'

/** Publications under way at once. */
const AT_ONCE = 32

export type Prepared = { kind: Order.Kind; body: { order: Order.Json }; sign: Hex; hash: Hex; wallet: Wallet }

/** Signed orders of all four kinds, in turn, of all owners; the first are app orders, which requests need. */
export async function prepareOrders({ owners, domain }: Scene, count: number): Promise<Prepared[]> {
  const orders: Prepared[] = []
  async function add<kind extends Order.Kind>(kind: kind, wallet: Wallet, input: Order.Input<kind>): Promise<void> {
    const order = await Order.sign(kind, Order.create(kind, input), wallet, domain)
    const body = { order: Order.toJson(kind, order) }
    orders.push({ kind, body, sign: order.sign, hash: Order.hash(kind, order, domain), wallet })
  }
  for (const { wallet, app } of owners) await add('app', wallet, { app, volume: 1_000n })
  while (orders.length < count) {
    const owner = owners[orders.length % owners.length] as (typeof owners)[number]
    const { wallet, app, dataset, workerpool } = owner
    const turn = Math.floor(orders.length / owners.length) % 4
    const price = BigInt(orders.length)
    if (turn === 0) await add('app', wallet, { app, appprice: price, volume: 1_000n })
    if (turn === 1) await add('dataset', wallet, { dataset, datasetprice: price, volume: 1_000n })
    if (turn === 2) await add('workerpool', wallet, { workerpool, workerpoolprice: price, volume: 10n })
    if (turn === 3) {
      const requester = wallet.address as Address
      await add('request', wallet, { app, requester, appmaxprice: price, workerpoolmaxprice: price, volume: 3n })
    }
  }
  return orders
}

/**
 * Publications per second, the challenge of each included: time is taken while challenges are asked for and while orders
 * are published, not while this side signs in between.
 */
export async function measurePublishing({ client, owners }: Scene, orders: Prepared[]) {
  const first = owners.length
  await publishAll(orders.slice(0, first))
  return publishAll(orders.slice(first))

  async function publishAll(some: Prepared[]) {
    const asked = await timed(() =>
      inParallel(some, AT_ONCE, ({ wallet }) => client.get(`/challenge?chainId=31337&address=${wallet.address}`)),
    )
    const authorizations = await inParallel(some, 1, async ({ wallet }, index) => {
      const { types, domain, message } = asked.result[index]?.json?.data ?? {}
      const { EIP712Domain: _, ...signed } = types
      const signature = await wallet.signTypedData(domain, signed, message)
      return `${TypedDataEncoder.hash(domain, signed, message)}_${signature}_${wallet.address}`
    })
    const published = await timed(() =>
      inParallel(some, AT_ONCE, async ({ kind, body }, index) => {
        const answer = await client.post(`/${kind}orders?chainId=31337`, body, authorizations[index] ?? '')
        if (answer.status !== 200) throw new Error(`${kind}order ${index}: ${JSON.stringify(answer.json)}`)
        return answer.ms
      }),
    )
    return { rate: some.length / (asked.seconds + published.seconds), p99: percentile(published.result, 0.99) }
  }
}

export async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; seconds: number }> {
  const began = performance.now()
  const result = await work()
  return { result, seconds: (performance.now() - began) / 1_000 }
}
