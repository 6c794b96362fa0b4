import { type LookupAddress, lookup } from 'node:dns'
import { createWriteStream } from 'node:fs'
import { type ClientRequest, get as getPlain, type IncomingMessage, type RequestOptions } from 'node:http'
import { get as getSecure } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Why a download did not arrive. Never holds what the server said: that may be anything. */
export type DownloadTrouble = 'unreachable' | 'status' | 'too large' | 'too late' | 'forbidden'

export class DownloadError extends Error {
  override name = 'DownloadError'
  readonly trouble: DownloadTrouble
  constructor({ trouble, detail }: { trouble: DownloadTrouble; detail: string }) {
    super(detail)
    this.trouble = trouble
  }
}

/** Whom a download may ask. */
export type Reach = {
  /** Origin of the storage, which the worker's operator chose: it may be anywhere. */
  gateway: string
  /** Whether other servers may lie on this machine or its private networks: on a chain that is all on one machine. */
  isLocal: boolean
}

const maxRedirects = 5

/**
 * Streams the answer to a GET into a file, through `tap` piece by piece, and returns its size in bytes. Memory in use does
 * not depend on the size, and what was sent compressed stays so.
 *
 * Strangers write the URLs of apps, data sets and input files. None of them, nor any redirect, reaches the worker's own
 * machine and networks: an input file of `http://169.254.169.254/...` would be the operator's credentials in the
 * requester's result. The address that is checked is the one that is connected to.
 *
 * @param maxBytes more than this is refused, whether announced or not
 * @param maxSeconds for the whole download
 * @throws DownloadError
 */
export async function download({
  url,
  file,
  reach,
  maxBytes,
  maxSeconds,
  tap = () => {},
}: {
  url: string
  file: string
  reach: Reach
  maxBytes: number
  maxSeconds: number
  tap?: (chunk: Uint8Array) => void
}): Promise<number> {
  const signal = AbortSignal.timeout(maxSeconds * 1000)
  const tooLarge = () => new DownloadError({ trouble: 'too large', detail: `It is larger than ${maxBytes} bytes.` })
  try {
    const response = await follow({ url: new URL(url), reach, signal })
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) {
      response.destroy()
      throw tooLarge()
    }
    let size = 0
    const count = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        size += chunk.length
        if (size > maxBytes) return done(tooLarge())
        tap(chunk)
        done(null, chunk)
      },
    })
    await pipeline(response, count, createWriteStream(file, { flags: 'wx', mode: 0o444 }), { signal })
    return size
  } catch (error) {
    if (error instanceof DownloadError) throw error
    if (signal.aborted) throw new DownloadError({ trouble: 'too late', detail: `It took over ${maxSeconds} seconds.` })
    throw new DownloadError({ trouble: 'unreachable', detail: 'The connection failed.' })
  }
}

async function follow({
  url,
  reach,
  signal,
}: {
  url: URL
  reach: Reach
  signal: AbortSignal
}): Promise<IncomingMessage> {
  let place = url
  for (let count = 0; count <= maxRedirects; count++) {
    const response = await get({ url: place, reach, signal })
    const { statusCode: status = 0 } = response
    const { location } = response.headers
    if (status >= 200 && status < 300) return response
    response.destroy()
    if (status < 300 || status >= 400 || location === undefined) {
      throw new DownloadError({ trouble: 'status', detail: `The server answered with status ${status}.` })
    }
    place = new URL(location, place)
  }
  throw new DownloadError({ trouble: 'status', detail: `It is redirected more than ${maxRedirects} times.` })
}

function get({ url, reach, signal }: { url: URL; reach: Reach; signal: AbortSignal }): Promise<IncomingMessage> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw forbidden('It is not at an http or https URL.')
  const isAnywhere = reach.isLocal || url.origin === new URL(reach.gateway).origin
  // An address in digits is never looked up.
  if (!isAnywhere && isPrivate(url.hostname.replace(/^\[|\]$/g, ''))) throw inside()
  const options: RequestOptions = {
    signal,
    agent: false,
    headers: { 'accept-encoding': 'identity', 'user-agent': 'sealdeal' },
    ...(!isAnywhere && { lookup: lookupPublic }),
  }
  return new Promise((resolve, reject) => {
    const request: ClientRequest = url.protocol === 'http:' ? getPlain(url, options) : getSecure(url, options)
    request.on('response', resolve)
    request.on('error', reject)
  })
}

/** The machine's own lookup; a name with any private address is refused, so that none is connected to. */
const lookupPublic: LookupFunction = (hostname, options, done) => {
  lookup(hostname, options, (error, found: string | LookupAddress[], family) => {
    const all = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address)
    if (error === null && all.some(isPrivate)) return done(inside(), '')
    done(error, found, family)
  })
}

/** Special-purpose addresses (IANA registries): this host, private, shared, link-local, multicast, and what hides them. */
const special = new BlockList()
for (const net of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]) {
  const [address = '', length] = net.split('/')
  special.addSubnet(address, Number(length), address.includes(':') ? 'ipv6' : 'ipv4')
}

/** Whether an address in digits is one that the public internet does not route. An IPv4 address may come inside an IPv6 one. */
export function isPrivate(address: string): boolean {
  const version = isIP(address)
  return version !== 0 && special.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

function inside(): DownloadError {
  return forbidden("It lies on the worker's own machine or in its private network.")
}

function forbidden(detail: string): DownloadError {
  return new DownloadError({ trouble: 'forbidden', detail })
}
