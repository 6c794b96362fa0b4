import type { Hex } from '@sealdeal/protocol'
import type { ChainAccess } from './chain.ts'

/** What an account has used up, and what the node holds beyond that without a gap. */
export type Counts = { mined: number; known: number }

export async function readCounts(chain: ChainAccess, account: string): Promise<Counts> {
  const count = async (block: 'latest' | 'pending') =>
    Number((await chain.send('eth_getTransactionCount', [account, block])) as Hex)
  const [mined, known] = await Promise.all([count('latest'), count('pending')])
  return { mined, known: Math.max(mined, known) }
}

/** How far back a node without an archive can say what an account had used up. */
const RECENT = 100n

type Block = { transactions: { from: Hex; nonce: Hex; hash: Hex }[] }

/**
 * The transaction that used a nonce, found in its block: the only proof that another one can never be mined. `long ago`
 * when that block is no recent one; undefined when this node cannot tell, for instance because it lags behind another.
 */
export async function userOfNonce(
  chain: ChainAccess,
  { account, nonce, head }: { account: string; nonce: number; head: bigint },
): Promise<Hex | 'long ago' | undefined> {
  const used = async (block: bigint) =>
    Number((await chain.send('eth_getTransactionCount', [account, hex(block)])) as Hex) > nonce
  let before = head > RECENT ? head - RECENT : 0n
  let after = head
  if (!(await used(after))) return undefined
  if (await used(before)) return before === 0n ? undefined : 'long ago'
  while (after - before > 1n) {
    const middle = (before + after) / 2n
    if (await used(middle)) after = middle
    else before = middle
  }
  const block = (await chain.send('eth_getBlockByNumber', [hex(after), true])) as Block | null
  return block?.transactions.find((each) => sameAccount(each.from, account) && Number(each.nonce) === nonce)?.hash
}

function hex(block: bigint): Hex {
  return `0x${block.toString(16)}`
}

function sameAccount(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
