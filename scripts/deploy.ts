// `npm run deploy -- --network <name>`: the marketplace on a real chain; see docs/deploy.md.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { HardhatRuntimeEnvironment } from 'hardhat/types/hre'
import { deployToNetwork } from '../deploy/network.ts'
import { readParameters } from '../deploy/parameters.ts'
import { verifySources } from '../deploy/verify.ts'
import config from '../hardhat.config.ts'
import { BaseError } from '../packages/protocol/errors.ts'
import { root } from './run.ts'

const usage = `Usage: npm run deploy -- --network NAME [options]

  --network NAME       a network of hardhat.config.ts
  --parameters FILE    token, owner's timelock, TEE broker ... as JSON (docs/deploy.md); default: a test token
  --dry-run            say which contracts would be where, and send nothing
  --verify             hand the sources to the chain's block explorers, also of what was deployed before
  --blockscout URL     a Blockscout that Hardhat does not know; --etherscan URL likewise
  --confirmations N    how deep a transaction must be (1)
  --replace            deploy a second marketplace although the chain has one that is recorded
  --from-block N       where to look for contracts that somebody else deployed
  --directory PATH     where the record <chainId>.json goes (deployments)`

class ArgumentsError extends BaseError {
  override name = 'ArgumentsError'
  constructor(reason: string) {
    super(reason, { metaMessages: ['', ...usage.split('\n')] })
  }
}

function readArguments() {
  const { network, ...values } = parse()
  if (values.help) return { ...values, network: '' }
  const names = Object.entries(config.networks ?? {}).flatMap(([name, { type }]) => (type === 'http' ? [name] : []))
  if (network === undefined || !names.includes(network)) {
    const what = network === undefined ? '--network is missing' : `"${network}" is no network to deploy on`
    throw new ArgumentsError(`${what}. hardhat.config.ts has ${names.join(', ')}.`)
  }
  for (const name of ['confirmations', 'from-block'] as const) {
    if (values[name] !== undefined && !/^\d{1,15}$/.test(values[name])) {
      throw new ArgumentsError(`--${name} must be a whole number, not "${values[name]}".`)
    }
  }
  return { ...values, network }
}

function parse() {
  try {
    return parseArgs({
      options: {
        network: { type: 'string' },
        parameters: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        verify: { type: 'boolean', default: false },
        blockscout: { type: 'string' },
        etherscan: { type: 'string' },
        confirmations: { type: 'string' },
        replace: { type: 'boolean', default: false },
        'from-block': { type: 'string' },
        directory: { type: 'string', default: join(root, 'deployments') },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new ArgumentsError(error instanceof Error ? error.message : String(error))
  }
}

type Arguments = ReturnType<typeof readArguments>

/** Hardhat for that network, compiled as `npm test` compiles: its production profile would give other bytecode. */
function hardhatFor({ network, blockscout, etherscan }: Arguments): Promise<HardhatRuntimeEnvironment> {
  const { chainId } = config.networks?.[network] ?? {}
  const explorer = (url: string | undefined) =>
    url && { url, apiUrl: new URL('api', `${url.replace(/\/$/, '')}/`).href }
  const blockExplorers = {
    ...(blockscout && { blockscout: explorer(blockscout) }),
    ...(etherscan && { etherscan: explorer(etherscan) }),
  }
  const known = Object.keys(blockExplorers).length === 0 || chainId === undefined
  const chainDescriptors = known ? {} : { [chainId]: { name: network, blockExplorers } }
  const options = { network, buildProfile: 'default', config: join(root, 'hardhat.config.ts') }
  return createHardhatRuntimeEnvironment({ ...config, chainDescriptors } as typeof config, options, root)
}

async function main(): Promise<void> {
  const values = readArguments()
  if (values.help) return console.log(usage)
  const hre = await hardhatFor(values)
  const connection = await hre.network.create(values.network)
  const [deployer] = await connection.ethers.getSigners()
  const { contracts, record } = await deployToNetwork({
    connection,
    artifacts: hre.artifacts,
    parameters: await readParameters(values.parameters, deployer?.address ?? ''),
    directory: values.directory,
    confirmations: values.confirmations === undefined ? undefined : Number(values.confirmations),
    fromBlock: values['from-block'] === undefined ? undefined : Number(values['from-block']),
    dryRun: values['dry-run'],
    replace: values.replace,
    onProgress: console.log,
  })
  if (record !== undefined) {
    console.log(
      `\nRecorded in ${join(values.directory, `${record.chainId}.json`)}, from block ${record.block} on: commit it.`,
    )
  }
  if (!values.verify || values['dry-run']) return
  const unverified = await verifySources({ hre, contracts, onProgress: console.log })
  for (const { contract, explorer, reason } of unverified) console.error(`\n${contract} on ${explorer}: ${reason}`)
  if (unverified.length > 0) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  // What is wrong, in words: a stack trace is for what nobody foresaw.
  const foreseen = error instanceof BaseError || (error instanceof Error && error.name === 'HardhatError')
  console.error(foreseen ? error.message : error)
  process.exitCode = 1
}
