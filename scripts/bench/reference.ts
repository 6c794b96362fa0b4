// The reference protocol, from the ABIs and the bytecode that its authors publish. Nothing else of their package is read.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Contract, concat, dataSlice, Interface, type InterfaceAbi, id, ZeroAddress } from 'ethers'
import { categories } from '../../deploy/categories.ts'
import { root, run } from '../run.ts'
import type { Account, Chain } from './chain.ts'
import type { Deployment } from './market.ts'
import { readTarball } from './tarball.ts'

/** The integrity is the registry's, as a lock file would hold it. */
export const reference = {
  name: '@iexec/poco@6.1.0',
  file: 'iexec-poco-6.1.0.tgz',
  integrity: 'BPbDtf2fgQuotr6rf74ACVdwlKqkErEZ8qLbTWM+2CIBj2EX3+6KBGWsFoudoOGjgT7vUJ3jeNX8SWvHzSHg6A==',
}
const folder = join(root, '.data', 'reference')

const facets = [
  'IexecAccessorsABILegacyFacet',
  'IexecCategoryManagerFacet',
  'IexecConfigurationExtraFacet',
  'IexecConfigurationFacet',
  'IexecERC20Facet',
  'IexecEscrowTokenFacet',
  'IexecOrderManagementFacet',
  'IexecPoco1Facet',
  'IexecPoco2Facet',
  'IexecPocoAccessorsFacet',
  'IexecPocoBoostAccessorsFacet',
  'IexecPocoBoostFacet',
  'IexecRelayFacet',
]
const tokenAbi = [
  'function balanceOf(address account) view returns (uint256)',
  'function approve(address spender, uint256 value) returns (bool)',
  'function transfer(address to, uint256 value) returns (bool)',
  'function approveAndCall(address spender, uint256 value, bytes data)',
]
const library = 'contracts/libs/IexecLibOrders_v5.sol'

type Links = Record<string, Record<string, { start: number; length: number }[]>>
type Artifact = { abi: InterfaceAbi; bytecode: string; linkReferences?: Links }
type Read = (path: string) => Artifact

/**
 * Deploys the reference's diamond, registries and token.
 *
 * @throws Error when the package is neither here nor to be had, or is not the one that was meant.
 */
export async function deployReference(chain: Chain): Promise<Deployment> {
  const artifact = await artifacts()
  const { owner, referenceDeployer, tokenDeployer } = chain.accounts
  const create = (path: string, args: unknown[] = [], links: Record<string, string> = {}) =>
    deploy(chain, artifact(path), { args, links, from: referenceDeployer })

  // The package has this token's bytecode, but not its ABI. Its constructor gives all of it to the deployer.
  const rlc = { ...artifact('deployments/arbitrum/RLC.json'), abi: tokenAbi }
  const token = await deploy(chain, rlc, { from: tokenDeployer })
  // Nobody calls the library by its ABI, which names types that no ABI has.
  const code = { ...artifact(`artifacts/${library}/IexecLibOrders_v5.json`), abi: [] }
  const orders = await deploy(chain, code, { from: referenceDeployer })
  const paths = [
    ...['DiamondCutFacet', 'DiamondLoupeFacet', 'OwnershipFacet'].map((name) => `deployments/arbitrum/${name}.json`),
    ...facets.map((name) => `artifacts/contracts/facets/${name}.sol/${name}.json`),
  ]
  const cuts = []
  for (const path of paths) {
    const facet = await create(path, [], { [library]: orders.target.toString() })
    cuts.push({ facetAddress: facet.target, action: 0, functionSelectors: selectors(facet.interface) })
  }
  const init = { owner: owner.address, init: ZeroAddress, initCalldata: '0x' }
  const diamond = await create('artifacts/contracts/Diamond.sol/Diamond.json', [cuts, init])
  const abi = paths.flatMap((path) => Interface.from(artifact(path).abi).fragments)
  const hub = new Contract(diamond.target, abi, chain.ethers.provider)

  const registry = async (kind: string, folderName: string) =>
    create(`artifacts/contracts/registries/${folderName}/${kind}Registry.sol/${kind}Registry.json`)
  const appRegistry = await registry('App', 'apps')
  const datasetRegistry = await registry('Dataset', 'datasets')
  const workerpoolRegistry = await registry('Workerpool', 'workerpools')
  for (const contract of [appRegistry, datasetRegistry, workerpoolRegistry]) {
    await chain.send(referenceDeployer, contract, 'initialize', [ZeroAddress])
  }
  const addresses = [appRegistry.target, datasetRegistry.target, workerpoolRegistry.target]
  await chain.send(owner, hub, 'configure', [token.target, 'Staked RLC', 'SRLC', 9, ...addresses, ZeroAddress])
  for (const { name, description, workClockTimeRef } of categories) {
    await chain.send(owner, hub, 'createCategory', [name, description, workClockTimeRef])
  }
  return { side: 'reference', hub, token, appRegistry, datasetRegistry, workerpoolRegistry }
}

/** The published package, fetched once by npm itself, so that its registry, proxy and cache settings hold. */
async function artifacts(): Promise<Read> {
  const { name, file, integrity } = reference
  const path = join(folder, file)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const { code, output } = await run('npm', ['pack', name, '--silent', '--pack-destination', folder])
    if (code !== 0) throw new Error(`npm could not fetch ${name}:\n${output}`)
  }
  const archive = readFileSync(path)
  const found = createHash('sha512').update(archive).digest('base64')
  if (found !== integrity) throw new Error(`${path} is not ${name}: its sha512 is ${found}. Delete it.`)
  const files = readTarball(archive)
  return (wanted) => {
    const content = files.get(`package/${wanted}`)
    if (content === undefined) throw new Error(`${name} has no ${wanted}.`)
    return JSON.parse(content.toString('utf8'))
  }
}

async function deploy(
  chain: Chain,
  { abi, bytecode, linkReferences = {} }: Artifact,
  { from, args = [], links = {} }: { from: Account; args?: unknown[]; links?: Record<string, string> },
): Promise<Contract> {
  const code = Object.entries(linkReferences)
    .flatMap(([source, names]) => Object.values(names).map((places) => ({ address: links[source], places })))
    .reduce(
      (linked, { address = '', places }) => places.reduce((all, { start }) => link(all, start, address), linked),
      bytecode,
    )
  const data = concat([code, Interface.from(abi).encodeDeploy(args)])
  const { contractAddress } = await chain.transact(from, { data })
  return new Contract(contractAddress ?? ZeroAddress, abi, chain.ethers.provider)
}

/** Places of libraries in unlinked bytecode are no hexadecimal digits: so it is cut as text. */
function link(bytecode: string, start: number, address: string): string {
  const at = 2 + 2 * start
  return bytecode.slice(0, at) + address.slice(2).toLowerCase() + bytecode.slice(at + 40)
}

/** What a facet answers; bare transfers and unknown calls have selectors that nothing else has. */
function selectors(facet: Interface): string[] {
  const named = facet.fragments.filter((fragment) => fragment.type === 'function')
  const known = named.map((fragment) => dataSlice(id(fragment.format('sighash')), 0, 4))
  return [...known, ...(facet.receive ? ['0x00000000'] : []), ...(facet.fallback ? ['0xffffffff'] : [])]
}
