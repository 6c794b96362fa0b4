// What must hold in the end: every service says what the chain says, which is read by brute force.
import type { Hex } from '@sealdeal/protocol'
import { fetchResult } from '@sealdeal/sdk'
import { differences, graphPages, type Json, openOrders, query } from './asking.ts'
import type { History } from './history.ts'
import { APP_PRICE, DEPOSIT, type People, type Request } from './people.ts'
import { nameEvent, type Receiver } from './receiver.ts'
import { POOL_PRICE, type Scene } from './scene.ts'

export type Ending = {
  scene: Scene
  people: People
  receiver: Receiver
  requests: ReadonlyMap<Hex, Request>
  /** Deals that a reorganisation removed, at least once. */
  removed: ReadonlyMap<Hex, unknown>
  history: History
}

type Check = (ending: Ending) => Promise<string[]>

/** Every violation, by check. */
export async function checkAll(ending: Ending): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const [name, check] of Object.entries(checks)) {
    const violations = await check(ending).catch((error: unknown) => [`could not be checked: ${String(error)}`])
    if (violations.length > 0) found[name] = violations
  }
  return found
}

const checks: Record<string, Check> = {
  'every task ended, once': checkTasks,
  'every request is used up, revoked or waiting': checkRequests,
  'what orders have used up is what deals took': checkConsumed,
  'money is conserved, and everybody paid what was done': checkMoney,
  'the matcher knows the deals': checkMatcher,
  'the scheduler knows how tasks ended': checkScheduler,
  'the market knows the deals': checkMarket,
  'the book is what the chain leaves': checkBook,
  'the index is the chain': checkIndex,
  'webhooks: exactly the events': checkWebhooks,
  'results open': checkResults,
}

async function checkTasks({ history, scene }: Ending): Promise<string[]> {
  const open = history.deals.flatMap(({ dealId, taskIds }) =>
    taskIds.filter((taskId) => !history.ends.has(taskId)).map((taskId) => `task ${taskId} of deal ${dealId} is open`),
  )
  const { hub } = scene.contracts
  const wrong: string[] = []
  for (const { dealId, volume, hashes } of history.deals) {
    const { botSize } = await hub.viewDeal(dealId)
    if (botSize !== volume)
      wrong.push(`deal ${dealId} of request ${hashes.request}: ${botSize} tasks, announced ${volume}`)
  }
  return [...open, ...history.repeated.map((taskId) => `task ${taskId} ended twice`), ...wrong]
}

async function checkRequests({ history, requests }: Ending): Promise<string[]> {
  return [...requests.values()].flatMap(({ hash, order, fate }) => {
    const matched = history.matched.get(hash) ?? 0n
    const wanted = fate === 'waits' ? 0n : order.volume
    const fits = history.closings.has(hash) ? matched <= wanted : matched === wanted
    return fits ? [] : [`request ${hash}: ${matched} of ${wanted} tasks are matched (${fate})`]
  })
}

async function checkConsumed({ history, requests, scene }: Ending): Promise<string[]> {
  const taken = new Map<Hex, bigint>()
  for (const { hashes, volume } of history.deals)
    for (const hash of Object.values(hashes)) taken.set(hash, (taken.get(hash) ?? 0n) + volume)
  for (const hash of requests.keys()) if (!taken.has(hash)) taken.set(hash, 0n)
  const violations: string[] = []
  for (const [hash, sum] of taken) {
    const consumed = await scene.contracts.hub.viewConsumed(hash)
    const wanted = history.closings.has(hash) ? requests.get(hash)?.order.volume : sum
    if (consumed !== wanted) violations.push(`order ${hash}: ${consumed} used up, deals took ${sum}`)
  }
  return violations
}

async function checkMoney({ history, requests, people, scene }: Ending): Promise<string[]> {
  const { hub, token } = scene.contracts
  const violations: string[] = []
  const paid = new Map<string, bigint>()
  let done = 0n
  for (const { hashes, taskIds } of history.deals) {
    const payer = requests.get(hashes.request)?.requester.account ?? 'somebody unknown'
    const completed = taskIds.filter((taskId) => history.ends.get(taskId)?.kind === 'task.completed').length
    done += BigInt(completed)
    paid.set(payer, (paid.get(payer) ?? 0n) + BigInt(completed) * (APP_PRICE + POOL_PRICE))
  }
  for (const { account } of people.clients) {
    const { stake, locked } = await hub.viewAccount(account)
    const wanted = DEPOSIT - (paid.get(account) ?? 0n)
    if (stake !== wanted || locked !== 0n) violations.push(`${account}: ${stake} free, ${locked} locked, not ${wanted}`)
  }
  const { stake: earned } = await hub.viewAccount(people.developer.account)
  if (earned !== done * APP_PRICE) violations.push(`the developer has ${earned}, not ${done * APP_PRICE}`)

  const transfers = await hub.queryFilter(hub.filters.Transfer())
  const holders = new Set(transfers.flatMap(({ args }) => [String(args[0]), String(args[1])]))
  let sum = 0n
  for (const holder of holders) {
    const { stake, locked } = await hub.viewAccount(holder)
    sum += stake + locked
  }
  const held = await token.balanceOf(hub.target)
  if (sum !== held) violations.push(`all accounts together have ${sum}, the Hub holds ${held}`)
  return violations
}

async function checkMatcher({ history, scene }: Ending): Promise<string[]> {
  const rows = await query<{ deal_id: string }>(
    scene,
    'matcher',
    "select deal_id from attempt where status = 'matched'",
  )
  const open = await query<{ what: string }>(
    scene,
    'matcher',
    `select request_hash || ' is still being matched' as what from attempt where status = 'sent'
     union all select 'held: ' || what from hold where released_at is null
     union all select 'transaction under way: ' || id from sent_transaction where status = 'pending'`,
  )
  const known = rows.map(({ deal_id }) => deal_id)
  return [
    ...differences(
      'deals',
      known,
      history.deals.map(({ dealId }) => dealId),
    ),
    ...open.map(({ what }) => what),
  ]
}

async function checkScheduler({ history, scene, requests }: Ending): Promise<string[]> {
  const rows = await query<{ task_id: string; settlement: string | null }>(
    scene,
    'scheduler',
    'select task_id, settlement from task',
  )
  const own = history.deals.filter(({ hashes }) => requests.get(hashes.request)?.fate !== 'expires')
  const settlements = { 'task.completed': 'finalized', 'task.claimed': 'claimed', 'task.failed': 'failed' }
  const settlementOf = (taskId: Hex) => settlements[history.ends.get(taskId)?.kind ?? 'task.claimed']
  const wanted = own.flatMap(({ taskIds }) => taskIds.map((taskId) => `${taskId} ${settlementOf(taskId)}`))
  return differences(
    'tasks',
    rows.map(({ task_id, settlement }) => `${task_id} ${settlement}`),
    wanted,
  )
}

async function checkMarket({ history, people, scene, removed }: Ending): Promise<string[]> {
  const found: string[] = []
  for (const { account, chainId } of people.clients) {
    const response = await fetch(`${scene.fronts.market}/deals?chainId=${chainId}&requester=${account}&pageSize=1000`)
    const { deals } = (await response.json()) as { deals: Json[] }
    found.push(...deals.map(({ dealid, volume, requestHash }) => `${dealid} ${volume} ${requestHash}`))
  }
  const wanted = history.deals.map(({ dealId, volume, hashes }) => `${dealId} ${volume} ${hashes.request}`)
  const here = new Set(history.deals.map(({ dealId }) => dealId))
  const ghosts: string[] = []
  for (const dealId of [...removed.keys()].filter((dealId) => !here.has(dealId))) {
    const { status } = await fetch(`${scene.fronts.market}/deals/${dealId}`)
    if (status !== 404) ghosts.push(`deal ${dealId} is gone, the market answers ${status}`)
  }
  return [...differences('deals', found, wanted), ...ghosts]
}

async function checkBook({ requests, people, scene }: Ending): Promise<string[]> {
  const { developer, appOrders, idleOrders } = people
  const { hub } = scene.contracts
  const left = async (hash: string, volume: bigint) => `${hash} ${volume - (await hub.viewConsumed(hash))}`
  const wanted = await Promise.all([...requests.values()].map(({ hash, order }) => left(hash, order.volume)))
  const apps = await Promise.all(Object.values(appOrders).map(({ orderHash, order }) => left(orderHash, order.volume)))
  const offers = await query<{ order_hash: string; signed_order: { volume: string | number } }>(
    scene,
    'scheduler',
    'select order_hash, signed_order from offer where current',
  )
  const pools = await Promise.all(
    offers.map(({ order_hash, signed_order }) => left(order_hash, BigInt(signed_order.volume))),
  )
  for (const { orderHash, order } of idleOrders) pools.push(await left(orderHash, order.volume))
  const open = (all: string[]) => all.filter((each) => !each.endsWith(' 0'))
  return [
    ...differences('requests', await openOrders(developer, 'request'), open(wanted)),
    ...differences('apps', await openOrders(developer, 'app'), open(apps)),
    ...differences('workerpools', await openOrders(developer, 'workerpool'), open(pools)),
  ]
}

async function checkIndex({ history, scene }: Ending): Promise<string[]> {
  const deals = await graphPages(scene.fronts.indexer, 'deals', 'botSize requestorder { id }')
  const tasks = await graphPages(scene.fronts.indexer, 'tasks', 'status')
  const dealsOf = deals.map(({ id, botSize, requestorder }) => `${id} ${botSize} ${(requestorder as Json).id}`)
  const ended = [...history.ends].map(
    ([id, { kind }]) => `${id} ${kind === 'task.completed' ? 'COMPLETED' : 'FAILLED'}`,
  )
  return [
    ...differences(
      'deals',
      dealsOf,
      history.deals.map(({ dealId, volume, hashes }) => `${dealId} ${volume} ${hashes.request}`),
    ),
    ...differences(
      'tasks',
      tasks.map(({ id, status }) => `${id} ${status}`),
      ended,
    ),
  ]
}

async function checkWebhooks({ history, people, receiver, requests, scene }: Ending): Promise<string[]> {
  const wanted = new Map<string, string[]>(people.clients.map(({ account }) => [account, []]))
  const tell = (request: Hex, type: string, what: Hex, at: { transactionHash: Hex; blockHash: Hex }) =>
    wanted
      .get(requests.get(request)?.requester.account ?? '')
      ?.push(`${type} ${what} ${at.transactionHash} ${at.blockHash}`)
  for (const { hashes, taskIds } of history.deals) {
    for (const taskId of taskIds) {
      const end = history.ends.get(taskId)
      if (end) tell(hashes.request, end.kind, taskId, end)
    }
  }
  for (const [hash, at] of history.closings) tell(hash, 'order.closed', hash, at)
  const waiting = await query(scene, 'callbacks', "select 1 from delivery where state = 'waiting'")
  const parked = await query(scene, 'callbacks', "select 1 from delivery where state = 'parked'")
  return [
    ...people.clients.flatMap(({ account }) =>
      differences(`told to ${account}`, receiver.standing(account).map(nameEvent), wanted.get(account) ?? []),
    ),
    ...(waiting.length + parked.length === 0 ? [] : [`${waiting.length} wait, ${parked.length} are parked`]),
  ]
}

/** Of some tasks, spread over the whole run. */
async function checkResults({ history, people, requests }: Ending): Promise<string[]> {
  const violations: string[] = []
  const step = Math.max(1, Math.floor(history.deals.length / 20))
  for (const { taskIds, hashes } of history.deals.filter((_, index) => index % step === 0)) {
    const request = requests.get(hashes.request)
    const [taskId] = taskIds
    if (!request || !taskId || history.ends.get(taskId)?.kind !== 'task.completed') continue
    const { privateKey } = people.resultKey
    const { files, verified } = await fetchResult(request.requester, { taskId, privateKey })
    const text = Buffer.from(files.get('result.txt') ?? []).toString()
    if (!verified || !/^deal \d+$/.test(text)) violations.push(`task ${taskId}: "${text}", verified: ${verified}`)
  }
  return violations
}
