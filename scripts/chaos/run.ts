// The run itself: requests come in, things go wrong, and then it is quiet.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from '@sealdeal/protocol'
import { query } from './asking.ts'
import { type History, readHistory } from './history.ts'
import { type Fate, type People, publishFirmly, type Request, signRequestOrder } from './people.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { createTroubles } from './troubles.ts'

/** Tasks under way at once: none shall come near its deadline because others are before it. */
const MOST_UNDERWAY = 120

/** Requests being published at once. */
const PUBLISHERS = 4

export type Plan = {
  deals: number
  /** One deal of so many is worked on by an enclave, the others are refunded. */
  enclaveOf: number
  reorgs: number
  restarts: number
  minutes: number
}

export type Progress = {
  requests: Map<Hex, Request>
  tries: number
  history: History
  /** Tasks that the pool tries no more: they are refunded when their deadline has passed. */
  givenUp: ReadonlySet<string>
}

/** What the chain says, and what the pool has given up, as far as its database can be asked just now. */
async function look(scene: Scene, progress: Progress, from: number): Promise<void> {
  progress.history = await readHistory(scene.contracts.hub, from)
  const failed = "select task_id from task where status = 'FAILED' and settlement is null"
  const rows = await query<{ task_id: string }>(scene, 'scheduler', failed).catch(() => undefined)
  if (rows) progress.givenUp = new Set(rows.map(({ task_id }) => task_id))
}

export async function runChaos({
  scene,
  people,
  plan,
  random,
  from,
}: {
  scene: Scene
  people: People
  plan: Plan
  random: Random
  from: number
}) {
  const history = await readHistory(scene.contracts.hub, from)
  const progress: Progress = { requests: new Map(), tries: 0, history, givenUp: new Set() }
  const troubles = createTroubles({ scene, random, from })
  const [since, longest] = [Date.now(), plan.minutes * 60_000]
  const deadline = since + longest
  const stop = new AbortController()
  const doing = [publish(), troubles.kill(stop.signal), meddle()]
  const failure = Promise.all(doing).then(() => undefined)
  failure.catch(() => stop.abort())

  async function publish(): Promise<void> {
    let next = 0
    async function publisher(): Promise<void> {
      while (next < plan.deals && !stop.signal.aborted) {
        if (underway(progress) >= MOST_UNDERWAY) {
          await sleep(100)
          continue
        }
        const request = await signRequestOrder(people, { n: next++, random, enclaveOf: plan.enclaveOf })
        progress.requests.set(request.hash, request)
        progress.tries += await publishFirmly(request)
      }
    }
    await Promise.all(Array.from({ length: PUBLISHERS }, publisher))
  }
  /** Restarts and reorganisations, spread evenly over the work, or over the time where that is the shorter. */
  async function meddle(): Promise<void> {
    const total = plan.reorgs + plan.restarts
    for (let done = 0; done < total && !stop.signal.aborted; ) {
      const share = Math.max(progress.history.ends.size / plan.deals, (Date.now() - since) / longest)
      if (share < (done + 1) / (total + 2)) await sleep(200)
      else {
        done++
        const isRestart = Math.floor((done * plan.restarts) / total) > troubles.done.restarts.length
        await (isRestart ? troubles.restartDatabase() : troubles.reorganise(progress.requests))
      }
    }
  }
  const isThrough = () => {
    const { reorgs, restarts } = troubles.done
    return (
      progress.requests.size === plan.deals &&
      underway(progress) === 0 &&
      (stop.signal.aborted || reorgs.length + restarts.length >= plan.reorgs + plan.restarts)
    )
  }
  let told = 0
  while (!isThrough() && Date.now() < deadline && !stop.signal.aborted) {
    await sleep(1_000)
    await look(scene, progress, from)
    const { deals, ends } = progress.history
    if (Date.now() - told > 15_000) {
      told = Date.now()
      console.log(
        `${new Date().toISOString().slice(11, 19)} ${progress.requests.size} requests, ${deals.length} deals, ${ends.size} tasks ended, ` +
          `${underway(progress)} under way, ${sum(troubles.done.kills)} kills, ${troubles.done.reorgs.length} reorgs`,
      )
    }
  }
  stop.abort()
  await failure
  return { progress, troubles: troubles.done, endedInTrouble: progress.history.ends.size }
}

/** What fails is refunded only when its deadline has passed, and that is in the quiet. */
const endsBySelf = (fate: Fate | undefined) => fate === 'runs' || fate === 'expires'

/** Tasks that should end soon and have not. */
export function underway({ requests, history, givenUp }: Progress): number {
  const { deals, ends, closings, matched } = history
  let open = 0n
  for (const { hash, order, fate } of requests.values())
    if (endsBySelf(fate)) open += closings.has(hash) ? (matched.get(hash) ?? 0n) : order.volume
  for (const { hashes, taskIds } of deals) {
    if (!endsBySelf(requests.get(hashes.request)?.fate)) continue
    open -= BigInt(taskIds.filter((taskId) => ends.has(taskId) || givenUp.has(taskId)).length)
  }
  return Number(open)
}

export const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, each) => total + each, 0)

/**
 * Nobody is killed any more: waits until what runs has ended, then lets the deadlines of what failed pass, and waits for
 * the refunds.
 */
export async function quiet({
  scene,
  progress,
  from,
  patience,
}: {
  scene: Scene
  progress: Progress
  from: number
  patience: number
}): Promise<void> {
  await scene.untilUp()
  const tasksOpen = () =>
    progress.history.deals.some(({ taskIds }) => taskIds.some((id) => !progress.history.ends.has(id)))
  const unmatched = () =>
    [...progress.requests.values()].some(
      ({ hash, fate, order }) =>
        fate !== 'waits' && !progress.history.closings.has(hash) && progress.history.matched.get(hash) !== order.volume,
    )
  const until = async (holds: () => boolean) => {
    for (const deadline = Date.now() + patience; !holds() && Date.now() < deadline; await look(scene, progress, from))
      await sleep(500)
  }
  await until(() => underway(progress) === 0 && !unmatched())
  await scene.chain.provider.send('evm_increaseTime', [10 * 300 + 1])
  await until(() => !tasksOpen())
}
