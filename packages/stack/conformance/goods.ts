// What is for sale in the tests of orders, deals and tasks, made and signed through the published client.
import { randomUUID } from 'node:crypto'
import type { IExec } from 'iexec'
import type * as Orders from 'iexec/IExecOrderModule'
import { RLC } from '../testing/scene.ts'
import type { Person } from './client.ts'

/** The four kinds as the client spells them. */
export const kinds = ['app', 'dataset', 'workerpool', 'request'] as const
export type Kind = (typeof kinds)[number]

export type Quadruple = {
  apporder: Orders.SignedApporder
  datasetorder: Orders.SignedDatasetorder
  workerpoolorder: Orders.SignedWorkerpoolorder
  requestorder: Orders.SignedRequestorder
}
export type Order = Quadruple[keyof Quadruple]

/** Prices per task, in nRLC. */
export const prices = { app: 3n * RLC, dataset: 2n * RLC, workerpool: RLC }

/** What an order is made from. */
export type Terms = Record<string, unknown>

const checksum = `0x${'c5'.repeat(32)}`

/** An asset of each kind, all of them somebody's own; who asks is the requester. */
export async function assetsOf({ iexec, address: owner }: Person): Promise<Record<Kind, string>> {
  const name = randomUUID()
  const multiaddr = 'example/app:1'
  const app = await iexec.app.deployApp({ owner, name, type: 'DOCKER', multiaddr, checksum })
  const dataset = await iexec.dataset.deployDataset({ owner, name, multiaddr: 'https://example.com/data', checksum })
  const workerpool = await iexec.workerpool.deployWorkerpool({ owner, description: name })
  await iexec.dataset.pushDatasetSecret(dataset.address, iexec.dataset.generateEncryptionKey())
  return { app: app.address, dataset: dataset.address, workerpool: workerpool.address, request: owner }
}

// biome-ignore lint/suspicious/noExplicitAny: signatures that differ in the order's type alone
type Call = (...given: any[]) => Promise<any>

/** The calls of the order module by kind: their names differ in one word. */
export function verbs({ order, orderbook, deal }: IExec, kind: Kind) {
  const word = `${kind[0]?.toUpperCase()}${kind.slice(1)}`
  const call = (on: object, name: string) => (on as Record<string, Call>)[name] as Call
  return {
    create: call(order, `create${word}order`),
    sign: call(order, `sign${word}order`),
    hash: call(order, `hash${word}order`),
    publish: call(order, `publish${word}order`),
    unpublish: call(order, `unpublish${word}order`),
    unpublishLast: call(order, `unpublishLast${word}order`),
    unpublishAll: call(order, `unpublishAll${word}orders`),
    cancel: call(order, `cancel${word}order`),
    fetch: call(orderbook, `fetch${word}order`),
    list: call(orderbook, `fetch${word}Orderbook`),
    deals: call(deal, `fetchDealsBy${word}order`),
  }
}

/** Four orders that match, signed by one who owns all of it. */
export async function quadruple(
  { iexec }: Person,
  assets: Record<Kind, string>,
  { volume = 1, category = 0, ...request }: { volume?: number; category?: number } & Terms = {},
): Promise<Quadruple> {
  const { app, dataset, workerpool } = assets
  const make = async (kind: Kind, terms: Terms) => {
    const { create, sign } = verbs(iexec, kind)
    return sign(await create({ volume, ...terms }))
  }
  return {
    apporder: await make('app', { app, appprice: prices.app }),
    datasetorder: await make('dataset', { dataset, datasetprice: prices.dataset }),
    workerpoolorder: await make('workerpool', { workerpool, workerpoolprice: prices.workerpool, category }),
    requestorder: await make('request', {
      app,
      dataset,
      workerpool,
      category,
      appmaxprice: prices.app,
      datasetmaxprice: prices.dataset,
      workerpoolmaxprice: prices.workerpool,
      ...request,
    }),
  }
}
