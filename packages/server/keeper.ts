import { randomUUID } from 'node:crypto'
import type { Address, Hex } from '@sealdeal/protocol'
import { Transaction as ChainTransaction, type JsonRpcApiProvider, type Wallet } from 'ethers'
import { broadcast, isTemporary } from './broadcast.ts'
import { covers, type Fees, gasLimitOf, raised } from './gas.ts'
import type { Log } from './log.ts'
import { type Counts, readCounts, userOfNonce } from './nonces.ts'
import type { SentRow, TransactionRows } from './transactionRows.ts'

export type KeeperParameters = {
  wallet: Wallet
  provider: JsonRpcApiProvider
  chainId: bigint
  rows: TransactionRows
  log: Log
  suggest: () => Promise<Fees>
  /** Never more than this per gas, in wei. */
  highestFee: bigint
  resendAfter: number
  raiseAfter: number
  /** Told what was done, for the metrics. */
  count: (what: 'first' | 'again' | 'raised' | 'filler' | 'mined' | 'failed' | 'dropped' | 'refused') => void
}

/** A fee is raised only where so many blocks came that left the transaction out: more money does not make blocks. */
const LEFT_OUT = 2n

/** At most so many are offered again in one look: the first of them unblock the others. */
const MOST_AGAIN = 100

/**
 * Keeps what is under way moving. Any number of replicas may look at the same rows: a row is locked while it is offered,
 * replaced or ended, and what ends it is a fact of the chain.
 */
export function createKeeper(parameters: KeeperParameters) {
  const { wallet, provider, chainId, rows, log, suggest, highestFee, resendAfter, raiseAfter, count } = parameters
  const account = wallet.address as Address
  let head: bigint | undefined
  let gap: { nonce: number; since: number } | undefined

  async function headBlock(): Promise<bigint> {
    head ??= BigInt(await provider.getBlockNumber())
    return head
  }

  /**
   * Gives a transaction to the node. Answers why it was refused, for good: only who sends it the first time learns that, and
   * it has ended then; what a node has taken once is never given up.
   */
  async function offer(id: string, { first = false }: { first?: boolean } = {}): Promise<unknown> {
    const block = await headBlock()
    return rows.locked(id, async (row, transaction) => {
      if (!first && row.age < resendAfter) return undefined
      const refusal = await broadcast({ provider, raw: row.raw, hash: row.hashes.at(-1) as Hex }).catch(
        (error: unknown) => error,
      )
      if (refusal !== undefined && first && row.offers === 0 && !isTemporary(refusal)) {
        await rows.finish(id, { status: 'dropped' }, transaction)
        count('refused')
        return refusal
      }
      if (refusal !== undefined) log.warn({ error: refusal, nonce: row.nonce }, 'not taken by the node, offered again')
      await rows.offered(transaction, id, { head: block, taken: refusal === undefined })
      count(first ? 'first' : 'again')
      return undefined
    })
  }

  /** The outcome of a nonce that is used up: of the row's own transactions, or proof that another one took it. */
  async function conclude(row: SentRow): Promise<void> {
    const receipts = await Promise.all(row.hashes.map((hash) => provider.getTransactionReceipt(hash)))
    const receipt = receipts.find((found) => found !== null)
    if (receipt) {
      const outcome = { status: 'mined', hash: receipt.hash as Hex, block: BigInt(receipt.blockNumber) } as const
      if (await rows.finish(row.id, outcome)) count(receipt.status === 1 ? 'mined' : 'failed')
      return
    }
    const user = await userOfNonce(provider, { account, nonce: row.nonce, head: await headBlock() })
    if (user === undefined || row.hashes.some((hash) => hash === user)) return
    if (!(await rows.finish(row.id, { status: 'dropped' }))) return
    count('dropped')
    log.error({ nonce: row.nonce, hashes: row.hashes, by: user }, 'another transaction of this account took the nonce')
  }

  async function raise(id: string): Promise<void> {
    const suggested = await suggest()
    const isRaised = await rows.locked(id, async (row, transaction) => {
      if (row.priced < raiseAfter) return false
      const fees = raised(row.raw, { suggested, highest: highestFee })
      if (!fees) return rows.keepPrice(transaction, id).then(() => false)
      const { to, data, value, gasLimit, nonce } = ChainTransaction.from(row.raw)
      const signed = await sign({ to: to as Address, data: data as Hex, value, gasLimit, nonce, fees })
      await rows.replace(transaction, id, signed)
      log.warn({ nonce, hash: signed.hash, fees: texts(fees) }, 'left out of blocks, pays more')
      return true
    })
    // It is on disk before it leaves: a hash that nobody knows could be mined.
    if (!isRaised) return
    count('raised')
    await rows.locked(id, async (row, transaction) => {
      const taken = await broadcast({ provider, raw: row.raw, hash: row.hashes.at(-1) as Hex }).then(
        () => true,
        (error: unknown) => {
          log.warn({ error, nonce: row.nonce }, 'the higher fee was not taken')
          return false
        },
      )
      await rows.offered(transaction, id, { head: await headBlock(), taken })
    })
  }

  /** A nonce that nothing uses stops all behind it. After a while it is used up by a payment of nothing to oneself. */
  async function fill(open: readonly SentRow[], { known }: Counts): Promise<void> {
    const isGap = open.some(({ nonce }) => nonce > known) && !open.some(({ nonce }) => nonce === known)
    if (!isGap) {
      gap = undefined
      return
    }
    if (gap?.nonce !== known) gap = { nonce: known, since: Date.now() }
    if (Date.now() - gap.since < resendAfter) return
    const call = { from: account, to: account, data: '0x' as Hex, value: 0n }
    const [gasLimit, fees] = await Promise.all([gasLimitOf(provider, call), suggest()])
    const signed = await sign({ ...call, gasLimit, nonce: known, fees })
    const id = randomUUID()
    const isMade = await rows.exclusively(async (transaction) => {
      if (await rows.isUsed(transaction, known)) return false
      await rows.add(transaction, { id, nonce: known, ...signed })
      return true
    })
    if (!isMade) return
    count('filler')
    log.warn(
      { nonce: known, hash: signed.hash },
      'nothing uses this nonce any more: filled, so that others can be mined',
    )
    await offer(id, { first: true })
  }

  async function sign({
    fees,
    ...transaction
  }: {
    to: Address
    data: Hex
    value: bigint
    gasLimit: bigint
    nonce: number
    fees: Fees
  }): Promise<{ raw: Hex; hash: Hex }> {
    const { to, data, value, gasLimit, nonce } = transaction
    const raw = (await wallet.signTransaction({ to, data, value, gasLimit, nonce, chainId, ...fees })) as Hex
    return { raw, hash: ChainTransaction.from(raw).hash as Hex }
  }

  return {
    sign,
    offer,

    /** Looks once at all that is under way. Answers how many they are, and how long the first of them waits already. */
    async look(): Promise<{ pending: number; waiting: number }> {
      // The counts first: what is read afterwards includes every hash that these counts can be about.
      const [counts, block] = await Promise.all([readCounts(provider, account), provider.getBlock('latest')])
      const now = BigInt(block?.number ?? 0)
      head = now
      const undone = await rows.undo(counts.mined)
      if (undone.length > 0) log.warn({ transactions: undone }, 'undone by a reorganisation, under way again')
      const pending = await rows.pending()
      await Promise.all(pending.filter(({ nonce }) => nonce < counts.mined).map(conclude))
      const open = pending.filter(({ nonce }) => nonce >= counts.mined)
      await fill(open, counts)
      // What the node does not hold, and what was killed between its higher fee and its way to the node.
      const missing = open.filter(
        ({ nonce, age, pricedBlock }) => (nonce >= counts.known || pricedBlock === undefined) && age >= resendAfter,
      )
      for (const { id } of missing.slice(0, MOST_AGAIN)) await offer(id)
      const baseFee = block?.baseFeePerGas ?? null
      for (const row of open) {
        const isLeftOut = row.pricedBlock !== undefined && now >= row.pricedBlock + LEFT_OUT && row.priced >= raiseAfter
        if (!isLeftOut) continue
        // Behind the first one, only the fee of a transaction can be to blame, not its turn.
        if (!covers(row.raw, baseFee) || (row.nonce === counts.mined && !missing.includes(row))) await raise(row.id)
      }
      return { pending: open.length, waiting: open[0]?.waiting ?? 0 }
    },
  }
}

function texts(fees: Fees): Record<string, string> {
  return Object.fromEntries(Object.entries(fees).map(([name, value]) => [name, String(value)]))
}
