// Fixtures, named after the state that they leave the chain in; each builds on the one before:
// deployedMarketplace -> fundedAccounts -> createdAssets -> signedOrders -> matchedDeal -> initializedTask.
import { deployMarketplace } from '../deploy/marketplace.ts'
import { connection, ethers, loadFixture } from './chain.ts'
import {
  type AppOrder,
  appOrder,
  type DatasetOrder,
  datasetOrder,
  domain,
  noDataset,
  type Quadruple,
  type RequestOrder,
  requestOrder,
  type Signer,
  signOrder,
  TDX,
  TEE,
  tag,
  type WorkerpoolOrder,
  workerpoolOrder,
} from './orders.ts'

export * from './chain.ts'
export * from './orders.ts'

/** One token in its smallest unit. */
export const RLC = 10n ** 9n

/** What everybody who pays or stakes has deposited, and has left in the token. */
export const DEPOSIT = 1_000n * RLC

/** Prices per task. */
export const appPrice = 1_000n
export const datasetPrice = 1_000_000n
export const workerpoolPrice = RLC
export const price = appPrice + datasetPrice + workerpoolPrice

/** What the pool's owner locks per task: 30 percent. */
export const schedulerStake = (workerpoolPrice * 30n) / 100n

/** TEE and TDX. */
export const teeTag = tag(TEE | TDX)

/** The contracts, their owner, and one account per role. `anyone` has no role and no tokens. */
export async function deployedMarketplace() {
  const [owner, appOwner, datasetOwner, scheduler, requester, sponsor, worker, worker2, beneficiary, broker, anyone] =
    await signers()
  const addresses = await deployMarketplace({ connection })
  const { chainId } = await ethers.provider.getNetwork()
  return {
    ...addresses,
    chainId,
    domain: domain({ chainId, hub: addresses.hub }),
    hub: await ethers.getContractAt('IHub', addresses.hub),
    token: await ethers.getContractAt('LocalToken', addresses.token),
    appRegistry: await ethers.getContractAt('AppRegistry', addresses.appRegistry),
    datasetRegistry: await ethers.getContractAt('DatasetRegistry', addresses.datasetRegistry),
    workerpoolRegistry: await ethers.getContractAt('WorkerpoolRegistry', addresses.workerpoolRegistry),
    dataProtector: await ethers.getContractAt('DataProtector', addresses.dataProtector),
    callbackRelay: await ethers.getContractAt('CallbackRelay', addresses.callbackRelay),
    addresses,
    owner,
    appOwner,
    datasetOwner,
    scheduler,
    requester,
    sponsor,
    worker,
    worker2,
    beneficiary,
    broker,
    anyone,
  }
}

/** What a Hub is made of; whatever is left out is zero, or the first account's. */
export type HubConfig = {
  token?: string
  appRegistry: string
  datasetRegistry: string
  workerpoolRegistry: string
  owner?: string
  teeBroker?: string
}

export type HubCategory = { name: string; description: string; workClockTimeRef: bigint }

/** A Hub of its own, over a token or over the chain's currency, and what it delegates to. */
export async function deployHub(
  kind: 'Hub' | 'HubNative',
  wishes: HubConfig,
  categories: HubCategory[] = [{ name: 'XS', description: '', workClockTimeRef: 300n }],
) {
  const [first] = await signers()
  const config = { token: ethers.ZeroAddress, owner: first.address, teeBroker: ethers.ZeroAddress, ...wishes }
  const views = await ethers.deployContract('HubViews', [config])
  const office = await ethers.deployContract('HubOffice', [config, views])
  const { target } = await ethers.deployContract(kind, [config, categories, office])
  return { target: target.toString(), views, office, config }
}

/** Scheduler, requester, sponsor and workers each have `DEPOSIT` in the Hub and `DEPOSIT` in the token. */
export async function fundedAccounts() {
  const market = await loadFixture(deployedMarketplace)
  const { token, hub, owner, scheduler, requester, sponsor, worker, worker2 } = market
  const accounts = [scheduler, requester, sponsor, worker, worker2]
  for (const account of accounts) await token.connect(owner).transfer(account, DEPOSIT)
  await token.connect(owner).approve(hub, DEPOSIT * BigInt(accounts.length))
  await hub.connect(owner).depositForArray(
    accounts.map(() => DEPOSIT),
    accounts,
  )
  return market
}

/** One app, one dataset and one workerpool, each of its own owner. */
export async function createdAssets() {
  const market = await loadFixture(fundedAccounts)
  const { appRegistry, datasetRegistry, workerpoolRegistry, appOwner, datasetOwner, scheduler } = market
  const checksum = ethers.id('ciphertext')
  const multiaddr = ethers.toUtf8Bytes('https://storage.example/package')
  const appFields = [appOwner.address, 'training', 'BUNDLE', multiaddr, ethers.id('package'), '0x'] as const
  const datasetFields = [datasetOwner.address, 'records', multiaddr, checksum] as const
  const workerpoolFields = [scheduler.address, 'pool'] as const
  await appRegistry.createApp(...appFields)
  await datasetRegistry.createDataset(...datasetFields)
  await workerpoolRegistry.createWorkerpool(...workerpoolFields)
  return {
    ...market,
    appFields,
    datasetFields,
    workerpoolFields,
    app: await ethers.getContractAt('App', await appRegistry.predictApp(...appFields)),
    dataset: await ethers.getContractAt('Dataset', await datasetRegistry.predictDataset(...datasetFields)),
    workerpool: await ethers.getContractAt(
      'Workerpool',
      await workerpoolRegistry.predictWorkerpool(...workerpoolFields),
    ),
  }
}

export type Assets = Awaited<ReturnType<typeof createdAssets>>

/** What a test wants different from the usual orders; `dataset: null` is a request without protected data. */
export type Wishes = {
  app?: Partial<AppOrder>
  dataset?: Partial<DatasetOrder> | null
  workerpool?: Partial<WorkerpoolOrder>
  request?: Partial<RequestOrder>
  /** Who signs instead of the usual signers. */
  signers?: { app?: Signer; dataset?: Signer; workerpool?: Signer; request?: Signer }
}

/** Four compatible orders for one TEE task at the usual prices, but for the wishes, signed. */
export async function signOrders(assets: Assets, wishes: Wishes = {}): Promise<Quadruple> {
  const { app, dataset, workerpool, requester, domain } = assets
  const by = { app: assets.appOwner, dataset: assets.datasetOwner, workerpool: assets.scheduler, request: requester }
  const signerOf = { ...by, ...wishes.signers }
  const withDataset = wishes.dataset !== null
  const orders = {
    app: appOrder({ app: app.target.toString(), appprice: appPrice, tag: teeTag, ...wishes.app }),
    dataset: datasetOrder({
      dataset: dataset.target.toString(),
      datasetprice: datasetPrice,
      tag: teeTag,
      ...wishes.dataset,
    }),
    workerpool: workerpoolOrder({
      workerpool: workerpool.target.toString(),
      workerpoolprice: workerpoolPrice,
      tag: teeTag,
      ...wishes.workerpool,
    }),
    request: requestOrder({
      app: app.target.toString(),
      appmaxprice: appPrice,
      dataset: withDataset ? dataset.target.toString() : ethers.ZeroAddress,
      datasetmaxprice: withDataset ? datasetPrice : 0n,
      workerpoolmaxprice: workerpoolPrice,
      requester: requester.address,
      beneficiary: requester.address,
      tag: teeTag,
      ...wishes.request,
    }),
  }
  return [
    await signOrder('app', orders.app, { signer: signerOf.app, domain }),
    withDataset ? await signOrder('dataset', orders.dataset, { signer: signerOf.dataset, domain }) : noDataset,
    await signOrder('workerpool', orders.workerpool, { signer: signerOf.workerpool, domain }),
    await signOrder('request', orders.request, { signer: signerOf.request, domain }),
  ]
}

/** Four compatible, signed orders: one TEE task with data. */
export async function signedOrders() {
  const assets = await loadFixture(createdAssets)
  return { ...assets, orders: await signOrders(assets) }
}

/** The usual orders are a deal of one task. */
export async function matchedDeal() {
  const assets = await loadFixture(signedOrders)
  return { ...assets, ...(await matchDeal(assets, assets.orders)) }
}

/** The only task of the usual deal is active. */
export async function initializedTask() {
  const deal = await loadFixture(matchedDeal)
  await deal.hub.initialize(deal.dealId, 0n)
  return { ...deal, taskId: taskIdOf(deal.dealId, 0n) }
}

/** Matches orders, paid by the requester. */
export async function matchDeal({ hub }: Pick<Assets, 'hub'>, orders: Quadruple) {
  const dealId = await hub.matchOrders.staticCall(...orders)
  const receipt = await (await hub.matchOrders(...orders)).wait()
  return { dealId, orders, receipt }
}

/** Signs the usual orders but for the wishes, and matches them. */
export async function makeDeal(assets: Assets, wishes: Wishes = {}) {
  return matchDeal(assets, await signOrders(assets, wishes))
}

/** keccak256(request digest, volume of the request used before). */
export function dealIdOf(requestHash: string, consumed: bigint): string {
  return ethers.solidityPackedKeccak256(['bytes32', 'uint256'], [requestHash, consumed])
}

/** keccak256(deal id, index). */
export function taskIdOf(dealId: string, index: bigint): string {
  return ethers.solidityPackedKeccak256(['bytes32', 'uint256'], [dealId, index])
}

export type Contribution = {
  resultDigest: string
  resultHash: string
  resultSeal: string
  results: string
  resultsCallback: string
  enclaveChallenge: string
  enclaveSign: string
  authorizationSign: string
}

/** Whoever can sign 32 bytes as an EIP-191 message. */
export type MessageSigner = { signMessage(message: Uint8Array): Promise<string> }

/**
 * What a worker hands in for a task. The pool's owner authorizes unless `authorizer` is given; `enclave: null` is a
 * contribution without enclave. With callback data the digest is its hash, as the protocol wants it.
 */
export async function contributionTo(
  { scheduler }: { scheduler: MessageSigner },
  {
    taskId,
    worker,
    enclave = ethers.Wallet.createRandom(),
    authorizer = scheduler,
    results = ethers.hexlify(ethers.toUtf8Bytes('{"storage":"ipfs","location":"/ipfs/Qm"}')),
    resultsCallback = '0x',
    resultDigest = resultsCallback === '0x' ? ethers.id(`result of ${taskId}`) : ethers.keccak256(resultsCallback),
  }: {
    taskId: string
    worker: { address: string }
    enclave?: (MessageSigner & { address: string }) | null
    authorizer?: MessageSigner
    results?: string
    resultsCallback?: string
    resultDigest?: string
  },
): Promise<Contribution> {
  const enclaveChallenge = enclave?.address ?? ethers.ZeroAddress
  const resultHash = ethers.solidityPackedKeccak256(['bytes32', 'bytes32'], [taskId, resultDigest])
  const resultSeal = ethers.solidityPackedKeccak256(
    ['address', 'bytes32', 'bytes32'],
    [worker.address, taskId, resultDigest],
  )
  const authorization = ethers.solidityPackedKeccak256(
    ['address', 'bytes32', 'address'],
    [worker.address, taskId, enclaveChallenge],
  )
  const sealed = ethers.solidityPackedKeccak256(['bytes32', 'bytes32'], [resultHash, resultSeal])
  return {
    resultDigest,
    resultHash,
    resultSeal,
    results,
    resultsCallback,
    enclaveChallenge,
    enclaveSign: enclave === null ? '0x' : await enclave.signMessage(ethers.getBytes(sealed)),
    authorizationSign: await authorizer.signMessage(ethers.getBytes(authorization)),
  }
}

/** The arguments of `contributeAndFinalize`. */
export function finalArguments(taskId: string, contribution: Contribution) {
  const { resultDigest, results, resultsCallback, enclaveChallenge, enclaveSign, authorizationSign } = contribution
  return [taskId, resultDigest, results, resultsCallback, enclaveChallenge, enclaveSign, authorizationSign] as const
}

/** The arguments of `contribute`. */
export function contributeArguments(taskId: string, contribution: Contribution) {
  const { resultHash, resultSeal, enclaveChallenge, enclaveSign, authorizationSign } = contribution
  return [taskId, resultHash, resultSeal, enclaveChallenge, enclaveSign, authorizationSign] as const
}

/** What an enclave signs for when its result is settled: keccak256(output digest, hash of results, hash of callback data). */
export function boundDigest(outputDigest: string, results: string, resultsCallback: string): string {
  const parts = [outputDigest, ethers.keccak256(results), ethers.keccak256(resultsCallback)]
  return ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'bytes32'], parts))
}

/** What an enclave signs to have a result settled; nothing else takes it. */
export function settlementHash(worker: string, taskId: string, resultDigest: string): string {
  const type = ethers.id('TaskResult(bytes32 taskid,address worker,bytes32 resultDigest)')
  const words = [type, taskId, worker, resultDigest]
  return ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'address', 'bytes32'], words))
}

/** What is handed in to `settle` for task `index` of a deal; see `contributionTo` for the rest. */
export async function settlementOf(
  roles: { scheduler: MessageSigner },
  {
    dealId,
    index = 0n,
    worker,
    outputDigest = ethers.id(`output ${index} of ${dealId}`),
    results = ethers.hexlify(ethers.toUtf8Bytes('{"storage":"ipfs","location":"/ipfs/Qm"}')),
    resultsCallback = '0x',
    enclave = ethers.Wallet.createRandom(),
    ...signers
  }: {
    dealId: string
    index?: bigint
    worker: { address: string }
    outputDigest?: string
    results?: string
    resultsCallback?: string
    enclave?: (MessageSigner & { address: string }) | null
    authorizer?: MessageSigner
  },
) {
  const taskId = taskIdOf(dealId, index)
  const resultDigest = boundDigest(outputDigest, results, resultsCallback)
  const result = { taskId, worker, results, resultsCallback, resultDigest, enclave }
  const contribution = await contributionTo(roles, { ...result, ...signers })
  const hash = ethers.getBytes(settlementHash(worker.address, taskId, resultDigest))
  const enclaveSign = enclave === null ? '0x' : await enclave.signMessage(hash)
  return { ...contribution, enclaveSign, dealId, taskId, idx: index, worker: worker.address, outputDigest }
}

export type Settled = Awaited<ReturnType<typeof settlementOf>>

/** The arguments of `settle`. */
export function settleArguments(settled: Settled) {
  const { dealId, idx, worker, outputDigest, results, resultsCallback } = settled
  const { enclaveChallenge, enclaveSign, authorizationSign } = settled
  return [
    dealId,
    idx,
    worker,
    outputDigest,
    results,
    resultsCallback,
    enclaveChallenge,
    enclaveSign,
    authorizationSign,
  ] as const
}

type Account = Awaited<ReturnType<typeof ethers.getSigners>>[number]
type Roles = [Account, Account, Account, Account, Account, Account, Account, Account, Account, Account, Account]

async function signers(): Promise<Roles> {
  const [a, b, c, d, e, f, g, h, i, j, k] = await ethers.getSigners()
  if (!(a && b && c && d && e && f && g && h && i && j && k)) throw new Error('The chain has too few accounts.')
  return [a, b, c, d, e, f, g, h, i, j, k]
}
