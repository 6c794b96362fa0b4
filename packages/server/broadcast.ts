import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from '@sealdeal/protocol'
import type { Provider } from 'ethers'

/** Returns when the node has it, or when nobody can tell (it is sent again later). Throws when the node refused it. */
export async function broadcast({ provider, raw, hash }: { provider: Provider; raw: Hex; hash: Hex }): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await provider.broadcastTransaction(raw)
      return
    } catch (error) {
      // Some nodes answer an error for a transaction that they took, or mined and saw fail: ask for it.
      const known = await provider.getTransaction(hash).catch(() => null)
      if (known || isUnclear(error)) return
      // One with an earlier nonce is on its way.
      if (!/nonce too high/i.test(reasonOf(error)) || attempt === 20) throw error
      await sleep(50)
    }
  }
}

function isUnclear(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? ''
  return /NETWORK_ERROR|TIMEOUT|SERVER_ERROR|ECONN|EPIPE|already known|already imported/i.test(
    `${code} ${reasonOf(error)}`,
  )
}

export function isNonceTaken(error: unknown): boolean {
  return /NONCE_EXPIRED|REPLACEMENT_UNDERPRICED|nonce too low|nonce has already|underpriced/i.test(
    `${(error as { code?: string }).code} ${reasonOf(error)}`,
  )
}

export function reasonOf(error: unknown): string {
  const { info, shortMessage, message } = error as {
    info?: { error?: { message?: string } }
    shortMessage?: string
    message?: string
  }
  return info?.error?.message ?? shortMessage ?? message ?? String(error)
}

/** The node would take it at another moment, or for another fee: nothing is wrong with the transaction itself. */
export function isTemporary(error: unknown): boolean {
  return /base fee|fee too low|gas price too low|pool is full|txpool|too many|limit exceeded|nonce too high|syncing/i.test(
    reasonOf(error),
  )
}
