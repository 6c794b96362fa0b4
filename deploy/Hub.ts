import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'
import type { ContractFuture, IgnitionModule } from '@nomicfoundation/ignition-core'
import { categories } from './categories.ts'
import { data } from './Data.ts'
import { registries } from './Registries.ts'
import { existingToken, localToken } from './Token.ts'

const zeroAddress = '0x0000000000000000000000000000000000000000'

/**
 * The Hub over a token, with its categories, and what it delegates to. Everything is in the constructors, so that nobody
 * can come between: `owner` (a timelock on real networks) and `teeBroker` are set from the first block on.
 */
function hubOver<TokenId extends string>(
  id: string,
  tokenModule: IgnitionModule<TokenId, string, { token: ContractFuture<string> }>,
) {
  return buildModule(id, (m) => {
    const { token } = m.useModule(tokenModule)
    const { appRegistry, datasetRegistry, workerpoolRegistry } = m.useModule(registries)
    const owner = m.getParameter('owner', m.getAccount(0))
    const teeBroker = m.getParameter('teeBroker', zeroAddress)
    const config = { token, appRegistry, datasetRegistry, workerpoolRegistry, owner, teeBroker }
    const views = m.contract('HubViews', [config])
    const office = m.contract('HubOffice', [config, views])
    const hub = m.contract('Hub', [config, categories, office])
    return { hub, office, views }
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
