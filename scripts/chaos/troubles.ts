// What goes wrong, on purpose.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Hex, Order } from '@sealdeal/protocol'
import { type ChainDeal, readHistory } from './history.ts'
import type { Request } from './people.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

const KILL_EVERY_MS = 1_000

/** No reorganisation is deeper, in blocks. */
const DEEPEST = 12

export type Troubles = {
  kills: Record<string, number>
  restarts: { how: string; ms: number }[]
  reorgs: { depth: number; removed: number; closed: boolean }[]
  /** Deals that a reorganisation removed, at least once. */
  removed: Map<Hex, ChainDeal>
}

export function createTroubles({ scene, random, from }: { scene: Scene; random: Random; from: number }) {
  const { chain, contracts, databases, replicas } = scene
  const done: Troubles = { kills: {}, restarts: [], reorgs: [], removed: new Map() }
  /** Who revoked a request already: their first transaction is used. */
  const revoked = new Set<string>()

  /** Kills one process after the other until the signal is aborted. */
  async function kill(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(KILL_EVERY_MS, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const victim = random.pick(replicas)
      if (victim?.kill()) done.kills[victim.service] = (done.kills[victim.service] ?? 0) + 1
    }
  }

  async function restartDatabase(): Promise<void> {
    const how = done.restarts.length % 2 === 0 ? 'immediate' : 'fast'
    const since = performance.now()
    await databases.restart(how)
    done.restarts.push({ how, ms: Math.round(performance.now() - since) })
  }

  /** Forgets the last blocks. Now and then somebody whose deal is gone with them revokes the request on the new branch. */
  async function reorganise(requests: ReadonlyMap<Hex, Request>): Promise<void> {
    const depth = 1 + random.whole(DEEPEST)
    const head = await chain.provider.getBlockNumber()
    if (head - depth <= from) return
    const before = (await readHistory(contracts.hub, from)).deals
    const candidates = before.filter(({ blockNumber }) => blockNumber > head - depth)
    const regretted = random.chance(0.6)
      ? random.pick(candidates.filter((deal) => mayRevoke(deal, requests)))
      : undefined
    const closing = regretted && (await signClosing(requests.get(regretted.hashes.request) as Request))
    await chain.reorganise(depth, closing ? [closing] : [])
    const after = new Set((await readHistory(contracts.hub, from)).deals.map(({ dealId }) => dealId))
    const removed = candidates.filter(({ dealId }) => !after.has(dealId))
    for (const deal of removed) done.removed.set(deal.dealId, deal)
    done.reorgs.push({ depth, removed: removed.length, closed: closing !== undefined })
  }
  function mayRevoke({ hashes }: ChainDeal, requests: ReadonlyMap<Hex, Request>): boolean {
    const request = requests.get(hashes.request)
    return request !== undefined && request.fate !== 'waits' && !revoked.has(request.requester.account)
  }
  /** Signed beforehand: it is part of the very block that replaces the deal's. */
  async function signClosing({ order, requester }: Request): Promise<string> {
    revoked.add(requester.account)
    const operation = { order: Order.tuple('request', order), operation: Order.operations.close, sign: '0x' }
    const call = await contracts.hub.manageRequestOrder.populateTransaction(operation)
    const fees = { type: 2, maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 9n }
    const { to, data } = call as { to: string; data: string }
    return requester.signer.signTransaction({ to, data, ...fees, gasLimit: 500_000n, nonce: 0, chainId: chain.chainId })
  }
  return { done, kill, restartDatabase, reorganise }
}
