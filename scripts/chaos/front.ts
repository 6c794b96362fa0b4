import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What clients of a service connect to, whoever answers behind it: the load balancer of an operator, as small as can be. */
export type Front = { port: number; close: () => Promise<void> }

/**
 * Passes connections on to the ports in turn, and to the next one where nobody listens. A connection whose server dies
 * breaks: that is the client's to notice.
 *
 * @param ports - Asked for each connection: a server may come back on another port.
 */
export async function openFront(ports: () => readonly number[]): Promise<Front> {
  let turn = 0
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    track(client)
    client.pause()
    const choice = ports()
    const first = turn++
    reach(
      client,
      choice.map((_, index) => choice[(first + index) % choice.length] as number),
    )
  })

  function track(socket: Socket): void {
    socket.setNoDelay(true)
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  }
  function reach(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined) return void client.destroy()
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    track(upstream)
    upstream.once('connect', () => {
      upstream.off('error', next)
      join(client, upstream)
    })
    upstream.once('error', next)
    function next(): void {
      reach(client, others)
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return {
    port: address.port,
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to)
    from.on('close', () => to.destroy())
  }
}
