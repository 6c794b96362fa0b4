import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/** The three registries, owned by `owner`. They need nothing from the Hub. */
export const registries = buildModule('Registries', (m) => {
  const owner = m.getParameter('owner', m.getAccount(0))
  const appRegistry = m.contract('AppRegistry', [owner])
  const datasetRegistry = m.contract('DatasetRegistry', [owner])
  const workerpoolRegistry = m.contract('WorkerpoolRegistry', [owner])
  return { appRegistry, datasetRegistry, workerpoolRegistry }
})
