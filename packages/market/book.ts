import { type Address, type Hex, Match, Order, zeroAddress } from '@sealdeal/protocol'
import type { Query, Transaction } from '@sealdeal/server'
import { announce, channel, type News, payloadOf } from './news.ts'

export type Status = 'open' | 'filled' | 'canceled' | 'dead'

/** An order as the book keeps it. */
export type Entry = {
  hash: Hex
  kind: Order.Kind
  signer: Address
  signed: Order.Json
  price: bigint
  volume: bigint
  remaining: bigint
  status: Status
  published_at: Date
}

const columns = 'hash, kind, signer, signed, price, volume, remaining, status, published_at'

/** What the signer must have staked for each task of the order. */
export function stakePerTask<kind extends Order.Kind>(kind: kind, order: Order.Unsigned<kind>): bigint {
  if (kind === 'workerpool') return Match.poolStake(Order.price(kind, order), 1n)
  return kind === 'request' ? Order.price(kind, order) : 0n
}

/** A tag as the book's column takes it: 256 binary digits. */
export function tagBits(tag: Hex): string {
  return BigInt(tag).toString(2).padStart(256, '0')
}

/**
 * Puts an order on the book, or back on it, and tells so: one that was there keeps its moment of publication. That enough
 * of its signer's stake is left for it has been checked: the newest order takes nothing from older ones.
 */
export async function insert<kind extends Order.Kind>(
  transaction: Transaction,
  given: { kind: kind; hash: Hex; signer: Address; order: Order.Signed<kind>; remaining: bigint },
): Promise<Entry> {
  const { kind, hash, signer, order, remaining } = given
  const names = namesOf(order)
  const [entry] = await transaction.query<Entry>(
    `with put as (
       insert into book (hash, kind, signer, app, dataset, workerpool, requester, beneficiary, price, stake_per_task,
         volume, category, trust, tag, signed, published_at, remaining, status)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::bit(256), $15,
         date_trunc('milliseconds', now()), $16, 'open')
       on conflict (hash) do update
         set signed = excluded.signed, remaining = excluded.remaining, status = excluded.status
       returning ${columns}
     ), told as (select pg_notify($17, $18) from put)
     select put.* from put, told`,
    [
      hash,
      kind,
      signer,
      names.app,
      names.dataset,
      names.workerpool,
      names.requester,
      names.beneficiary,
      names.price,
      stakePerTask(kind, order),
      names.volume,
      names.category,
      names.trust,
      tagBits(names.tag),
      JSON.stringify(Order.toJson(kind, order)),
      remaining,
      channel,
      payloadOf({ event: `${kind}order_published`, id: hash }),
    ],
    { prepared: true },
  )
  if (!entry) throw new Error(`order ${hash} was not stored`)
  return entry
}

/** Whom and what an order names, in the columns that the filters use. */
function namesOf(order: object) {
  const given = order as Record<string, unknown>
  const address = (name: string) => (given[name] ?? given[`${name}restrict`] ?? zeroAddress) as Address
  const number = (name: string) => (given[name] ?? 0n) as bigint
  return {
    app: address('app'),
    dataset: address('dataset'),
    workerpool: address('workerpool'),
    requester: address('requester'),
    beneficiary: address('beneficiary'),
    // Requests are sorted by what they pay for the work.
    price: (given.appprice ?? given.datasetprice ?? given.workerpoolprice ?? given.workerpoolmaxprice) as bigint,
    volume: number('volume'),
    tag: given.tag as Hex,
    category: number('category'),
    trust: number('trust'),
  }
}

/** One order, whatever its status. */
export async function find(on: Query, { kind, hash }: { kind: Order.Kind; hash: Hex }): Promise<Entry | undefined> {
  const [entry] = await on.query<Entry>(`select ${columns} from book where hash = $1 and kind = $2`, [hash, kind])
  return entry
}

/** Takes orders of a signer off the book: the named one, the last one or all that name an asset (or the requester). */
export async function remove(
  on: Transaction,
  {
    kind,
    signer,
    hash,
    asset,
    last = false,
  }: { kind: Order.Kind; signer: Address; hash?: Hex; asset?: Address; last?: boolean },
): Promise<Hex[]> {
  const named = kind === 'request' ? 'requester' : kind
  const rows = await on.query<{ hash: Hex }>(
    `delete from book where hash in (
       select hash from book
       where kind = $1 and signer = $2 and status = 'open'
         and ($3::text is null or hash = $3) and ($4::text is null or ${named} = $4)
       order by published_at desc, hash limit $5)
     returning hash`,
    [kind, signer, hash ?? null, asset ?? null, last ? 1 : null],
  )
  // The stake that was behind them is free for the orders that wait for some.
  if (kind === 'workerpool' || kind === 'request') await refresh(on, { accounts: [signer] })
  await announce(
    on,
    rows.map((row) => ({ event: `${kind}order_unpublished` as const, id: row.hash })),
  )
  return rows.map((row) => row.hash)
}

/** Which orders the chain's news may have changed. */
export type Affected = { hashes?: readonly string[]; assets?: readonly string[]; accounts?: readonly string[] }

/**
 * Derives `remaining` and `status` anew from what the chain said: what deals consumed, whether it was closed, whose the
 * asset is, what its signer has staked. Nothing is remembered, so what a reorganisation takes back comes back by itself.
 *
 * One stake stands behind all open orders of its owner, the oldest first: each takes what its tasks need of it, and an
 * order for which not even one task's share is left is dead until there is again.
 */
export async function refresh(transaction: Transaction, { hashes = [], assets = [], accounts = [] }: Affected) {
  const sharing = await transaction.query<{ signer: string }>(
    `select distinct signer from book where stake_per_task > 0
       and (hash = any ($1) or (kind = 'workerpool' and workerpool = any ($2)))`,
    [hashes, assets],
  )
  await judge(transaction, { hashes, assets, accounts: [...accounts, ...sharing.map(({ signer }) => signer)] })
}

/** Judges the affected orders and no other: their stake is that of the accounts which are named, or their own alone. */
async function judge(transaction: Transaction, { hashes = [], assets = [], accounts = [] }: Affected): Promise<void> {
  const changed = await transaction.query<Change>(
    `with recursive affected as (
       select hash, kind, signer, volume, stake_per_task, published_at, status as was, remaining as had,
         case kind when 'app' then app when 'dataset' then dataset when 'workerpool' then workerpool end as asset
       from book
       where hash = any ($1) or (stake_per_task > 0 and signer = any ($3))
         or (kind = 'app' and app = any ($2)) or (kind = 'dataset' and dataset = any ($2))
         or (kind = 'workerpool' and workerpool = any ($2))
     ), facts as (
       select *,
         volume - coalesce(case kind
           when 'app' then (select sum(deal.volume) from deal where app_hash = hash)
           when 'dataset' then (select sum(deal.volume) from deal where dataset_hash = hash)
           when 'workerpool' then (select sum(deal.volume) from deal where workerpool_hash = hash)
           else (select sum(deal.volume) from deal where request_hash = hash) end, 0) as left_over,
         exists (select 1 from closing where order_hash = hash) as closed,
         (select owner from asset_transfer where asset_transfer.asset = affected.asset
          order by block_number desc, log_index desc limit 1) as owner,
         coalesce((select amount from stake where account = signer), 0) as staked
       from affected
     ), standing as (
       select *, case
         when closed then 'canceled'
         when left_over <= 0 then 'filled'
         when asset is not null and owner is distinct from signer then 'dead'
         else 'open' end as state
       from facts
     ), staking as (
       select hash, signer, staked, stake_per_task, stake_per_task * left_over as needed,
         row_number() over (partition by signer order by published_at, hash) as turn
       from standing where state = 'open' and stake_per_task > 0
     ), backing as (
       select hash, signer, turn, staked as available, stake_per_task, needed from staking where turn = 1
       union all
       select next.hash, next.signer, next.turn,
         case when available >= backing.stake_per_task then greatest(available - backing.needed, 0) else available end,
         next.stake_per_task, next.needed
       from backing join staking next on next.signer = backing.signer and next.turn = backing.turn + 1
     )
     update book set
       remaining = case when closed then 0 else greatest(left_over, 0) end,
       status = case when available < backing.stake_per_task then 'dead' else state end
     from standing left join backing on backing.hash = standing.hash
     where book.hash = standing.hash
     returning book.hash, book.kind, was, had, book.status as is, book.remaining as has`,
    [hashes, assets, accounts],
  )
  await announce(transaction, changed.flatMap(newsOf))
}

type Change = { hash: Hex; kind: Order.Kind; was: Status; had: bigint; is: Status; has: bigint }

/** What the readers of the live feed hear of an order's change. */
function newsOf({ hash, kind, was, had, is, has }: Change): News[] {
  if (was !== 'open') return is === 'open' ? [{ event: `${kind}order_published`, id: hash }] : []
  if (is !== 'open') return [{ event: `${kind}order_unpublished`, id: hash }]
  return had === has ? [] : [{ event: `${kind}order_updated`, id: hash }]
}
