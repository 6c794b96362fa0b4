import { type Address, type Contracts, type Hex, Order } from '@sealdeal/protocol'
import { type Chain, type Database, type Follower, follow, type Log, type LoggedBlock } from '@sealdeal/server'
import { decodeLog, policyTopic } from './decode.ts'
import { askHub } from './facts.ts'
import { type Context, handlerOf } from './handlers.ts'
import { writeRows } from './rows.ts'

export type WatchParameters = {
  chain: Chain
  marketplace: Contracts.Marketplace
  dataProtector?: Address | undefined
  database: Database
  log: Log
  from: bigint
  /** Called after rows were written or taken back. */
  moved?: () => void
}

/** Name of the indexer's cursor. */
export const cursorName = 'indexer'

/** Turns every event of Hub, registries, workerpools and DataProtector into rows, and back when the chain reorganises. */
export async function watch(parameters: WatchParameters): Promise<Follower> {
  const { chain, marketplace, dataProtector, database, log, from, moved } = parameters
  const context = await contextOf({ chain, marketplace, dataProtector })
  const addresses = [context.hub, ...context.registries.keys(), ...(dataProtector ? [dataProtector] : [])]
  return follow({
    chain: chain.provider,
    database,
    name: cursorName,
    address: addresses as Address[],
    // Workerpools are as many as anybody makes: their one event is known by its topic.
    also: { topics: [policyTopic] },
    from,
    log,
    ...(moved ? { moved } : {}),
    async applyBlocks({ transaction, blocks }) {
      const rows = await rowsOf({ chain, blocks, context })
      await writeRows({ transaction, blocks: blocks.map(({ block }) => block), rows })
    },
    async undo({ transaction, block }) {
      await transaction.query('delete from block where hash = $1', [block.hash])
    },
  })
}

async function contextOf({
  chain,
  marketplace: { hub, appRegistry, datasetRegistry, workerpoolRegistry },
  dataProtector,
}: Pick<WatchParameters, 'chain' | 'marketplace' | 'dataProtector'>): Promise<Context> {
  const addressOf = async (contract: { getAddress: () => Promise<string> }) =>
    (await contract.getAddress()).toLowerCase() as Hex
  return {
    hub: await addressOf(hub),
    dataProtector: dataProtector?.toLowerCase() as Hex | undefined,
    registries: new Map([
      [await addressOf(appRegistry), 'app'],
      [await addressOf(datasetRegistry), 'dataset'],
      [await addressOf(workerpoolRegistry), 'workerpool'],
    ]),
    domain: Order.domain({ chainId: chain.chainId, hub: (await hub.getAddress()) as Address }),
  }
}

async function rowsOf({ chain, blocks, context }: { chain: Chain; blocks: readonly LoggedBlock[]; context: Context }) {
  const handled = blocks.flatMap(({ block, logs }) =>
    logs.flatMap((each) => {
      const event = decodeLog(each, block.timestamp)
      const handler = event && handlerOf(event, context)
      return event && handler ? [{ event, handler }] : []
    }),
  )
  const questions = handled.flatMap(({ event, handler }) => handler.asks?.(event, context) ?? [])
  const facts = await askHub({ chain: chain.provider, hub: context.hub, questions })
  return handled.flatMap(({ event, handler }) => handler.rows(event, facts, context))
}
