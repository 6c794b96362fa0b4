import type { Hex } from '@sealdeal/protocol'
import type { Provider, TransactionReceipt } from 'ethers'
import type { Database, Transaction } from './database.ts'

/** A signed transaction. All its hashes are of the same nonce: at most one of them is ever mined. */
export type OutboxEntry = { id: string; nonce: number; hashes: Hex[]; raw: Hex; reference?: string }

export type OutboxSession = {
  /** The first nonce that nothing recorded uses, given the chain's count of mined transactions. */
  nextNonce: (mined: number) => Promise<number>
  /** Records a transaction, together with what `write` writes. */
  add: (entry: OutboxEntry, write: (transaction?: Transaction) => Promise<void>) => Promise<void>
  drop: (id: string) => Promise<void>
}

/** Where signed transactions are kept until they are mined. */
export type Outbox = {
  /** Runs `work` while nobody else uses the account. */
  locked: <Result>(work: (session: OutboxSession) => Promise<Result>) => Promise<Result>
  pending: () => Promise<OutboxEntry[]>
  replace: (entry: OutboxEntry) => Promise<void>
  finish: (id: string, status: 'mined' | 'dropped') => Promise<void>
}

/**
 * The first nonce that neither the chain nor what is under way uses. After a reorganisation it may lie before some that are
 * under way: until something has it, they can not be mined.
 */
export function firstFreeNonce(mined: number, underway: readonly { nonce: number }[]): number {
  const used = new Set(underway.map(({ nonce }) => nonce))
  let nonce = mined
  while (used.has(nonce)) nonce++
  return nonce
}

/** For an agent without a database: nonces are safe among the callers in this process only. */
export function memoryOutbox(): Outbox {
  const entries = new Map<string, OutboxEntry>()
  let last: Promise<unknown> = Promise.resolve()
  const session: OutboxSession = {
    nextNonce: async (mined) => firstFreeNonce(mined, [...entries.values()]),
    async add(entry, write) {
      await write()
      entries.set(entry.id, entry)
    },
    drop: async (id) => void entries.delete(id),
  }
  return {
    locked(work) {
      const result = last.then(() => work(session))
      last = result.catch(() => {})
      return result
    },
    pending: async () => [...entries.values()],
    replace: async (entry) => void entries.set(entry.id, entry),
    finish: async (id) => void entries.delete(id),
  }
}

type Stored = { id: string; nonce: bigint; hashes: Hex[]; raw: Hex; reference: string | null }

/** Rows of `sent_transaction`: survive a crash, and serialise the account over all replicas. */
export function databaseOutbox({
  database,
  chainId,
  account,
}: {
  database: Database
  chainId: bigint
  account: string
}): Outbox {
  const own = [chainId, account] as const
  const pendingRows = `from sent_transaction where chain_id = $1 and account = $2 and status = 'pending'`
  const session: OutboxSession = {
    nextNonce: async (mined) => firstFreeNonce(mined, await pending()),
    add: ({ id, nonce, hashes, raw, reference }, write) =>
      database.transaction(async (transaction) => {
        // Rows of the same nonce that were mined belong to a chain that is no more, or to a reorganised block.
        await transaction.query(
          `update sent_transaction set status = 'dropped'
           where chain_id = $1 and account = $2 and nonce = $3 and status <> 'dropped'`,
          [...own, nonce],
        )
        await transaction.query(
          `insert into sent_transaction (id, chain_id, account, nonce, reference, hashes, raw, status)
           values ($1, $2, $3, $4, $5, $6, $7, 'pending')`,
          [id, ...own, nonce, reference ?? null, hashes, raw],
        )
        await write(transaction)
      }),
    drop: (id) => finish(id, 'dropped'),
  }
  async function finish(id: string, status: 'mined' | 'dropped'): Promise<void> {
    await database.query('update sent_transaction set status = $2 where id = $1', [id, status])
  }
  let last: Promise<unknown> = Promise.resolve()
  return {
    // First in line in this process, then among the replicas: so that waiting callers do not use up the connections.
    locked(work) {
      const result = last.then(() => lockedByAll(work))
      last = result.catch(() => {})
      return result
    },
    pending,
    replace,
    finish,
  }
  async function lockedByAll<Result>(work: (session: OutboxSession) => Promise<Result>): Promise<Result> {
    // The lock belongs to a session, not to a transaction: the record must be on disk before the transaction leaves.
    const client = await database.pool.connect()
    let broken = true
    try {
      await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`send:${chainId}:${account}`])
      try {
        return await work(session)
      } finally {
        await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [`send:${chainId}:${account}`])
        broken = false
      }
    } finally {
      // A connection that may still hold the lock is closed, which frees it.
      client.release(broken)
    }
  }
  async function pending(): Promise<OutboxEntry[]> {
    const rows = await database.query<Stored>(
      `select id, nonce, hashes, raw, reference ${pendingRows} order by nonce`,
      own,
    )
    return rows.map(({ id, nonce, hashes, raw, reference }) => ({
      id,
      nonce: Number(nonce),
      hashes,
      raw,
      ...(reference === null ? {} : { reference }),
    }))
  }
  async function replace({ id, hashes, raw }: OutboxEntry): Promise<void> {
    await database.query('update sent_transaction set hashes = $2, raw = $3, sent_at = now() where id = $1', [
      id,
      hashes,
      raw,
    ])
  }
}

/** The receipt of whichever hash was mined; `dropped` when the nonce went to something else; undefined while open. */
export async function resolveEntry({
  entry,
  provider,
  account,
}: {
  entry: OutboxEntry
  provider: Provider
  account: string
}): Promise<TransactionReceipt | 'dropped' | undefined> {
  // The count first: a receipt that appears in between must not look like a lost nonce.
  const mined = await provider.getTransactionCount(account, 'latest')
  const receipts = await Promise.all(entry.hashes.map((hash) => provider.getTransactionReceipt(hash)))
  const receipt = receipts.find((found) => found !== null)
  if (receipt) return receipt
  return mined > entry.nonce ? 'dropped' : undefined
}
