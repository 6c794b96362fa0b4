import { type Address, type Hex, type Order, zeroAddress } from '@sealdeal/protocol'
import type { Transaction } from '@sealdeal/server'
import type { Status } from './book.ts'
import type { Groups } from './groups.ts'

/** An order that somebody wants on the book. */
export type Asked = {
  kind: Order.Kind
  order: Order.Signed<Order.Kind>
  hash: Hex
  /** Who asks. */
  account: Address
  /** Whose approval the order carries. */
  approver: Address | undefined
  /** Whether the registry of its kind knows the asset. */
  isRegistered: boolean
  maxOpenOrders: number
  /** Groups on the chain that admit what a request names. */
  groups?: Groups
}

/** What the book's rows say of an order, in one look. */
export type Facts = {
  /** Its status, when it is known already. */
  known: Status | null
  /** Whose order it has to be; the zero address where the asset does not exist. */
  signer: Address
  remaining: bigint
  /** What the signer has free in the escrow, and what its other open orders take of it. */
  stake: bigint
  taken: bigint
  /** Open orders of this kind that the signer has. */
  open: bigint
  hasCategory: boolean
}

/** Columns of `deal` that name an order. */
const hashColumns = { app: 'app_hash', dataset: 'dataset_hash', workerpool: 'workerpool_hash', request: 'request_hash' }

export async function readFacts(transaction: Transaction, { kind, order, hash }: Asked): Promise<Facts> {
  const named = order as unknown as Record<string, unknown>
  const signer = kind === 'request' ? '$2::text' : lastOwner
  const [row] = await transaction.query<Omit<Facts, 'remaining'> & { used: bigint; closed: boolean }>(
    `select (select status from book where hash = $1) as known, coalesce(signer, '${zeroAddress}') as signer,
       coalesce((select sum(volume) from deal where ${hashColumns[kind]} = $1), 0) as used,
       exists (select 1 from closing where order_hash = $1) as closed,
       coalesce((select amount from stake where account = signer), 0) as stake,
       coalesce((select sum(book.stake_per_task * remaining) from book
         where book.signer = owner.signer and status = 'open' and stake_per_task > 0 and hash <> $1), 0) as taken,
       (select count(*) from book where book.signer = owner.signer and kind = $3 and status = 'open') as open,
       $4::numeric is null or exists (select 1 from category where id = $4) as "hasCategory"
     from (select ${signer} as signer) owner`,
    [hash, kind === 'request' ? named.requester : named[kind], kind, named.category ?? null],
    { prepared: true },
  )
  if (!row) throw new Error(`nothing is known of order ${hash}`)
  const { used, closed, ...facts } = row
  return { ...facts, remaining: closed ? 0n : (named.volume as bigint) - used }
}

const lastOwner = `(select owner from asset_transfer where asset = $2 order by block_number desc, log_index desc limit 1)`
