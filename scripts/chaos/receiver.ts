// What receivers of webhooks come to know, over real HTTP.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Address, Hex } from '@sealdeal/protocol'
import type { Random } from './random.ts'

type Delivery = {
  id: string
  type: string
  transactionHash?: Hex
  block?: { hash: Hex }
  data?: { taskId?: Hex; dealId?: Hex; orderHash?: Hex }
  undoes?: { id: string }
}

/** How an event is known, to whoever reads the chain and to whoever is told. */
export function nameEvent({ type, block, transactionHash, data }: Delivery): string {
  return [type, data?.taskId ?? data?.orderHash, transactionHash, block?.hash].join(' ')
}

/** The account of one subscription: each id counts once, what was taken back is gone. */
type Account = { known: Set<string>; standing: Map<string, Delivery> }

/** Answers with a failure now and then: what failed must come again. */
export async function startReceiver(random: Random) {
  const accounts = new Map<string, Account>()
  const seen = { requests: 0, repeated: 0, failed: 0, undone: 0 }

  function take(path: string, delivery: Delivery): void {
    const account = accounts.get(path) ?? { known: new Set(), standing: new Map() }
    accounts.set(path, account)
    if (account.known.has(delivery.id)) {
      seen.repeated++
      return
    }
    account.known.add(delivery.id)
    if (delivery.type === 'undone') seen.undone += account.standing.delete(delivery.undoes?.id ?? '') ? 1 : 0
    else if (delivery.type !== 'subscription.created') account.standing.set(delivery.id, delivery)
  }
  const server = createServer(async (request, response) => {
    try {
      request.setEncoding('utf8')
      let body = ''
      for await (const chunk of request) body += chunk
      seen.requests++
      const fails = random.chance(0.05)
      if (fails) seen.failed++
      else take(request.url ?? '', JSON.parse(body) as Delivery)
      response.writeHead(fails ? 503 : 204, { connection: 'close' }).end()
    } catch {
      // The sender was killed in the middle of it.
    }
  })
  server.on('clientError', (_, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    seen,
    urlOf: (requester: Address) => `http://127.0.0.1:${port}/${requester}`,
    /** What a requester has been told and was not taken back. */
    standing: (requester: Address) => [...(accounts.get(`/${requester}`)?.standing.values() ?? [])],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>
