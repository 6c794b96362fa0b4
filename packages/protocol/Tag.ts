import { toBeHex } from 'ethers'
import type { Hex } from './hex.ts'

/** Number of the bit of each demand that a tag can carry. */
export const bits = { tee: 0, scone: 1, gramine: 2, tdx: 3, gpu: 8 } as const
export type Name = keyof typeof bits

/** No demand. */
export const none: Hex = `0x${'00'.repeat(32)}`

/** Every demand there can be. */
export const everything: Hex = `0x${'ff'.repeat(32)}`

/** What an ordinary order carries: an enclave (bit 0), of the TDX kind (bit 3). */
export const tdx: Hex = encode(['tee', 'tdx'])

/** Which enclave runs a dataset is the app's choice: these bits of a dataset order's tag are ignored. */
const frameworkBits = 0b1110n

/** The tag with the named bits set. */
export function encode(names: readonly Name[]): Hex {
  return toBeHex(
    names.reduce((tag, name) => tag | (1n << BigInt(bits[name])), 0n),
    32,
  ) as Hex
}

const names = new Map<number, string>(Object.entries(bits).map(([name, bit]) => [bit, name]))

/** Names of the bits that are set; a bit without a name is `bit<n>`. */
export function decode(tag: Hex): string[] {
  const digits = [...BigInt(tag).toString(2)].reverse()
  return digits.flatMap((digit, bit) => (digit === '1' ? [names.get(bit) ?? `bit${bit}`] : []))
}

/** The tag of a deal: what app, dataset and request ask for together. */
export function ofDeal({ app, dataset, request }: { app: Hex; dataset?: Hex; request: Hex }): Hex {
  return toBeHex(BigInt(app) | (BigInt(dataset ?? none) & ~frameworkBits) | BigInt(request), 32) as Hex
}

/** Whether every bit of `demand` is set in `offer`. */
export function covers(offer: Hex, demand: Hex): boolean {
  return (BigInt(demand) & ~BigInt(offer)) === 0n
}

/** Whether the tag demands an enclave. */
export function isTee(tag: Hex): boolean {
  return (BigInt(tag) & 1n) === 1n
}
