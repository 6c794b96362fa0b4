import { lookup as resolve } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { TargetRefusedError } from './errors.ts'

/** IPv4 networks that are not the public internet (IANA's special-purpose registry, multicast, reserved). */
const special = new BlockList()
for (const network of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]) {
  const [address = '', length] = network.split('/')
  special.addSubnet(address, Number(length), 'ipv4')
}

/** IPv6 knows one network of public addresses; what in it leads elsewhere (tunnels, examples) is taken out. */
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')
const tunnelled = new BlockList()
for (const [address, length] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  tunnelled.addSubnet(address, length, 'ipv6')
}

/** Whether an address belongs to the public internet. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !special.check(address, 'ipv4')
  return family === 6 && globalUnicast.check(address, 'ipv6') && !tunnelled.check(address, 'ipv6')
}

/**
 * What can be said of a receiver's URL before its name is resolved.
 *
 * @throws {TargetRefusedError}
 */
export function checkTarget(text: string, { allowPrivate }: { allowPrivate: boolean }): URL {
  const refuse = (host: string, reason: string) => new TargetRefusedError({ host, reason })
  if (!URL.canParse(text)) throw refuse(text.slice(0, 80), 'it is no URL')
  const url = new URL(text)
  const { host } = url
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) throw refuse(host, 'it is not https')
  if (url.username !== '' || url.password !== '') throw refuse(host, 'it carries a user or a password')
  const address = url.hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivate && isIP(address) !== 0 && !isPublic(address)) throw refuse(host, 'it is not a public address')
  return url
}

/**
 * Resolves a name for a connection, and hands over nothing unless all of its addresses are public: the connection is made to
 * what was looked at here, so a name that answers differently the next time gains nothing.
 */
export const publicLookup: LookupFunction = (host, options, found) => {
  resolve(host, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? []
    if (error || !first) return found(error ?? new Error(`${host} has no address`), '', 0)
    if (!addresses.every(({ address }) => isPublic(address))) {
      return found(new TargetRefusedError({ host, reason: 'its name leads to an address that is not public' }), '', 0)
    }
    return options.all ? found(null, addresses) : found(null, first.address, first.family)
  })
}
