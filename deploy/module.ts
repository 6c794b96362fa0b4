import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'
import type { ArgumentType, ContractFuture, IgnitionModule, IgnitionModuleResult } from '@nomicfoundation/ignition-core'
import { categories } from './categories.ts'

const zeroAddress = '0x0000000000000000000000000000000000000000'

/** 87 million tokens of 9 decimals, as on the real networks. */
const supply = 87_000_000n * 10n ** 9n

/** In what a marketplace may differ, beside its parameters. */
export type Variant = {
  /** What accounts stake and pay with: an ERC-20 token, or the chain's own currency. */
  escrow: 'token' | 'native'
  /** Whether the token is there already, at the parameter `token`, or a new one belongs to `tokenHolder`. */
  hasToken: boolean
  /** Whether a timelock owns everything, made of `delay`, `proposers` and `executors`; otherwise `owner` does. */
  hasTimelock: boolean
  /** Contracts of the marketplace that are on the chain already, by name: they are not made again. */
  present?: Readonly<Record<string, string>>
}

/**
 * The marketplace as an Ignition module. Everything is in the constructors, none of which looks at its sender: so nobody can
 * come between, any sender may send any part of it, and owner and TEE broker are set from the first block on.
 */
export function marketplaceOf({ escrow, hasToken, hasTimelock, present = {} }: Variant): MarketplaceModule {
  return buildModule('Marketplace', (m) => {
    const contract = (name: string, args: ArgumentType[]): ContractFuture<string> => {
      const address = present[name]
      return address === undefined ? m.contract(name, args) : m.contractAt(name, address)
    }
    const ownToken = () =>
      contract('LocalToken', [m.getParameter('tokenHolder', m.getAccount(0)), m.getParameter('tokenSupply', supply)])
    const timelock = () =>
      contract('Timelock', [m.getParameter('delay'), m.getParameter('proposers'), m.getParameter('executors')])

    const owner = hasTimelock ? timelock() : m.getParameter('owner', m.getAccount(0))
    const erc20 = () => (hasToken ? m.getParameter<string>('token') : ownToken())
    const token = escrow === 'native' ? zeroAddress : erc20()
    const appRegistry = contract('AppRegistry', [owner])
    const datasetRegistry = contract('DatasetRegistry', [owner])
    const workerpoolRegistry = contract('WorkerpoolRegistry', [owner])
    const teeBroker = m.getParameter('teeBroker', zeroAddress)
    const config = { token, appRegistry, datasetRegistry, workerpoolRegistry, owner, teeBroker }
    const views = contract('HubViews', [config])
    const office = contract('HubOffice', [config, views])
    const hub = contract(escrow === 'native' ? 'HubNative' : 'Hub', [config, categories, office])
    const dataProtector = contract('DataProtector', [datasetRegistry])
    const callbackRelay = contract('CallbackRelay', [hub])
    return { hub, office, views, appRegistry, datasetRegistry, workerpoolRegistry, dataProtector, callbackRelay }
  })
}

export type MarketplaceModule = IgnitionModule<string, string, IgnitionModuleResult<string>>

/** For Ignition's own commands: `npx hardhat ignition visualize deploy/module.ts`. */
export default marketplaceOf({ escrow: 'token', hasToken: false, hasTimelock: false })
