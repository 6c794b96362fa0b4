import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Hex } from '@sealdeal/protocol'
import { BaseError } from '@sealdeal/protocol'
import {
  Transaction as ChainTransaction,
  type Provider,
  type TransactionReceipt,
  type TransactionRequest,
  type Wallet,
} from 'ethers'
import { broadcast, isNonceTaken, reasonOf } from './broadcast.ts'
import type { Transaction } from './database.ts'
import { gasLimitOf } from './gas.ts'
import type { Log } from './log.ts'
import { type Outbox, type OutboxEntry, resolveEntry } from './outbox.ts'

/** The node refused the transaction for good: it will not be mined. */
export class SendRefusedError extends BaseError {
  override name = 'SendRefusedError'
  constructor({ account, reason, cause }: { account: string; reason: string; cause: unknown }) {
    super(`The node refused a transaction of ${account}: ${reason}.`, { cause, docsPath: '/operate#transactions' })
  }
}

/** Somebody else used the account's nonce: the transaction can never be mined. */
export class TransactionDroppedError extends BaseError {
  override name = 'TransactionDroppedError'
  constructor({ hash, nonce }: { hash: string; nonce: number }) {
    super(`Transaction ${hash} can never be mined: another one took its nonce ${nonce}.`, {
      metaMessages: ['Is the same key used by another program?'],
      docsPath: '/operate#transactions',
    })
  }
}

export type SendParameters = {
  to: Address
  data: Hex
  value?: bigint
  /** Estimated when absent; the estimate fails with the contract's own error when the call would revert. */
  gasLimit?: bigint
  /** What this is for, to find it again after a restart. */
  reference?: string
  /**
   * Called with the signed transaction before it leaves, in the database transaction that records it: what is written
   * here is there if and only if the transaction may have been sent. May be called again with another hash.
   */
  signed?: (sent: { id: string; hash: Hex; transaction?: Transaction }) => Promise<void>
  /** Called when all that is on disk, right before the transaction leaves. */
  recorded?: (sent: { hash: Hex }) => void
}

export type Sent = { id: string; hash: Hex; wait: () => Promise<TransactionReceipt> }

export type Sender = {
  address: Address
  /** Sends a transaction; `wait` gives the receipt, of success or of failure (`status` 0). */
  send: (parameters: SendParameters) => Promise<Sent>
  /** Waits for what was recorded before a restart, by its reference. */
  resume: (reference: string) => Promise<Sent | undefined>
  close: () => Promise<void>
}

/**
 * Sends the transactions of one account, one nonce after the other, however many callers and (with an outbox in a
 * database) replicas there are. Each is recorded, signed, before it is sent; what is not mined is sent again, then with a
 * higher fee. After a restart the recorded ones are taken up where they were.
 */
export async function createSender({
  wallet,
  outbox,
  log,
  interval = 100,
  resendAfter = 3_000,
  bumpAfter = 30_000,
}: {
  wallet: Wallet
  outbox: Outbox
  log: Log
  /** Milliseconds between looks for a receipt. */
  interval?: number
  resendAfter?: number
  bumpAfter?: number
}): Promise<Sender> {
  const provider = wallet.provider
  if (!provider) throw new Error('the wallet has no provider')
  const stop = new AbortController()
  const watched = new Map<string, Promise<TransactionReceipt>>()

  function watch(entry: OutboxEntry): Sent {
    let receipt = watched.get(entry.id)
    if (!receipt) {
      receipt = untilMined({
        entry,
        outbox,
        provider: provider as Provider,
        wallet,
        log,
        interval,
        resendAfter,
        bumpAfter,
        stop,
        fillGap,
      })
      // Whoever does not wait must not end the process.
      receipt.catch(() => {}).finally(() => watched.delete(entry.id))
      watched.set(entry.id, receipt)
    }
    const found = receipt
    return { id: entry.id, hash: entry.hashes.at(-1) ?? '0x', wait: () => found }
  }

  /**
   * What a reorganisation took back is not under way any more, but what was sent after it may be: nothing of that can be
   * mined before something has the nonces in between. Transactions that do nothing take them.
   */
  async function fillGap({ nonce: wanted }: OutboxEntry): Promise<void> {
    const node = provider as Provider
    if ((await node.getTransactionCount(wallet.address, 'latest')) >= wanted) return
    const nothing = { to: wallet.address as Address, data: '0x' as Hex, gasLimit: 21_000n }
    const request = await prepare({ wallet, provider: node, parameters: nothing })
    await outbox.locked(async (session) => {
      for (;;) {
        const nonce = await session.nextNonce(await node.getTransactionCount(wallet.address, 'latest'))
        if (nonce >= wanted) return
        const raw = (await wallet.signTransaction({ ...request, nonce })) as Hex
        const hash = ChainTransaction.from(raw).hash as Hex
        const filler = { id: randomUUID(), nonce, hashes: [hash], raw }
        await session.add(filler, async () => {})
        await node.broadcastTransaction(raw).catch(() => {})
        log.warn({ nonce, hash, before: wanted }, 'a nonce that nothing uses is filled')
        watch(filler)
      }
    })
  }

  async function send(parameters: SendParameters): Promise<Sent> {
    const request = await prepare({ wallet, provider: provider as Provider, parameters })
    for (let attempt = 1; ; attempt++) {
      const entry = await outbox.locked(async (session) => {
        const nonce = await session.nextNonce(
          await (provider as Provider).getTransactionCount(wallet.address, 'latest'),
        )
        const raw = (await wallet.signTransaction({ ...request, nonce })) as Hex
        const hash = ChainTransaction.from(raw).hash as Hex
        const made = { id: randomUUID(), nonce, hashes: [hash], raw, ...named(parameters.reference) }
        await session.add(made, async (transaction) =>
          parameters.signed?.({ id: made.id, hash, ...(transaction ? { transaction } : {}) }),
        )
        parameters.recorded?.({ hash })
        try {
          await broadcast({ provider: provider as Provider, raw, hash })
        } catch (error) {
          await session.drop(made.id)
          if (isNonceTaken(error) && attempt < 5) return undefined
          throw new SendRefusedError({ account: wallet.address, reason: reasonOf(error), cause: error })
        }
        return made
      })
      if (entry) return watch(entry)
    }
  }

  for (const entry of await outbox.pending()) {
    // It may have been recorded and not sent; if it was sent, the node knows it already.
    await provider.broadcastTransaction(entry.raw).catch(() => {})
    watch(entry)
  }
  return {
    address: wallet.address as Address,
    send,
    async resume(reference) {
      const entry = (await outbox.pending()).find((pending) => pending.reference === reference)
      return entry ? watch(entry) : undefined
    },
    async close() {
      stop.abort()
      await Promise.allSettled(watched.values())
    },
  }
}

const named = (reference: string | undefined) => (reference === undefined ? {} : { reference })

async function prepare({
  wallet,
  provider,
  parameters,
}: {
  wallet: Wallet
  provider: Provider
  parameters: SendParameters
}): Promise<TransactionRequest> {
  const { to, data, value = 0n } = parameters
  const call = { from: wallet.address, to, data, value }
  const [gasLimit, fees, { chainId }] = await Promise.all([
    gasLimitOf(provider, call, parameters.gasLimit),
    provider.getFeeData(),
    provider.getNetwork(),
  ])
  return { to, data, value, gasLimit, chainId, ...feesOf(fees) }
}

function feesOf(fees: { maxFeePerGas: bigint | null; maxPriorityFeePerGas: bigint | null; gasPrice: bigint | null }) {
  if (fees.maxFeePerGas === null || fees.maxPriorityFeePerGas === null)
    return { type: 0, gasPrice: fees.gasPrice ?? 0n }
  return { type: 2, maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas }
}

async function untilMined({
  entry,
  outbox,
  provider,
  wallet,
  log,
  interval,
  resendAfter,
  bumpAfter,
  stop,
  fillGap,
}: {
  entry: OutboxEntry
  outbox: Outbox
  provider: Provider
  wallet: Wallet
  log: Log
  interval: number
  resendAfter: number
  bumpAfter: number
  stop: AbortController
  fillGap: (entry: OutboxEntry) => Promise<void>
}): Promise<TransactionReceipt> {
  let current = entry
  let sentAt = Date.now()
  const since = Date.now()
  let bumps = 0
  for (;;) {
    stop.signal.throwIfAborted()
    try {
      const receipt = await resolveEntry({ entry: current, provider, account: wallet.address })
      if (receipt === 'dropped') {
        await outbox.finish(current.id, 'dropped')
        throw new TransactionDroppedError({ hash: current.hashes.at(-1) ?? '', nonce: current.nonce })
      }
      if (receipt) {
        await outbox.finish(current.id, 'mined')
        return receipt
      }
      if (Date.now() - sentAt > resendAfter) {
        sentAt = Date.now()
        if (Date.now() - since > bumpAfter * (bumps + 1)) {
          bumps++
          current = await withHigherFee({ entry: current, wallet, outbox })
          log.warn({ hash: current.hashes.at(-1), nonce: current.nonce }, 'sent again with a higher fee')
        }
        await fillGap(current)
        await provider.broadcastTransaction(current.raw).catch(() => {})
      }
    } catch (error) {
      if (error instanceof TransactionDroppedError) throw error
      log.warn({ error, hash: current.hashes.at(-1) }, 'cannot look for a receipt')
    }
    await sleep(interval, undefined, { signal: stop.signal }).catch(() => {})
  }
}

/** Nodes ask for a tenth more at least before they replace a transaction. */
async function withHigherFee({ entry, wallet, outbox }: { entry: OutboxEntry; wallet: Wallet; outbox: Outbox }) {
  const old = ChainTransaction.from(entry.raw)
  const more = (fee: bigint | null) => ((fee ?? 0n) * 125n) / 100n + 1n
  const fees =
    old.type === 2
      ? { maxFeePerGas: more(old.maxFeePerGas), maxPriorityFeePerGas: more(old.maxPriorityFeePerGas) }
      : { gasPrice: more(old.gasPrice) }
  const { to, data, value, gasLimit, chainId, nonce, type } = old
  const raw = (await wallet.signTransaction({ to, data, value, gasLimit, chainId, nonce, type, ...fees })) as Hex
  const replaced = { ...entry, raw, hashes: [...entry.hashes, ChainTransaction.from(raw).hash as Hex] }
  await outbox.replace(replaced)
  return replaced
}
