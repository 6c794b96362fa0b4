// What the chain says, found by reading every log of the Hub: no service is asked.
import { type Contracts, Deal, type Hex } from '@sealdeal/protocol'

export type ChainDeal = {
  dealId: Hex
  hashes: { app: Hex; workerpool: Hex; request: Hex }
  volume: bigint
  /** Index of the first task. */
  first: bigint
  taskIds: Hex[]
  blockNumber: number
  transactionHash: Hex
}

/** How a task ended. */
export type ChainEnd = {
  kind: 'task.completed' | 'task.claimed' | 'task.failed'
  transactionHash: Hex
  blockHash: Hex
}

export type History = {
  deals: ChainDeal[]
  /** By task. */
  ends: Map<Hex, ChainEnd>
  /** By request order. */
  closings: Map<Hex, { transactionHash: Hex; blockHash: Hex }>
  /** By request order: tasks that deals were made of. */
  matched: Map<Hex, bigint>
  /** Ends of one task beyond its first: there must be none. */
  repeated: Hex[]
}

const ends = { TaskFinalize: 'task.completed', TaskClaimed: 'task.claimed', TaskFailed: 'task.failed' } as const

/** @param from - The first block that may hold a deal. */
export async function readHistory(hub: Contracts.Hub, from: number): Promise<History> {
  const names = ['OrdersMatched', 'TaskFinalize', 'TaskClaimed', 'TaskFailed', 'ClosedRequestOrder'] as const
  const topics = names.map((name) => hub.interface.getEvent(name).topicHash)
  const logs = (await hub.runner?.provider?.getLogs({ address: hub.target, topics: [topics], fromBlock: from })) ?? []
  const history: History = { deals: [], ends: new Map(), closings: new Map(), matched: new Map(), repeated: [] }
  for (const log of logs) {
    const event = hub.interface.parseLog(log)
    const { transactionHash, blockHash } = log as unknown as { transactionHash: Hex; blockHash: Hex }
    const at = { transactionHash, blockHash }
    if (!event) continue
    if (event.name === 'OrdersMatched') addDeal(history, event.args, { ...at, blockNumber: log.blockNumber })
    else if (event.name === 'ClosedRequestOrder') history.closings.set(event.args[0] as Hex, at)
    else addEnd(history, event.args.taskid as Hex, { kind: ends[event.name as keyof typeof ends], ...at })
  }
  return history
}

// biome-ignore lint/suspicious/noExplicitAny: arguments of an event by their names
function addDeal({ deals, matched }: History, args: any, at: { blockNumber: number; transactionHash: Hex }): void {
  const { dealid, appHash, workerpoolHash, requestHash, volume } = args as Record<string, Hex> & { volume: bigint }
  const botFirst = matched.get(requestHash as Hex) ?? 0n
  const taskIds = Deal.tasks(dealid as Hex, { botFirst, botSize: volume }).map(({ taskId }) => taskId)
  const hashes = { app: appHash, workerpool: workerpoolHash, request: requestHash } as ChainDeal['hashes']
  deals.push({ dealId: dealid as Hex, hashes, volume, first: botFirst, taskIds, ...at })
  matched.set(requestHash as Hex, botFirst + volume)
}

function addEnd({ ends, repeated }: History, taskId: Hex, end: ChainEnd): void {
  if (ends.has(taskId)) repeated.push(taskId)
  ends.set(taskId, end)
}
