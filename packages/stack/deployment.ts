import { type Address, Contracts } from '@sealdeal/protocol'
import type { JsonRpcProvider, Wallet } from 'ethers'
import { deployMarketplace, type Marketplace } from '../../deploy/marketplace.ts'
import type { Role } from './accounts.ts'

/** Addresses of everything on chain that a client may have to name. */
export type Deployment = { [Name in keyof Marketplace]: Address }

const RLC = 1_000_000_000n

/** What each account of a local stack begins with, in nRLC; and what the pool's owner and the researcher stake of it. */
const GRANT = 1_000n * RLC
const STAKE = 500n * RLC

/** Deploys the marketplace with the modules that testnets use, owned by the chain's first account. */
export async function deploy({
  provider,
  teeBroker,
}: {
  provider: JsonRpcProvider
  teeBroker: Address
}): Promise<Deployment> {
  const request = ({ method, params }: { method: string; params?: unknown }) =>
    provider.send(method, Array.isArray(params) ? params : [])
  const deployed = await deployMarketplace({ connection: { provider: { request } }, parameters: { teeBroker } })
  return deployed as Deployment
}

/** Hands out test money, stakes for the pool's owner and the researcher, and creates the workerpool. */
export async function furnish({
  deployment,
  wallets,
}: {
  deployment: Deployment
  wallets: Record<Role, Wallet>
}): Promise<Address> {
  const token = Contracts.connectToken(deployment.token, wallets.operator)
  // One account's transactions go one after the other; different accounts do not wait for each other.
  for (const role of ['poolOwner', 'researcher'] as const)
    await (await token.transfer(wallets[role].address, GRANT)).wait()
  const stake = async (role: Role) => {
    const own = Contracts.connectToken(deployment.token, wallets[role])
    await (await own.approveAndCall(deployment.hub, STAKE, '0x')).wait()
  }
  const createPool = async () => {
    const registry = Contracts.connectWorkerpoolRegistry(deployment.workerpoolRegistry, wallets.poolOwner)
    const owner = wallets.poolOwner.address
    const address = await registry.predictWorkerpool(owner, 'local workerpool')
    await (await registry.createWorkerpool(owner, 'local workerpool')).wait()
    return address as Address
  }
  await stake('researcher')
  await stake('poolOwner')
  return createPool()
}
