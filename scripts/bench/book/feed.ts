import { get } from 'node:http'
import { type Hex, Order } from '@sealdeal/protocol'
import { percentile } from './client.ts'
import type { Prepared } from './publishing.ts'
import type { Scene } from './scene.ts'

/**
 * Closes orders on chain and waits until the feed says that they left the book. Counted from the moment before the
 * transaction is sent: the block is made in between.
 */
export async function measureFeed({ url, contracts, provider }: Scene, orders: Prepared[], count: number) {
  const told = new Map<string, () => void>()
  const stream = await listen(`${url}/events?topic=orders`, (hash) => told.get(hash)?.())
  const durations: number[] = []
  const closable = orders.filter((each) => each.kind === 'app').slice(-count)
  for (const { body, hash, wallet } of closable) {
    const heard = new Promise<void>((resolve) => told.set(hash, resolve))
    const order = Order.fromJson('app', body.order)
    const sending = contracts.hub.connect(wallet).manageAppOrder
    const transaction = await sending.populateTransaction({ order, operation: 1, sign: '0x' })
    const signed = await wallet.signTransaction(await wallet.populateTransaction(transaction))
    const began = performance.now()
    await provider.send('eth_sendRawTransaction', [signed])
    await heard
    durations.push(performance.now() - began)
  }
  stream.destroy()
  return { p50: percentile(durations, 0.5), p99: percentile(durations, 0.99), count: durations.length }
}

/** Reads server-sent events; resolves when the first bytes are here. */
function listen(url: string, unpublished: (hash: Hex) => void): Promise<{ destroy: () => void }> {
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', () => {})
      response.on('data', (chunk: string) => {
        resolve(request)
        const events = (text + chunk).split('\n\n')
        text = events.pop() ?? ''
        for (const event of events) {
          const [, hash] = event.match(/^event: apporder_unpublished\ndata: .*"orderHash":"(0x[0-9a-f]{64})"/) ?? []
          if (hash) unpublished(hash as Hex)
        }
      })
    })
    request.on('error', reject)
  })
}
