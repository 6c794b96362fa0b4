import { setTimeout } from 'node:timers/promises'
import type { NetworkConnection } from 'hardhat/types/network'
import { PendingTransactionsError } from './errors.ts'

const PATIENCE_MS = 120_000
const PAUSE_MS = 500

/**
 * Waits until every transaction that an earlier run may have sent is mined, as deep as wanted: only then the chain says
 * what is still missing.
 *
 * @throws PendingTransactionsError when that takes more than two minutes.
 */
export async function untilMined({
  ethers: { provider },
  deployer,
  confirmations,
  patience = PATIENCE_MS,
}: {
  ethers: NetworkConnection['ethers']
  deployer: string
  confirmations: number
  patience?: number
}): Promise<void> {
  const until = Date.now() + patience
  while (true) {
    const depth = Math.max(0, (await provider.getBlockNumber()) - confirmations + 1)
    const mined = await provider.getTransactionCount(deployer, depth)
    const sent = await provider.getTransactionCount(deployer, 'pending')
    if (mined >= sent) return
    if (Date.now() > until) throw new PendingTransactionsError({ deployer, mined, sent })
    await setTimeout(PAUSE_MS)
  }
}
