import { type Address, type Contracts, Deal, type Hex } from '@sealdeal/protocol'
import {
  type ChainLog,
  type Database,
  type FollowedBlock,
  type Follower,
  follow,
  type Log,
  storableText,
  type Transaction,
} from '@sealdeal/server'
import { getAddress, type Provider, toBeHex } from 'ethers'
import { type Affected, refresh } from './book.ts'
import { insertDeal } from './deals.ts'
import { announce } from './news.ts'

export type WatchParameters = {
  provider: Provider & { send: (method: string, params: unknown[]) => Promise<unknown> }
  marketplace: Contracts.Marketplace
  database: Database
  log: Log
  from: bigint
  /** Milliseconds between looks at the head of the chain. */
  interval: number
}

/** Name of the market's cursor. */
const cursorName = 'market'

/** Held by the chain's news alone, and by those who publish together: any number, the same in all replicas. */
export const bookLock = 7_325_402

const closingEvents = new Set(['ClosedAppOrder', 'ClosedDatasetOrder', 'ClosedWorkerpoolOrder', 'ClosedRequestOrder'])

type Event = { name: string; args: Record<string, unknown>; log: ChainLog }

/** Keeps the book's rows equal to the chain: deals, closed orders, owners of assets, stakes, categories. */
export async function watch(parameters: WatchParameters): Promise<Follower> {
  const { provider, marketplace, database, log, from, interval } = parameters
  const { hub, appRegistry, datasetRegistry, workerpoolRegistry } = marketplace
  const hubAddress = (await hub.getAddress()) as Address
  const registries = await Promise.all(
    [appRegistry, datasetRegistry, workerpoolRegistry].map((each) => each.getAddress()),
  )
  return follow({
    chain: provider,
    database,
    name: cursorName,
    address: [hubAddress, ...(registries as Address[])],
    from,
    log,
    interval,
    async apply({ transaction, block, logs }) {
      await lockBook(transaction)
      const events = logs.flatMap((each) => decode(each, marketplace))
      const affected: Affected[] = []
      for (const event of events) {
        if (event.name === 'OrdersMatched') affected.push(await applyMatch({ transaction, block, event, hub }))
        else if (closingEvents.has(event.name)) affected.push(await applyClosing({ transaction, block, event }))
        else if (event.name === 'CreateCategory') await applyCategory({ transaction, block, event })
        else if (event.name === 'Transfer' && event.log.address !== hubAddress) {
          affected.push(await applyTransfer({ transaction, block, event }))
        }
      }
      const transfers = events.filter((event) => event.name === 'Transfer' && event.log.address === hubAddress)
      affected.push(await applyStakes({ transaction, block, transfers }))
      await refresh(transaction, merge(affected))
    },
    async undo({ transaction, block }) {
      await lockBook(transaction)
      await undo(transaction, block.hash)
    },
  })
}

/** Waits for who publishes, and lets them wait: no order is judged by what was and written after what is. */
async function lockBook(transaction: Transaction): Promise<void> {
  await transaction.query('select pg_advisory_xact_lock($1)', [bookLock])
}

/** The transfer of an asset and that of staked tokens share a name: the address tells which it is. */
function decode(log: ChainLog, { hub, appRegistry }: Contracts.Marketplace): Event[] {
  const from = log.address === hub.target ? hub : appRegistry
  const parsed = from.interface.parseLog(log)
  return parsed ? [{ name: parsed.name, args: parsed.args.toObject(), log }] : []
}

type Applied = { transaction: Transaction; block: FollowedBlock; event: Event }

async function applyMatch({ transaction, block, event, hub }: Applied & { hub: Contracts.Hub }): Promise<Affected> {
  const dealId = event.args.dealid as Hex
  // A deal never changes once it is made, so the present answer is that of its block; gone means reorganised.
  const deal = Deal.fromChain((await hub.viewDeal(dealId)) as unknown as Deal.Deal)
  if (deal.botSize === 0n) throw new Error(`deal ${dealId} is gone again`)
  const hashes = {
    app: event.args.appHash as Hex,
    dataset: event.args.datasetHash as Hex,
    workerpool: event.args.workerpoolHash as Hex,
    request: event.args.requestHash as Hex,
  }
  await insertDeal(transaction, { dealId, deal, hashes, block, log: event.log })
  await announce(transaction, [{ event: 'deal_created', id: dealId }])
  return { hashes: Object.values(hashes) }
}

async function applyClosing({ transaction, block, event }: Applied): Promise<Affected> {
  const hash = Object.values(event.args)[0] as Hex
  await transaction.query('insert into closing (block_hash, log_index, order_hash) values ($1, $2, $3)', [
    block.hash,
    event.log.logIndex,
    hash,
  ])
  return { hashes: [hash] }
}

async function applyTransfer({ transaction, block, event }: Applied): Promise<Affected> {
  const [, owner, tokenId] = Object.values(event.args)
  const asset = assetOf(tokenId as bigint)
  await transaction.query(
    'insert into asset_transfer (block_hash, log_index, block_number, asset, owner) values ($1, $2, $3, $4, $5)',
    [block.hash, event.log.logIndex, block.number, asset, owner],
  )
  return { assets: [asset] }
}

/** The token that stands for an asset is numbered by the asset's address. */
function assetOf(tokenId: bigint): Address {
  return getAddress(toBeHex(tokenId, 20)) as Address
}

async function applyCategory({ transaction, block, event }: Applied): Promise<void> {
  const { catid, name, description, workClockTimeRef } = event.args
  await transaction.query(
    `insert into category (id, block_hash, name, description, work_clock_time_ref) values ($1, $2, $3, $4, $5)`,
    [catid, block.hash, storableText(String(name)), storableText(String(description)), workClockTimeRef],
  )
}

async function applyStakes({
  transaction,
  block,
  transfers,
}: {
  transaction: Transaction
  block: FollowedBlock
  transfers: Event[]
}): Promise<Affected> {
  const changes = new Map<string, bigint>()
  const add = (account: string, amount: bigint) => changes.set(account, (changes.get(account) ?? 0n) + amount)
  for (const { args } of transfers) {
    const [from, to, value] = Object.values(args) as [string, string, bigint]
    add(from, -value)
    add(to, value)
  }
  const accounts = [...changes.keys()]
  const values = [accounts, [...changes.values()]]
  await transaction.query(
    `insert into stake_change (block_hash, account, amount) select $1, * from unnest($2::text[], $3::numeric[])`,
    [block.hash, ...values],
  )
  await transaction.query(
    `insert into stake (account, amount) select * from unnest($1::text[], $2::numeric[])
     on conflict (account) do update set amount = stake.amount + excluded.amount`,
    values,
  )
  return { accounts }
}

async function undo(transaction: Transaction, blockHash: Hex): Promise<void> {
  const deals = await transaction.query<{ dealid: Hex } & Record<string, string>>(
    `delete from deal where block_hash = $1 returning dealid, app_hash, dataset_hash, workerpool_hash, request_hash`,
    [blockHash],
  )
  await announce(
    transaction,
    deals.map(({ dealid }) => ({ event: 'deal_removed', id: dealid })),
  )
  const closings = await transaction.query<{ order_hash: string }>(
    'delete from closing where block_hash = $1 returning order_hash',
    [blockHash],
  )
  const transfers = await transaction.query<{ asset: string }>(
    'delete from asset_transfer where block_hash = $1 returning asset',
    [blockHash],
  )
  const stakes = await transaction.query<{ account: string; amount: bigint }>(
    'delete from stake_change where block_hash = $1 returning account, amount',
    [blockHash],
  )
  for (const { account, amount } of stakes) {
    await transaction.query('update stake set amount = amount - $2 where account = $1', [account, amount])
  }
  await transaction.query('delete from category where block_hash = $1', [blockHash])
  await refresh(transaction, {
    hashes: [...deals.flatMap((row) => Object.values(row)), ...closings.map((row) => row.order_hash)],
    assets: transfers.map(({ asset }) => asset),
    accounts: stakes.map(({ account }) => account),
  })
}

function merge(affected: Affected[]): Affected {
  return {
    hashes: affected.flatMap(({ hashes = [] }) => hashes),
    assets: affected.flatMap(({ assets = [] }) => assets),
    accounts: affected.flatMap(({ accounts = [] }) => accounts),
  }
}
