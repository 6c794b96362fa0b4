import {
  type Address,
  Bytes,
  Deal,
  type Hex,
  InvalidValueError,
  Order,
  Params,
  Result,
  Tag,
  zeroAddress,
} from '@sealdeal/protocol'
import { type Chosen, chooseOrders } from './chooseOrders.ts'
import type { Client } from './client.ts'
import { InsufficientFundsError, TimeoutError } from './errors.ts'
import { matchOrders } from './matchOrders.ts'
import type { PreparedBulk } from './prepareBulk.ts'
import { publishOrder, signOrder } from './publishOrder.ts'
import { checkSecret, pushRequesterSecret, pushResultKey } from './secrets.ts'
import { sleep } from './sleep.ts'
import { type OnStatus, step } from './status.ts'

export type RunParameters = {
  app: Address
  /** Protected data for the app to read; none by default. */
  dataset?: Address
  /** Many of them, several in each task: what {@link prepareBulk} returned. */
  bulk?: PreparedBulk
  /** Any that fits by default. */
  workerpool?: Address
  /** Command line of the app. Anyone can read it on chain: secrets belong into `secrets`. */
  args?: string
  /** Public files for the app, as URLs. */
  inputFiles?: string[]
  /** Secrets for the app: number -> value. They go to the secret service, and from there to the enclave only. */
  secrets?: Record<number, string>
  /** The most to pay per task, in units of the token (default 0 each). */
  appMaxPrice?: bigint
  datasetMaxPrice?: bigint
  workerpoolMaxPrice?: bigint
  category?: bigint
  /** Number of tasks; of a bulk as many as it was prepared for. */
  volume?: bigint
  tag?: Hex
  callback?: Address
  /** Pair whose public half results are encrypted to; a new one is made by default. */
  resultKey?: Result.KeyPair
  /** `market`: publish the request and let a matcher match it. `self`: send the match from this account. */
  match?: 'market' | 'self'
  /** How long to wait for a matcher, in milliseconds. */
  timeout?: number
  onStatus?: OnStatus
  signal?: AbortSignal
}

export type RunReturnType = {
  dealId: Hex
  /** The first task; `taskIds` holds all. */
  taskId: Hex
  taskIds: Hex[]
  requestHash: Hex
  /** What was locked for the whole deal. */
  cost: bigint
  /** Opens the result: keep the private half. */
  resultKey: Result.KeyPair
  /** Of the match, when this account sent it. */
  transactionHash?: Hex
}

/**
 * Runs an app on protected data: finds the orders, stores secrets and the key for the result, signs the request, and
 * waits until it is a deal. The result will be encrypted to the requester.
 *
 * @throws OrderNotFoundError naming the missing order, InsufficientFundsError: both before anything is sent or paid.
 *
 * @example
 * const { taskId, resultKey } = await run(client, { app, dataset, workerpoolMaxPrice: 10n })
 */
export async function run(client: Client, parameters: RunParameters): Promise<RunReturnType> {
  const { match = 'market', timeout = 60_000, onStatus, signal, secrets = {} } = parameters
  const draft = draftRequest(client, parameters)
  const chosen = await step(
    onStatus,
    'FETCH_ORDERS',
    () => chooseAndAfford(client, draft),
    ({ price }) => ({ price, cost: price * draft.volume }),
  )

  const names = Object.fromEntries(Object.keys(secrets).map((number) => [number, randomName()]))
  if (Object.keys(secrets).length > 0) {
    await step(onStatus, 'PUSH_REQUESTER_SECRET', async () => {
      for (const [number, secret] of Object.entries(secrets)) {
        await pushRequesterSecret(client, { name: names[number] ?? '', secret })
      }
    })
  }
  const resultKey = await step(
    onStatus,
    'GENERATE_ENCRYPTION_KEY',
    () => parameters.resultKey ?? Result.generateKeyPair(),
  )
  await step(onStatus, 'PUSH_ENCRYPTION_KEY', () => pushResultKey(client, resultKey))

  return step(
    onStatus,
    'REQUEST_TO_PROCESS_PROTECTED_DATA',
    async () => {
      const request = await signOrder(client, { kind: 'request', order: final(draft, chosen, names) })
      const requestHash = Order.hash('request', request, client.domain)
      const matched =
        match === 'self'
          ? await matchOrders(client, { ...chosen, request })
          : { dealId: await publishAndWait(client, request, { timeout, signal }) }
      const deal = Deal.fromChain(await client.contracts.hub.viewDeal(matched.dealId))
      const taskIds = Deal.tasks(matched.dealId, deal).map(({ taskId }) => taskId)
      return {
        dealId: matched.dealId,
        taskId: taskIds[0] as Hex,
        taskIds,
        requestHash,
        cost: Deal.price(deal) * deal.botSize,
        resultKey,
        ...('transactionHash' in matched ? { transactionHash: matched.transactionHash } : {}),
      }
    },
    ({ dealId, taskId, cost }) => ({ dealId, taskId, cost }),
  )
}

/**
 * What a run would cost and which orders it would use. Nothing is signed or sent.
 *
 * @throws what `run` throws before it sends anything, but for InsufficientFundsError.
 */
export async function estimateRun(client: Client, parameters: RunParameters): Promise<Chosen & { cost: bigint }> {
  const draft = draftRequest(client, parameters)
  const chosen = await chooseOrders(client, draft)
  return { ...chosen, cost: chosen.price * draft.volume }
}

/** The request with the caller's limits, everything about it checked. */
function draftRequest(client: Client, parameters: RunParameters): Order.Request {
  const { app, dataset, bulk, workerpool, args, inputFiles, secrets = {}, category, tag, callback } = parameters
  const { volume = bulk?.volume ?? 1n } = parameters
  if (bulk !== undefined) expectWholeBulk({ bulk, dataset, volume })
  for (const [number, secret] of Object.entries(secrets)) checkSecret(`secrets.${number}`, secret)
  if (args !== undefined) Params.argv(args)
  const names = Object.fromEntries(Object.keys(secrets).map((number) => [number, 'name']))
  const params = Params.build({
    ...(args === undefined ? {} : { args }),
    ...(inputFiles === undefined ? {} : { inputFiles }),
    ...(bulk === undefined ? {} : { bulkCid: bulk.bulkCid }),
    ...(Object.keys(names).length === 0 ? {} : { secrets: names }),
    encryptResult: true,
  })
  const { appMaxPrice = 0n, datasetMaxPrice = 0n, workerpoolMaxPrice = 0n } = parameters
  const draft = Order.create('request', {
    app,
    requester: client.account,
    dataset: dataset ?? zeroAddress,
    workerpool: workerpool ?? zeroAddress,
    appmaxprice: appMaxPrice,
    datasetmaxprice: datasetMaxPrice,
    workerpoolmaxprice: workerpoolMaxPrice,
    category: category ?? 0n,
    volume,
    tag: tag ?? Tag.tdx,
    callback: callback ?? zeroAddress,
    params,
  })
  // The reader of the wire refuses whatever is not an address, a number, a tag.
  const checked = Order.fromJson('request', { ...draft, sign: '0x' })
  if (checked.volume === 0n)
    throw new InvalidValueError({ path: 'volume', expected: '1 or more', value: checked.volume })
  return checked
}

/** A task beyond the list would have no data; one of a deal with a dataset of its own may not have others. */
function expectWholeBulk({
  bulk,
  dataset,
  volume,
}: {
  bulk: PreparedBulk
  dataset: Address | undefined
  volume: bigint
}): void {
  if (dataset !== undefined)
    throw new InvalidValueError({ path: 'dataset', expected: 'nothing beside `bulk`', value: dataset })
  if (volume === bulk.volume) return
  throw new InvalidValueError({ path: 'volume', expected: `${bulk.volume}, as the bulk was prepared`, value: volume })
}

async function chooseAndAfford(client: Client, request: Order.Request): Promise<Chosen> {
  const chosen = await chooseOrders(client, request)
  const needed = chosen.price * request.volume
  const { stake: free } = await client.contracts.hub.viewAccount(client.account)
  if (free < needed) throw new InsufficientFundsError({ account: client.account, needed, free })
  return chosen
}

/** Limits become the prices found: what is signed can never cost more than was shown. */
function final(
  draft: Order.Request,
  { app, dataset, workerpool }: Chosen,
  names: Record<string, string>,
): Order.Request {
  const { secrets: _, ...params } = Params.parse(draft.params)
  return {
    ...draft,
    appmaxprice: app.appprice,
    datasetmaxprice: dataset?.datasetprice ?? 0n,
    workerpoolmaxprice: workerpool.workerpoolprice,
    params: Params.build({ ...params, ...(Object.keys(names).length === 0 ? {} : { secrets: names }) }),
  }
}

type Waiting = { timeout: number; signal: AbortSignal | undefined }

async function publishAndWait(client: Client, request: Order.Signed<'request'>, { timeout, signal }: Waiting) {
  const { orderHash } = await publishOrder(client, { kind: 'request', order: request })
  // The first deal of a request begins at its volume 0, so its id is known before it exists.
  const dealId = Deal.id(orderHash, 0n)
  const end = Date.now() + timeout
  while ((await client.contracts.hub.viewConsumed(orderHash)) === 0n) {
    if (Date.now() > end) {
      const remedy = `The request ${orderHash} stays published: wait longer, or take it back with \`closeOrder\`.`
      throw new TimeoutError({ what: 'Nobody matched the request', milliseconds: timeout, remedy })
    }
    await sleep(client.pollingInterval, signal)
  }
  return dealId
}

/** Requester secrets can be written once, so each run names its own. */
function randomName(): string {
  return `run-${Bytes.toHex(Bytes.random(16)).slice(2)}`
}
