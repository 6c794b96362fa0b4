import { type Address, type Hex, Order } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import { z } from 'zod'
import type { Entry } from './book.ts'
import { BadRequestError } from './errors.ts'
import type { ListParameters, Named, OrderPlace } from './list.ts'

// How published clients write their queries and read their answers.

const isAddress = /^0x[0-9a-fA-F]{40}$/
export const address = z
  .string()
  .regex(isAddress, { error: 'must be an address' })
  .transform((text) => getAddress(text.toLowerCase()) as Address)
const addressOrAny = z
  .string()
  .regex(/^(any|0x[0-9a-fA-F]{40})$/, { error: 'must be an address or any' })
  .transform((text) => (text === 'any' ? text : (getAddress(text.toLowerCase()) as Address)))
export const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, { error: 'must be 32 bytes in hex' })
  .transform((text) => text.toLowerCase() as Hex)
export const whole = z
  .string()
  .regex(/^\d{1,78}$/, { error: 'must be a whole number' })
  .transform(BigInt)
const small = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { error: `must be from ${minimum} to ${maximum}` })
const yesOrNo = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true')

/** Every query says which chain it means; left out, it is this one. */
export const chainQuery = { chainId: whole.optional() }

export const pageQuery = {
  pageIndex: small(0, 999_999_999).optional(),
  pageSize: small(10, 1000).optional(),
  /** Older clients: an offset. */
  page: small(0, 999_999_999).optional(),
  /** `nextCursor` of an earlier answer: what comes after its last entry, whatever was added or taken away since. */
  cursor: z
    .string()
    .regex(/^[\w-]{1,400}$/, { error: 'must be one that an earlier answer gave' })
    .optional(),
}

export const listQuery = z.object({
  ...chainQuery,
  ...pageQuery,
  app: addressOrAny.optional(),
  appOwner: address.optional(),
  dataset: addressOrAny.optional(),
  datasetOwner: address.optional(),
  workerpool: addressOrAny.optional(),
  workerpoolOwner: address.optional(),
  requester: addressOrAny.optional(),
  beneficiary: addressOrAny.optional(),
  isAppStrict: yesOrNo.optional(),
  isDatasetStrict: yesOrNo.optional(),
  isWorkerpoolStrict: yesOrNo.optional(),
  isRequesterStrict: yesOrNo.optional(),
  bulkOnly: yesOrNo.optional(),
  category: whole.optional(),
  minTag: hash.optional(),
  maxTag: hash.optional(),
  minTrust: whole.optional(),
  maxTrust: whole.optional(),
  minVolume: whole.optional(),
})
export type ListQuery = z.output<typeof listQuery>

/** What the cheapest orders are wanted for: see `best.ts`. */
export const bestQuery = z.object({
  ...chainQuery,
  app: address,
  requester: address,
  dataset: address.optional(),
  workerpool: address.optional(),
  category: whole.optional(),
  trust: whole.optional(),
  volume: whole.optional(),
  tag: hash.optional(),
})

/** What somebody wants to run: see `explain.ts`. */
export const explainQuery = z.object({
  ...chainQuery,
  requestorderHash: hash.optional(),
  app: address.optional(),
  requester: address.optional(),
  dataset: address.optional(),
  workerpool: address.optional(),
  category: whole.optional(),
  trust: whole.optional(),
  volume: whole.optional(),
  tag: hash.optional(),
  appmaxprice: whole.optional(),
  datasetmaxprice: whole.optional(),
  workerpoolmaxprice: whole.optional(),
})

/** Where a page begins and how long it is. */
export function pageOf({
  pageIndex = 0,
  pageSize = 20,
  page,
  cursor,
}: {
  pageIndex?: number | undefined
  pageSize?: number | undefined
  page?: number | undefined
  cursor?: string | undefined
}): Page {
  if (cursor !== undefined) return { limit: pageSize, offset: 0, isNumbered: false }
  return { limit: pageSize, offset: page ?? pageIndex * pageSize, isNumbered: true }
}

type Page = { limit: number; offset: number; isNumbered: boolean }

/**
 * Present exactly when the page is full: the offset of the next one, for those who number them, and the place of the last
 * entry in the list's order.
 */
export function nextPage<Entry>(
  { limit, offset, isNumbered }: Page,
  found: readonly Entry[],
  placeOf?: (last: Entry) => Cursor,
): { nextPage?: number; nextCursor?: string } {
  const last = found.at(-1)
  if (last === undefined || found.length < limit) return {}
  return {
    ...(isNumbered ? { nextPage: offset + limit } : {}),
    ...(placeOf ? { nextCursor: Buffer.from(placeOf(last).join(' ')).toString('base64url') } : {}),
  }
}

/** What a list is ordered by, of one entry, in words without spaces. */
export type Cursor = readonly string[]

const orderPlace = z.tuple([z.string().regex(/^\d{1,78}$/), z.iso.datetime(), z.string().regex(/^0x[0-9a-f]{64}$/)])
const dealPlace = z.tuple([z.string().regex(/^\d{1,18}$/), z.string().regex(/^\d{1,9}$/)])

/** After which price, moment and hash. @throws {BadRequestError} */
export function readOrderCursor(cursor: string | undefined): { after?: OrderPlace } {
  if (cursor === undefined) return {}
  const [price, publishedAt, hash] = readCursor(orderPlace, cursor)
  return { after: { price: BigInt(price), publishedAt: new Date(publishedAt), hash: hash as Hex } }
}

export function orderCursor({ price, published_at, hash }: Entry): Cursor {
  return [String(price), published_at.toISOString(), hash]
}

/** After which block and log. @throws {BadRequestError} */
export function readDealCursor(cursor: string | undefined): { after?: { block: bigint; log: number } } {
  if (cursor === undefined) return {}
  const [block, log] = readCursor(dealPlace, cursor)
  return { after: { block: BigInt(block), log: Number(log) } }
}

function readCursor<Place extends readonly string[]>(place: z.ZodType<Place>, cursor: string): Place {
  const parsed = place.safeParse(Buffer.from(cursor, 'base64url').toString().split(' '))
  if (parsed.success) return parsed.data
  throw new BadRequestError({ reason: 'cursor: must be one that an earlier answer gave' })
}

/** @throws {BadRequestError} when apps or datasets are asked for without saying which or whose. */
export function listParameters(kind: Order.Kind, query: ListQuery): ListParameters {
  const owner = {
    app: query.appOwner,
    dataset: query.datasetOwner,
    workerpool: query.workerpoolOwner,
    request: undefined,
  }[kind]
  if ((kind === 'app' || kind === 'dataset') && query[kind] === undefined && owner === undefined) {
    throw new BadRequestError({ reason: `${kind} or ${kind}Owner is required` })
  }
  const names: Named[] = ['app', 'dataset', 'workerpool', 'requester']
  const conditions = {
    signer: owner,
    beneficiary: query.beneficiary === 'any' ? undefined : query.beneficiary,
    category: query.category,
    minTag: query.minTag,
    maxTag: query.maxTag,
    minTrust: kind === 'workerpool' ? query.minTrust : undefined,
    maxTrust: kind === 'request' ? query.maxTrust : undefined,
    minVolume: query.minVolume,
    bulkOnly: kind === 'dataset' ? query.bulkOnly : undefined,
  }
  return {
    kind,
    filter: Object.fromEntries(names.map((name) => [name, query[name]])),
    strict: {
      app: query.isAppStrict ?? false,
      dataset: query.isDatasetStrict ?? false,
      workerpool: query.isWorkerpoolStrict ?? false,
      requester: query.isRequesterStrict ?? false,
    },
    ...(Object.fromEntries(
      Object.entries(conditions).filter(([, value]) => value !== undefined),
    ) as Partial<ListParameters>),
    ...pageOf(query),
    ...readOrderCursor(query.cursor),
  }
}

/** JSON numbers hold whole numbers up to this one; clients cannot read larger ones. */
const largest = 2n ** 53n - 1n

const fieldTypes: Record<string, z.ZodType> = {
  address: z.string().regex(isAddress, { error: 'must be an address' }),
  bytes32: z.string().regex(/^0x[0-9a-fA-F]{64}$/, { error: 'must be 32 bytes in hex' }),
  uint256: z.union([z.int().min(0), z.string().regex(/^\d{1,78}$/)], { error: 'must be a whole number' }),
  string: z.string(),
}

/** The body of a publication, told from the one table of fields: a field that is missing or of another form is named. */
export function orderBody(kind: Order.Kind) {
  const [fields = []] = Object.values(Order.types(kind))
  const order = Object.fromEntries(fields.map(({ name, type }) => [name, fieldTypes[type] ?? z.unknown()]))
  const sign = z
    .string()
    .regex(/^0x([0-9a-fA-F]{2})*$/, { error: 'must be hex' })
    .optional()
  return z.object({ order: z.object({ ...order, sign }) })
}

/**
 * Reads a signed order from a request.
 *
 * @throws {InvalidValueError | BadRequestError}
 */
export function readOrder<kind extends Order.Kind>(kind: kind, json: unknown): Order.Signed<kind> {
  const order = Order.fromJson(kind, json)
  for (const [name, value] of Object.entries(order)) {
    if (typeof value === 'bigint' && value > largest) {
      throw new BadRequestError({ reason: `${name} must be at most ${largest}` })
    }
  }
  if (Object(order).volume < 1n) throw new BadRequestError({ reason: 'volume must be at least 1' })
  return order
}

/** The wire form of an order on the book: numbers as JSON numbers. */
export function published(entry: Entry, chainId: bigint) {
  const { kind, hash, signer, signed, remaining, status, published_at, price, volume } = entry
  const order = Order.fromStored(kind, signed)
  return {
    order: Object.fromEntries(
      Object.entries(order).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
    ),
    orderHash: hash,
    chainId: Number(chainId),
    remaining: Number(remaining),
    status,
    signer,
    publicationTimestamp: published_at.toISOString(),
    ...(kind === 'dataset' ? { bulk: Order.isForBulk({ datasetprice: price, volume }) } : {}),
  }
}

const assetOrRequester = {
  app: address.optional(),
  dataset: address.optional(),
  workerpool: address.optional(),
  requester: address.optional(),
}

export const unpublishBody = z.discriminatedUnion('target', [
  z.object({ target: z.literal('unpublish_orderHash'), orderHash: hash }),
  z.object({ target: z.literal('unpublish_last'), ...assetOrRequester }),
  z.object({ target: z.literal('unpublish_all'), ...assetOrRequester }),
])
