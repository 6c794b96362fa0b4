import {
  concat,
  getAddress,
  hexlify,
  isHexString,
  keccak256,
  randomBytes,
  recoverAddress,
  Signature,
  TypedDataEncoder,
} from 'ethers'
import { InvalidValueError } from './errors.ts'
import { type Address, type Hex, zeroAddress, zeroHash } from './hex.ts'
import * as Tag from './Tag.ts'

/**
 * The one table of fields: hashing, signing, encoding, parsing and the types below all read it. Names and order are
 * those of the wire and of the ABI. `sign` travels beside an order and is not hashed.
 */
const fields = {
  app: [
    ['app', 'address'],
    ['appprice', 'uint256'],
    ['volume', 'uint256'],
    ['tag', 'bytes32'],
    ['datasetrestrict', 'address'],
    ['workerpoolrestrict', 'address'],
    ['requesterrestrict', 'address'],
    ['salt', 'bytes32'],
  ],
  dataset: [
    ['dataset', 'address'],
    ['datasetprice', 'uint256'],
    ['volume', 'uint256'],
    ['tag', 'bytes32'],
    ['apprestrict', 'address'],
    ['workerpoolrestrict', 'address'],
    ['requesterrestrict', 'address'],
    ['salt', 'bytes32'],
  ],
  workerpool: [
    ['workerpool', 'address'],
    ['workerpoolprice', 'uint256'],
    ['volume', 'uint256'],
    ['tag', 'bytes32'],
    ['category', 'uint256'],
    ['trust', 'uint256'],
    ['apprestrict', 'address'],
    ['datasetrestrict', 'address'],
    ['requesterrestrict', 'address'],
    ['salt', 'bytes32'],
  ],
  request: [
    ['app', 'address'],
    ['appmaxprice', 'uint256'],
    ['dataset', 'address'],
    ['datasetmaxprice', 'uint256'],
    ['workerpool', 'address'],
    ['workerpoolmaxprice', 'uint256'],
    ['requester', 'address'],
    ['volume', 'uint256'],
    ['tag', 'bytes32'],
    ['category', 'uint256'],
    ['trust', 'uint256'],
    ['beneficiary', 'address'],
    ['callback', 'address'],
    ['params', 'string'],
    ['salt', 'bytes32'],
  ],
} as const

type Fields = typeof fields
type AbiType = 'address' | 'uint256' | 'bytes32' | 'string'
type Value<type extends AbiType> = type extends 'uint256'
  ? bigint
  : type extends 'address'
    ? Address
    : type extends 'bytes32'
      ? Hex
      : string

/** Who signs: the owner of an app, of a dataset, of a workerpool, or the requester. */
export type Kind = keyof Fields
export const kinds: readonly Kind[] = ['app', 'dataset', 'workerpool', 'request']

/** An order before it is signed. Prices are per task, in units of the token (nRLC); volume is a number of tasks. */
export type Unsigned<kind extends Kind> = {
  [field in Fields[kind][number] as field[0]]: Value<field[1]>
}
export type Signed<kind extends Kind> = Unsigned<kind> & { sign: Hex }

export type App = Unsigned<'app'>
export type Dataset = Unsigned<'dataset'>
export type Workerpool = Unsigned<'workerpool'>
export type Request = Unsigned<'request'>

/** The wire form: numbers as decimal strings, everything else as it is. */
export type Json = Record<string, string>

export type Domain = { name: string; version: string; chainId: bigint; verifyingContract: Address }
type TypedDataField = { name: string; type: string }
export type TypedData = {
  domain: Domain
  types: Record<string, TypedDataField[]>
  primaryType: string
  message: Record<string, unknown>
}

/** Anything that signs EIP-712: an ethers wallet, a browser wallet's signer, a key held elsewhere. */
export type TypedDataSigner = {
  // biome-ignore lint/suspicious/noExplicitAny: the message's type is the signer's own
  signTypedData(domain: Domain, types: Record<string, TypedDataField[]>, message: Record<string, any>): Promise<string>
}

const typeNames = { app: 'AppOrder', dataset: 'DatasetOrder', workerpool: 'WorkerpoolOrder', request: 'RequestOrder' }
const encoders = Object.fromEntries(kinds.map((kind) => [kind, TypedDataEncoder.from(types(kind))]))

/** Operations on an order that its signer may carry out on chain. */
export const operations = { sign: 0, close: 1 } as const
export type Operation = keyof typeof operations

/** EIP-712 domain of all orders of one Hub. */
export function domain({ chainId, hub }: { chainId: bigint | number; hub: Address }): Domain {
  return { name: 'iExecODB', version: '5.0.0', chainId: BigInt(chainId), verifyingContract: hub }
}

/** Names of the fields of a kind, in the order of the ABI, without `sign`. */
export function fieldNames<kind extends Kind>(kind: kind): (keyof Unsigned<kind>)[] {
  return fields[kind].map(([name]) => name) as unknown as (keyof Unsigned<kind>)[]
}

/** Fields that a kind cannot do without; all others have a default. */
type Required<kind extends Kind> = {
  app: 'app'
  dataset: 'dataset'
  workerpool: 'workerpool'
  request: 'app' | 'requester'
}[kind]
export type Input<kind extends Kind> = Pick<Unsigned<kind>, Required<kind> & keyof Unsigned<kind>> &
  Partial<Unsigned<kind>>

/**
 * A complete order out of what the caller cares about. Left out means: free, one task, TDX enclave, no restriction,
 * category 0, result for the requester; a workerpool accepts trust 1; the salt is random.
 */
export function create<kind extends Kind>(kind: kind, input: Input<kind>): Unsigned<kind> {
  const given: Record<string, unknown> = { ...input }
  const defaults: Record<string, unknown> = {
    volume: 1n,
    tag: Tag.tdx,
    salt: hexlify(randomBytes(32)),
    ...(kind === 'workerpool' ? { trust: 1n } : {}),
    ...(kind === 'request' ? { beneficiary: given.requester } : {}),
  }
  const order = fields[kind].map(([name, type]) => [name, given[name] ?? defaults[name] ?? empty(type)])
  return Object.fromEntries(order) as Unsigned<kind>
}

/** The order that stands for nothing: what `matchOrders` takes as dataset order when no dataset is used. */
export function none<kind extends Kind>(kind: kind): Signed<kind> {
  const order = fields[kind].map(([name, type]) => [name, empty(type)])
  return { ...Object.fromEntries(order), sign: '0x' } as Signed<kind>
}

/** EIP-712 digest: the identity of an order, and what is signed. */
export function hash<kind extends Kind>(kind: kind, order: Unsigned<kind>, domain: Domain): Hex {
  const structHash = encoders[kind]?.hash(message(kind, order)) ?? zeroHash
  return keccak256(concat(['0x1901', TypedDataEncoder.hashDomain(domain), structHash])) as Hex
}

/** What a wallet shows when it signs the order. */
export function typedData<kind extends Kind>(kind: kind, order: Unsigned<kind>, domain: Domain): TypedData {
  return { domain, types: types(kind), primaryType: typeNames[kind], message: message(kind, order) }
}

/** What a wallet shows when it signs an operation that somebody else will send to the Hub. */
export function operationTypedData<kind extends Kind>(
  kind: kind,
  { order, operation }: { order: Unsigned<kind>; operation: Operation },
  domain: Domain,
): TypedData {
  const primaryType = `${typeNames[kind]}Operation`
  const operationFields = [
    { name: 'order', type: typeNames[kind] },
    { name: 'operation', type: 'uint256' },
  ]
  return {
    domain,
    types: { [primaryType]: operationFields, ...types(kind) },
    primaryType,
    message: { order: message(kind, order), operation: operations[operation] },
  }
}

/** The order with its signer's approval. */
export async function sign<kind extends Kind>(
  kind: kind,
  order: Unsigned<kind>,
  signer: TypedDataSigner,
  domain: Domain,
): Promise<Signed<kind>> {
  const sign = await signer.signTypedData(domain, types(kind), message(kind, order))
  return { ...message(kind, order), sign } as Signed<kind>
}

/** The key that signed the order: 65-byte and 64-byte (EIP-2098) signatures. Throws on any other length. */
export function recover<kind extends Kind>(kind: kind, order: Signed<kind>, domain: Domain): Address {
  const length = (order.sign.length - 2) / 2
  if (length !== 64 && length !== 65) {
    throw new InvalidValueError({ path: 'sign', expected: 'a signature of 64 or 65 bytes', value: order.sign })
  }
  return recoverAddress(hash(kind, order, domain), Signature.from(order.sign)) as Address
}

/** The order as the Hub's ABI takes it: exactly the struct's members, in its order. */
export function tuple<kind extends Kind>(kind: kind, order: Signed<kind>): Signed<kind> {
  return { ...message(kind, order), sign: order.sign } as Signed<kind>
}

/** The wire form of an order, numbers as decimal strings. */
export function toJson<kind extends Kind>(kind: kind, order: Signed<kind>): Json {
  const json = Object.entries(message(kind, order)).map(([name, value]) => [name, String(value)])
  return { ...Object.fromEntries(json), sign: order.sign }
}

/**
 * Reads an order from the wire: numbers as decimal strings or safe integers, addresses in any case. An absent `sign`
 * becomes `0x` (a presigned order needs none).
 */
export function fromJson<kind extends Kind>(kind: kind, json: unknown): Signed<kind> {
  if (typeof json !== 'object' || json === null) {
    throw new InvalidValueError({ path: `${kind}order`, expected: 'an object', value: json })
  }
  const given = json as Record<string, unknown>
  const order = fields[kind].map(([name, type]) => [name, parse(`${kind}order.${name}`, type, given[name])])
  const sign = given.sign ?? '0x'
  if (!isHexString(sign))
    throw new InvalidValueError({ path: `${kind}order.sign`, expected: 'a hex string', value: sign })
  return { ...Object.fromEntries(order), sign } as Signed<kind>
}

/** Reads what `toJson` made and nobody changed since: a row of one's own. Nothing is checked again. */
export function fromStored<kind extends Kind>(kind: kind, json: Json): Signed<kind> {
  const order = fields[kind].map(([name, type]) => [name, type === 'uint256' ? BigInt(json[name] ?? 0) : json[name]])
  return { ...Object.fromEntries(order), sign: json.sign } as Signed<kind>
}

/** Price per task that the order asks for (or, for a request, the most it pays in all). */
export function price<kind extends Kind>(kind: kind, order: Unsigned<kind>): bigint {
  const amounts = fields[kind].filter(([name]) => name.endsWith('price')).map(([name]) => name)
  return amounts.reduce((sum, name) => sum + ((order as Record<string, unknown>)[name] as bigint), 0n)
}

/** Volume of a grant for bulks: no match counts what is used of it, so it is practically without end. Wallets round 2^53 - 1. */
export const bulkVolume = 2n ** 53n - 2n

/** Whether a dataset may be processed together with many others in one task: its grant is free and without end. */
export function isForBulk({ datasetprice, volume }: Pick<Dataset, 'datasetprice' | 'volume'>): boolean {
  return datasetprice === 0n && volume >= bulkVolume
}

/** The four orders as `matchOrders` takes them; without a dataset its place is filled with zeros. */
export function quadruple({
  app,
  dataset = none('dataset'),
  workerpool,
  request,
}: {
  app: Signed<'app'>
  dataset?: Signed<'dataset'> | undefined
  workerpool: Signed<'workerpool'>
  request: Signed<'request'>
}): [Signed<'app'>, Signed<'dataset'>, Signed<'workerpool'>, Signed<'request'>] {
  return [tuple('app', app), tuple('dataset', dataset), tuple('workerpool', workerpool), tuple('request', request)]
}

/** EIP-712 types of one kind. */
export function types(kind: Kind): Record<string, TypedDataField[]> {
  return { [typeNames[kind]]: fields[kind].map(([name, type]) => ({ name, type })) }
}

/** Only the hashed members, in order: an order may carry more (market bookkeeping, a signature). */
function message<kind extends Kind>(kind: kind, order: Unsigned<kind>): Record<string, unknown> {
  const given = order as Record<string, unknown>
  return Object.fromEntries(fields[kind].map(([name]) => [name, given[name]]))
}

function empty(type: AbiType): string | bigint {
  if (type === 'uint256') return 0n
  if (type === 'address') return zeroAddress
  return type === 'bytes32' ? zeroHash : ''
}

const uint256Max = (1n << 256n) - 1n

function parse(path: string, type: AbiType, value: unknown): string | bigint {
  if (type === 'uint256') {
    const isNumber = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
    const number = isNumber || (typeof value === 'string' && /^\d{1,78}$/.test(value)) ? BigInt(value) : -1n
    if (number >= 0n && number <= uint256Max) return number
    throw new InvalidValueError({ path, expected: 'a whole number from 0 to 2^256-1', value })
  }
  if (type === 'address') {
    if (typeof value === 'string' && isHexString(value, 20)) return getAddress(value.toLowerCase())
    throw new InvalidValueError({ path, expected: 'an address (0x and 40 hex digits)', value })
  }
  if (type === 'bytes32') {
    if (isHexString(value, 32)) return value.toLowerCase()
    throw new InvalidValueError({ path, expected: '32 bytes of hex', value })
  }
  if (typeof value === 'string') return value
  throw new InvalidValueError({ path, expected: 'a string', value })
}
