import {
  errorDeploymentResultToExceptionMessage,
  HardhatArtifactResolver,
} from '@nomicfoundation/hardhat-ignition/helpers'
import { type DeployConfig, DeploymentResultType, deploy, type EIP1193Provider } from '@nomicfoundation/ignition-core'
import hre from 'hardhat'
import { marketplaceOf } from './module.ts'

/** What may differ between networks; every address is optional. */
export type MarketplaceParameters = {
  /** The token to stake. Without it a new one is made. */
  token?: string
  /** Whom the new token belongs to, all of it. Default: the deployer. */
  tokenHolder?: string
  /** Who owns Hub and registries in the end. Default: the deployer. */
  owner?: string
  /** Who authorizes enclaves in place of the pools. Default: nobody, so the pools do. */
  teeBroker?: string
}

/** Where everything is. */
export type Marketplace = {
  token: string
  appRegistry: string
  datasetRegistry: string
  workerpoolRegistry: string
  hub: string
  /** What the Hub delegates to. */
  office: string
  views: string
  dataProtector: string
  callbackRelay: string
}

export type DeployMarketplaceOptions = {
  /** A Hardhat connection, or whatever else carries an EIP-1193 provider with unlocked accounts. */
  connection: { provider: EIP1193Provider }
  parameters?: MarketplaceParameters
  /** Default: patience for a local chain. */
  config?: Partial<DeployConfig>
}

/** Blocks of a local chain come at once, so nothing is gained by waiting long for one. */
const impatient: Partial<DeployConfig> = { blockPollingInterval: 20, requiredConfirmations: 1 }

/**
 * Deploys token, registries, Hub and DataProtector on a chain that begins empty, at addresses of the deployer. The contracts
 * must be compiled. For a chain that stays, `deployToNetwork` makes the same of the same module.
 *
 * @throws Error when a transaction fails.
 */
export async function deployMarketplace({
  connection,
  parameters = {},
  config = impatient,
}: DeployMarketplaceOptions): Promise<Marketplace> {
  const accounts = addresses(await connection.provider.request({ method: 'eth_accounts' }))
  if (accounts.length === 0) throw new Error('The node has no account to deploy with.')
  const hasToken = parameters.token !== undefined
  const result = await deploy({
    config,
    provider: connection.provider,
    artifactResolver: new HardhatArtifactResolver(hre.artifacts),
    ignitionModule: marketplaceOf({ escrow: 'token', hasToken, hasTimelock: false }),
    deploymentParameters: { $global: { ...parameters } },
    accounts,
  })
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
    throw new Error(errorDeploymentResultToExceptionMessage(result))
  }
  const address = (name: string) => {
    const deployed = Object.entries(result.contracts).find(([id]) => id.endsWith(`#${name}`))
    if (deployed === undefined) throw new Error(`The deployment names no "${name}".`)
    return deployed[1].address
  }
  return {
    token: parameters.token ?? address('LocalToken'),
    appRegistry: address('AppRegistry'),
    datasetRegistry: address('DatasetRegistry'),
    workerpoolRegistry: address('WorkerpoolRegistry'),
    hub: address('Hub'),
    office: address('HubOffice'),
    views: address('HubViews'),
    dataProtector: address('DataProtector'),
    callbackRelay: address('CallbackRelay'),
  }
}

function addresses(value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error('The node answered eth_accounts with something else than a list.')
  return value.map(String)
}
