// For tests only: a request whose params are bytes that no library writes into a text, as anybody can send it to the Hub.
import { type Hex, Order } from '@sealdeal/protocol'
import {
  type BaseWallet,
  concat,
  dataSlice,
  hexlify,
  type Interface,
  keccak256,
  TypedDataEncoder,
  toUtf8Bytes,
} from 'ethers'

/** What stands in the place of the bytes until they are put there: as long, and found nowhere else. */
const placeholder = '@~placeholder~@~@~@~'

/** No UTF-8 in several ways, and NUL: PostgreSQL keeps neither in a text. */
export const rawParams: Record<string, Uint8Array> = {
  'no UTF-8': Buffer.from([...toUtf8Bytes('{"iexec_args":'), 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
  NUL: toUtf8Bytes('{"iexec_args":"a\0b"}'),
}

/** Signs the request with those params. Its `params` are the placeholder of calls that `rawCall` writes. */
export function signRaw({
  request,
  params,
  signer,
  domain,
}: {
  request: Order.Unsigned<'request'>
  params: Uint8Array
  signer: BaseWallet
  domain: Order.Domain
}): { order: Order.Signed<'request'>; hash: Hex } {
  const types = Order.types('request')
  const [name = ''] = Object.keys(types)
  const words = TypedDataEncoder.from(types).encodeData(name, { ...request, params: '' })
  // The type's hash is the first word; a text counts by the hash of its bytes.
  const at = 32 * (1 + (types[name] ?? []).findIndex((field) => field.name === 'params'))
  const struct = keccak256(concat([dataSlice(words, 0, at), keccak256(params), dataSlice(words, at + 32)]))
  const hash = keccak256(concat(['0x1901', TypedDataEncoder.hashDomain(domain), struct])) as Hex
  const sign = signer.signingKey.sign(hash).serialized as Hex
  return { order: { ...request, params: placeholder, sign }, hash }
}

/** Data of a call with such a request among its arguments. */
export function rawCall(hub: Interface, call: string, args: readonly unknown[], params: Uint8Array): string {
  const written = hub.encodeFunctionData(call, args)
  return written.replaceAll(hexlify(toUtf8Bytes(placeholder)).slice(2), hexlify(params).slice(2))
}
