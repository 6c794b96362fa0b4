import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/** 87 million tokens of 9 decimals, as on the real networks. */
const supply = 87_000_000n * 10n ** 9n

/** A token for a local network: all of it belongs to `tokenHolder`. */
export const localToken = buildModule('LocalToken', (m) => {
  const holder = m.getParameter('tokenHolder', m.getAccount(0))
  const token = m.contract('LocalToken', [holder, m.getParameter('tokenSupply', supply)])
  return { token }
})

/** The token that a real network already has, at `token`. */
export const existingToken = buildModule('ExistingToken', (m) => {
  const token = m.contractAt('LocalToken', m.getParameter('token'))
  return { token }
})
