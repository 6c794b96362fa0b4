// A market in which every function of the Hub that writes has something to do, and a call of each that does it.
import { dealOf, ofVolume, withoutEnclave } from '../../deals.ts'
import { failureOf } from '../../failures.ts'
import {
  type Assets,
  CLOSE,
  contributeArguments,
  contributionTo,
  datasetOrder,
  datasetPrice,
  ethers,
  finalArguments,
  makeDeal,
  operationOn,
  RLC,
  settleArguments,
  settlementOf,
  signOrder,
  signOrders,
  taskIdOf,
  time,
} from '../../fixtures.ts'

/** Nobody worked on the first deal; the other two ask for no enclave, the third has results in all states. */
export async function busyMarket() {
  const overdue = await dealOf(ofVolume(3n))
  await overdue.hub.initialize(overdue.dealId, 0n)
  await time.increase(3000)
  const { hub, token, owner, requester, sponsor, worker, scheduler, beneficiary } = overdue
  const { dealId: open } = await makeDeal(overdue, ofVolume(5n, { ...withoutEnclave, dataset: null }))
  await hub.initialize(open, 0n)
  const { dealId: found } = await makeDeal(overdue, ofVolume(3n, withoutEnclave))
  await contribute(overdue, found, 0n)
  await time.increase(600)
  for (const index of [1n, 2n]) await contribute(overdue, found, index)
  const revealed = taskIdOf(found, 2n)
  await hub.connect(worker).reveal(revealed, ethers.id(`result of ${revealed}`))
  await token.connect(requester).approve(hub, RLC)
  await token.connect(owner).transfer(hub, 5n * RLC)
  await hub.connect(requester).approve(sponsor, RLC)
  await hub.connect(requester).approve(beneficiary, RLC)
  const spender = await ethers.deployContract('AcceptingSpender')
  const orders = await signOrders(overdue)
  const tasks = {
    overdue: taskIdOf(overdue.dealId, 0n),
    active: taskIdOf(open, 0n),
    unrevealed: taskIdOf(found, 0n),
    agreed: taskIdOf(found, 1n),
    revealed,
  }
  return { ...overdue, overdue: overdue.dealId, open, found, tasks, spender, orders, worker, scheduler }
}

async function contribute(assets: Assets, dealId: string, index: bigint) {
  const { hub, worker } = assets
  const taskId = taskIdOf(dealId, index)
  await hub.initialize(dealId, index)
  const contribution = await contributionTo(assets, { taskId, worker, enclave: null })
  await hub.connect(worker).contribute(...contributeArguments(taskId, contribution))
}

export type Busy = Awaited<ReturnType<typeof busyMarket>>
type Role = 'owner' | 'appOwner' | 'datasetOwner' | 'scheduler' | 'requester' | 'sponsor' | 'worker'

/** A call, and whose it is: nobody's where it does not matter who makes it. */
export type Call = { by: Role | undefined; args: (market: Busy) => unknown[] | Promise<unknown[]> }

function by(role: Role | undefined, args: Call['args']): Call {
  return { by: role, args }
}

function anybodys(args: Call['args']): Call {
  return by(undefined, args)
}

async function resultOf(market: Busy, index: bigint) {
  return settlementOf(market, { dealId: market.open, index, worker: market.worker, enclave: null })
}

async function permit({ token, hub, requester, chainId }: Busy): Promise<unknown[]> {
  const domain = { name: 'Local RLC', version: '1', chainId, verifyingContract: token.target.toString() }
  const names = ['owner', 'spender', 'value', 'nonce', 'deadline']
  const types = { Permit: names.map((name, i) => ({ name, type: i < 2 ? 'address' : 'uint256' })) }
  const deadline = ethers.MaxUint256
  const message = { owner: requester.address, spender: hub.target, value: 7n, nonce: 0n, deadline }
  const { v, r, s } = ethers.Signature.from(await requester.signTypedData(domain, types, message))
  return [7n, deadline, v, r, s]
}

const category = ['XXL', 'as long as it takes', 99n]

/** One call of each function that writes. */
export const calls: Record<string, Call> = {
  approve: by('requester', ({ anyone }) => [anyone, 3n]),
  approveAndCall: by('requester', ({ spender }) => [spender, 3n, '0x1234']),
  attachDatasets: by('requester', async (market) => {
    const { dataset, datasetOwner, domain, open } = market
    const salt = ethers.id('the same order each time')
    const order = datasetOrder({ dataset: dataset.target.toString(), datasetprice: datasetPrice, salt })
    return [open, 4n, [await signOrder('dataset', order, { signer: datasetOwner, domain })], datasetPrice]
  }),
  broadcastAppOrder: anybodys(({ orders }) => [orders[0]]),
  broadcastDatasetOrder: anybodys(({ orders }) => [orders[1]]),
  broadcastRequestOrder: anybodys(({ orders }) => [orders[3]]),
  broadcastWorkerpoolOrder: anybodys(({ orders }) => [orders[2]]),
  changeRegistries: anybodys(({ anyone }) => [anyone, anyone, anyone]),
  claim: anybodys(({ tasks }) => [tasks.overdue]),
  claimArray: anybodys(({ tasks }) => [[tasks.overdue]]),
  configure: anybodys(({ anyone }) => [anyone, 'name', 'symbol', 9, anyone, anyone, anyone, anyone]),
  contribute: by('worker', async (market) => {
    const { tasks, worker } = market
    return [
      ...contributeArguments(
        tasks.active,
        await contributionTo(market, { taskId: tasks.active, worker, enclave: null }),
      ),
    ]
  }),
  contributeAndFinalize: by('worker', async (market) => {
    const { tasks, worker } = market
    return [
      ...finalArguments(tasks.active, await contributionTo(market, { taskId: tasks.active, worker, enclave: null })),
    ]
  }),
  createCategory: by('owner', () => category),
  decreaseAllowance: by('requester', ({ beneficiary }) => [beneficiary, 3n]),
  deposit: by('requester', () => [5n]),
  depositFor: by('requester', ({ beneficiary }) => [5n, beneficiary]),
  depositForArray: by('requester', ({ beneficiary }) => [
    [5n, 6n],
    [beneficiary, beneficiary],
  ]),
  depositWithPermit: by('requester', permit),
  finalize: by('scheduler', ({ tasks }) => [tasks.revealed, '0x12', '0x']),
  importScore: anybodys(({ worker }) => [worker]),
  increaseAllowance: by('requester', ({ anyone }) => [anyone, 3n]),
  initialize: anybodys(({ open }) => [open, 1n]),
  initializeAndClaimArray: anybodys(({ overdue }) => [
    [overdue, overdue],
    [1n, 2n],
  ]),
  initializeArray: anybodys(({ open }) => [
    [open, open],
    [1n, 2n],
  ]),
  manageAppOrder: by('appOwner', ({ orders }) => [operationOn(orders[0], CLOSE)]),
  manageDatasetOrder: by('datasetOwner', ({ orders }) => [operationOn(orders[1], CLOSE)]),
  manageRequestOrder: by('requester', ({ orders }) => [operationOn(orders[3], CLOSE)]),
  manageWorkerpoolOrder: by('scheduler', ({ orders }) => [operationOn(orders[2], CLOSE)]),
  matchOrders: anybodys(({ orders }) => orders),
  multicall: by('requester', ({ hub, anyone }) => [
    [hub.interface.encodeFunctionData('transfer', [anyone.address, 3n])],
  ]),
  recover: by('owner', () => []),
  renounceOwnership: anybodys(() => []),
  reopen: by('scheduler', ({ tasks }) => [tasks.unrevealed]),
  reveal: by('worker', ({ tasks }) => [tasks.agreed, ethers.id(`result of ${tasks.agreed}`)]),
  setCallbackGas: by('owner', () => [77n]),
  setTeeBroker: by('owner', ({ broker }) => [broker]),
  settle: by('worker', async (market) => [...settleArguments(await resultOf(market, 1n))]),
  settleBatch: by('worker', async (market) => [market.open, [await resultOf(market, 2n), await resultOf(market, 3n)]]),
  settleFailure: anybodys(async (market) => [
    ...(await failureOf(market, { dealId: market.open, index: 1n, worker: market.worker, cause: 5n })),
  ]),
  sponsorMatchOrders: by('sponsor', ({ orders }) => orders),
  transfer: by('requester', ({ anyone }) => [anyone, 3n]),
  transferFrom: by('sponsor', ({ requester, beneficiary }) => [requester, beneficiary, 3n]),
  transferOwnership: by('owner', ({ broker }) => [broker]),
  updateDomainSeparator: anybodys(() => []),
  withdraw: by('requester', () => [3n]),
  withdrawTo: by('requester', ({ beneficiary }) => [3n, beneficiary]),
}

/** The data of the call of that function. */
export async function dataOf(name: string, market: Busy): Promise<string> {
  const args = await calls[name]?.args(market)
  return market.hub.interface.encodeFunctionData(name as 'claim', addressed(args) as [string])
}

/** Addresses in place of accounts and contracts. */
function addressed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(addressed)
  if (typeof value !== 'object' || value === null) return value
  if ('address' in value) return value.address
  return 'target' in value ? value.target : value
}
