import { type Address, BaseError, type Contracts, Deal, Failure, type Hex } from '@sealdeal/protocol'
import type { ChainLog, FollowParameters, Log, Moment } from '@sealdeal/server'
import { forgetBlocks, noteInitialized, type Settlement, settle, storeDeal } from './tasks.ts'

/** A deal was announced that the chain does not know (yet, or any more). */
export class DealUnreadableError extends BaseError {
  override name = 'DealUnreadableError'
  constructor({ dealId }: { dealId: Hex }) {
    super(`Deal "${dealId}" was announced but cannot be read from the chain.`, {
      metaMessages: ['The node may lag behind itself, or the block was replaced: it is read again.'],
      docsPath: '/workerpool#chain',
    })
  }
}

const watched = ['SchedulerNotice', 'TaskInitialize', 'TaskFinalize', 'TaskFailed', 'TaskClaimed'] as const

/** How each event ends a task. */
const settlements: Record<string, Settlement> = {
  TaskFinalize: 'finalized',
  TaskFailed: 'failed',
  TaskClaimed: 'claimed',
}

/**
 * What the scheduler does with the chain's events, for `follow`: deals of this pool become tasks, and tasks end as the
 * chain ends them. Rows and cursor are written in one transaction, so no deal is lost or seen twice.
 */
export function watchPool({
  hub,
  workerpool,
  log,
  moment,
}: {
  hub: Contracts.Hub
  workerpool: Address
  log: Log
  moment: Moment
}): Required<Pick<FollowParameters, 'topics' | 'apply' | 'undo' | 'moved'>> {
  const topics = watched.map((name) => hub.interface.getEvent(name).topicHash as Hex)
  // Said once the rows are safe: a moment before the commit may never have happened.
  const unsaid = new Map<string, () => void>()

  async function announce({ transaction, blockNumber }: At, dealId: Hex): Promise<void> {
    moment('deal seen', { deal: dealId })
    const deal = Deal.fromChain((await hub.viewDeal(dealId)) as unknown as Deal.Deal)
    if (deal.workerpool.pointer !== workerpool) throw new DealUnreadableError({ dealId })
    const [app, category] = await Promise.all([hub.viewApp(deal.app.pointer), hub.viewCategory(deal.category)])
    const taskIds = await storeDeal(transaction, {
      dealId,
      deal,
      app: {
        address: deal.app.pointer,
        type: app.m_appType,
        multiaddr: app.m_appMultiaddr as Hex,
        checksum: app.m_appChecksum as Hex,
      },
      workClock: category.workClockTimeRef,
      blockNumber,
    })
    log.info({ deal: dealId, tasks: String(deal.botSize) }, 'deal')
    unsaid.set(dealId, () => moment('task stored', { deal: dealId, tasks: taskIds.slice(0, 10) }))
  }

  async function applyLog({ transaction, blockNumber }: At, entry: ChainLog): Promise<void> {
    const event = hub.interface.parseLog(entry)
    if (!event) return
    if (event.name === 'SchedulerNotice') {
      if (event.args.workerpool !== workerpool) return
      return announce({ transaction, blockNumber }, event.args.dealid as Hex)
    }
    const at = { taskId: event.args.taskid as Hex, transaction: entry.transactionHash, blockNumber }
    if (event.name === 'TaskInitialize') return noteInitialized(transaction, at)
    const settlement = settlements[event.name]
    if (!settlement) return
    const cause = settlement === 'failed' ? Failure.nameOf(event.args.cause as bigint) : undefined
    if (!(await settle(transaction, { ...at, settlement, cause }))) return
    log.info({ task: at.taskId, settlement }, 'task')
    unsaid.set(at.taskId, () => moment('completion seen', { task: at.taskId, settlement }))
  }

  return {
    topics: [topics],
    async apply({ transaction, block, logs }) {
      for (const entry of logs) await applyLog({ transaction, blockNumber: block.number }, entry)
    },
    undo: ({ transaction, block }) => forgetBlocks(transaction, block.number),
    moved() {
      const said = [...unsaid.values()]
      unsaid.clear()
      for (const say of said) say()
    },
  }
}

type At = { transaction: Parameters<NonNullable<FollowParameters['apply']>>[0]['transaction']; blockNumber: bigint }
