// Anybody may claim what nobody did in time: here it is the operator's wallet, for the pool that has no scheduler.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from '@sealdeal/protocol'
import { readHistory } from './history.ts'
import type { Scene } from './scene.ts'

/** Claimed by one transaction. */
const BATCH = 20

/** So long a deal is left alone: its deadline is ten seconds after its block. */
const PATIENCE_MS = 13_000

/** Claims the tasks of a category when their deadline has passed, again where a reorganisation took that back. */
export function claimExpired({ scene, from, category }: { scene: Scene; from: number; category: bigint }) {
  const stop = new AbortController()
  const seen = new Map<Hex, { at: number; isIdle: boolean }>()
  const { hub } = scene.contracts
  const { provider } = scene.chain

  async function claim(): Promise<void> {
    const { deals, ends } = await readHistory(hub, from)
    for (const { dealId } of deals) {
      if (seen.has(dealId)) continue
      const deal = await hub.viewDeal(dealId)
      // A reorganisation was quicker.
      if (deal.botSize === 0n) continue
      seen.set(dealId, { at: Date.now(), isIdle: deal.category === category })
    }
    const due = deals.flatMap(({ dealId, first, taskIds }) => {
      const known = seen.get(dealId)
      if (!known?.isIdle || Date.now() - known.at < PATIENCE_MS) return []
      const indexed = taskIds.map((taskId, offset) => ({ dealId, taskId, index: first + BigInt(offset) }))
      return indexed.filter(({ taskId }) => !ends.has(taskId))
    })
    const some = due.slice(0, BATCH)
    if (some.length === 0) return
    const nonce = await provider.getTransactionCount(scene.wallets.operator.address, 'latest')
    const sent = await hub.initializeAndClaimArray(
      some.map(({ dealId }) => dealId),
      some.map(({ index }) => index),
      { nonce },
    )
    for (const deadline = Date.now() + 5_000; Date.now() < deadline; await sleep(200))
      if (await provider.getTransactionReceipt(sent.hash)) return
  }
  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      // A deal that was made again has a later deadline, or the chain forgot it just now: the next look sees.
      await claim().catch(() => {})
      await sleep(500, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    async stop() {
      stop.abort()
      await running
    },
  }
}
