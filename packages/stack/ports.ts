import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { BaseError } from '@sealdeal/protocol'

/** No port could be found. */
export class NoFreePortError extends BaseError {
  override name = 'NoFreePortError'
  constructor({ tried }: { tried: number }) {
    super(`None of ${tried} ports tried on 127.0.0.1 is free.`, { docsPath: '/operate#stack' })
  }
}

/** Above the ports of well-known services, below those that most systems hand out to outgoing connections. */
const FIRST = 10_240
const LAST = 32_767

/**
 * Ports that nobody listens on, and that the system gives to no outgoing connection: so they stay free until the program
 * that is started next listens there, and while a program that was killed is started again.
 */
export async function choosePorts(count: number): Promise<number[]> {
  const given = outgoingPorts()
  const found = new Set<number>()
  const most = 200 + count
  for (let tried = 0; found.size < count; tried++) {
    if (tried === most) throw new NoFreePortError({ tried })
    const port = randomInt(FIRST, LAST + 1)
    if ((port < given.first || port > given.last) && (await isFree(port))) found.add(port)
  }
  return [...found]
}

/** Linux says which ports it hands out; elsewhere they begin at 49152. */
function outgoingPorts(): { first: number; last: number } {
  try {
    const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .split(/\s+/)
      .map(Number)
    // A system that hands out nearly all of them leaves no choice.
    if (first > FIRST + 1_000 || last < LAST - 1_000) return { first, last }
  } catch {
    // Not Linux.
  }
  return { first: 49_152, last: 65_535 }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    const listening = once(server, 'listening')
    server.listen(port, '127.0.0.1')
    await listening
    return true
  } catch {
    return false
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}
