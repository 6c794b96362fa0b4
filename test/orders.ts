// Orders as ABI tuples and EIP-712 messages, written down from the reference's ABI alone: the contracts' tests must not
// lean on the package that they are the twin of.
import { randomBytes } from 'node:crypto'
import { hexlify, type TypedDataDomain, TypedDataEncoder, ZeroAddress, ZeroHash } from 'ethers'

export type AppOrder = {
  app: string
  appprice: bigint
  volume: bigint
  tag: string
  datasetrestrict: string
  workerpoolrestrict: string
  requesterrestrict: string
  salt: string
  sign: string
}

export type DatasetOrder = {
  dataset: string
  datasetprice: bigint
  volume: bigint
  tag: string
  apprestrict: string
  workerpoolrestrict: string
  requesterrestrict: string
  salt: string
  sign: string
}

export type WorkerpoolOrder = {
  workerpool: string
  workerpoolprice: bigint
  volume: bigint
  tag: string
  category: bigint
  trust: bigint
  apprestrict: string
  datasetrestrict: string
  requesterrestrict: string
  salt: string
  sign: string
}

export type RequestOrder = {
  app: string
  appmaxprice: bigint
  dataset: string
  datasetmaxprice: bigint
  workerpool: string
  workerpoolmaxprice: bigint
  requester: string
  volume: bigint
  tag: string
  category: bigint
  trust: bigint
  beneficiary: string
  callback: string
  params: string
  salt: string
  sign: string
}

export type OrderOf = { app: AppOrder; dataset: DatasetOrder; workerpool: WorkerpoolOrder; request: RequestOrder }
export type Kind = keyof OrderOf
export type Quadruple = [AppOrder, DatasetOrder, WorkerpoolOrder, RequestOrder]

/** Whoever can sign an EIP-712 message: an ethers signer or wallet. */
export type Signer = {
  signTypedData(
    domain: TypedDataDomain,
    types: Record<string, Field[]>,
    value: Record<string, unknown>,
  ): Promise<string>
}

type Field = { name: string; type: string }

const members: { [K in Kind]: string } = {
  app: 'address app,uint256 appprice,uint256 volume,bytes32 tag,address datasetrestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt',
  dataset:
    'address dataset,uint256 datasetprice,uint256 volume,bytes32 tag,address apprestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt',
  workerpool:
    'address workerpool,uint256 workerpoolprice,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address apprestrict,address datasetrestrict,address requesterrestrict,bytes32 salt',
  request:
    'address app,uint256 appmaxprice,address dataset,uint256 datasetmaxprice,address workerpool,uint256 workerpoolmaxprice,address requester,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address beneficiary,address callback,string params,bytes32 salt',
}

const typeNames: { [K in Kind]: string } = {
  app: 'AppOrder',
  dataset: 'DatasetOrder',
  workerpool: 'WorkerpoolOrder',
  request: 'RequestOrder',
}

/** Bits of a tag. */
export const TEE = 1n
export const SCONE = 2n
export const GRAMINE = 4n
export const TDX = 8n

/** A tag with the given bits, as 32 bytes. */
export function tag(bits: bigint): string {
  return `0x${bits.toString(16).padStart(64, '0')}`
}

export function salt(): string {
  return hexlify(randomBytes(32))
}

export function appOrder(fields: Partial<AppOrder>): AppOrder {
  return {
    app: ZeroAddress,
    appprice: 0n,
    volume: 1n,
    tag: ZeroHash,
    datasetrestrict: ZeroAddress,
    workerpoolrestrict: ZeroAddress,
    requesterrestrict: ZeroAddress,
    salt: salt(),
    sign: '0x',
    ...fields,
  }
}

export function datasetOrder(fields: Partial<DatasetOrder>): DatasetOrder {
  return {
    dataset: ZeroAddress,
    datasetprice: 0n,
    volume: 1n,
    tag: ZeroHash,
    apprestrict: ZeroAddress,
    workerpoolrestrict: ZeroAddress,
    requesterrestrict: ZeroAddress,
    salt: salt(),
    sign: '0x',
    ...fields,
  }
}

export function workerpoolOrder(fields: Partial<WorkerpoolOrder>): WorkerpoolOrder {
  return {
    workerpool: ZeroAddress,
    workerpoolprice: 0n,
    volume: 1n,
    tag: ZeroHash,
    category: 0n,
    trust: 0n,
    apprestrict: ZeroAddress,
    datasetrestrict: ZeroAddress,
    requesterrestrict: ZeroAddress,
    salt: salt(),
    sign: '0x',
    ...fields,
  }
}

export function requestOrder(fields: Partial<RequestOrder>): RequestOrder {
  return {
    app: ZeroAddress,
    appmaxprice: 0n,
    dataset: ZeroAddress,
    datasetmaxprice: 0n,
    workerpool: ZeroAddress,
    workerpoolmaxprice: 0n,
    requester: ZeroAddress,
    volume: 1n,
    tag: ZeroHash,
    category: 0n,
    trust: 0n,
    beneficiary: ZeroAddress,
    callback: ZeroAddress,
    params: '',
    salt: salt(),
    sign: '0x',
    ...fields,
  }
}

/** What a request without protected data carries in the place of a dataset order. */
export const noDataset: DatasetOrder = datasetOrder({ volume: 0n, salt: ZeroHash })

export function domain({ chainId, hub }: { chainId: bigint; hub: string }): TypedDataDomain {
  return { name: 'iExecODB', version: '5.0.0', chainId, verifyingContract: hub }
}

/** The EIP-712 types of an order. */
export function orderTypes(kind: Kind): Record<string, Field[]> {
  return { [typeNames[kind]]: fieldsOf(members[kind]) }
}

/** The EIP-712 types of signing (0) or closing (1) an order by signature. */
export function operationTypes(kind: Kind): Record<string, Field[]> {
  return {
    [`${typeNames[kind]}Operation`]: [
      { name: 'order', type: typeNames[kind] },
      { name: 'operation', type: 'uint256' },
    ],
    ...orderTypes(kind),
  }
}

/** The digest under which the Hub knows an order. */
export function hashOrder<K extends Kind>(kind: K, order: OrderOf[K], orderDomain: TypedDataDomain): string {
  return TypedDataEncoder.hash(orderDomain, orderTypes(kind), unsigned(order))
}

/** The same order with its signer's signature. */
export async function signOrder<K extends Kind>(
  kind: K,
  order: OrderOf[K],
  { signer, domain: orderDomain }: { signer: Signer; domain: TypedDataDomain },
): Promise<OrderOf[K]> {
  return { ...order, sign: await signer.signTypedData(orderDomain, orderTypes(kind), unsigned(order)) }
}

export type Operation<Order> = { order: Order; operation: bigint; sign: string }

export const SIGN = 0n
export const CLOSE = 1n

/** An operation without a signature: for a caller who owns the asset. */
export function operationOn<Order extends OrderOf[Kind]>(order: Order, operation: bigint): Operation<Order> {
  return { order, operation, sign: '0x' }
}

/** An operation that anyone may carry to the Hub. */
export async function signOperation<K extends Kind>(
  kind: K,
  { order, operation }: { order: OrderOf[K]; operation: bigint },
  { signer, domain: orderDomain }: { signer: Signer; domain: TypedDataDomain },
): Promise<Operation<OrderOf[K]>> {
  const value = { order: unsigned(order), operation }
  return { order, operation, sign: await signer.signTypedData(orderDomain, operationTypes(kind), value) }
}

function unsigned(order: OrderOf[Kind]): Record<string, unknown> {
  const { sign: _, ...fields } = order
  return fields
}

function fieldsOf(list: string): Field[] {
  return list.split(',').map((member) => {
    const [type = '', name = ''] = member.split(' ')
    return { name, type }
  })
}
