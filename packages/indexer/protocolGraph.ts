import {
  bigInt,
  blockNumber,
  bytes,
  type Entity,
  entity,
  type Field,
  graph,
  id,
  int,
  many,
  one,
  orNull,
  string,
  timestamp,
  tokens,
  type Value,
} from './entity.ts'

const eventId: Value = { ...id("{}.block || '-' || {}.log"), sort: ['{}.block', '{}.log'] }
const transaction = one('Transaction', '{}.transaction')
const event = { id: eventId, transaction, timestamp }

/** How many rows of a table belong to this one. */
const count = (condition: string) => int(`(select count(*)::int from ${condition})`)
/** The newest of a table's rows that belong to this one. */
const latest = (column: string, table: string, condition: string) =>
  `(select ${column} from ${table} where ${condition} order by block desc, log desc limit 1)`

const protocol = entity('Protocol', "(select 'iExec' as id)", {
  id: id(),
  categoriesCount: count('category'),
  appsCount: count("asset where kind = 'app'"),
  datasetsCount: count("asset where kind = 'dataset'"),
  workerpoolsCount: count("asset where kind = 'workerpool'"),
  dealsCount: count('deal'),
  tasksCount: count('task'),
  completedTasksCount: count("task_event where kind = 'Finalize'"),
  claimedTasksCount: count("task_event where kind = 'Claimed'"),
  /** What was deposited and not withdrawn. */
  tvl: tokens('(select coalesce(sum(balance), 0) from account)'),
})

const sameBlock = '{}.block = {^}.block'
const transactions = entity('Transaction', '(select transaction.*, 0 as log from transaction)', {
  id: id(),
  timestamp,
  blockNumber,
  accountEvents: many('AccountEvent', 'transaction', sameBlock),
  taskEvents: many('TaskEvent', 'transaction', sameBlock),
  transfers: many('Transfer', 'transaction', sameBlock),
  deals: many('Deal', 'transaction', sameBlock),
})

const account = entity('Account', 'account', {
  id: id(),
  balance: tokens('{}.balance'),
  frozen: tokens('{}.frozen'),
  score: bigInt(`coalesce(${latest('score', 'verdict', 'worker = {}.id')}, 0)`),
  transfersFrom: many('Transfer', 'from'),
  transfersTo: many('Transfer', 'to'),
  events: many('AccountEvent', 'account'),
  contributions: many('Contribution', 'worker'),
  apps: many('App', 'owner'),
  datasets: many('Dataset', 'owner'),
  workerpools: many('Workerpool', 'owner'),
  dealRequester: many('Deal', 'requester'),
  dealBeneficiary: many('Deal', 'beneficiary'),
  dealCallback: many('Deal', 'callback'),
  dealSponsor: many('Deal', 'sponsor'),
  taskRequester: many('Task', 'requester'),
})

/* ASSETS */

const asset = (kind: 'app' | 'dataset' | 'workerpool') => ({
  id: id(),
  owner: one('Account', '{}.owner'),
  timestamp,
  blockNumber,
  transactionHash: bytes('{}.transaction'),
  usageCount: count(`deal where deal.${kind} = {}.id`),
  lastUsageTimestamp: bigInt(`coalesce(${latest('start_time', 'deal', `deal.${kind} = {}.id`)}, 0)`),
  usages: many('Deal', kind),
})
const assetsOf = (kind: string) => `(select * from asset where kind = '${kind}')`

const app = entity('App', assetsOf('app'), {
  ...asset('app'),
  name: string('{}.name'),
  type: string('{}.type'),
  multiaddr: bytes('{}.multiaddr'),
  checksum: bytes('{}.checksum'),
  mrenclave: bytes('{}.mrenclave'),
  orders: many('AppOrder', 'app'),
  transfers: many('AppTransfer', 'app'),
})
const dataset = entity('Dataset', assetsOf('dataset'), {
  ...asset('dataset'),
  name: string('{}.name'),
  multiaddr: bytes('{}.multiaddr'),
  checksum: bytes('{}.checksum'),
  orders: many('DatasetOrder', 'dataset'),
  transfers: many('DatasetTransfer', 'dataset'),
})
const ratio = (column: string, first: number) =>
  bigInt(`coalesce(${latest(column, 'policy_update', 'workerpool = {}.id')}, ${first})`)
const workerpool = entity('Workerpool', assetsOf('workerpool'), {
  ...asset('workerpool'),
  description: string('{}.name'),
  // What a new workerpool begins with.
  workerStakeRatio: ratio('new_worker_stake_ratio', 30),
  schedulerRewardRatio: ratio('new_scheduler_reward_ratio', 1),
  orders: many('WorkerpoolOrder', 'workerpool'),
  transfers: many('WorkerpoolTransfer', 'workerpool'),
  events: many('WorkerpoolEvent', 'workerpool'),
})
const transferOf = (name: 'App' | 'Dataset' | 'Workerpool') => {
  const kind = name.toLowerCase()
  return entity(`${name}Transfer`, `(select * from asset_transfer where kind = '${kind}')`, {
    ...event,
    [kind]: one(name, '{}.asset'),
    from: one('Account', '{}.sender'),
    to: one('Account', '{}.receiver'),
  })
}
const policyUpdate = entity('PolicyUpdate', 'policy_update', {
  ...event,
  workerpool: one('Workerpool', '{}.workerpool'),
  oldWorkerStakeRatio: bigInt('{}.old_worker_stake_ratio'),
  newWorkerStakeRatio: bigInt('{}.new_worker_stake_ratio'),
  oldSchedulerRewardRatio: bigInt('{}.old_scheduler_reward_ratio'),
  newSchedulerRewardRatio: bigInt('{}.new_scheduler_reward_ratio'),
})
const schedulerNotice = entity('SchedulerNotice', 'scheduler_notice', {
  ...event,
  workerpool: one('Workerpool', '{}.workerpool'),
  deal: one('Deal', '{}.deal'),
})
const workerpoolEvent = entity(
  'WorkerpoolEvent',
  `(select block, log, transaction, workerpool, 'SchedulerNotice' as type from scheduler_notice
    union all select block, log, transaction, workerpool, 'PolicyUpdate' from policy_update)`,
  { ...event, workerpool: one('Workerpool', '{}.workerpool'), type: string('{}.type') },
)

/* ORDERS */

/** Orders that the chain knows of, with the fullest that it told of each. */
const ordersOf = (
  kind: string,
) => `(select distinct on (hash) hash as id, block, log, transaction, body from order_event
  where kind = '${kind}' and body is not null order by hash, action, block, log)`
const told = (name: string) => orNull(string(`{}.body ->> '${name}'`))
const price = (name: string) => orNull(tokens(`({}.body ->> '${name}')::numeric`))
const orderFields = (kind: string) => ({
  id: id(),
  timestamp,
  volume: orNull(bigInt("({}.body ->> 'volume')::numeric")),
  tag: told('tag'),
  salt: told('salt'),
  sign: told('sign'),
  deals: many('Deal', `${kind}order`),
  closed: {
    type: 'Boolean',
    sql: `exists (select from order_event where order_event.kind = '${kind}' and order_event.hash = {}.id and action = 'closed')`,
  } satisfies Field,
})
const appOrder = entity('AppOrder', ordersOf('app'), {
  ...orderFields('app'),
  app: one('App', "{}.body ->> 'app'"),
  appprice: price('appprice'),
  datasetrestrict: told('datasetrestrict'),
  workerpoolrestrict: told('workerpoolrestrict'),
  requesterrestrict: told('requesterrestrict'),
})
const datasetOrder = entity('DatasetOrder', ordersOf('dataset'), {
  ...orderFields('dataset'),
  dataset: one('Dataset', "{}.body ->> 'dataset'"),
  datasetprice: price('datasetprice'),
  apprestrict: told('apprestrict'),
  workerpoolrestrict: told('workerpoolrestrict'),
  requesterrestrict: told('requesterrestrict'),
})
const workerpoolOrder = entity('WorkerpoolOrder', ordersOf('workerpool'), {
  ...orderFields('workerpool'),
  workerpool: one('Workerpool', "{}.body ->> 'workerpool'"),
  workerpoolprice: price('workerpoolprice'),
  category: one('Category', "{}.body ->> 'category'"),
  trust: orNull(bigInt("({}.body ->> 'trust')::numeric")),
  apprestrict: told('apprestrict'),
  datasetrestrict: told('datasetrestrict'),
  requesterrestrict: told('requesterrestrict'),
})
const requestOrder = entity('RequestOrder', ordersOf('request'), {
  ...orderFields('request'),
  app: one('App', "{}.body ->> 'app'"),
  appmaxprice: price('appmaxprice'),
  dataset: one('Dataset', "{}.body ->> 'dataset'"),
  datasetmaxprice: price('datasetmaxprice'),
  workerpool: one('Workerpool', "{}.body ->> 'workerpool'"),
  workerpoolmaxprice: price('workerpoolmaxprice'),
  requester: one('Account', "{}.body ->> 'requester'"),
  beneficiary: one('Account', "{}.body ->> 'beneficiary'"),
  callback: one('Account', "{}.body ->> 'callback'"),
  category: one('Category', "{}.body ->> 'category'"),
  trust: orNull(bigInt("({}.body ->> 'trust')::numeric")),
  params: told('params'),
})

/* DEALS AND TASKS */

const category = entity('Category', 'category', {
  id: id('{}.id::text'),
  name: string('{}.name'),
  description: string('{}.description'),
  workClockTimeRef: bigInt('{}.work_clock_time_ref'),
  timestamp,
  deals: many('Deal', 'category'),
})
const tasksThat = (kind: string) =>
  count(`task join task_event on task_event.task = task.id and task_event.kind = '${kind}' where task.deal = {}.id`)
const deal = entity('Deal', 'deal', {
  id: id(),
  timestamp,
  blockNumber,
  transaction,
  app: one('App', '{}.app'),
  appOwner: one('Account', '{}.app_owner'),
  appPrice: tokens('{}.app_price'),
  dataset: one('Dataset', '{}.dataset'),
  datasetOwner: one('Account', '{}.dataset_owner'),
  datasetPrice: tokens('{}.dataset_price'),
  workerpool: one('Workerpool', '{}.workerpool'),
  workerpoolOwner: one('Account', '{}.workerpool_owner'),
  workerpoolPrice: tokens('{}.workerpool_price'),
  trust: bigInt('{}.trust'),
  category: one('Category', '{}.category::text'),
  tag: bytes('{}.tag'),
  requester: one('Account', '{}.requester'),
  beneficiary: one('Account', '{}.beneficiary'),
  callback: one('Account', '{}.callback'),
  sponsor: one('Account', '{}.sponsor'),
  params: string('{}.params'),
  startTime: bigInt('{}.start_time'),
  botFirst: bigInt('{}.bot_first'),
  botSize: bigInt('{}.bot_size'),
  workerStake: tokens('{}.worker_stake'),
  schedulerRewardRatio: bigInt('{}.scheduler_reward_ratio'),
  completedTasksCount: tasksThat('Finalize'),
  claimedTasksCount: tasksThat('Claimed'),
  apporder: one('AppOrder', '{}.app_order'),
  datasetorder: one('DatasetOrder', '{}.dataset_order'),
  workerpoolorder: one('WorkerpoolOrder', '{}.workerpool_order'),
  requestorder: one('RequestOrder', '{}.request_order'),
  tasks: many('Task', 'deal'),
  events: many('SchedulerNotice', 'deal'),
  bulk: one('Bulk', '{}.bulk_cid'),
})

/** The reference spells the last word so, and published clients compare with it. */
const statuses = ['UNSET', 'ACTIVE', 'REVEALING', 'COMPLETED', 'FAILLED']
const ofTask = (column: string, kind: string) =>
  `(select ${column} from task_event where task_event.task = {}.id and kind = '${kind}' order by block desc, log desc limit 1)`
const status = `(select case kind when 'Consensus' then 'REVEALING' when 'Finalize' then 'COMPLETED'
  when 'Claimed' then 'FAILLED' when 'Failed' then 'FAILLED' else 'ACTIVE' end
  from task_event where task_event.task = {}.id and kind not in ('Contribute', 'Reveal') order by block desc, log desc limit 1)`
/** What was agreed on, unless it was given up again. */
const agreed = (column: string) => `(select case kind when 'Consensus' then ${column} end from task_event
  join block on block.number = task_event.block
  where task_event.task = {}.id and kind in ('Consensus', 'Reopen') order by task_event.block desc, log desc limit 1)`
const task = entity('Task', 'task', {
  id: id(),
  timestamp,
  status: { words: 'TaskStatus', sql: status },
  deal: one('Deal', '{}.deal'),
  index: bigInt('{}.index'),
  requester: one('Account', '(select requester from deal where deal.id = {}.deal)'),
  consensus: orNull(bytes(agreed('value'))),
  resultDigest: orNull(bytes(ofTask('value', 'Reveal'))),
  results: orNull(bytes(ofTask('value', 'Finalize'))),
  resultsCallback: orNull(bytes(ofTask('callback', 'Finalize'))),
  /** Why there is no result, if an enclave said so. */
  failureCause: orNull(bigInt(`(${ofTask('value', 'Failed')})::numeric`)),
  contributionDeadline: bigInt('{}.contribution_deadline'),
  revealDeadline: orNull(bigInt(agreed('block.timestamp + {}.reveal_time'))),
  finalDeadline: bigInt('{}.final_deadline'),
  contributions: many('Contribution', 'task'),
  rewards: many('Reward', 'task'),
  seizes: many('Seize', 'task'),
  events: many('TaskEvent', 'task'),
  bulkSlice: one('BulkSlice', sliceId()),
})

/** Datasets that were attached on chain, or else those in the list that the request named. */
function sliceId(): string {
  return `(select case
    when exists (select from dataset_attached where dataset_attached.task = {}.id) then {}.id
    else (select bulk_slice.bulk_cid || '-' || bulk_slice.index from deal
      join bulk_slice on bulk_slice.bulk_cid = deal.bulk_cid and bulk_slice.index = {}.index where deal.id = {}.deal)
    end)`
}
const bulk = entity('Bulk', "(select * from bulk_list where state = 'known')", {
  id: id('{}.cid'),
  hash: string('{}.cid'),
  slices: many('BulkSlice', 'bulk'),
  deals: many('Deal', 'bulk'),
})
const bulkSlice = entity(
  'BulkSlice',
  `(select bulk_cid || '-' || index as id, bulk_cid, cid, index, datasets,
      array(select each ->> 'hash' from jsonb_array_elements(dataset_orders) as each) as orders from bulk_slice
    union all select dataset_attached.task, null, null, task.index::int, array_agg(dataset order by dataset_attached.log),
      array_agg(dataset_order order by dataset_attached.log)
    from dataset_attached left join task on task.id = dataset_attached.task
    group by dataset_attached.task, task.index)`,
  {
    id: id(),
    hash: orNull(string('{}.cid')),
    bulk: one('Bulk', '{}.bulk_cid'),
    index: orNull(int('{}.index')),
    datasets: { list: 'Dataset', sql: '{}.datasets' },
    datasetOrders: { list: 'DatasetOrder', sql: '{}.orders' },
  },
)

const contribution = entity(
  'Contribution',
  `(select contributed.*, task || '-' || worker as id from task_event as contributed where kind = 'Contribute')`,
  {
    id: id(),
    timestamp,
    task: one('Task', '{}.task'),
    worker: one('Account', '{}.worker'),
    hash: bytes('{}.value'),
    seal: bytes('{}.seal'),
    challenge: bytes('{}.challenge'),
    status: {
      words: 'ContributionStatus',
      sql: `(case
        when exists (select from task_event as seen where seen.task = {}.task and seen.worker = {}.worker and kind = 'Reveal')
          then 'PROVED'
        when exists (select from task_event as reopened where reopened.task = {}.task and reopened.kind = 'Reopen'
          and (reopened.block, reopened.log) > ({}.block, {}.log) and {}.value = (
            select value from task_event as agreed where agreed.task = {}.task and agreed.kind = 'Consensus'
              and (agreed.block, agreed.log) < (reopened.block, reopened.log) order by block desc, log desc limit 1))
          then 'REJECTED'
        else 'CONTRIBUTED' end)`,
    },
  },
)

/** Events of tasks, each under its own name and all under one. */
const taskEvent = (name: string, kind: string | undefined, fields: Record<string, Field>): Entity =>
  entity(name, kind ? `(select * from task_event where kind = '${kind}')` : 'task_event', {
    ...event,
    task: one('Task', '{}.task'),
    ...fields,
  })
const worker = { worker: one('Account', '{}.worker') }
const taskEvents = [
  taskEvent('TaskEvent', undefined, { type: string("'Task' || {}.kind") }),
  taskEvent('TaskInitialize', 'Initialize', {
    workerpool: one(
      'Workerpool',
      '(select workerpool from task join deal on deal.id = task.deal where task.id = {}.task)',
    ),
  }),
  taskEvent('TaskContribute', 'Contribute', { ...worker, hash: bytes('{}.value') }),
  taskEvent('TaskConsensus', 'Consensus', { consensus: bytes('{}.value') }),
  taskEvent('TaskReveal', 'Reveal', { ...worker, digest: bytes('{}.value') }),
  taskEvent('TaskReopen', 'Reopen', {}),
  taskEvent('TaskFinalize', 'Finalize', { results: bytes('{}.value'), resultsCallback: bytes('{}.callback') }),
  taskEvent('TaskClaimed', 'Claimed', {}),
  taskEvent('TaskFailed', 'Failed', { ...worker, cause: bigInt('({}.value)::numeric') }),
]

/* MONEY */

const transfer = entity('Transfer', 'transfer', {
  ...event,
  from: one('Account', '{}.sender'),
  to: one('Account', '{}.receiver'),
  value: tokens('{}.amount'),
})
const accountEvent = (name: string, fields: Record<string, Field> = {}): Entity =>
  entity(name, `(select * from custody_event where kind = '${name}')`, {
    ...event,
    account: one('Account', '{}.account'),
    value: tokens('{}.amount'),
    ...fields,
  })
const verdict = (name: string, accurate: boolean): Entity =>
  entity(name, `(select * from verdict where accurate = ${accurate})`, {
    ...event,
    account: one('Account', '{}.worker'),
    contribution: one('Contribution', "{}.task || '-' || {}.worker"),
    score: bigInt('{}.score'),
  })
const ofTaskField = { task: one('Task', '{}.task') }
const accountEvents = [
  entity(
    'AccountEvent',
    `(select block, log, transaction, account, kind as type from custody_event union all
      select block, log, transaction, worker, case when accurate then 'AccurateContribution' else 'FaultyContribution' end
      from verdict)`,
    { ...event, account: one('Account', '{}.account'), type: string('{}.type') },
  ),
  accountEvent('Lock'),
  accountEvent('Unlock'),
  accountEvent('Seize', ofTaskField),
  accountEvent('Reward', ofTaskField),
  verdict('AccurateContribution', true),
  verdict('FaultyContribution', false),
]

const ordersMatched = entity('OrdersMatched', 'deal', {
  id: eventId,
  transaction,
  timestamp,
  deal: one('Deal', '{}.id'),
})
const datasetAttached = entity('DatasetAttached', 'dataset_attached', {
  ...event,
  task: one('Task', '{}.task'),
  dataset: one('Dataset', '{}.dataset'),
  datasetorder: one('DatasetOrder', '{}.dataset_order'),
  price: tokens('{}.price'),
})

export const protocolGraph = graph(
  [
    protocol,
    transactions,
    account,
    app,
    dataset,
    workerpool,
    transferOf('App'),
    transferOf('Dataset'),
    transferOf('Workerpool'),
    policyUpdate,
    schedulerNotice,
    workerpoolEvent,
    appOrder,
    datasetOrder,
    workerpoolOrder,
    requestOrder,
    category,
    deal,
    task,
    bulk,
    bulkSlice,
    contribution,
    ...taskEvents,
    transfer,
    ...accountEvents,
    { ...ordersMatched, plural: 'ordersMatcheds' },
    { ...datasetAttached, plural: 'datasetAttacheds' },
  ],
  { TaskStatus: statuses, ContributionStatus: ['UNSET', 'CONTRIBUTED', 'PROVED', 'REJECTED'] },
)
