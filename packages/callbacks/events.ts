import { type Address, type Contracts, Deal, type Hex, Order, zeroAddress } from '@sealdeal/protocol'
import type { ChainAccess, ChainLog } from '@sealdeal/server'
import { getAddress, id } from 'ethers'
import { traceCallback } from './traces.ts'

/** What can be subscribed to. */
export const kinds = ['task.completed', 'task.failed', 'task.claimed', 'callback.failed', 'order.closed'] as const
export type Kind = (typeof kinds)[number]

/** Whom an event is about: what subscriptions can be restricted to. */
export type Parties = {
  requester?: Address
  apps: Address[]
  datasets: Address[]
  workerpools: Address[]
  /** Who made the orders. */
  owners: Address[]
  orderHash?: Hex
}

export type ChainEvent = { kind: Kind; log: ChainLog; data: Record<string, unknown>; parties: Parties }

export type ReadParameters = {
  marketplace: Contracts.Marketplace
  chain: ChainAccess
  domain: Order.Domain
  /** Ask the node which callbacks failed. */
  traceCallbacks: boolean
}

const closings = { App: 'app', Dataset: 'dataset', Workerpool: 'workerpool', Request: 'request' } as const

/** First topics of the logs that become deliveries. */
export const topics = [
  'TaskFinalize(bytes32,bytes)',
  'TaskClaimed(bytes32)',
  'TaskFailed(bytes32,address,uint256)',
  ...Object.keys(closings).map((kind) => `Closed${kind}Order(bytes32)`),
].map((signature) => id(signature) as Hex)

/**
 * What the logs of one block say, in their order, with whom it is about. The chain is asked for what a log does not hold.
 *
 * @throws when the chain does not know the task or the transaction any more: then the block is gone, too.
 */
export async function readEvents(parameters: ReadParameters, logs: readonly ChainLog[]): Promise<ChainEvent[]> {
  const read = await Promise.all(logs.map((log) => readEvent(parameters, log)))
  return read.flat()
}

async function readEvent(parameters: ReadParameters, log: ChainLog): Promise<ChainEvent[]> {
  const parsed = parameters.marketplace.hub.interface.parseLog(log)
  if (!parsed) return []
  const closed = /^Closed(\w+)Order$/.exec(parsed.name)?.[1] as keyof typeof closings | undefined
  if (closed) return [await readClosing(parameters, { log, kind: closings[closed], hash: parsed.args[0] as Hex })]
  const { data, parties } = await readTask(parameters, parsed.args.taskid as Hex)
  const { callback, resultsCallback, ...task } = data
  if (parsed.name === 'TaskClaimed') return [{ kind: 'task.claimed', log, data: task, parties }]
  if (parsed.name === 'TaskFailed') {
    const { worker, cause } = parsed.args
    return [{ kind: 'task.failed', log, data: { ...task, worker, cause: String(cause) }, parties }]
  }
  const called = callback === null ? { callback } : { callback, resultsCallback }
  const completed = { ...task, results: parsed.args.results, ...called }
  const events: ChainEvent[] = [{ kind: 'task.completed', log, data: completed, parties }]
  if (callback === null || !parameters.traceCallbacks) return events
  const failure = await traceCallback(parameters, { log, callback, taskId: task.taskId })
  return failure ? [...events, { kind: 'callback.failed', log, data: { ...completed, ...failure }, parties }] : events
}

/** A task and its deal never change what is read here, so the present answer is that of the event's block. */
async function readTask({ marketplace: { hub } }: ReadParameters, taskId: Hex) {
  const [task, attached] = await Promise.all([hub.viewTask(taskId), hub.viewDatasets(taskId)])
  const deal = Deal.fromChain((await hub.viewDeal(task.dealid)) as unknown as Deal.Deal)
  if (deal.botSize === 0n) throw new Error(`task ${taskId} is gone again`)
  const { app, dataset, workerpool, requester, beneficiary } = deal
  const used = [dataset, ...attached].filter(({ pointer }) => pointer !== zeroAddress)
  const datasets = used.map(({ pointer }) => getAddress(pointer) as Address)
  const makers = [app.owner, ...used.map(({ owner }) => owner), workerpool.owner, requester]
  return {
    data: {
      taskId,
      dealId: task.dealid as Hex,
      index: Number(task.idx),
      requester,
      beneficiary,
      app: app.pointer,
      datasets,
      workerpool: workerpool.pointer,
      callback: deal.callback === zeroAddress ? null : deal.callback,
      resultsCallback: task.resultsCallback,
    },
    parties: {
      requester,
      apps: [app.pointer],
      datasets,
      workerpools: [workerpool.pointer],
      owners: makers.map((maker) => getAddress(maker) as Address),
    },
  }
}

async function readClosing(
  parameters: ReadParameters,
  { log, kind, hash }: { log: ChainLog; kind: Order.Kind; hash: Hex },
): Promise<ChainEvent> {
  const transaction = (await parameters.chain.send('eth_getTransactionByHash', [log.transactionHash])) as {
    input: string
  } | null
  if (!transaction) throw new Error(`transaction ${log.transactionHash} is gone`)
  const order = findOrder(parameters, { input: transaction.input, kind, hash })
  const data = { orderHash: hash, orderKind: kind }
  const nobody = { apps: [], datasets: [], workerpools: [], owners: [], orderHash: hash }
  if (!order) return { kind: 'order.closed', log, data, parties: nobody }
  const owner = await ownerOf(parameters, order)
  const fields = Object.fromEntries(Object.entries(order).map(([name, value]) => [name, String(value)]))
  return {
    kind: 'order.closed',
    log,
    data: { ...data, owner, order: fields },
    parties: { ...partiesOf(order), owners: [owner], orderHash: hash },
  }
}

type Fields = Record<string, unknown>

/**
 * The log of a closing has the order's hash alone; the order itself was handed to the Hub. Contract wallets and batches wrap
 * that call, so it is looked for everywhere: only the order of that hash counts, whoever wrote the rest.
 */
function findOrder(
  { marketplace: { hub }, domain }: ReadParameters,
  { input, kind, hash }: { input: string; kind: Order.Kind; hash: Hex },
): Fields | undefined {
  const name = `manage${kind[0]?.toUpperCase()}${kind.slice(1)}Order` as 'manageAppOrder'
  const { selector } = hub.interface.getFunction(name)
  let at = 1
  // A bound: who fills a transaction with selectors must not keep us busy.
  for (let tries = 0; tries < 64; tries++) {
    at = input.indexOf(selector.slice(2), at + 1)
    if (at < 0) return undefined
    try {
      const [operation] = hub.interface.decodeFunctionData(name, `0x${input.slice(at)}`)
      const given = operation.order as unknown as Fields
      const names = Order.fieldNames(kind) as string[]
      const order = Object.fromEntries(names.map((field) => [field, given[field]])) as Order.Unsigned<typeof kind>
      if (Order.hash(kind, order, domain) === hash) return order
    } catch {
      // Not a call, though it has the selector's bytes.
    }
  }
  return undefined
}

/** The asset's owner now: who closed it, unless it was handed on since. */
async function ownerOf({ marketplace }: ReadParameters, order: Fields): Promise<Address> {
  if (order.requester) return order.requester as Address
  const { appRegistry, datasetRegistry, workerpoolRegistry } = marketplace
  const [registry, asset] = order.app
    ? [appRegistry, order.app]
    : order.dataset
      ? [datasetRegistry, order.dataset]
      : [workerpoolRegistry, order.workerpool]
  return (await registry.ownerOf(BigInt(asset as string))) as Address
}

/** Whom the order names: its asset, and those whom it admitted. */
function partiesOf(order: Fields): Omit<Parties, 'owners' | 'orderHash'> {
  const named = (...names: string[]) =>
    names.map((name) => order[name] as Address | undefined).filter((each) => each !== undefined && each !== zeroAddress)
  const [requester] = named('requester', 'requesterrestrict')
  return {
    ...(requester ? { requester } : {}),
    apps: named('app', 'apprestrict') as Address[],
    datasets: named('dataset', 'datasetrestrict') as Address[],
    workerpools: named('workerpool', 'workerpoolrestrict') as Address[],
  }
}
