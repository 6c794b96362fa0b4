// What many end-to-end tests begin with: somebody new with money, an app that others may run, a run to its end.
import { randomUUID } from 'node:crypto'
import {
  type Address,
  type Archive,
  type Hex,
  type Match,
  Order,
  Params,
  Result,
  zeroAddress,
} from '@sealdeal/protocol'
import {
  type Client,
  createClient,
  type DeployAppReturnType,
  deployApp,
  deposit,
  fetchResult,
  findOrders,
  publishOrder,
  pushResultKey,
  type RunReturnType,
  send,
  signOrder,
  waitForTask,
} from '@sealdeal/sdk'
import { type TransactionReceipt, toQuantity, Wallet } from 'ethers'
import { appFolder, bundleApp } from '../../../iapps/bundle.ts'
import type { Stack } from '../stack.ts'
import { actAs } from './shared.ts'

/** One RLC, in units of the token. */
export const RLC = 1_000_000_000n

/** Prices at which the tests trade; the pool's is the local workerpool's own. */
export const prices = { app: 2n * RLC, data: 5n * RLC, pool: 1n * RLC }

/** The limits of a request that accepts exactly these prices. */
export const limits = { appMaxPrice: prices.app, datasetMaxPrice: prices.data, workerpoolMaxPrice: prices.pool }

/**
 * A client of an account that nobody used before, with gas for its transactions and `staked` in the escrow: what earlier
 * tests locked, granted or sent is not its own.
 */
export async function newcomer(stack: Stack, { staked = 0n }: { staked?: bigint } = {}): Promise<Client> {
  const { deployment, endpoints, provider } = stack
  const signer = new Wallet(Wallet.createRandom().privateKey, provider)
  await provider.send('hardhat_setBalance', [signer.address, toQuantity(10n ** 20n)])
  const { hub, dataProtector } = deployment
  const client = await createClient({ signer, hub, dataProtector, endpoints, pollingInterval: 50 })
  if (staked > 0n) {
    const operator = await actAs(stack, 'operator')
    await send(operator, operator.contracts.token.transfer(client.account, staked))
    await deposit(client, { amount: staked })
  }
  return client
}

let helloWorld: Promise<Uint8Array> | undefined

/** Registers an app of its own (`iapps/hello-world` unless told otherwise) and offers it to everybody at `price`. */
export async function offerApp(
  developer: Client,
  { bundle, price = prices.app }: { bundle?: Archive.Files | Uint8Array; price?: bigint } = {},
) {
  helloWorld ??= bundleApp(appFolder('hello-world'))
  const name = `app ${randomUUID()}`
  const deployed: DeployAppReturnType = await deployApp(developer, { name, bundle: bundle ?? (await helloWorld) })
  const { order, orderHash } = await publishOrder(developer, {
    kind: 'app',
    order: { app: deployed.app, appprice: price, volume: 1_000n },
  })
  return { ...deployed, order, orderHash }
}

let pair: Promise<Result.KeyPair> | undefined

/** One pair for all tests: making one takes a second. */
export function resultKey(): Promise<Result.KeyPair> {
  pair ??= Result.generateKeyPair({ bits: 2048 })
  return pair
}

/** Waits for a task (the first of a run unless named), and fetches and decrypts its result. */
export async function finished(client: Client, made: RunReturnType, taskId: Hex = made.taskId) {
  await waitForTask(client, { taskId, timeout: 40_000 })
  return fetchResult(client, { taskId, privateKey: made.resultKey.privateKey })
}

/** The text of one file of a result. */
export function textOf(files: ReadonlyMap<string, Uint8Array>, path: string): string {
  return Buffer.from(files.get(path) ?? []).toString('utf8')
}

/** The error with which a promise was refused. One that was kept fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const kept = new Error('It was not refused.')
  const error: unknown = await promise.then(
    () => kept,
    (reason: unknown) => reason,
  )
  if (error instanceof Error && error !== kept) return error as Error & Record<string, unknown>
  throw error
}

/**
 * Four signed orders: the app's and the dataset's as given, what the local pool offers now, and a request of the client
 * for these, which accepts twice the pool's price unless `request` says otherwise.
 */
export async function quadruple(
  client: Client,
  { app, dataset, request = {} }: Pick<Match.Orders, 'app' | 'dataset'> & { request?: Partial<Order.Request> },
): Promise<Match.Orders> {
  const { orders } = await findOrders(client, { kind: 'workerpool' })
  const [offer] = orders
  if (!offer) throw new Error('The local pool offers nothing.')
  await pushResultKey(client, await resultKey())
  const order = {
    app: app.app,
    appmaxprice: app.appprice,
    dataset: dataset?.dataset ?? zeroAddress,
    datasetmaxprice: dataset?.datasetprice ?? 0n,
    workerpoolmaxprice: 2n * offer.order.workerpoolprice,
    requester: client.account,
    params: Params.build({ encryptResult: true }),
    ...request,
  }
  return { app, dataset, workerpool: offer.order, request: await signOrder(client, { kind: 'request', order }) }
}

/** Sends a match as it is, past every check of the client: the Hub alone judges it. */
export function sendMatch(client: Client, orders: Match.Orders): Promise<TransactionReceipt> {
  // With the limit given, nobody tries the transaction out before it is sent.
  return send(client, client.contracts.hub.matchOrders(...Order.quadruple(orders), { gasLimit: 3_000_000n }))
}

/** What an account has in the escrow. */
export async function escrow({ contracts }: Client, account: Address | string) {
  const { stake: free, locked } = await contracts.hub.viewAccount(account)
  return { free, locked, total: free + locked }
}
