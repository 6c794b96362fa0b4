// One marketplace, ours or the reference's, as the scenarios see it.
import { type Address, Order } from '@sealdeal/protocol'
import { type BaseContract, id } from 'ethers'
import type { Account, Accounts, Chain } from './chain.ts'
import { signOrders } from './orders.ts'

/** One token, and what everybody who pays, stakes or earns has deposited. */
export const RLC = 10n ** 9n
export const stake = 1_000n * RLC

/** All of the token belongs to its deployer: 87 million. */
export const tokenSupply = 87_000_000n * RLC

export type Side = 'ours' | 'reference'
export type Deployment = { side: Side } & Record<
  'hub' | 'token' | 'appRegistry' | 'datasetRegistry' | 'workerpoolRegistry',
  BaseContract
>
export type Market = Deployment & {
  chain: Chain
  accounts: Accounts
  domain: Order.Domain
  app: Address
  dataset: Address
  workerpool: Address
  /** Sends a call to the Hub and tells what it cost. */
  gasOf(from: Account, call: string, args: readonly unknown[]): Promise<bigint>
}

type AssetKind = 'app' | 'dataset' | 'workerpool'

/** Fields as the reference was measured with: nothing past 31 bytes but a checksum and an enclave's 32-byte measurement. */
const rest = {
  app: ['DOCKER', '0x6170702e6578616d706c652f696d616765', id('app'), id('enclave')],
  dataset: ['0x646174612e6578616d706c652f66696c65', id('dataset')],
  workerpool: [],
}

/** A deployment in its steady state: one asset of each kind, everybody has a deposit, and some of it is locked. */
export async function openMarket(chain: Chain, deployment: Deployment): Promise<Market> {
  const { hub } = deployment
  const { appOwner, datasetOwner, scheduler } = chain.accounts
  await fund(chain, deployment)
  const address = hub.target.toString() as Address
  const market: Market = {
    ...deployment,
    chain,
    accounts: chain.accounts,
    domain: Order.domain({ chainId: chain.chainId, hub: address }),
    app: (await createAsset({ ...deployment, chain }, 'app', appOwner.address, 'app')).address,
    dataset: (await createAsset({ ...deployment, chain }, 'dataset', datasetOwner.address, 'dataset')).address,
    workerpool: (await createAsset({ ...deployment, chain }, 'workerpool', scheduler.address, 'pool')).address,
    gasOf: async (from, call, args) => (await chain.send(from, hub, call, args)).gasUsed,
  }
  // Deals that nobody works on: whoever pays and the pool have something locked from here on.
  const { anyone, sponsor } = chain.accounts
  await market.gasOf(anyone, 'matchOrders', await signOrders(market, 'open deal', { dataset: true }))
  await market.gasOf(sponsor, 'sponsorMatchOrders', await signOrders(market, 'sponsored deal', { dataset: true }))
  return market
}

async function fund(chain: Chain, { hub, token }: Deployment): Promise<void> {
  const { appOwner, datasetOwner, scheduler, requester, sponsor, workers, tokenDeployer } = chain.accounts
  const accounts = [appOwner, datasetOwner, scheduler, requester, sponsor, ...workers].map(({ address }) => address)
  for (const account of accounts) await chain.send(tokenDeployer, token, 'transfer', [account, stake])
  await depositFor({ chain, hub, token }, accounts)
}

/** Gives each account a deposit. */
export async function depositFor(
  { chain, hub, token }: Pick<Market, 'chain' | 'hub' | 'token'>,
  accounts: string[],
): Promise<void> {
  const { tokenDeployer } = chain.accounts
  await chain.send(tokenDeployer, token, 'approve', [hub.target, stake * BigInt(accounts.length)])
  await chain.send(tokenDeployer, hub, 'depositForArray', [accounts.map(() => stake), accounts])
}

/** Registers an app, a dataset or a workerpool; anybody may do so for its owner. */
export async function createAsset(
  market: Deployment & { chain: Chain },
  kind: AssetKind,
  owner: string,
  name: string,
): Promise<{ address: Address; gas: bigint }> {
  const registry = market[`${kind}Registry`]
  const Kind = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
  const values = [owner, name, ...rest[kind]]
  const address = await registry.getFunction(`predict${Kind}`).staticCall(...values)
  const { gasUsed } = await market.chain.send(market.chain.accounts.anyone, registry, `create${Kind}`, values)
  return { address, gas: gasUsed }
}
