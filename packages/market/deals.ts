import type { Address, Deal, Hex, Order } from '@sealdeal/protocol'
import { type ChainLog, type FollowedBlock, type Query, storableJson, type Transaction } from '@sealdeal/server'

/** A deal as published clients read it. */
export type DealJson = Record<string, unknown>

export type DealFilter = Partial<
  Record<
    | 'requester'
    | 'app'
    | 'dataset'
    | 'workerpool'
    | 'apporderHash'
    | 'datasetorderHash'
    | 'workerpoolorderHash'
    | 'requestorderHash',
    string
  >
>

const filterColumns: Record<keyof DealFilter, string> = {
  requester: 'requester',
  app: 'app',
  dataset: 'dataset',
  workerpool: 'workerpool',
  apporderHash: 'app_hash',
  datasetorderHash: 'dataset_hash',
  workerpoolorderHash: 'workerpool_hash',
  requestorderHash: 'request_hash',
}

/** Writes a deal that the chain made. */
export async function insertDeal(
  transaction: Transaction,
  {
    dealId,
    deal,
    hashes,
    block,
    log,
  }: { dealId: Hex; deal: Deal.Deal; hashes: Record<Order.Kind, Hex>; block: FollowedBlock; log: ChainLog },
): Promise<void> {
  const details = storableJson(deal)
  await transaction.query(
    `insert into deal (dealid, block_hash, block_number, block_time, transaction_hash, log_index, app_hash, dataset_hash,
       workerpool_hash, request_hash, volume, requester, app, dataset, workerpool, details)
     values ($1, $2, $3, to_timestamp($4), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      dealId,
      block.hash,
      block.number,
      block.timestamp,
      log.transactionHash,
      log.logIndex,
      hashes.app,
      hashes.dataset,
      hashes.workerpool,
      hashes.request,
      deal.botSize,
      deal.requester,
      deal.app.pointer,
      deal.dataset.pointer,
      deal.workerpool.pointer,
      details,
    ],
  )
}

type DealRow = {
  dealid: Hex
  block_number: bigint
  log_index: number
  block_time: Date
  transaction_hash: Hex
  app_hash: Hex
  dataset_hash: Hex
  workerpool_hash: Hex
  request_hash: Hex
  volume: bigint
  details: StoredDeal
}
type StoredResource = { pointer: Address; owner: Address; price: string }
/** As `details` holds it: every number a decimal string. */
type StoredDeal = Record<'app' | 'dataset' | 'workerpool', StoredResource> & Record<string, string>

/** Deals, the newest first. */
export async function listDeals(
  on: Query,
  {
    filter,
    limit,
    offset,
    after,
  }: { filter: DealFilter; limit: number; offset: number; after?: { block: bigint; log: number } },
): Promise<{ deals: DealRow[]; count: number }> {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== 'any')
  const where = given.map(([name], index) => `${filterColumns[name as keyof DealFilter]} = $${index + 1}`)
  const condition = where.length > 0 ? `where ${where.join(' and ')}` : ''
  const values = given.map(([, value]) => value)
  const [counted] = await on.query<{ count: bigint }>(`select count(*) from deal ${condition}`, values)
  const further = after ? [`(block_number, log_index) < ($${values.length + 3}, $${values.length + 4})`] : []
  const deals = await on.query<DealRow>(
    `select * from deal ${where.length + further.length > 0 ? `where ${[...where, ...further].join(' and ')}` : ''}
     order by block_number desc, log_index desc
     limit $${values.length + 1} offset $${values.length + 2}`,
    [...values, limit, offset, ...(after ? [after.block, after.log] : [])],
  )
  return { deals, count: Number(counted?.count ?? 0n) }
}

export async function findDeal(on: Query, dealId: string): Promise<DealRow | undefined> {
  const [row] = await on.query<DealRow>('select * from deal where dealid = $1', [dealId])
  return row
}

/** Time, workerpool price and volume of the latest deals of a category, the oldest first. */
export async function listPrices(
  on: Query,
  { category, limit }: { category: bigint; limit: number },
): Promise<{ time: Date; price: bigint; volume: bigint }[]> {
  return on.query(
    `select * from (
       select block_time as time, (details -> 'workerpool' ->> 'price')::numeric as price, volume, block_number, log_index
       from deal where details ->> 'category' = $1 order by block_number desc, log_index desc limit $2
     ) latest order by block_number, log_index`,
    [String(category), limit],
  )
}

/** The wire form: numbers as JSON numbers. */
export function dealJson(row: DealRow, chainId: bigint): DealJson {
  const { details } = row
  const resource = ({ pointer, owner, price }: StoredResource) => ({ pointer, owner, price: Number(price) })
  return {
    dealid: row.dealid,
    chainId: Number(chainId),
    app: resource(details.app),
    dataset: resource(details.dataset),
    workerpool: resource(details.workerpool),
    requester: details.requester,
    beneficiary: details.beneficiary,
    callback: details.callback,
    appHash: row.app_hash,
    datasetHash: row.dataset_hash,
    workerpoolHash: row.workerpool_hash,
    requestHash: row.request_hash,
    params: details.params,
    volume: Number(row.volume),
    category: Number(details.category),
    tag: details.tag,
    trust: Number(details.trust),
    startTime: Number(details.startTime),
    botFirst: Number(details.botFirst),
    botSize: Number(details.botSize),
    schedulerRewardRatio: Number(details.schedulerRewardRatio),
    workerStake: Number(details.workerStake),
    blockNumber: Number(row.block_number),
    blockTimestamp: row.block_time.toISOString(),
    transactionHash: row.transaction_hash,
  }
}
