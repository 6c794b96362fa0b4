// The marketplace over the chain's own currency: the same assets and accounts, another Hub.
import { categories } from '../deploy/categories.ts'
import { createdAssets, DEPOSIT, deployHub, domain, ethers, loadFixture, signOrders } from './fixtures.ts'

/** Wei in one unit of the staked token. */
export const UNIT = 10n ** 9n

/**
 * `hub` is a HubNative as everything but deposits sees it, `native` the same with them. Scheduler, requester, sponsor and
 * workers each have `DEPOSIT` in it.
 */
export async function nativeAssets() {
  const assets = await loadFixture(createdAssets)
  const { addresses, owner, chainId, scheduler, requester, sponsor, worker, worker2 } = assets
  const { appRegistry, datasetRegistry, workerpoolRegistry } = addresses
  const registries = { appRegistry, datasetRegistry, workerpoolRegistry }
  const { target } = await deployHub('HubNative', { ...registries, owner: owner.address }, categories)
  const native = await ethers.getContractAt('IHubNative', target)
  const accounts = [scheduler, requester, sponsor, worker, worker2]
  for (const account of accounts) await native.connect(account).deposit({ value: DEPOSIT * UNIT })
  return {
    ...assets,
    native,
    registries,
    hub: await ethers.getContractAt('IHub', target),
    addresses: { ...addresses, hub: target },
    domain: domain({ chainId, hub: target }),
  }
}

/** Four compatible, signed orders of the usual task. */
export async function nativeOrders() {
  const assets = await loadFixture(nativeAssets)
  return { ...assets, orders: await signOrders(assets) }
}

/** Both kinds of Hub, with the same accounts, assets and balances. */
export const escrows = [
  { currency: 'a token', assetsOf: createdAssets },
  { currency: 'native currency', assetsOf: nativeAssets },
] as const

/** What the Hub holds, in wei. */
export function weiOf(hub: { getAddress(): Promise<string> }): Promise<bigint> {
  return ethers.provider.getBalance(hub)
}
