// Deals that differ from the usual one, and what everybody has in the Hub.
import {
  type Assets,
  appPrice,
  contributionTo,
  createdAssets,
  datasetPrice,
  ethers,
  finalArguments,
  loadFixture,
  type MessageSigner,
  makeDeal,
  price,
  RLC,
  type Settled,
  schedulerStake,
  settlementOf,
  taskIdOf,
  time,
  type Wishes,
  workerpoolPrice,
} from './fixtures.ts'

/** Orders for a deal of `volume` tasks, with the wishes. */
export function ofVolume(volume: bigint, wishes: Wishes = {}): Wishes {
  return {
    ...wishes,
    app: { volume, ...wishes.app },
    dataset: wishes.dataset === null ? null : { volume, ...wishes.dataset },
    workerpool: { volume, ...wishes.workerpool },
    request: { volume, ...wishes.request },
  }
}

/** Orders that cost nothing, with the wishes. */
export function forFree(wishes: Wishes = {}): Wishes {
  return {
    ...wishes,
    app: { appprice: 0n, ...wishes.app },
    dataset: wishes.dataset === null ? null : { datasetprice: 0n, ...wishes.dataset },
    workerpool: { workerpoolprice: 0n, ...wishes.workerpool },
  }
}

/** Orders that ask for no enclave. */
export const withoutEnclave: Wishes = {
  app: { tag: ethers.ZeroHash },
  dataset: { tag: ethers.ZeroHash },
  request: { tag: ethers.ZeroHash },
}

/** A deal that differs from the usual one; wishes that need something on the chain are made when it is there. */
export async function dealOf(wishes: Wishes | ((assets: Assets) => Promise<Wishes>)) {
  const assets = await loadFixture(createdAssets)
  const wanted = typeof wishes === 'function' ? await wishes(assets) : wishes
  return { ...assets, ...(await makeDeal(assets, wanted)) }
}

/** A deal of three tasks. */
export async function dealOfThree() {
  return dealOf(ofVolume(3n))
}

/** Nobody worked on a task of twenty tokens: six of the pool's are in the kitty. */
export async function filledKitty() {
  const assets = await loadFixture(createdAssets)
  const price = 20n * RLC
  const { dealId } = await makeDeal(assets, {
    workerpool: { workerpoolprice: price },
    request: { workerpoolmaxprice: price },
  })
  await time.increase(3000)
  await assets.hub.initializeAndClaimArray([dealId], [0n])
  return { ...assets, kitty: await assets.hub.kitty_address() }
}

type Roles = Pick<Assets, 'hub' | 'token'> & Record<string, unknown>

/** What every account has, free and locked: the roles', the Hub's, the kitty's, and those of `others`. */
export async function moneyOf(assets: Roles, others: string[] = []): Promise<Map<string, [bigint, bigint]>> {
  const { hub } = assets
  const roles = (await ethers.getSigners()).map(({ address }) => address)
  const all = new Set([...roles, hub.target.toString(), await hub.kitty_address(), ethers.ZeroAddress, ...others])
  const money = new Map<string, [bigint, bigint]>()
  for (const account of all) {
    const [free, locked] = await hub.viewAccount(account)
    money.set(account, [free, locked])
  }
  return money
}

/** What every account will have when that many tasks at the usual prices are completed, one by each worker. */
export async function moneyAfter(assets: Assets, workers: string[]): Promise<Map<string, [bigint, bigint]>> {
  const money = await moneyOf(assets, workers)
  const add = (account: string, free: bigint, locked = 0n) => {
    const [before, lockedBefore] = money.get(account) ?? [0n, 0n]
    money.set(account, [before + free, lockedBefore + locked])
  }
  const reward = (workerpoolPrice * 99n) / 100n
  for (const worker of workers) {
    add(assets.hub.target.toString(), -price - schedulerStake)
    add(assets.requester.address, 0n, -price)
    add(assets.scheduler.address, schedulerStake + workerpoolPrice - reward, -schedulerStake)
    add(assets.appOwner.address, appPrice)
    add(assets.datasetOwner.address, datasetPrice)
    add(worker, reward)
  }
  return money
}

/** Throws unless every unit of the staked supply is somebody's, and what is locked is in the Hub's custody. */
export async function checkSolvency(assets: Roles, others: string[] = []): Promise<void> {
  const { hub, token } = assets
  const money = [...(await moneyOf(assets, others)).values()]
  const supply = await hub.totalSupply()
  const free = money.reduce((sum, [amount]) => sum + amount, 0n)
  const locked = money.reduce((sum, [, amount]) => sum + amount, 0n)
  if (free !== supply) throw new Error(`Accounts own ${free}, the supply is ${supply}.`)
  if (locked > (await hub.balanceOf(hub))) throw new Error(`${locked} are locked, more than the Hub holds.`)
  if ((await token.balanceOf(hub)) < supply) throw new Error('The Hub has fewer tokens than it owes.')
}

/** Completes an active task of the deal in the reference's way. */
export async function completeTask(assets: Pick<Assets, 'hub' | 'scheduler' | 'worker'>, dealId: string, index = 0n) {
  const { hub, worker } = assets
  const taskId = taskIdOf(dealId, index)
  const result = await contributionTo(assets, { taskId, worker })
  return hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
}

/** Results for the first tasks of a deal, or for what is wished. */
export function settlementsOf(
  deal: { scheduler: MessageSigner; worker: { address: string }; dealId: string },
  wishes: Partial<Parameters<typeof settlementOf>[1]>[],
): Promise<Settled[]> {
  const { dealId, worker } = deal
  return Promise.all(wishes.map((wish, index) => settlementOf(deal, { dealId, worker, index: BigInt(index), ...wish })))
}
