import type { Hex } from '@sealdeal/protocol'
import type { Account } from '../chain.ts'
import type { Market } from '../market.ts'
import { contribution, results } from '../results.ts'
import type { Scenario } from './scenario.ts'
import { openTask } from './tasks.ts'

/** The least trust for which that many fresh workers have to agree. */
const trustFor: Record<number, bigint> = { 1: 1n, 3: 5n, 10: 513n }

const firstReward = 'there, it was the first reward of the owners of app and dataset: two new amounts'

/** The chapter of tasks that several workers do, without enclaves. */
export const consensus: Scenario[] = [
  {
    name: 'contribute, first of 3',
    expected: 311_192,
    target: 150_000,
    gas: async (market) => contribute(market, await replicated(market, 3), 0),
  },
  {
    name: 'contribute, second of 3',
    expected: 276_988,
    gas: async (market) => {
      const taskId = await replicated(market, 3, { contributed: 1 })
      return contribute(market, taskId, 1)
    },
  },
  {
    name: 'contribute, reaching consensus of 3',
    expected: 372_771,
    target: 175_000,
    gas: async (market) => {
      const taskId = await replicated(market, 3, { contributed: 2 })
      return contribute(market, taskId, 2)
    },
  },
  {
    name: 'reveal, first of 3',
    expected: 93_455,
    target: 62_000,
    gas: async (market) => reveal(market, await replicated(market, 3, { contributed: 3 }), 0),
  },
  {
    name: 'reveal, next of 3',
    expected: 56_455,
    target: 46_000,
    gas: async (market) => reveal(market, await replicated(market, 3, { contributed: 3, revealed: 1 }), 1),
  },
  {
    name: 'finalize, 1 worker',
    expected: 346_399,
    because: firstReward,
    target: 165_000,
    gas: (market) => finalize(market, 1),
  },
  {
    name: 'finalize, 10 workers',
    expected: 846_612,
    because: firstReward,
    target: 370_000,
    gas: (market) => finalize(market, 10),
  },
]

/** A task for that many workers, as far as some of them have come. */
async function replicated(
  market: Market,
  workers: number,
  { contributed = 0, revealed = 0 }: { contributed?: number; revealed?: number } = {},
): Promise<Hex> {
  const taskId = await openTask(market, `replicated by ${workers}`, { dataset: true, trust: trustFor[workers] ?? 1n })
  for (let index = 0; index < contributed; ++index) await contribute(market, taskId, index)
  for (let index = 0; index < revealed; ++index) await reveal(market, taskId, index)
  return taskId
}

async function contribute(market: Market, taskId: Hex, index: number): Promise<bigint> {
  const worker = workerOf(market, index)
  const { hash, seal, challenge, enclaveSign, authorizationSign } = await contribution(market, taskId, { worker })
  return market.gasOf(worker, 'contribute', [taskId, hash, seal, challenge, enclaveSign, authorizationSign])
}

async function reveal(market: Market, taskId: Hex, index: number): Promise<bigint> {
  const worker = workerOf(market, index)
  const { digest } = await contribution(market, taskId, { worker })
  return market.gasOf(worker, 'reveal', [taskId, digest])
}

async function finalize(market: Market, workers: number): Promise<bigint> {
  const taskId = await replicated(market, workers, { contributed: workers, revealed: workers })
  return market.gasOf(market.accounts.scheduler, 'finalize', [taskId, results, '0x'])
}

function workerOf({ accounts }: Market, index: number): Account {
  const worker = accounts.workers[index]
  if (worker === undefined) throw new Error(`There are only ${accounts.workers.length} workers.`)
  return worker
}
