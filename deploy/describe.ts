import { readFile } from 'node:fs/promises'
import { Interface, zeroPadValue } from 'ethers'
import type { ArtifactManager } from 'hardhat/types/artifacts'
import type { NetworkConnection } from 'hardhat/types/network'
import { contractCreation, createX } from './createx.ts'
import { DeploymentFailedError } from './errors.ts'
import type { NetworkParameters } from './parameters.ts'
import type { PlannedContract } from './predict.ts'
import type { NetworkRecord, RecordedContract } from './record.ts'

/** By what ABI a contract is called. HubOffice and HubViews are called through the Hub only. */
const interfaces: Record<string, string | undefined> = {
  Hub: 'IHub',
  HubNative: 'IHubNative',
  AppRegistry: 'IAppRegistry',
  DatasetRegistry: 'IDatasetRegistry',
  WorkerpoolRegistry: 'IWorkerpoolRegistry',
  DataProtector: 'IDataProtector',
  CallbackRelay: 'ICallbackRelay',
  LocalToken: 'LocalToken',
  Timelock: 'Timelock',
}

/** Names that differ from that of the contract with a small first letter. */
const nouns: Record<string, string | undefined> = {
  Hub: 'hub',
  HubNative: 'hub',
  HubOffice: 'office',
  HubViews: 'views',
  LocalToken: 'token',
}

type Described = {
  connection: NetworkConnection
  artifacts: ArtifactManager
  chainId: bigint
  parameters: NetworkParameters
  planned: PlannedContract[]
  /** From where to look for the contracts' creation: the block at which a run began, and the chain's first. */
  searchFrom: number[]
  /** What is known already of a contract that this run found is not looked up again. */
  known: NetworkRecord | undefined
  made: PlannedContract[]
}

/** Puts together the record of a marketplace that is on the chain. */
export async function describe(described: Described): Promise<NetworkRecord> {
  const { connection, artifacts, chainId, parameters, planned, known } = described
  const entries: [string, RecordedContract][] = []
  for (const one of planned) entries.push([nounOf(one.contract), await contractOf(one, described)])
  if (parameters.token !== undefined) entries.push(['token', { contract: 'IERC20', address: parameters.token }])
  const contracts = Object.fromEntries(entries)
  return {
    chainId: Number(chainId),
    network: known?.network ?? connection.networkName,
    escrow: parameters.escrow,
    block: Math.min(...Object.values(contracts).map(({ block }) => block ?? Number.POSITIVE_INFINITY)),
    compiler: known?.compiler ?? (await compilerOf(artifacts)),
    parameters,
    contracts,
    abis: await abisOf(contracts, artifacts),
  }
}

function nounOf(contract: string): string {
  return nouns[contract] ?? contract.charAt(0).toLowerCase() + contract.slice(1)
}

async function contractOf(one: PlannedContract, described: Described): Promise<RecordedContract> {
  const { contract, address, args } = one
  const before = described.made.includes(one) ? [] : Object.values(described.known?.contracts ?? {})
  const known = before.find((other) => other.address === address)
  if (known !== undefined) return known
  const { abi } = await described.artifacts.readArtifact(contract)
  const name = interfaces[contract]
  return {
    contract,
    address,
    ...(name === undefined ? {} : { abi: name }),
    ...(await creationOf(one, described)),
    constructorArguments: Interface.from(abi).encodeDeploy(args),
  }
}

async function creationOf(
  { contract, address }: PlannedContract,
  { connection, searchFrom }: Described,
): Promise<{ block: number; transaction: string }> {
  const topics = [contractCreation, zeroPadValue(address, 32)]
  try {
    for (const fromBlock of searchFrom) {
      const [log] = await connection.ethers.provider.getLogs({ address: createX, topics, fromBlock })
      if (log !== undefined) return { block: log.blockNumber, transaction: log.transactionHash }
    }
  } catch (cause) {
    const reason = `${contract} is at ${address}, but the node does not search its whole history for the block of it.`
    throw new DeploymentFailedError({ reason, remedy: 'Name a block before it: `--from-block <number>`.', cause })
  }
  const reason = `${contract} is at ${address}, but no block from ${searchFrom.at(-1)} on tells of its creation.`
  throw new DeploymentFailedError({ reason, remedy: 'Name a block before it: `--from-block <number>`.' })
}

async function compilerOf(artifacts: ArtifactManager): Promise<NetworkRecord['compiler']> {
  const id = await artifacts.getBuildInfoId('HubViews')
  const path = id === undefined ? undefined : await artifacts.getBuildInfoPath(id)
  if (path === undefined) throw new Error('The contracts were compiled without build information.')
  const { solcLongVersion, input } = JSON.parse(await readFile(path, 'utf8'))
  const { evmVersion, metadata, optimizer, viaIR } = input.settings
  return { version: String(solcLongVersion), settings: { evmVersion, metadata, optimizer, viaIR } }
}

async function abisOf(
  contracts: Record<string, RecordedContract>,
  artifacts: ArtifactManager,
): Promise<NetworkRecord['abis']> {
  const names = new Set(Object.values(contracts).flatMap(({ abi }) => abi ?? []))
  const abis = [...names].map(async (name) => [name, (await artifacts.readArtifact(name)).abi] as const)
  return Object.fromEntries(await Promise.all(abis)) as NetworkRecord['abis']
}
