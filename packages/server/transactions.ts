import { randomUUID } from 'node:crypto'
import type { Address } from '@sealdeal/protocol'
import { JsonRpcApiProvider, parseUnits, type TransactionReceipt, type Wallet } from 'ethers'
import { Counter, Gauge, type Registry } from 'prom-client'
import { reasonOf } from './broadcast.ts'
import type { Database } from './database.ts'
import { feeSource, gasLimitOf } from './gas.ts'
import { createKeeper } from './keeper.ts'
import type { Log } from './log.ts'
import { readCounts } from './nonces.ts'
import { type Sender, type SendParameters, SendRefusedError, type Sent, TransactionDroppedError } from './sender.ts'
import { transactionRows } from './transactionRows.ts'

export type TransactionsParameters = {
  wallet: Wallet
  database: Database
  chainId: bigint
  log: Log
  /** Milliseconds between looks at what is under way; between looks for other replicas' when nothing is. */
  interval?: number
  idleInterval?: number
  /** What the node does not hold after so many milliseconds is offered again. */
  resendAfter?: number
  /** What blocks leave out for so many milliseconds pays more. */
  raiseAfter?: number
  /** Never more than this per gas, in wei. */
  highestFee?: bigint
  metrics?: Registry
}

export type Transactions = Sender & {
  /** What was mined is not there any more, as far as the caller can see: its outcome is found out again. */
  doubt: (id: string) => Promise<void>
  /** @throws when chain or database cannot be reached, or when something waits far too long. */
  check: () => void
}

/** Without a look that worked for so long, or with a transaction that waits for so long, it is not ready. */
const SILENT_MS = 15_000
const STUCK_MS = 600_000

/**
 * Sends the transactions of one account as fast as they come, many of them under way at once, in any number of replicas.
 * Each is recorded, signed, before it leaves; nonces are given out by the database. One look at the chain serves all that
 * is under way, whoever sent it: what a node forgot is offered again, what blocks leave out pays more, a nonce that nothing
 * uses is filled, what a reorganisation took back is under way again. Only a proof ends a transaction: its receipt, or the
 * other one that used its nonce.
 *
 * @example
 * const { wait } = await transactions.send({ to: hub, data, reference: requestHash, signed: record })
 * const { status } = await wait()
 */
export function createTransactions({
  wallet,
  database,
  chainId,
  log,
  interval = 100,
  idleInterval = 1_000,
  resendAfter = 1_000,
  raiseAfter = 15_000,
  highestFee = parseUnits('1000', 'gwei'),
  metrics,
}: TransactionsParameters): Transactions {
  const provider = nodeOf(wallet)
  const account = wallet.address as Address
  const rows = transactionRows({ database, chainId, account })
  const suggest = feeSource({ provider, highest: highestFee })
  const meters = createMeters(metrics)
  const keeper = createKeeper({
    ...{ wallet, provider, chainId, rows, log, suggest, highestFee, resendAfter, raiseAfter },
    count: (what) => meters?.steps.inc({ step: what }),
  })
  const waiters = new Map<string, PromiseWithResolvers<TransactionReceipt>>()
  const record = inOrder()
  const offerNext = inOrder()
  const bell = createBell()
  let latest = { pending: 0, waiting: 0 }
  let lookedAt = Date.now()
  let closed = false

  function watch({ id, hashes }: { id: string; hashes: readonly string[] }): Sent {
    const waiter = waiters.get(id) ?? Promise.withResolvers<TransactionReceipt>()
    // Whoever does not wait must not end the process.
    waiter.promise.catch(() => {})
    waiters.set(id, waiter)
    if (waiters.size === 1) bell.ring()
    return { id, hash: (hashes.at(-1) ?? '0x') as Sent['hash'], wait: () => waiter.promise }
  }

  async function send(parameters: SendParameters): Promise<Sent> {
    const { to, data, value = 0n, reference } = parameters
    const call = { from: account, to, data, value }
    const [gasLimit, fees] = await Promise.all([gasLimitOf(provider, call, parameters.gasLimit), suggest()])
    const { id, hash, offered } = await record(async () => {
      const counts = await readCounts(provider, account)
      const id = randomUUID()
      const hash = await rows.exclusively(async (transaction) => {
        // What a reorganisation took back keeps its nonce.
        await rows.undo(counts.mined, transaction)
        const nonce = await rows.nextNonce(transaction, counts.known)
        const signed = await keeper.sign({ to, data, value, gasLimit, nonce, fees })
        await rows.add(transaction, { id, nonce, ...signed, ...(reference === undefined ? {} : { reference }) })
        await parameters.signed?.({ id, hash: signed.hash, transaction })
        return signed.hash
      })
      parameters.recorded?.({ hash })
      // The next one may be recorded while this one leaves; they leave in the order of their nonces.
      return { id, hash, offered: offerNext(() => keeper.offer(id, { first: true })) }
    })
    // Where only the answer was lost, the looks below find out.
    const refusal = await offered.catch(
      (error: unknown) => void log.warn({ error, hash }, 'perhaps not sent, looked after'),
    )
    if (refusal !== undefined) throw new SendRefusedError({ account, reason: reasonOf(refusal), cause: refusal })
    return watch({ id, hashes: [hash] })
  }

  /** Tells those who wait. */
  async function settle(): Promise<void> {
    for (const { id, status, minedHash, hashes, nonce } of await rows.outcomes([...waiters.keys()])) {
      const waiter = waiters.get(id)
      if (status === 'dropped') waiter?.reject(new TransactionDroppedError({ hash: hashes.at(-1) ?? '', nonce }))
      else if (status === 'mined' && minedHash) {
        const receipt = await provider.getTransactionReceipt(minedHash)
        if (!receipt) continue
        waiter?.resolve(receipt)
      } else continue
      waiters.delete(id)
    }
  }

  async function run(): Promise<void> {
    while (!closed) {
      try {
        latest = await keeper.look()
        meters?.pending.set(latest.pending)
        if (waiters.size > 0) await settle()
        lookedAt = Date.now()
      } catch (error) {
        if (!closed) log.warn({ error }, 'cannot look after transactions, tried again')
      }
      if (!closed) await bell.heard(latest.pending > 0 || waiters.size > 0 ? interval : idleInterval)
    }
  }
  const running = run()

  return {
    address: account,
    send,
    async resume(reference) {
      const row = await rows.find(reference)
      return row && watch(row)
    },
    doubt: rows.doubt,
    check() {
      const silent = Date.now() - lookedAt
      if (silent > SILENT_MS) throw new Error(`transactions were not looked after for ${Math.round(silent / 1_000)} s`)
      const { pending, waiting } = latest
      if (waiting > STUCK_MS)
        throw new Error(`${pending} transactions wait, the first of them for ${Math.round(waiting / 1_000)} s`)
    },
    async close() {
      closed = true
      bell.ring()
      await running
      for (const { reject } of waiters.values()) reject(new DOMException('closed while waiting', 'AbortError'))
      waiters.clear()
    },
  }
}

/** Runs one after the other, in the order of the calls. */
function inOrder() {
  let last: Promise<unknown> = Promise.resolve()
  return function next<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}

/** A pause that somebody may cut short. */
function createBell() {
  let wake = () => {}
  return {
    ring: () => wake(),
    heard: (milliseconds: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
  }
}

function nodeOf({ provider }: Wallet): JsonRpcApiProvider {
  if (provider instanceof JsonRpcApiProvider) return provider
  throw new Error('the wallet is not connected to a node')
}

function createMeters(metrics: Registry | undefined) {
  if (!metrics) return undefined
  const registers = [metrics]
  const pending = new Gauge({
    name: 'transactions_pending',
    help: 'Transactions of the account that are under way',
    registers,
  })
  const steps = new Counter({
    name: 'transactions_steps_total',
    help: 'What this replica did: first, again, raised, filler; mined, failed, dropped, refused',
    labelNames: ['step'],
    registers,
  })
  return { pending, steps }
}
