// Deals that take their time: a real run by the stack's pool, and one of a pool that never works, to be claimed.
import { send } from '@sealdeal/sdk'
import type { IExec } from 'iexec'
import { offerApp, prices, RLC } from '../testing/scene.ts'
import { type Person, person, somebody } from './client.ts'
import { assetsOf, type Quadruple, quadruple } from './goods.ts'
import { conformanceStack } from './stack.ts'

export type Run = {
  requester: Person
  dealid: string
  taskid: string
  orders: Quadruple
  resultKey: CryptoKeyPair
  /** What the observers were told, in order, until each had nothing more to tell. */
  told: Promise<{ deal: string[]; task: string[] }>
}

export type IdleDeal = { requester: Person; dealid: string; tasks: string[] }

let run: Promise<Run> | undefined
let idle: Promise<IdleDeal> | undefined

/** The run of these tests, started when first asked for. */
export function realRun(): Promise<Run> {
  run ??= startRun()
  return run
}

/** A deal of three tasks, two of them initialized, that nobody works on: overdue after ten seconds. */
export function idleDeal(): Promise<IdleDeal> {
  idle ??= makeIdleDeal()
  return idle
}

/** What the app of the run reads. */
export const records = Buffer.from('twelve bytes')

async function startRun(): Promise<Run> {
  const requester = await somebody({ staked: 20n * RLC })
  const { iexec } = requester
  const resultKey = await makeResultKey()
  await iexec.result.pushResultEncryptionKey(resultKey.publicKey)
  const orders = await signOrders(requester)
  const { dealid } = await iexec.order.matchOrders(orders)
  const taskid = await iexec.deal.computeTaskId(dealid, 0)
  const task = follow(await iexec.task.obsTask(taskid, { dealid }))
  const deal = follow(await iexec.deal.obsDeal(dealid))
  const told = Promise.all([deal, task]).then(([deal, task]) => ({ deal, task }))
  return { requester, dealid, taskid, orders, resultKey, told }
}

function makeResultKey(): Promise<CryptoKeyPair> {
  const publicExponent = new Uint8Array([1, 0, 1])
  const algorithm = { name: 'RSA-OAEP', modulusLength: 2048, publicExponent, hash: 'SHA-256' }
  return crypto.subtle.generateKey(algorithm, true, ['encrypt', 'decrypt'])
}

/** An app that our enclaves run, as the book has it; protected data of the requester; what the stack's pool offers. */
async function signOrders({ client, iexec, address }: Person): Promise<Quadruple> {
  const { app } = await offerApp(client)
  const dataset = await store(iexec, address)
  const workerpool = (await conformanceStack()).deployment.workerpool
  const [apps, pools] = await Promise.all([
    iexec.orderbook.fetchAppOrderbook({ app }),
    iexec.orderbook.fetchWorkerpoolOrderbook({ workerpool, category: 0 }),
  ])
  const { order } = iexec
  const datasetorder = await order.signDatasetorder(
    await order.createDatasetorder({ dataset, datasetprice: String(prices.data) }),
  )
  const template = await order.createRequestorder({
    app,
    dataset,
    workerpool,
    category: 0,
    appmaxprice: String(prices.app),
    datasetmaxprice: String(prices.data),
    workerpoolmaxprice: String(prices.pool),
    params: { iexec_args: 'Ada Lovelace', iexec_result_encryption: true },
  })
  const requestorder = await order.signRequestorder(template)
  const found = { apporder: apps.orders[0]?.order, workerpoolorder: pools.orders[0]?.order }
  // The book says prices as numbers, signed orders say them as texts: the client takes both.
  return { ...found, datasetorder, requestorder } as unknown as Quadruple
}

/** Encrypts data, stores it where the gateway finds it, registers it and keeps its key at the secret service. */
async function store({ dataset }: IExec, owner: string): Promise<string> {
  const { endpoints } = await conformanceStack()
  const key = dataset.generateEncryptionKey()
  const encrypted = await dataset.encrypt(records, key)
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(encrypted)]))
  const added = await fetch(new URL('/api/v0/add', endpoints.storage), { method: 'POST', body: form })
  const { Hash } = (await added.json()) as { Hash: string }
  const checksum = await dataset.computeEncryptedFileChecksum(encrypted)
  const { address } = await dataset.deployDataset({ owner, name: 'records', multiaddr: `/ipfs/${Hash}`, checksum })
  await dataset.pushDatasetSecret(address, key)
  return address
}

type Observable = Awaited<ReturnType<IExec['task']['obsTask'] | IExec['deal']['obsDeal']>>

/** The messages of an observer until it has no more. */
export function follow(observable: Observable): Promise<string[]> {
  const messages: string[] = []
  return new Promise((resolve, reject) => {
    observable.subscribe({
      next: ({ message }: { message: string }) => messages.push(message),
      complete: () => resolve(messages),
      error: reject,
    })
  })
}

async function makeIdleDeal(): Promise<IdleDeal> {
  const [requester, operator] = [await somebody({ staked: 60n * RLC }), await person('operator')]
  const quick = { name: 'overdue', description: 'after ten seconds', workClockTimeRef: 1 }
  const { catid } = await operator.iexec.hub.createCategory(quick)
  const assets = await assetsOf(requester)
  const orders = await quadruple(requester, assets, { volume: 3, category: Number(catid) })
  const { dealid } = await requester.iexec.order.matchOrders(orders)
  const { hub } = requester.client.contracts
  for (const index of [0n, 1n]) await send(requester.client, hub.initialize(dealid, index))
  const { tasks } = await requester.iexec.deal.show(dealid)
  return { requester, dealid, tasks: Object.values(tasks) }
}
