// What many end-to-end tests begin with: somebody new with money, an app that others may run, a run to its end.
import { randomUUID } from 'node:crypto'
import { type Address, type Archive, BaseError, type Hex, Result } from '@sealdeal/protocol'
import {
  type Client,
  createClient,
  type DeployAppReturnType,
  deployApp,
  deposit,
  fetchResult,
  publishOrder,
  type RunReturnType,
  send,
  waitForTask,
} from '@sealdeal/sdk'
import { toBeHex, Wallet } from 'ethers'
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
  await provider.send('hardhat_setBalance', [signer.address, toBeHex(10n ** 20n).replace(/^0x0+/, '0x')])
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
  { bundle, price = prices.app }: { bundle?: Archive.Files; price?: bigint } = {},
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

/** The error with which a promise was refused. One that was kept, or an error without a name of its own, fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<BaseError & Record<string, unknown>> {
  const error = await promise.then(
    () => new Error('It was not refused.'),
    (error: unknown) => error,
  )
  if (error instanceof BaseError) return error as BaseError & Record<string, unknown>
  throw error
}

/** What an account has in the escrow. */
export async function escrow({ contracts }: Client, account: Address | string) {
  const { stake: free, locked } = await contracts.hub.viewAccount(account)
  return { free, locked, total: free + locked }
}
