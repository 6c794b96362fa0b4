// What the compiler made of the contracts that are ours to deploy.
import { readFile } from 'node:fs/promises'
import hre from 'hardhat'

/** One entry of a contract's ABI, as solc writes it. */
export type AbiEntry = {
  type: 'function' | 'event' | 'error' | 'constructor' | 'fallback' | 'receive'
  name?: string
  inputs?: AbiParameter[]
  outputs?: AbiParameter[]
  stateMutability?: string
}

type AbiParameter = { type: string; indexed?: boolean; components?: AbiParameter[] }

export async function abiOf(contract: string): Promise<AbiEntry[]> {
  const { abi } = await hre.artifacts.readArtifact(contract)
  return [...abi]
}

/**
 * One line per entry, in the form of the reference's committed list:
 * `function name(inputs) mutability returns(outputs)`, `event Name(type indexed,type)`, `error Name(types)`, `receive`.
 */
export function lineOf(entry: AbiEntry): string {
  const inputs = (entry.inputs ?? []).map((input) => `${typeOf(input)}${input.indexed === true ? ' indexed' : ''}`)
  const outputs = (entry.outputs ?? []).map(typeOf)
  if (entry.type === 'fallback' || entry.type === 'receive') return entry.type
  const head = `${entry.type} ${entry.name}(${inputs.join(',')})`
  return entry.type === 'function' ? `${head} ${entry.stateMutability} returns(${outputs.join(',')})` : head
}

function typeOf({ type, components }: AbiParameter): string {
  return components === undefined ? type : type.replace('tuple', `(${components.map(typeOf).join(',')})`)
}

/** The fully qualified names of all contracts that end up on a chain: everything with code but the mocks. */
export async function deployables(): Promise<{ name: string; runtimeBytes: number; creationBytes: number }[]> {
  const names = [...(await hre.artifacts.getAllFullyQualifiedNames())]
  const ours = names.filter((name) => name.startsWith('contracts/') && !name.startsWith('contracts/mocks/')).sort()
  const sizes = await Promise.all(
    ours.map(async (name) => {
      const { bytecode, deployedBytecode } = await hre.artifacts.readArtifact(name)
      return { name, runtimeBytes: (deployedBytecode.length - 2) / 2, creationBytes: (bytecode.length - 2) / 2 }
    }),
  )
  return sizes.filter(({ runtimeBytes }) => runtimeBytes > 0)
}

type StorageLayout = {
  storage: { label: string; slot: string; offset: number; type: string }[]
  types: Record<string, StorageType> | null
}

type StorageType = {
  label: string
  numberOfBytes: string
  key?: string
  value?: string
  base?: string
  members?: StorageLayout['storage']
}

/**
 * Every variable of a contract with its place, and with its type spelled out down to the last member of a struct: names
 * alone would let a changed struct pass.
 */
export async function storageOf(contract: string): Promise<string[]> {
  const name = contract.split(':')[1] ?? ''
  const source = contract.split(':')[0] ?? ''
  const id = await hre.artifacts.getBuildInfoId(contract)
  const path = id === undefined ? undefined : await hre.artifacts.getBuildInfoOutputPath(id)
  if (path === undefined) throw new Error(`"${contract}" was not compiled with its build information.`)
  const { output } = JSON.parse(await readFile(path, 'utf8'))
  const file = Object.keys(output.contracts).find((key) => key.endsWith(source))
  const layout: StorageLayout | undefined = file === undefined ? undefined : output.contracts[file][name].storageLayout
  if (layout === undefined) throw new Error(`The compiler was not asked for the storage layout of "${contract}".`)
  return layout.storage.map(({ label, slot, offset, type }) => {
    return `${label} at ${slot}+${offset}: ${spelled(type, layout.types ?? {})}`
  })
}

function spelled(id: string, types: Record<string, StorageType>): string {
  const type = types[id]
  if (type === undefined) throw new Error(`The storage layout names no type "${id}".`)
  const { label, numberOfBytes, key, value, base, members } = type
  const parts = [
    ...(key === undefined ? [] : [`key ${spelled(key, types)}`]),
    ...(value === undefined ? [] : [`value ${spelled(value, types)}`]),
    ...(base === undefined ? [] : [`base ${spelled(base, types)}`]),
    ...(members ?? []).map((member) => {
      return `${member.label} at ${member.slot}+${member.offset} ${spelled(member.type, types)}`
    }),
  ]
  return `${label}/${numberOfBytes}${parts.length === 0 ? '' : ` {${parts.join('; ')}}`}`
}
