import { readFile } from 'node:fs/promises'
import { getAddress, id } from 'ethers'
import { ParameterError } from './errors.ts'

/** What a network's marketplace is made of. Addresses of contracts follow from it, and from the contracts' code. */
export type NetworkParameters = {
  escrow: 'token' | 'native'
  /** The token that the network has. Without it, and without native escrow, a test token is made. */
  token?: string
  /** Whom the test token belongs to, all of it. */
  tokenHolder?: string
  /** Who authorizes enclaves in place of the pools. */
  teeBroker?: string
  /** Who owns everything, through OpenZeppelin's TimelockController. */
  timelock: { delay: number; proposers: string[]; executors: string[] }
  salt: string
}

const TWO_DAYS = 172_800

type Fields = Record<string, unknown>

/** Reads a JSON file of parameters; all of them are optional. */
export async function readParameters(path: string | undefined, deployer: string): Promise<NetworkParameters> {
  if (path === undefined) return parseParameters({}, { source: 'The parameters', deployer })
  const source = `The parameter file ${path}`
  let fields: unknown
  try {
    fields = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new ParameterError({ source, problems: [error instanceof Error ? error.message : String(error)] })
  }
  return parseParameters(fields, { source, deployer })
}

/**
 * @throws ParameterError that lists every unknown name and every wrong value.
 */
export function parseParameters(
  value: unknown,
  { source, deployer }: { source: string; deployer: string },
): NetworkParameters {
  const problems: string[] = []
  const root = fieldsOf(value, { path: '', known: names, problems })
  const timelock = fieldsOf(root.timelock ?? {}, { path: 'timelock.', known: timelockNames, problems })
  const escrow = root.escrow ?? 'token'
  if (escrow !== 'token' && escrow !== 'native')
    problems.push(`"escrow" must be "token" or "native", not ${show(escrow)}.`)
  const proposers = addressesAt(timelock.proposers ?? [deployer], 'timelock.proposers', problems)
  const parameters: NetworkParameters = {
    escrow: escrow === 'native' ? 'native' : 'token',
    ...optionalAddress(root, 'token', problems),
    ...optionalAddress(root, 'tokenHolder', problems),
    ...optionalAddress(root, 'teeBroker', problems),
    timelock: {
      delay: delayAt(timelock.delay ?? TWO_DAYS, problems),
      proposers,
      executors: addressesAt(timelock.executors ?? proposers, 'timelock.executors', problems),
    },
    salt: id(textAt(root.salt ?? 'sealdeal', 'salt', problems)),
  }
  const { token, tokenHolder } = parameters
  if (escrow === 'native' && token !== undefined) problems.push('"token" is for the escrow of a token, not "native".')
  if (tokenHolder !== undefined && (escrow === 'native' || token !== undefined)) {
    problems.push('"tokenHolder" gets a token that is made here, and none is made.')
  }
  if (problems.length > 0) throw new ParameterError({ source, problems })
  return parameters
}

const names = ['escrow', 'token', 'tokenHolder', 'teeBroker', 'timelock', 'salt']
const timelockNames = ['delay', 'proposers', 'executors']

function fieldsOf(
  value: unknown,
  { path, known, problems }: { path: string; known: string[]; problems: string[] },
): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${path === '' ? 'The whole' : `"${path.slice(0, -1)}"`} must be an object, not ${show(value)}.`)
    return {}
  }
  for (const name of Object.keys(value).filter((name) => !known.includes(name))) {
    problems.push(`"${path}${name}" is unknown. Known: ${known.join(', ')}.`)
  }
  return { ...value }
}

function optionalAddress<K extends string>(fields: Fields, name: K, problems: string[]): { [P in K]?: string } {
  if (fields[name] === undefined) return {}
  const [address] = addressesAt([fields[name]], name, problems)
  return { [name]: address } as { [P in K]?: string }
}

function addressesAt(value: unknown, name: string, problems: string[]): string[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.push(`"${name}" must be a list of at least one address, not ${show(value)}.`)
    return []
  }
  return value.map((item) => {
    try {
      return getAddress(String(item))
    } catch {
      problems.push(
        `"${name}" must be 0x and 40 hexadecimal digits (with the right checksum, if any), not ${show(item)}.`,
      )
      return ''
    }
  })
}

function delayAt(value: unknown, problems: string[]): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  problems.push(`"timelock.delay" must be a whole number of seconds, not ${show(value)}.`)
  return 0
}

function textAt(value: unknown, name: string, problems: string[]): string {
  if (typeof value === 'string' && value !== '') return value
  problems.push(`"${name}" must be a text, not ${show(value)}.`)
  return ''
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}
