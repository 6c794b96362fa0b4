import {
  type Address,
  Asset,
  Contracts,
  connectApp,
  connectAppRegistry,
  connectDataset,
  type Hex,
  Inclusion,
  Order,
  Task,
  zeroAddress,
  zeroHash,
} from '@sealdeal/protocol'
import type { EventLog, Log, Provider, Signer } from 'ethers'
import { callsOf, enclaveSignatureIn, ordersIn } from './calldata.ts'
import type { Client } from './client.ts'
import { ReceiptNotAvailableError } from './errors.ts'
import { findOrder } from './findOrders.ts'
import { callJson } from './http.ts'
import { type Receipt, type ReceiptContent, seal } from './receipt.ts'
import { payoutsOf, verifyReceipt } from './verifyReceipt.ts'

export type GetReceiptParameters = {
  taskId: Hex
  /** A key that signs for what nothing else binds; the client's own unless told. A contract cannot. */
  sealWith?: Pick<Signer, 'getAddress' | 'signTypedData'>
}

/**
 * One file that proves a completed task offline: the orders, the events of match and result with their proofs, the enclave's
 * quote and how it was judged, the signatures, the payouts. It is verified before it is given out. Signs once.
 *
 * @throws ReceiptNotAvailableError while the task is not completed, or where the chain's node tells too little.
 *
 * @example
 * await writeFile('run.receipt.json', JSON.stringify(await getReceipt(client, { taskId })))
 */
export async function getReceipt(client: Client, { taskId, sealWith }: GetReceiptParameters): Promise<Receipt> {
  const { hub } = client.contracts
  const { dealid, idx, status } = await hub.viewTask(taskId)
  const dealId = dealid as Hex
  if (Task.status(status) !== 'COMPLETED') {
    throw new ReceiptNotAvailableError({ taskId, reason: `the task is ${Task.status(status)}` })
  }
  const deal = await hub.viewDeal(dealId)
  const matched = await findMatch(client, { taskId, dealId, startTime: deal.startTime })
  const found = await findEvents(client, taskId, matched.blockNumber)
  const blocks = await proveBlocks(client, taskId, [matched, ...found])
  const orders = await readOrders(client, matched)
  const { app, dataset } = deal
  const task = { taskId, dealId, index: String(idx), botFirst: String(deal.botFirst) }
  const signed = await readEnclave(client, { taskId, dealId, index: idx }, found)
  const digest = found.find(({ eventName }) => eventName === 'TaskReveal')?.args.digest as Hex
  const events = await eventsOf(client, [matched, ...found])
  const content: ReceiptContent = {
    version: 1,
    chainId: String(client.chainId),
    hub: (await hub.getAddress()) as Address,
    task,
    orders,
    assets: {
      app: await readApp(client, app.pointer as Address),
      ...(dataset.pointer === zeroAddress ? {} : { dataset: await readDataset(client, dataset.pointer as Address) }),
    },
    blocks,
    result: {
      digest,
      location: found.find(({ eventName }) => eventName === 'TaskFinalize')?.args.results,
      workers: found.filter(({ eventName }) => eventName === 'TaskReveal').map(({ args }) => args.worker),
    },
    payouts: payoutsOf({ taskId, dealId, requester: deal.requester as Address }, events),
    ...(signed && {
      enclave: { ...signed, digest },
      evidence: await readEvidence(client, { taskId, enclave: signed.address }),
    }),
  }
  // What is not there must not be there as undefined: the file is JSON.
  const receipt: Receipt = JSON.parse(JSON.stringify(await seal(content, sealWith ?? client.signer)))
  await verifyReceipt({ receipt, chainId: client.chainId, hub: content.hub })
  return receipt
}

/** The match, which no topic names: it is in a block of the deal's own time. */
async function findMatch(
  { contracts, provider }: Client,
  { taskId, dealId, startTime }: { taskId: Hex; dealId: Hex; startTime: bigint },
): Promise<EventLog> {
  const { hub } = contracts
  const time = async (number: number) => (await provider.getBlock(number))?.timestamp ?? Number.POSITIVE_INFINITY
  let [low, high] = [0, await provider.getBlockNumber()]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await time(middle)) < Number(startTime)) low = middle + 1
    else high = middle
  }
  for (let number = low; (await time(number)) === Number(startTime); number++) {
    const logs = (await hub.queryFilter(hub.filters.OrdersMatched(), number, number)) as unknown as EventLog[]
    const own = logs.find(({ args }) => args.dealid === dealId)
    if (own) return own
  }
  throw new ReceiptNotAvailableError({ taskId, reason: `no block at ${startTime} has the match of deal ${dealId}` })
}

/** What the Hub told of the task, in the order of the chain. */
async function findEvents({ contracts }: Client, taskId: Hex, fromBlock: number): Promise<EventLog[]> {
  const { hub } = contracts
  const { TaskContribute, TaskConsensus, TaskReveal, TaskFinalize } = hub.filters
  const filters = [TaskContribute(taskId), TaskConsensus(taskId), TaskReveal(taskId), TaskFinalize(taskId)]
  const found = await Promise.all(filters.map((filter) => hub.queryFilter(filter as never, fromBlock)))
  return (found.flat() as unknown as EventLog[]).sort(
    (one, other) => one.blockNumber - other.blockNumber || one.index - other.index,
  )
}

type Located = Pick<Log, 'blockNumber' | 'transactionIndex' | 'transactionHash'>

async function proveBlocks({ provider }: Client, taskId: Hex, logs: readonly Located[]): Promise<Receipt['blocks']> {
  const node = rpcOf(provider, taskId)
  const numbers = [...new Set(logs.map(({ blockNumber }) => blockNumber))].sort((one, other) => one - other)
  return Promise.all(
    numbers.map(async (number) => {
      const tag = `0x${number.toString(16)}`
      const block = (await node('eth_getBlockByNumber', [tag, false])) as Inclusion.RpcBlock & { transactions: Hex[] }
      const receipts = (await node('eth_getBlockReceipts', [tag]).catch(() =>
        Promise.all(block.transactions.map((hash) => node('eth_getTransactionReceipt', [hash]))),
      )) as Inclusion.RpcReceipt[]
      const wanted = logs.filter(({ blockNumber }) => blockNumber === number)
      const indexes = [...new Set(wanted.map(({ transactionIndex }) => transactionIndex))].sort(
        (one, other) => one - other,
      )
      return {
        header: Inclusion.encodeHeader(block),
        receipts: await Promise.all(
          indexes.map(async (index) => ({ index, proof: await Inclusion.proveReceipt({ block, receipts, index }) })),
        ),
      }
    }),
  )
}

type Rpc = (method: string, params: unknown[]) => Promise<unknown>

function rpcOf(provider: Provider, taskId: Hex): Rpc {
  if ('send' in provider && typeof provider.send === 'function') return provider.send.bind(provider) as Rpc
  const reason = 'the provider of this client passes no JSON-RPC on'
  throw new ReceiptNotAvailableError({ taskId, reason })
}

/** Everything that the Hub emitted in these transactions, as the proofs will tell it. */
async function eventsOf({ provider, contracts }: Client, logs: readonly Located[]) {
  const hub = await contracts.hub.getAddress()
  const hashes = [...new Set(logs.map(({ transactionHash }) => transactionHash))]
  const receipts = await Promise.all(hashes.map((hash) => provider.getTransactionReceipt(hash)))
  const own = receipts.flatMap((receipt) => receipt?.logs ?? []).filter(({ address }) => address === hub)
  return own.flatMap((log) => Contracts.parseLog(log) ?? [])
}

/** Out of the transaction that matched them; from the market where a contract did. */
async function readOrders(client: Client, matched: EventLog): Promise<ReceiptContent['orders']> {
  const { hub } = client.contracts
  const { data } = await matched.getTransaction()
  const given = ordersIn(callsOf(hub, data), client.domain)
  const read = async <kind extends Order.Kind>(kind: kind): Promise<Order.Json> => {
    const orderHash = matched.args[`${kind}Hash`] as Hex
    const { order } = given.has(orderHash) ? { order: undefined } : await findOrder(client, { kind, orderHash })
    return order === undefined ? (given.get(orderHash) as Order.Json) : Order.toJson(kind, order)
  }
  const hasDataset = matched.args.datasetHash !== zeroHash
  return {
    app: await read('app'),
    ...(hasDataset ? { dataset: await read('dataset') } : {}),
    workerpool: await read('workerpool'),
    request: await read('request'),
  }
}

async function readEnclave(
  client: Client,
  task: { taskId: Hex; dealId: Hex; index: bigint },
  events: readonly EventLog[],
) {
  const contributions = events.filter(({ eventName }) => eventName === 'TaskContribute')
  const revealed = events.filter(({ eventName }) => eventName === 'TaskReveal').map(({ args }) => args.worker)
  for (const contribution of contributions.filter(({ args }) => revealed.includes(args.worker))) {
    const { data } = await contribution.getTransaction()
    const signed = enclaveSignatureIn(callsOf(client.contracts.hub, data), task)
    if (signed && signed.address !== zeroAddress) return { worker: contribution.args.worker as Address, ...signed }
  }
  return undefined
}

async function readApp(client: Client, address: Address): Promise<ReceiptContent['assets']['app']> {
  const app = connectApp(address, client.provider)
  const [name, type, multiaddr, checksum, mrEnclave] = await Promise.all([
    app.m_appName(),
    app.m_appType(),
    app.m_appMultiaddr(),
    app.m_appChecksum(),
    app.m_appMREnclave(),
  ])
  const fields = { name, type, multiaddr, checksum, mrEnclave } as Asset.App
  const origin = await originOf(client, app, (owner) => Asset.appAddress(owner, fields) === address)
  return { ...origin, ...fields }
}

async function readDataset(client: Client, address: Address) {
  const dataset = connectDataset(address, client.provider)
  const [name, multiaddr, checksum] = await Promise.all([
    dataset.m_datasetName(),
    dataset.m_datasetMultiaddr(),
    dataset.m_datasetChecksum(),
  ])
  const fields = { name, multiaddr, checksum } as Asset.Dataset
  const origin = await originOf(client, dataset, (owner) => Asset.datasetAddress(owner, fields) === address)
  return { ...origin, ...fields }
}

type Entry = { getAddress(): Promise<string>; registry(): Promise<string>; owner(): Promise<string> }

/** An entry's address tells who it was made for: its owner, unless it was handed on since. */
async function originOf(
  { provider }: Client,
  entry: Entry,
  fits: (origin: Asset.Origin) => boolean,
): Promise<Asset.Origin> {
  const registry = (await entry.registry()) as Address
  // All registries are alike in what is asked of them here.
  const contract = connectAppRegistry(registry, provider)
  const master = (await contract.master()) as Address
  const now = { registry, master, owner: (await entry.owner()) as Address }
  if (fits(now)) return now
  const [made] = await contract.queryFilter(contract.filters.Transfer(zeroAddress, undefined, await entry.getAddress()))
  return { registry, master, owner: made?.args.to as Address }
}

async function readEvidence(
  client: Client,
  { taskId, enclave }: { taskId: Hex; enclave: Address },
): Promise<ReceiptContent['evidence']> {
  return (await callJson(client, {
    service: 'sms',
    path: `/evidence/${taskId}/${enclave}`,
  })) as ReceiptContent['evidence']
}
