import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'
import type { ContractFuture, IgnitionModule } from '@nomicfoundation/ignition-core'
import { categories } from './categories.ts'
import { data } from './Data.ts'
import { registries } from './Registries.ts'
import { existingToken, localToken } from './Token.ts'

const zeroAddress = '0x0000000000000000000000000000000000000000'

/**
 * The Hub over a token, with its categories. The deployer owns it until it has named the TEE broker and handed it to
 * `owner` (a timelock on real networks). Every step is recorded, so a run that was killed goes on where it stopped.
 */
function hubOver<TokenId extends string>(
  id: string,
  tokenModule: IgnitionModule<TokenId, string, { token: ContractFuture<string> }>,
) {
  return buildModule(id, (m) => {
    const { token } = m.useModule(tokenModule)
    const { appRegistry, datasetRegistry, workerpoolRegistry } = m.useModule(registries)
    const deployer = m.getAccount(0)
    const config = { token, appRegistry, datasetRegistry, workerpoolRegistry, owner: deployer }
    const hub = m.contract('Hub', [config, categories])
    const broker = m.call(hub, 'setTeeBroker', [m.getParameter('teeBroker', zeroAddress)])
    m.call(hub, 'transferOwnership', [m.getParameter('owner', deployer)], { after: [broker] })
    return { hub }
  })
}

/** All of it, over a token of its own: for local networks. */
export const localMarketplace = buildModule('LocalMarketplace', (m) => ({
  ...m.useModule(localToken),
  ...m.useModule(registries),
  ...m.useModule(hubOver('LocalHub', localToken)),
  ...m.useModule(data),
}))

/** All of it, over the token that a network already has. */
export const marketplace = buildModule('Marketplace', (m) => ({
  ...m.useModule(existingToken),
  ...m.useModule(registries),
  ...m.useModule(hubOver('Hub', existingToken)),
  ...m.useModule(data),
}))

export default marketplace
