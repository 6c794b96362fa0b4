import type { ChainAccess } from '@sealdeal/server'

/** Unix seconds as the next block will see them, or a little earlier. */
export type Clock = () => Promise<bigint>

/**
 * The chain's deadlines are in the chain's time: that of its latest block, or ours when no block came for a while. The
 * answer is kept for `maxAge` milliseconds.
 */
export function createClock({ chain, maxAge = 500 }: { chain: ChainAccess; maxAge?: number }): Clock {
  let known = 0n
  let readAt = 0
  return async function now() {
    if (Date.now() - readAt >= maxAge) {
      const block = (await chain.send('eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
      known = BigInt(block.timestamp)
      readAt = Date.now()
    }
    const ours = BigInt(Math.floor(Date.now() / 1_000))
    return [known, ours].reduce((latest, time) => (time > latest ? time : latest))
  }
}
