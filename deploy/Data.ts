import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'
import { registries } from './Registries.ts'

/** What data owners use on top of the registry of datasets. */
export const data = buildModule('Data', (m) => {
  const { datasetRegistry } = m.useModule(registries)
  const dataProtector = m.contract('DataProtector', [datasetRegistry])
  return { dataProtector }
})
