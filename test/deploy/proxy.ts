// Stands between a deployment and its node, and ends one of them at a chosen transaction.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Proxy = { url: string; transactions: () => number; stop: () => Promise<void> }

/**
 * Passes on every question. At the transaction with the given number, before the node has it or after, it calls `strike`
 * and answers nothing from then on.
 */
export async function startProxy({
  target,
  strikeAt,
  moment,
  strike = () => {},
}: {
  target: string
  strikeAt: number
  moment: 'before' | 'after'
  strike?: () => void
}): Promise<Proxy> {
  let seen = 0
  let isOver = false
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    if (isOver) return response.destroy()
    if (body.includes('"eth_sendRawTransaction"')) seen++
    isOver = seen === strikeAt
    const answer = isOver && moment === 'before' ? undefined : await ask(target, body)
    if (!isOver) return response.setHeader('content-type', 'application/json').end(answer)
    strike()
    response.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    transactions: () => seen,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function ask(target: string, body: string): Promise<string> {
  const response = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return response.text()
}
