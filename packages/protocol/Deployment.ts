import type { InterfaceAbi } from 'ethers'
import { deployments } from '../../deployments/index.ts'
import { abis } from './contracts.ts'
import { BaseError } from './errors.ts'
import type { Address } from './hex.ts'

/** A contract as ethers (`new Contract(address, abi)`) and viem (`readContract({ address, abi, ... })`) want it. */
export type DeployedContract = { address: Address; abi: InterfaceAbi }

/** A marketplace on a public chain. */
export type Deployment = {
  chainId: bigint
  /** As hardhat.config.ts calls the chain. */
  network: string
  /** Whether accounts pay in an ERC-20 token or in the chain's own currency. */
  escrow: 'token' | 'native'
  /** The first block with an event of the marketplace: where whoever follows it begins. */
  block: number
  hub: DeployedContract
  /** Absent where the escrow is native. */
  token?: DeployedContract
  appRegistry: DeployedContract
  datasetRegistry: DeployedContract
  workerpoolRegistry: DeployedContract
  dataProtector: DeployedContract
  callbackRelay: DeployedContract
  /** Who owns all of it. */
  timelock: Address
}

/** What `npm run deploy` wrote down of a chain. */
export type RecordedDeployment = {
  chainId: bigint
  network: string
  escrow: 'token' | 'native'
  block: number
  addresses: { token?: Address } & Record<
    'hub' | 'appRegistry' | 'datasetRegistry' | 'workerpoolRegistry' | 'dataProtector' | 'callbackRelay' | 'timelock',
    Address
  >
}

/** No marketplace is recorded for a chain. */
export class UnknownDeploymentError extends BaseError {
  override name = 'UnknownDeploymentError'
  constructor({ chainId, known }: { chainId: bigint; known: readonly RecordedDeployment[] }) {
    const list = known.map(({ chainId, network }) => `${chainId} (${network})`).join(', ')
    super(`No marketplace is recorded on chain ${chainId}.`, {
      metaMessages: [
        `Recorded: ${list === '' ? 'none yet' : list}.`,
        'Name the address of your Hub yourself, or deploy one: `npm run deploy -- --network <name>`.',
      ],
      docsPath: '/deploy#addresses',
    })
  }
}

/**
 * The marketplace of a public chain. Local chains have none that lasts: ask whoever started them.
 *
 * @param known - Default: the records of this repository.
 * @throws UnknownDeploymentError
 *
 * @example
 * const { hub, block } = deploymentOf(421_614n)
 */
export function deploymentOf(chainId: bigint | number, known: readonly RecordedDeployment[] = deployments): Deployment {
  const recorded = known.find((deployment) => deployment.chainId === BigInt(chainId))
  if (recorded === undefined) throw new UnknownDeploymentError({ chainId: BigInt(chainId), known })
  const { addresses, network, escrow, block } = recorded
  const { token } = addresses
  return {
    chainId: recorded.chainId,
    network,
    escrow,
    block,
    hub: { address: addresses.hub, abi: escrow === 'native' ? abis.hubNative : abis.hub },
    ...(token === undefined ? {} : { token: { address: token, abi: abis.token } }),
    appRegistry: { address: addresses.appRegistry, abi: abis.appRegistry },
    datasetRegistry: { address: addresses.datasetRegistry, abi: abis.datasetRegistry },
    workerpoolRegistry: { address: addresses.workerpoolRegistry, abi: abis.workerpoolRegistry },
    dataProtector: { address: addresses.dataProtector, abi: abis.dataProtector },
    callbackRelay: { address: addresses.callbackRelay, abi: abis.callbackRelay },
    timelock: addresses.timelock,
  }
}
