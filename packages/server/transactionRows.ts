import type { Hex } from '@sealdeal/protocol'
import type { Database, Query, Transaction } from './database.ts'

/** A signed transaction that is under way. All its hashes are of the same nonce: at most one of them is ever mined. */
export type SentRow = {
  id: string
  nonce: number
  hashes: Hex[]
  raw: Hex
  /** Milliseconds since it was offered to a node last, or recorded; and since it was recorded. By the database's clock. */
  age: number
  waiting: number
  /** Milliseconds since it offers the fee it offers now, and the head of the chain then. */
  priced: number
  pricedBlock: bigint | undefined
}

export type RowStatus = 'pending' | 'mined' | 'dropped'

/** What a nonce's row says of its outcome. */
export type RowOutcome = { id: string; nonce: number; status: RowStatus; minedHash: Hex | undefined; hashes: Hex[] }

/** A mined transaction this many blocks deep is not looked at any more: no reorganisation reaches it. */
const DEEP = 256n

const since = (column: string) => `(extract(epoch from now() - ${column}) * 1000)::float8`
const columns = `id, nonce, hashes, raw, priced_block, ${since('sent_at')} as age, ${since('priced_at')} as priced,
  ${since('created_at')} as waiting`

type Stored = {
  id: string
  nonce: bigint
  hashes: Hex[]
  raw: Hex
  age: number
  waiting: number
  priced: number
  priced_block: bigint | null
}

/** Rows of `sent_transaction` of one account: they outlive the process, and all replicas see the same ones. */
export function transactionRows({
  database,
  chainId,
  account,
}: {
  database: Database
  chainId: bigint
  account: string
}) {
  const own = [chainId, account] as const
  const ours = 'chain_id = $1 and account = $2'

  /** Runs `work` in a transaction while no other replica gives out nonces of the account. */
  function exclusively<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return database.transaction(async (transaction) => {
      await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`send:${chainId}:${account}`])
      return work(transaction)
    })
  }

  /** What a reorganisation took back is under way again: its nonce is not used on this chain any more. */
  async function undo(mined: number, on: Query = database): Promise<string[]> {
    const rows = await on.query<{ id: string }>(
      `update sent_transaction set status = 'pending', mined_hash = null, mined_block = null
       where ${ours} and status = 'mined' and nonce >= $3 and mined_block > (
         select max(mined_block) - ${DEEP} from sent_transaction where ${ours} and status = 'mined')
       returning id`,
      [...own, mined],
    )
    return rows.map(({ id }) => id)
  }

  return {
    exclusively,
    undo,

    /** The first nonce behind all that is under way here, and behind what the node knows of (`known`). */
    async nextNonce(transaction: Transaction, known: number): Promise<number> {
      const [row] = await transaction.query<{ next: bigint | null }>(
        `select max(nonce) + 1 as next from sent_transaction where ${ours} and status = 'pending'`,
        own,
      )
      return Math.max(known, Number(row?.next ?? 0n))
    },

    async isUsed(transaction: Transaction, nonce: number): Promise<boolean> {
      const rows = await transaction.query(
        `select 1 from sent_transaction where ${ours} and nonce = $3 and status = 'pending'`,
        [...own, nonce],
      )
      return rows.length > 0
    },

    async add(
      transaction: Transaction,
      { id, nonce, hash, raw, reference }: { id: string; nonce: number; hash: Hex; raw: Hex; reference?: string },
    ): Promise<void> {
      // A row of the same nonce that was mined belongs to a chain that is no more.
      await transaction.query(
        `update sent_transaction set status = 'dropped' where ${ours} and nonce = $3 and status <> 'dropped'`,
        [...own, nonce],
      )
      await transaction.query(
        `insert into sent_transaction (id, chain_id, account, nonce, reference, hashes, raw, status)
         values ($3, $1, $2, $4, $5, $6, $7, 'pending')`,
        [...own, id, nonce, reference ?? null, [hash], raw],
      )
    },

    /** What is under way, by nonce. */
    async pending(): Promise<SentRow[]> {
      const rows = await database.query<Stored>(
        `select ${columns} from sent_transaction
         where ${ours} and status = 'pending' order by nonce`,
        own,
      )
      return rows.map(decode)
    },

    /** Runs `work` on a transaction that is still under way, while no other replica offers, replaces or ends it. */
    locked<Result>(
      id: string,
      work: (row: SentRow & { offers: number }, transaction: Transaction) => Promise<Result>,
    ): Promise<Result | undefined> {
      return database.transaction(async (transaction) => {
        const [row] = await transaction.query<Stored & { offers: number }>(
          `select ${columns}, offers from sent_transaction
           where id = $1 and status = 'pending' for update`,
          [id],
        )
        return row ? work({ ...decode(row), offers: row.offers }, transaction) : undefined
      })
    },

    /** It was offered to a node, which took it or may take it later. */
    async offered(
      transaction: Transaction,
      id: string,
      { head, taken }: { head: bigint; taken: boolean },
    ): Promise<void> {
      await transaction.query(
        'update sent_transaction set sent_at = now(), priced_block = coalesce(priced_block, $2), offers = offers + $3 where id = $1',
        [id, head, taken ? 1 : 0],
      )
    },

    /** Another signed transaction of the same nonce takes its place: either may be mined. */
    async replace(transaction: Transaction, id: string, { raw, hash }: { raw: Hex; hash: Hex }): Promise<void> {
      await transaction.query(
        `update sent_transaction set raw = $2, hashes = hashes || $3, priced_at = now(), priced_block = null where id = $1`,
        [id, raw, [hash]],
      )
    },

    /** No higher fee may be offered: thought about again after as long a time. */
    async keepPrice(transaction: Transaction, id: string): Promise<void> {
      await transaction.query('update sent_transaction set priced_at = now() where id = $1', [id])
    },

    /** Its outcome, unless another replica was quicker; true when this call decided it. */
    async finish(
      id: string,
      outcome: { status: 'dropped' } | { status: 'mined'; hash: Hex; block: bigint },
      on: Query = database,
    ): Promise<boolean> {
      const mined = outcome.status === 'mined' ? [outcome.hash, outcome.block] : [null, null]
      const rows = await on.query(
        `update sent_transaction set status = $2, mined_hash = $3, mined_block = $4
         where id = $1 and status = 'pending' returning 1`,
        [id, outcome.status, ...mined],
      )
      return rows.length > 0
    },

    /** Its receipt cannot be found any more: looked into again. */
    async doubt(id: string): Promise<void> {
      await database.query(
        `update sent_transaction set status = 'pending', mined_hash = null, mined_block = null
         where id = $1 and status = 'mined'`,
        [id],
      )
    },

    async outcomes(ids: readonly string[]): Promise<RowOutcome[]> {
      const rows = await database.query<Stored & { status: RowStatus; mined_hash: Hex | null }>(
        'select id, nonce, hashes, status, mined_hash from sent_transaction where id = any($1)',
        [ids],
      )
      return rows.map(({ id, nonce, hashes, status, mined_hash }) => ({
        id,
        nonce: Number(nonce),
        hashes,
        status,
        minedHash: mined_hash ?? undefined,
      }))
    },

    /** What was recorded for this purpose last, if it is under way. */
    async find(reference: string): Promise<SentRow | undefined> {
      const [row] = await database.query<Stored>(
        `select ${columns} from sent_transaction
         where ${ours} and status = 'pending' and reference = $3 order by created_at desc limit 1`,
        [...own, reference],
      )
      return row && decode(row)
    },
  }
}

export type TransactionRows = ReturnType<typeof transactionRows>

function decode({ nonce, priced_block, ...row }: Stored): SentRow {
  return { ...row, nonce: Number(nonce), pricedBlock: priced_block ?? undefined }
}
