import {
  errorDeploymentResultToExceptionMessage,
  HardhatArtifactResolver,
} from '@nomicfoundation/hardhat-ignition/helpers'
import { DeploymentResultType, deploy, type EIP1193Provider } from '@nomicfoundation/ignition-core'
import type { ArtifactManager } from 'hardhat/types/artifacts'
import type { NetworkConnection } from 'hardhat/types/network'
import { ensureCreateX, isCreateXThere } from './createx.ts'
import { describe } from './describe.ts'
import { DeploymentFailedError } from './errors.ts'
import { expectFunds, explainFunds } from './funds.ts'
import { marketplaceOf, type Variant } from './module.ts'
import type { NetworkParameters } from './parameters.ts'
import { untilMined } from './pending.ts'
import { type PlannedContract, predict } from './predict.ts'
import { expectSame, type NetworkRecord, readBegun, readRecord, rememberBegun, writeRecord } from './record.ts'

/** Chains of a developer's own machine: plainly owned by the deployer, and recorded nowhere. */
const localChains = [1337n, 31337n]

export type DeployToNetworkOptions = {
  connection: NetworkConnection
  artifacts: ArtifactManager
  parameters: NetworkParameters
  /** Where `<chainId>.json` goes. */
  directory: string
  /** Blocks that a transaction must be deep. Default: 1, which a chain without traffic reaches too. */
  confirmations?: number | undefined
  /** Says what would be sent, and sends nothing. */
  dryRun?: boolean
  /** Makes a second marketplace although the chain's record is of another one. */
  replace?: boolean
  /** From where to look for contracts that somebody else deployed. */
  fromBlock?: number | undefined
  onProgress?: (line: string) => void
}

export type Deployed = { chainId: bigint; contracts: PlannedContract[]; record?: NetworkRecord }

/**
 * Deploys the marketplace at addresses that follow from its code and parameters, or completes what is missing of it. The
 * chain itself is the journal: a contract that is at its address already is complete, whoever sent it. So a run that was
 * killed goes on, on any machine, and a repeated one sends nothing.
 *
 * @throws OtherDeploymentError, InsufficientFundsError, FactoryError, PendingTransactionsError, DeploymentFailedError.
 */
export async function deployToNetwork(options: DeployToNetworkOptions): Promise<Deployed> {
  const run = await prepare(options)
  const { chainId, planned } = run
  await expectTakeable(run)
  const missing = await missingOf(run)
  announce(run, missing)
  if (options.dryRun) return { chainId, contracts: planned }
  if (missing.length > 0) await complete(run, missing)
  await expectComplete(run)
  return run.isLocal
    ? { chainId, contracts: planned }
    : { chainId, contracts: planned, record: await record(run, missing) }
}

/** Says what is there, what will be, and to whom all of it belongs. */
function announce({ planned, isLocal, deployer, parameters, onProgress }: Run, missing: PlannedContract[]): void {
  for (const one of planned) {
    onProgress(`${one.contract.padEnd(18)} ${one.address}${missing.includes(one) ? '' : '  is there'}`)
  }
  const { delay, proposers, executors } = parameters.timelock
  onProgress(
    isLocal
      ? `Owner: ${deployer}`
      : `Owner: the timelock, of ${delay} s; ${proposers.join(', ')} may propose, ${executors.join(', ')} execute`,
  )
}

/** What every step needs to know. */
type Run = Required<
  Pick<DeployToNetworkOptions, 'connection' | 'artifacts' | 'parameters' | 'directory' | 'onProgress'>
> & {
  options: DeployToNetworkOptions
  ethers: NetworkConnection['ethers']
  chainId: bigint
  isLocal: boolean
  deployer: string
  confirmations: number
  variant: Variant
  /** The parameters as the module knows them. */
  values: Record<string, string | number | string[]>
  planned: PlannedContract[]
}

async function prepare(options: DeployToNetworkOptions): Promise<Run> {
  const { connection, artifacts, parameters, confirmations = 1, onProgress = () => {} } = options
  const { ethers } = connection
  const { chainId } = await ethers.provider.getNetwork()
  const isLocal = localChains.includes(chainId)
  const deployer = await deployerOf(connection)
  const { escrow, token, tokenHolder = deployer, teeBroker, timelock, salt } = parameters
  const variant = { escrow, hasToken: token !== undefined, hasTimelock: !isLocal }
  const values = {
    ...{ owner: deployer, tokenHolder, ...timelock },
    ...(token === undefined ? {} : { token }),
    ...(teeBroker === undefined ? {} : { teeBroker }),
  }
  const module = marketplaceOf(variant)
  const resolver = new HardhatArtifactResolver(artifacts)
  const planned = await predict({ module, parameters: values, salt, artifacts: resolver })
  return {
    ...options,
    options,
    ethers,
    chainId,
    isLocal,
    deployer,
    confirmations,
    onProgress,
    variant,
    values,
    planned,
  }
}

/** Refuses what would go wrong, or would make what nobody asked for, before anything is sent. */
async function expectTakeable(run: Run): Promise<void> {
  const { ethers, isLocal, options, parameters } = run
  await untilMined(run)
  if (!isLocal) await expectSame({ ...run, replace: options.replace ?? false })
  if (parameters.token === undefined || (await ethers.provider.getCode(parameters.token)) !== '0x') return
  throw new DeploymentFailedError({
    reason: `There is no contract at the token's address ${parameters.token} on this chain.`,
    remedy: 'Correct "token", or leave it out for a test token.',
  })
}

async function complete(run: Run, missing: PlannedContract[]): Promise<void> {
  const { artifacts, confirmations, connection, deployer, onProgress, planned, values, variant } = run
  const { salt } = run.parameters
  if (!run.isLocal) await rememberBegun(run)
  await ensureCreateX(run)
  await expectFunds({ ...run, salt, missing })
  const present = planned.filter((one) => !missing.includes(one)).map(({ contract, address }) => [contract, address])
  const result = await deploy({
    config: { requiredConfirmations: confirmations, blockPollingInterval: 250 },
    provider: announcing(connection.provider, { missing, onProgress }),
    artifactResolver: new HardhatArtifactResolver(artifacts),
    ignitionModule: marketplaceOf({ ...variant, present: Object.fromEntries(present) }),
    deploymentParameters: { $global: values },
    accounts: [deployer],
    strategy: 'create2',
    strategyConfig: { salt },
  }).catch(async (error: unknown) => {
    throw await explainFunds({ ...run, salt, missing, error })
  })
  if (result.type === DeploymentResultType.SUCCESSFUL_DEPLOYMENT) return
  throw new DeploymentFailedError({
    reason: errorDeploymentResultToExceptionMessage(result).trim(),
    remedy: 'Run the same command again: it goes on from what is on the chain.',
  })
}

async function record(run: Run, made: PlannedContract[]): Promise<NetworkRecord> {
  const known = await readRecord(run)
  const begun = await readBegun(run)
  const searchFrom = [...(begun === undefined ? [] : [begun.block]), run.options.fromBlock ?? 0]
  const described = await describe({ ...run, searchFrom, known, made })
  await writeRecord(described, run.directory)
  return described
}

async function deployerOf({ provider, networkName }: NetworkConnection): Promise<string> {
  const accounts = await provider.request({ method: 'eth_accounts' })
  const [deployer] = Array.isArray(accounts) ? accounts : []
  if (typeof deployer === 'string') return deployer
  throw new DeploymentFailedError({
    reason: `Network "${networkName}" has no account to deploy with.`,
    remedy: 'Give it one in hardhat.config.ts: `accounts: [configVariable(...)]`.',
  })
}

async function missingOf({ ethers, planned }: Run): Promise<PlannedContract[]> {
  // At these addresses CreateX has all say: without it there is nothing.
  if (!(await isCreateXThere(ethers))) return planned
  const codes = await Promise.all(planned.map(({ address }) => ethers.provider.getCode(address)))
  return planned.filter((_, index) => codes[index] === '0x')
}

/** Says which contract each transaction is for. */
function announcing(
  provider: EIP1193Provider,
  { missing, onProgress }: { missing: PlannedContract[]; onProgress: (line: string) => void },
): EIP1193Provider {
  return {
    async request(call) {
      const answer = await provider.request(call)
      if (call.method === 'eth_sendTransaction' && Array.isArray(call.params)) {
        const [{ data = '' } = {}] = call.params
        const made = missing.find(({ initCode }) => String(data).includes(initCode.slice(2)))
        onProgress(`${(made?.contract ?? '?').padEnd(18)} sent with ${answer}`)
      }
      return answer
    },
  }
}

/** Everything is where it should be, and belongs to whom it should. */
async function expectComplete(run: Run): Promise<void> {
  const { ethers, planned, isLocal, deployer } = run
  const remedy = 'Run the same command again; if it says the same, the node does not tell the truth.'
  const [absent] = await missingOf(run)
  if (absent !== undefined) {
    throw new DeploymentFailedError({ reason: `${absent.contract} is not at ${absent.address}.`, remedy })
  }
  const owner = isLocal ? deployer : planned.find(({ contract }) => contract === 'Timelock')?.address
  for (const { contract, address } of planned.filter(({ contract }) => /^Hub(Native)?$|Registry$/.test(contract))) {
    const owned = new ethers.Contract(address, ['function owner() view returns (address)'], ethers.provider)
    const actual = await owned.getFunction('owner')()
    if (String(actual).toLowerCase() === owner?.toLowerCase()) continue
    throw new DeploymentFailedError({ reason: `${contract} at ${address} belongs to ${actual}, not ${owner}.`, remedy })
  }
}
