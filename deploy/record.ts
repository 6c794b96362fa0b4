import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetworkConnection } from 'hardhat/types/network'
import { OtherDeploymentError } from './errors.ts'
import type { NetworkParameters } from './parameters.ts'
import type { PlannedContract } from './predict.ts'

/** `deployments/<chainId>.json`: all that a stranger needs in order to use, check and verify a marketplace. */
export type NetworkRecord = {
  chainId: number
  network: string
  escrow: 'token' | 'native'
  /** The first block that may hold an event of the marketplace: where whoever follows it begins. */
  block: number
  compiler: { version: string; settings: Record<string, unknown> }
  parameters: NetworkParameters
  contracts: Record<string, RecordedContract>
  /** What to call the contracts by, as `abi` of a contract names it. */
  abis: Record<string, unknown[]>
}

export type RecordedContract = {
  contract: string
  address: string
  /** Name in `abis`: the Hub answers more than is in its own code. */
  abi?: string
  block?: number
  transaction?: string
  /** As the contract got them, ABI-encoded. */
  constructorArguments?: string
}

/** What a run wrote down before it sent anything. */
type Begun = Pick<NetworkRecord, 'parameters' | 'block'> & { addresses: Record<string, string> }

type Place = { directory: string; chainId: bigint }

function recordPath({ directory, chainId }: Place): string {
  return join(directory, `${chainId}.json`)
}

function begunPath({ directory, chainId }: Place): string {
  return join(directory, `${chainId}.begun.json`)
}

export async function readRecord(place: Place): Promise<NetworkRecord | undefined> {
  return readJson<NetworkRecord>(recordPath(place))
}

export async function readBegun(place: Place): Promise<Begun | undefined> {
  return readJson<Begun>(begunPath(place))
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Other parameters or other code mean other addresses: a second marketplace, which nobody should get by mistake.
 *
 * @throws OtherDeploymentError
 */
export async function expectSame({
  ethers,
  parameters,
  planned,
  replace,
  ...place
}: Place & {
  ethers: NetworkConnection['ethers']
  parameters: NetworkParameters
  planned: PlannedContract[]
  replace: boolean
}): Promise<void> {
  if (replace) return
  const record = await readRecord(place)
  const begun = await readBegun(place)
  const known = record === undefined ? begun : { parameters: record.parameters, addresses: addressesIn(record) }
  if (known === undefined) return
  const others = planned.filter(({ contract, address }) => known.addresses[contract] !== address)
  const left = Object.values(known.addresses).filter((address) => planned.every((one) => one.address !== address))
  const codes = await Promise.all(left.map((address) => ethers.provider.getCode(address)))
  // A run that was killed before it made anything else than this one would has left nothing to be mistaken about.
  if (others.length === 0 || (record === undefined && codes.every((code) => code === '0x'))) return
  const changed = changedParameters(known.parameters, parameters)
  throw new OtherDeploymentError({
    chainId: place.chainId,
    source: record === undefined ? begunPath(place) : recordPath(place),
    differences: changed.length > 0 ? changed : changedCode(others, known.addresses),
  })
}

function addressesIn({ contracts }: NetworkRecord): Record<string, string> {
  return Object.fromEntries(Object.values(contracts).map(({ contract, address }) => [contract, address]))
}

function changedParameters(before: NetworkParameters, now: NetworkParameters): string[] {
  const flat = (value: object, path = ''): [string, string][] =>
    Object.entries(value).flatMap(([key, member]): [string, string][] =>
      typeof member === 'object' && !Array.isArray(member)
        ? flat(member, `${path}${key}.`)
        : [[path + key, JSON.stringify(member)]],
    )
  const old = new Map(flat(before))
  const fresh = new Map(flat(now))
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((key) => old.get(key) !== fresh.get(key))
    .map((key) => `"${key}" is recorded as ${old.get(key) ?? 'absent'}, and is ${fresh.get(key) ?? 'absent'} now.`)
}

function changedCode(others: PlannedContract[], known: Record<string, string>): string[] {
  return [
    'The parameters are the same, so the contracts or the compiler have changed since:',
    ...others.map(
      ({ contract, address }) => `${contract} is recorded at ${known[contract]}, and would be at ${address}.`,
    ),
  ]
}

/** Written before anything is sent: with what the run began, and at which block. */
export async function rememberBegun({
  ethers,
  parameters,
  planned,
  ...place
}: Place & {
  ethers: NetworkConnection['ethers']
  parameters: NetworkParameters
  planned: PlannedContract[]
}): Promise<void> {
  const addresses = Object.fromEntries(planned.map(({ contract, address }) => [contract, address]))
  const begun = await readBegun(place)
  if (begun !== undefined && JSON.stringify(begun.addresses) === JSON.stringify(addresses)) return
  const block = (await ethers.provider.getBlockNumber()) + 1
  await mkdir(place.directory, { recursive: true })
  await writeFile(begunPath(place), toJson({ parameters, addresses, block } satisfies Begun))
}

/** Writes the record, and what TypeScript imports of all records. A record that is the same already stays untouched. */
export async function writeRecord(record: NetworkRecord, directory: string): Promise<void> {
  const place = { directory, chainId: BigInt(record.chainId) }
  await mkdir(directory, { recursive: true })
  await writeIfChanged(recordPath(place), recordJson(record))
  await writeIfChanged(join(directory, 'index.ts'), await indexOf(directory))
  await rm(begunPath(place), { force: true })
}

async function writeIfChanged(path: string, text: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before !== text) await writeFile(path, text)
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** One line for each fragment of an ABI: so that a difference can be read. */
function recordJson({ abis, ...rest }: NetworkRecord): string {
  const lists = Object.entries(abis).map(([name, fragments]) => {
    return `    "${name}": [\n${fragments.map((fragment) => `      ${JSON.stringify(fragment)}`).join(',\n')}\n    ]`
  })
  return `${toJson(rest).slice(0, -3)},\n  "abis": {\n${lists.join(',\n')}\n  }\n}\n`
}

/** The text of `index.ts`: the addresses in every record of the folder, without ABIs, which the code has already. */
export async function indexOf(directory: string): Promise<string> {
  const ids = (await readdir(directory)).flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(BigInt)
  const entries: string[] = []
  for (const chainId of ids.sort((a, b) => Number(a - b))) {
    const record = await readRecord({ directory, chainId })
    if (record !== undefined) entries.push(entryOf(record))
  }
  return [
    '// Written by `npm run deploy`, of the records beside it: do not edit.',
    `export const deployments = [${entries.length === 0 ? '' : `\n${entries.join('\n')}\n`}] as const`,
    '',
  ].join('\n')
}

function entryOf({ chainId, network, escrow, block, contracts }: NetworkRecord): string {
  const addresses = Object.entries(contracts).map(([name, { address }]) => `      ${name}: '${address}',`)
  return [
    '  {',
    `    chainId: ${chainId}n,`,
    `    network: '${network}',`,
    `    escrow: '${escrow}',`,
    `    block: ${block},`,
    '    addresses: {',
    ...addresses,
    '    },',
    '  },',
  ].join('\n')
}
