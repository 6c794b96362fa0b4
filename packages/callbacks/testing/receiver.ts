// For tests only: a receiver that remembers everything, and answers as it is told to.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = {
  path: string
  header: string
  body: string
  /** The idempotency key beside the body. */
  key: string
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, looked at by the tests
  delivery: any
  /** What was answered. */
  status: number
}

/** A status, or nothing: the connection is cut without an answer. */
export type Answering = (received: Received) => number | undefined | Promise<number | undefined>

export async function startReceiver() {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  let answering: Answering = () => 204
  const server = createServer(async (request, response) => {
    request.setEncoding('utf8')
    let body = ''
    for await (const chunk of request) body += chunk
    const header = String(request.headers['sealdeal-signature'])
    const key = String(request.headers['idempotency-key'])
    const each = { path: request.url ?? '', header, body, key, delivery: JSON.parse(body), status: 0 }
    received.push(each)
    each.status = (await answering(each)) ?? 0
    if (each.status === 0) response.destroy()
    else response.writeHead(each.status, { connection: 'close' }).end()
    for (const wake of waiting) wake()
  })
  // A sender that is killed breaks its connections.
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    /** What arrived at a path and was taken, greetings aside. */
    taken: (path: string) =>
      received.filter(
        (each) => each.path === path && each.status === 204 && each.delivery.type !== 'subscription.created',
      ),
    answer(how: Answering) {
      answering = how
    },
    /** Resolves when it holds; looked at after each delivery. */
    async until(holds: () => boolean): Promise<void> {
      while (!holds()) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>

/** As docs/callbacks.md tells receivers to check. */
export function isGenuine({ header, body }: Pick<Received, 'header' | 'body'>, secret: string): boolean {
  const [, at = ''] = /^t=(\d+)/.exec(header) ?? []
  const wanted = createHmac('sha256', secret).update(`${at}.${body}`).digest()
  return [...header.matchAll(/v1=([0-9a-f]{64})/g)].some(([, proof = '']) =>
    timingSafeEqual(Buffer.from(proof, 'hex'), wanted),
  )
}
