import type { Address, Hex } from '@sealdeal/protocol'
import { getAddress } from 'ethers'
import type { ChainAccess } from './chain.ts'

export type BlockHeader = { number: bigint; hash: Hex; parentHash: Hex /** Unix seconds. */; timestamp: bigint }

/** A log as the chain gives it, numbers decoded; `topics` and `data` are for an ethers `Interface`. */
export type ChainLog = {
  address: Address
  topics: Hex[]
  data: Hex
  blockNumber: bigint
  blockHash: Hex
  transactionHash: Hex
  logIndex: number
  /** Unix seconds, where the node says it with the log. */
  timestamp?: bigint
}

export type LogFilter = { address?: Address | readonly Address[]; topics?: readonly (Hex | readonly Hex[] | null)[] }

type RawBlock = { number: Hex; hash: Hex; parentHash: Hex; timestamp: Hex }
type RawLog = {
  address: Hex
  topics: Hex[]
  data: Hex
  blockNumber: Hex
  blockHash: Hex
  transactionHash: Hex
  logIndex: Hex
  blockTimestamp?: Hex
  removed?: boolean
}

/** Reads headers and logs over plain JSON-RPC: nothing is cached, nothing polls on its own. */
export function chainReader(chain: ChainAccess) {
  async function header(number: bigint | 'latest'): Promise<BlockHeader | undefined> {
    const tag = number === 'latest' ? number : `0x${number.toString(16)}`
    return decodeHeader((await chain.send('eth_getBlockByNumber', [tag, false])) as RawBlock | null)
  }
  async function headerOf(hash: Hex): Promise<BlockHeader> {
    const found = decodeHeader((await chain.send('eth_getBlockByHash', [hash, false])) as RawBlock | null)
    if (!found) throw new Error(`block ${hash} is gone`)
    return found
  }
  async function latest(): Promise<BlockHeader> {
    const found = await header('latest')
    if (!found) throw new Error('the chain has no block')
    return found
  }
  /** What any of the filters takes, each log once, in the chain's order. */
  async function logs(query: Record<string, unknown>, filters: readonly LogFilter[]): Promise<ChainLog[]> {
    const answers = await Promise.all(
      filters.map(async (filter) => (await chain.send('eth_getLogs', [{ ...filter, ...query }])) as RawLog[]),
    )
    const found = answers.map((answer) => answer.filter(({ removed }) => !removed).map(decodeLog))
    return found.length > 1 ? inOrder(found.flat()) : found.flat()
  }
  async function groupByBlock(found: ChainLog[]): Promise<{ header: BlockHeader; logs: ChainLog[] }[]> {
    const groups = Map.groupBy(found, ({ blockHash }) => blockHash)
    const blocks = await Promise.all(
      [...groups].map(async ([hash, own]) => ({ header: await stamp(hash, own), logs: own })),
    )
    return blocks.sort((one, other) => Number(one.header.number - other.header.number))
  }
  async function stamp(hash: Hex, [log]: ChainLog[]): Promise<BlockHeader> {
    if (log?.timestamp === undefined) return headerOf(hash)
    return { number: log.blockNumber, hash, parentHash: hash, timestamp: log.timestamp }
  }
  return {
    header,
    latest,
    groupByBlock,
    logsOf: (blockHash: Hex, filters: readonly LogFilter[]) => logs({ blockHash }, filters),
    logsBetween: (from: bigint, to: bigint, filters: readonly LogFilter[]) =>
      logs({ fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` }, filters),
  }
}

function inOrder(found: ChainLog[]): ChainLog[] {
  const once = new Map(found.map((log) => [`${log.blockHash}/${log.logIndex}`, log]))
  return [...once.values()].sort(
    (one, other) => Number(one.blockNumber - other.blockNumber) || one.logIndex - other.logIndex,
  )
}

function decodeHeader(raw: RawBlock | null): BlockHeader | undefined {
  if (!raw) return undefined
  return { number: BigInt(raw.number), hash: raw.hash, parentHash: raw.parentHash, timestamp: BigInt(raw.timestamp) }
}

function decodeLog(raw: RawLog): ChainLog {
  return {
    address: getAddress(raw.address) as Address,
    topics: raw.topics,
    data: raw.data,
    blockNumber: BigInt(raw.blockNumber),
    blockHash: raw.blockHash,
    transactionHash: raw.transactionHash,
    logIndex: Number(raw.logIndex),
    ...(raw.blockTimestamp ? { timestamp: BigInt(raw.blockTimestamp) } : {}),
  }
}
