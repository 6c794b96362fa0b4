import { type Hex, Order, Params, zeroAddress } from '@sealdeal/protocol'
import type { Event, Value, Values } from './decode.ts'
import type { Facts, Question } from './facts.ts'

export type Row = { table: Table; values: Record<string, Value | number | null | object> }

/** In the order in which they are written. */
export const tables = [
  'asset',
  'asset_transfer',
  'policy_update',
  'dataset_schema',
  'category',
  'deal',
  'scheduler_notice',
  'task',
  'task_event',
  'dataset_attached',
  'verdict',
  'order_event',
  'transfer',
  'custody_event',
] as const
export type Table = (typeof tables)[number]

export type Context = {
  hub: Hex
  dataProtector: Hex | undefined
  /** Which kind of asset a registry makes. */
  registries: ReadonlyMap<string, AssetKind>
  domain: Order.Domain
}
type AssetKind = 'app' | 'dataset' | 'workerpool'

type Handler = {
  /** Whose word counts. */
  by: 'hub' | 'registry' | 'dataProtector' | 'anyone'
  /** What the event leaves out. */
  asks?: (event: Event, context: Context) => Question[]
  rows: (event: Event, facts: Facts, context: Context) => Row[]
}

/** The handler of an event, if it is one of ours and said by whom it must be said. */
export function handlerOf(event: Event, { hub, dataProtector, registries }: Context): Handler | undefined {
  if (event.emitter === hub) return hubHandlers[event.name]
  if (registries.has(event.emitter)) return registryHandlers[event.name]
  if (event.emitter === dataProtector) return dataProtectorHandlers[event.name]
  return workerpoolHandlers[event.name]
}

/** One row, with its place in the chain. */
function row(table: Table, { block, log, transaction }: Event, values: Row['values']): Row {
  return { table, values: { block, log, transaction, ...values } }
}

const text = (value: Value | undefined) => value as string
const assetOf = (event: Event) => `0x${(event.args.tokenId as bigint).toString(16).padStart(40, '0')}`
const nullIfZero = (address: Value | undefined) => (address === zeroAddress ? null : text(address))

/* ASSETS */

const assetViews = { app: 'viewApp', dataset: 'viewDataset', workerpool: 'viewWorkerpool' } as const

/** What the Hub tells of an asset, under the names of our columns. */
const assetColumns: Record<AssetKind, (info: Values) => Row['values']> = {
  app: (info) => ({
    name: text(info.m_appName),
    type: text(info.m_appType),
    multiaddr: text(info.m_appMultiaddr),
    checksum: text(info.m_appChecksum),
    mrenclave: text(info.m_appMREnclave),
  }),
  dataset: (info) => ({
    name: text(info.m_datasetName),
    multiaddr: text(info.m_datasetMultiaddr),
    checksum: text(info.m_datasetChecksum),
  }),
  workerpool: (info) => ({ name: text(info.m_workerpoolDescription) }),
}

const registryHandlers: Record<string, Handler> = {
  Transfer: {
    by: 'registry',
    asks(event, { registries }) {
      const kind = registries.get(event.emitter)
      return event.args.from === zeroAddress && kind ? [{ view: assetViews[kind], of: [assetOf(event)] }] : []
    },
    rows(event, facts, { registries }) {
      const kind = registries.get(event.emitter)
      if (!kind) return []
      const [asset, sender, receiver] = [assetOf(event), text(event.args.from), text(event.args.to)]
      const moved = row('asset_transfer', event, { kind, asset, sender, receiver })
      if (sender !== zeroAddress) return [moved]
      const columns = assetColumns[kind](facts(assetViews[kind], asset))
      return [row('asset', event, { id: asset, kind, owner: receiver, ...columns }), moved]
    },
  },
}

const workerpoolHandlers: Record<string, Handler> = {
  PolicyUpdate: {
    by: 'anyone',
    rows: (event) => [
      row('policy_update', event, {
        workerpool: event.emitter,
        old_worker_stake_ratio: event.args.oldWorkerStakeRatioPolicy as bigint,
        new_worker_stake_ratio: event.args.newWorkerStakeRatioPolicy as bigint,
        old_scheduler_reward_ratio: event.args.oldSchedulerRewardRatioPolicy as bigint,
        new_scheduler_reward_ratio: event.args.newSchedulerRewardRatioPolicy as bigint,
      }),
    ],
  },
}

const dataProtectorHandlers: Record<string, Handler> = {
  DatasetSchema: {
    by: 'dataProtector',
    rows(event) {
      const json = text(event.args.schema)
      return [row('dataset_schema', event, { dataset: text(event.args.dataset), json, entries: leavesOf(json) })]
    },
  },
}

/** One `path:type` for each leaf; nothing of a text that is no schema. */
export function leavesOf(json: string): string[] {
  try {
    return leaves(JSON.parse(json), '')
  } catch {
    return []
  }
}

function leaves(tree: unknown, path: string): string[] {
  if (typeof tree === 'string') return path === '' ? [] : [`${path}:${tree}`]
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return []
  return Object.entries(tree).flatMap(([key, below]) => leaves(below, path === '' ? key : `${path}.${key}`))
}

/* ORDERS AND DEALS */

function orderHandlers(kind: Order.Kind): Record<string, Handler> {
  const spelled = `${kind[0]?.toUpperCase()}${kind.slice(1)}Order`
  const noted = (action: string): Handler => ({
    by: 'hub',
    rows: (event) => [row('order_event', event, { kind, action, hash: text(event.args[`${kind}Hash`]) })],
  })
  return {
    [`Signed${spelled}`]: noted('signed'),
    [`Closed${spelled}`]: noted('closed'),
    [`Broadcast${spelled}`]: {
      by: 'hub',
      rows(event, _facts, { domain }) {
        const body = event.args[`${kind}order`] as Values
        // What was no UTF-8 cannot be hashed as it was signed. Its deals are told all the same.
        if (String(body.params).includes('\ufffd')) return []
        const hash = Order.hash(kind, body as unknown as Order.Signed<typeof kind>, domain)
        return [row('order_event', event, { kind, action: 'broadcast', hash, body })]
      },
    },
  }
}

function matchedOrders(event: Event, deal: Values): Row[] {
  const [app, dataset, workerpool] = [deal.app, deal.dataset, deal.workerpool] as [Values, Values, Values]
  const { category, trust, tag, requester, beneficiary, callback, params } = deal as Record<string, Value>
  const told = (kind: Order.Kind, body: Record<string, Value | undefined>) =>
    row('order_event', event, { kind, action: 'matched', hash: text(event.args[`${kind}Hash`]), body })
  return [
    told('app', { app: app.pointer, appprice: app.price }),
    ...(dataset.pointer === zeroAddress
      ? []
      : [told('dataset', { dataset: dataset.pointer, datasetprice: dataset.price })]),
    told('workerpool', { workerpool: workerpool.pointer, workerpoolprice: workerpool.price, category }),
    told('request', { requester, beneficiary, callback, params, category, trust, tag, app: app.pointer }),
  ]
}

function dealRow(event: Event, deal: Values): Row {
  const [app, dataset, workerpool] = [deal.app, deal.dataset, deal.workerpool] as [Values, Values, Values]
  const datasetId = nullIfZero(dataset.pointer)
  return row('deal', event, {
    id: text(event.args.dealid),
    app_order: text(event.args.appHash),
    dataset_order: datasetId && text(event.args.datasetHash),
    workerpool_order: text(event.args.workerpoolHash),
    request_order: text(event.args.requestHash),
    app: text(app.pointer),
    app_owner: text(app.owner),
    app_price: app.price as bigint,
    dataset: datasetId,
    dataset_owner: nullIfZero(dataset.owner),
    dataset_price: dataset.price as bigint,
    workerpool: text(workerpool.pointer),
    workerpool_owner: text(workerpool.owner),
    workerpool_price: workerpool.price as bigint,
    trust: deal.trust as bigint,
    category: deal.category as bigint,
    tag: text(deal.tag),
    requester: text(deal.requester),
    beneficiary: text(deal.beneficiary),
    callback: text(deal.callback),
    params: text(deal.params),
    start_time: deal.startTime as bigint,
    bot_first: deal.botFirst as bigint,
    bot_size: deal.botSize as bigint,
    worker_stake: deal.workerStake as bigint,
    scheduler_reward_ratio: deal.schedulerRewardRatio as bigint,
    sponsor: text(deal.sponsor),
    bulk_cid: bulkCidOf(text(deal.params)),
  })
}

function bulkCidOf(params: string): string | null {
  try {
    const { bulkCid } = Params.parse(params)
    return bulkCid && /^[A-Za-z0-9]{46,100}$/.test(bulkCid) ? bulkCid : null
  } catch {
    return null
  }
}

const dealHandlers: Record<string, Handler> = {
  OrdersMatched: {
    by: 'hub',
    asks: ({ args }) => [{ view: 'viewDeal', of: [text(args.dealid)] }],
    rows(event, facts) {
      const deal = facts('viewDeal', text(event.args.dealid))
      if (deal.botSize === 0n) throw new Error(`deal ${text(event.args.dealid)} is gone again`)
      return [dealRow(event, deal), ...matchedOrders(event, deal)]
    },
  },
  SchedulerNotice: {
    by: 'hub',
    rows: (event) => [
      row('scheduler_notice', event, { workerpool: text(event.args.workerpool), deal: text(event.args.dealid) }),
    ],
  },
  CreateCategory: {
    by: 'hub',
    rows: (event) => [
      row('category', event, {
        id: event.args.catid as bigint,
        name: text(event.args.name),
        description: text(event.args.description),
        work_clock_time_ref: event.args.workClockTimeRef as bigint,
      }),
    ],
  },
}

/* TASKS */

const taskOf = ({ args }: Event) => text(args.taskid)
const happened = (event: Event, kind: string, values: Row['values'] = {}) =>
  row('task_event', event, { task: taskOf(event), kind, ...values })

const taskHandlers: Record<string, Handler> = {
  TaskInitialize: {
    by: 'hub',
    asks: (event) => [{ view: 'viewTask', of: [taskOf(event)] }],
    rows(event, facts) {
      const task = facts('viewTask', taskOf(event))
      if (task.status === 0n) throw new Error(`task ${taskOf(event)} is gone again`)
      const columns = {
        id: taskOf(event),
        deal: text(task.dealid),
        index: task.idx as bigint,
        contribution_deadline: task.contributionDeadline as bigint,
        final_deadline: task.finalDeadline as bigint,
        reveal_time: 2n * (task.timeref as bigint),
      }
      return [row('task', event, columns), happened(event, 'Initialize')]
    },
  },
  TaskContribute: {
    by: 'hub',
    asks: (event) => [{ view: 'viewContribution', of: [taskOf(event), text(event.args.worker)] }],
    rows(event, facts) {
      const worker = text(event.args.worker)
      const { resultSeal, enclaveChallenge } = facts('viewContribution', taskOf(event), worker)
      const proof = { seal: text(resultSeal), challenge: text(enclaveChallenge) }
      return [happened(event, 'Contribute', { worker, value: text(event.args.hash), ...proof })]
    },
  },
  TaskConsensus: {
    by: 'hub',
    rows: (event) => [happened(event, 'Consensus', { value: text(event.args.consensus) })],
  },
  TaskReveal: {
    by: 'hub',
    rows: (event) => [happened(event, 'Reveal', { worker: text(event.args.worker), value: text(event.args.digest) })],
  },
  TaskReopen: { by: 'hub', rows: (event) => [happened(event, 'Reopen')] },
  TaskFinalize: {
    by: 'hub',
    asks: (event) => [{ view: 'viewTask', of: [taskOf(event)] }],
    rows(event, facts) {
      const callback = text(facts('viewTask', taskOf(event)).resultsCallback)
      return [happened(event, 'Finalize', { value: text(event.args.results), callback })]
    },
  },
  TaskClaimed: { by: 'hub', rows: (event) => [happened(event, 'Claimed')] },
  TaskFailed: {
    by: 'hub',
    rows: (event) => [happened(event, 'Failed', { worker: text(event.args.worker), value: String(event.args.cause) })],
  },
  DatasetAttached: {
    by: 'hub',
    rows: (event) => [
      row('dataset_attached', event, {
        task: taskOf(event),
        dataset: text(event.args.dataset),
        dataset_order: text(event.args.datasetHash),
        price: event.args.price as bigint,
      }),
    ],
  },
}

function verdict(accurate: boolean): Handler {
  return {
    by: 'hub',
    rows: (event) => [row('verdict', event, { worker: text(event.args.worker), task: taskOf(event), accurate })],
  }
}

/* MONEY */

function custody(kind: 'Lock' | 'Unlock' | 'Seize' | 'Reward'): Handler {
  return {
    by: 'hub',
    rows(event) {
      const { owner, amount, ref } = event.args
      const columns = { kind, account: text(owner), amount: amount as bigint }
      return [row('custody_event', event, ref === undefined ? columns : { ...columns, task: text(ref) })]
    },
  }
}

const hubHandlers: Record<string, Handler> = {
  ...dealHandlers,
  ...taskHandlers,
  ...orderHandlers('app'),
  ...orderHandlers('dataset'),
  ...orderHandlers('workerpool'),
  ...orderHandlers('request'),
  AccurateContribution: verdict(true),
  FaultyContribution: verdict(false),
  Lock: custody('Lock'),
  Unlock: custody('Unlock'),
  Seize: custody('Seize'),
  Reward: custody('Reward'),
  Transfer: {
    by: 'hub',
    rows: (event) => [
      row('transfer', event, {
        sender: text(event.args.from),
        receiver: text(event.args.to),
        amount: event.args.value as bigint,
      }),
    ],
  },
}
