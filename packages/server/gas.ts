import type { Hex } from '@sealdeal/protocol'
import { Transaction as ChainTransaction, type Provider, type TransactionRequest } from 'ethers'

/** What a transaction offers per unit of gas, in wei. */
export type Fees = Pick<TransactionRequest, 'type'> & {
  type: 0 | 2
  gasPrice?: bigint
  maxFeePerGas?: bigint
  maxPriorityFeePerGas?: bigint
}

/** What a call needs changes until it is mined. */
const margin = { factor: 120n, constant: 20_000n }

/**
 * Gas for a call: what it needs now, and some more. Fails with the contract's own error where it would revert; where it was
 * given, it is not asked for.
 */
export async function gasLimitOf(
  provider: Provider,
  call: { from: string; to: string; data: string; value: bigint },
  given?: bigint,
): Promise<bigint> {
  return given ?? ((await provider.estimateGas(call)) * margin.factor) / 100n + margin.constant
}

/** What the network asks for is asked again after this many milliseconds. */
const FRESH_MS = 1_000

/** What the node suggests now, never more than `highest` wei per gas. */
export function feeSource({ provider, highest }: { provider: Provider; highest: bigint }): () => Promise<Fees> {
  let asked = 0
  let latest: Promise<Fees> | undefined
  return function suggest() {
    if (latest && Date.now() - asked < FRESH_MS) return latest
    asked = Date.now()
    latest = read(provider, highest)
    latest.catch(() => {
      latest = undefined
    })
    return latest
  }
}

async function read(provider: Provider, highest: bigint): Promise<Fees> {
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await provider.getFeeData()
  if (maxFeePerGas === null || maxPriorityFeePerGas === null)
    return { type: 0, gasPrice: least(gasPrice ?? 0n, highest) }
  const maxFee = least(maxFeePerGas, highest)
  return { type: 2, maxFeePerGas: maxFee, maxPriorityFeePerGas: least(maxPriorityFeePerGas, maxFee) }
}

/**
 * Fees that replace those of a signed transaction: a quarter more, or what the network asks for where that is more.
 * Nothing when `highest` leaves no room for the tenth more that nodes demand.
 */
export function raised(raw: Hex, { suggested, highest }: { suggested: Fees; highest: bigint }): Fees | undefined {
  const old = ChainTransaction.from(raw)
  if (old.type !== 2) {
    const gasPrice = more(old.gasPrice, suggested.gasPrice, highest)
    return gasPrice === undefined ? undefined : { type: 0, gasPrice }
  }
  const maxFeePerGas = more(old.maxFeePerGas, suggested.maxFeePerGas, highest)
  if (maxFeePerGas === undefined) return undefined
  const maxPriorityFeePerGas = more(old.maxPriorityFeePerGas, suggested.maxPriorityFeePerGas, maxFeePerGas)
  return maxPriorityFeePerGas === undefined ? undefined : { type: 2, maxFeePerGas, maxPriorityFeePerGas }
}

function more(old: bigint | null, suggested: bigint | undefined, highest: bigint): bigint | undefined {
  const before = old ?? 0n
  const quarter = (before * 125n) / 100n + 1n
  const wanted = least(suggested !== undefined && suggested > quarter ? suggested : quarter, highest)
  return wanted * 10n > before * 11n ? wanted : undefined
}

/** Whether a block of this base fee could take the transaction at all. */
export function covers(raw: Hex, baseFee: bigint | null): boolean {
  const { maxFeePerGas, gasPrice } = ChainTransaction.from(raw)
  return baseFee === null || (maxFeePerGas ?? gasPrice ?? 0n) >= baseFee
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}
