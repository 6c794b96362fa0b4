// Tasks that several workers compute. Fixtures, named after the state that they leave the chain in; each builds on the one
// before: createdAssets -> hiredCrew -> replicatedDeal -> replicatedTask -> contributedTask -> revealingTask -> revealedTask.
import type { HardhatEthersSigner } from '@nomicfoundation/hardhat-ethers/types'
import type { ContractTransactionResponse } from 'ethers'
import { checkSolvency, withoutEnclave } from './deals.ts'
import {
  type Assets,
  contributeArguments,
  contributionTo,
  createdAssets,
  DEPOSIT,
  ethers,
  getStorageAt,
  loadFixture,
  type MessageSigner,
  makeDeal,
  setBalance,
  setStorageAt,
  taskIdOf,
  time,
  type Wishes,
} from './fixtures.ts'
import { storageOf } from './seams/artifacts.ts'

export type Worker = HardhatEthersSigner

/** How many may contribute to a task, and one more. */
const CREW = 65

/** Workers, each with `DEPOSIT` in the Hub and a score of zero; the first of them have names. */
export async function hiredCrew() {
  const assets = await loadFixture(createdAssets)
  const { token, hub, owner } = assets
  const crew: Worker[] = []
  for (let index = 0; index < CREW; ++index) {
    const address = ethers.getAddress(ethers.dataSlice(ethers.id(`worker ${index}`), 12))
    await setBalance(address, 10n ** 20n)
    crew.push(await ethers.getImpersonatedSigner(address))
  }
  const deposits = crew.map(() => DEPOSIT)
  await token.connect(owner).approve(hub, DEPOSIT * BigInt(CREW))
  await hub.connect(owner).depositForArray(deposits, crew)
  const [ann, bob, cid, dan, eve] = crew
  if (!(ann && bob && cid && dan && eve)) throw new Error('A crew has at least five workers.')
  return { ...assets, crew, ann, bob, cid, dan, eve }
}

export type Crewed = Awaited<ReturnType<typeof hiredCrew>>

/** Orders for a task of that trust, without enclave unless the wishes say so. */
export function ofTrust(trust: bigint, wishes: Wishes = {}): Wishes {
  return {
    ...wishes,
    app: { ...withoutEnclave.app, ...wishes.app },
    dataset: wishes.dataset === null ? null : { ...withoutEnclave.dataset, ...wishes.dataset },
    workerpool: { trust, ...wishes.workerpool },
    request: { ...withoutEnclave.request, trust, ...wishes.request },
  }
}

/** What the pool asks of its workers and keeps for itself, in percent. */
export type Policy = { workerStake?: bigint; schedulerReward?: bigint }

/** An active task of a deal that differs from the usual replicated one. */
export async function taskOf(
  trust: bigint,
  wishes: Wishes = {},
  { workerStake = 30n, schedulerReward = 1n }: Policy = {},
) {
  const assets = await loadFixture(hiredCrew)
  await assets.workerpool.connect(assets.scheduler).changePolicy(workerStake, schedulerReward)
  return openTask(assets, ofTrust(trust, wishes))
}

/** Makes a deal and opens its first task. */
export async function openTask<A extends Assets>(assets: A, wishes: Wishes) {
  const { dealId } = await makeDeal(assets, wishes)
  await assets.hub.initialize(dealId, 0n)
  return { ...assets, dealId, taskId: taskIdOf(dealId, 0n) }
}

/** A deal of trust 3: two fresh workers of one opinion are enough, three where a fourth is of another. */
export async function replicatedDeal() {
  const assets = await loadFixture(hiredCrew)
  return { ...assets, ...(await makeDeal(assets, ofTrust(3n))) }
}

/** Its task is active. */
export async function replicatedTask() {
  const deal = await loadFixture(replicatedDeal)
  await deal.hub.initialize(deal.dealId, 0n)
  return { ...deal, taskId: taskIdOf(deal.dealId, 0n) }
}

/** Eve has contributed the result B. */
export async function contributedTask() {
  const task = await loadFixture(replicatedTask)
  await contribute(task, task.eve, 'B')
  return task
}

/** Ann, Bob and Cid have contributed the result A since, which is agreed on. */
export async function revealingTask() {
  const task = await loadFixture(contributedTask)
  for (const worker of [task.ann, task.bob, task.cid]) await contribute(task, worker)
  return task
}

/** All three have revealed it. */
export async function revealedTask() {
  const task = await loadFixture(revealingTask)
  for (const worker of [task.ann, task.bob, task.cid]) await reveal(task, worker)
  return task
}

/** Nobody revealed it in time, and the pool has reopened the task. */
export async function reopenedTask() {
  const task = await loadFixture(revealingTask)
  await reopen(task)
  return task
}

export type Task = Pick<Assets, 'hub' | 'scheduler'> & { taskId: string }

/** The digest of a result that is known by a name. */
export function digestOf({ taskId }: { taskId: string }, name = 'A'): string {
  return ethers.id(`result ${name} of ${taskId}`)
}

/** keccak256(task id, digest). */
export function hashOf(task: { taskId: string }, name = 'A'): string {
  return ethers.solidityPackedKeccak256(['bytes32', 'bytes32'], [task.taskId, digestOf(task, name)])
}

/** keccak256(worker, task id, digest). */
export function sealOf(task: { taskId: string }, worker: { address: string }, name = 'A'): string {
  const parts = [worker.address, task.taskId, digestOf(task, name)]
  return ethers.solidityPackedKeccak256(['address', 'bytes32', 'bytes32'], parts)
}

/** The arguments with which a worker contributes the result of that name. */
export async function contributionOf(
  task: Task,
  worker: { address: string },
  name = 'A',
  { enclave = null, ...signers }: Enclosed = {},
) {
  const { taskId, scheduler } = task
  const resultDigest = digestOf(task, name)
  return contributeArguments(
    taskId,
    await contributionTo({ scheduler }, { taskId, worker, resultDigest, enclave, ...signers }),
  )
}

/** What a worker may have beside its result. */
export type Enclosed = { enclave?: (MessageSigner & { address: string }) | null; authorizer?: MessageSigner }

/** Has a worker contribute, without enclave unless there is one. */
export async function contribute(task: Task, worker: Worker, name = 'A', enclosed: Enclosed = {}) {
  return task.hub.connect(worker).contribute(...(await contributionOf(task, worker, name, enclosed)))
}

export async function reveal(task: Task, worker: Worker, name = 'A') {
  return task.hub.connect(worker).reveal(task.taskId, digestOf(task, name))
}

/** Has the pool reopen a task, as soon as it may. */
export async function reopen({ hub, scheduler, taskId }: Task) {
  const { revealDeadline } = await hub.viewTask(taskId)
  await time.setNextBlockTimestamp(revealDeadline)
  return hub.connect(scheduler).reopen(taskId)
}

/** The same crew and a pool that belongs to a contract; what the scheduler signs, it approves of. */
export async function walletPool() {
  const assets = await loadFixture(hiredCrew)
  const { hub, token, owner, scheduler, workerpool, workerpoolRegistry } = assets
  const wallet = await ethers.deployContract('ContractWallet', [scheduler.address])
  await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, wallet, workerpool.target.toString())
  await token.connect(owner).approve(hub, DEPOSIT)
  await hub.connect(owner).depositFor(DEPOSIT, wallet)
  return { ...assets, wallet }
}

/** What a worker publishes of a result. */
export const results = ethers.hexlify(ethers.toUtf8Bytes('{"storage":"ipfs","location":"/ipfs/Qm"}'))

/** Has the pool finalize a task that needs no callback. */
export async function finalize({ hub, scheduler, taskId }: Task) {
  return hub.connect(scheduler).finalize(taskId, results, '0x')
}

/** Every event of a transaction, in order: its name, then its arguments. */
export async function eventsOf({ hub }: Pick<Assets, 'hub'>, sent: ContractTransactionResponse): Promise<unknown[][]> {
  const receipt = await sent.wait()
  return (receipt?.logs ?? []).map((log) => {
    const event = hub.interface.parseLog(log)
    return [event?.name, ...(event?.args.toArray() ?? [])]
  })
}

/** Gives a worker a score that it has not earned. */
export async function setScore(
  { hub }: Pick<Assets, 'hub'>,
  worker: { address: string },
  score: bigint,
): Promise<void> {
  scorePlace ??= findScores()
  const { slot, shift } = await scorePlace
  const words = ethers.AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], [worker.address, slot])
  const place = ethers.keccak256(words)
  const others = BigInt(await getStorageAt(hub.target.toString(), place)) & ~((2n ** 64n - 1n) << shift)
  await setStorageAt(hub.target.toString(), place, others | (score << shift))
}

let scorePlace: ReturnType<typeof findScores> | undefined

/** Where the compiler put the scores. */
async function findScores(): Promise<{ slot: bigint; shift: bigint }> {
  const variables = await storageOf('contracts/HubViews.sol:HubViews')
  const accounts = variables.find((variable) => variable.startsWith('_accounts '))
  const [, slot, offset] = accounts?.match(/^_accounts at (\d+)\+0: .* score at 0\+(\d+) uint64/) ?? []
  if (slot === undefined || offset === undefined) throw new Error(`The Hub keeps scores elsewhere: ${accounts}`)
  return { slot: BigInt(slot), shift: 8n * BigInt(offset) }
}

/** Throws unless nothing was lost or made. */
export async function checkMoney(task: Crewed): Promise<void> {
  const workers = task.crew.map(({ address }) => address)
  await checkSolvency(task, workers)
}
