import { type BaseContract, ZeroAddress } from 'ethers'
import { categories } from '../../deploy/categories.ts'
import type { Account, Chain } from './chain.ts'
import { type Deployment, tokenSupply } from './market.ts'

/**
 * Deploys our contracts from accounts that deploy nothing else: the Hub's address goes into every signature, so it must
 * not depend on how many contracts come before it.
 */
export async function deployOurs(chain: Chain): Promise<Deployment> {
  const { owner, hubDeployer, officeDeployer, registryDeployer, tokenDeployer } = chain.accounts
  const create = async (from: Account, name: string, args: unknown[]): Promise<BaseContract> => {
    const factory = await chain.ethers.getContractFactory(name)
    const { contractAddress } = await chain.transact(from, await factory.getDeployTransaction(...args))
    return chain.ethers.getContractAt(name, contractAddress ?? '')
  }
  const token = await create(tokenDeployer, 'LocalToken', [tokenDeployer.address, tokenSupply])
  const appRegistry = await create(registryDeployer, 'AppRegistry', [owner.address])
  const datasetRegistry = await create(registryDeployer, 'DatasetRegistry', [owner.address])
  const workerpoolRegistry = await create(registryDeployer, 'WorkerpoolRegistry', [owner.address])
  const config = {
    token: token.target,
    appRegistry: appRegistry.target,
    datasetRegistry: datasetRegistry.target,
    workerpoolRegistry: workerpoolRegistry.target,
    owner: owner.address,
    teeBroker: ZeroAddress,
  }
  const views = await create(officeDeployer, 'HubViews', [config])
  const office = await create(officeDeployer, 'HubOffice', [config, views.target])
  const { target } = await create(hubDeployer, 'Hub', [config, categories, office.target])
  const hub = await chain.ethers.getContractAt('IHub', target.toString())
  return { side: 'ours', hub, token, appRegistry, datasetRegistry, workerpoolRegistry }
}
