import {
  type ArgumentType,
  type ArtifactResolver,
  type Future,
  type IgnitionModule,
  isAccountRuntimeValue,
  isFuture,
  isModuleParameterRuntimeValue,
  isNamedContractAtFuture,
  isNamedContractDeploymentFuture,
  type NamedArtifactContractDeploymentFuture,
} from '@nomicfoundation/ignition-core'
import { concat, Interface } from 'ethers'
import { createXAddress } from './createx.ts'

/** One contract that a module makes, with everything that decides where. */
export type PlannedContract = {
  /** The module's and the contract's name, as in Ignition's journal: `Registries#AppRegistry`. */
  id: string
  contract: string
  args: unknown[]
  initCode: string
  address: string
}

/** What the module will make through CreateX, and where: known before anything is sent. Dependencies come first. */
export async function predict({
  module,
  parameters,
  salt,
  artifacts,
}: {
  module: IgnitionModule
  parameters: Record<string, unknown>
  salt: string
  artifacts: ArtifactResolver
}): Promise<PlannedContract[]> {
  const planned = new Map<string, PlannedContract>()

  const addressOf = (future: Future): string => {
    if (isNamedContractAtFuture(future)) return String(resolved(future.address as ArgumentType))
    const address = planned.get(future.id)?.address
    if (address === undefined) throw new Error(`The address of "${future.id}" cannot be known before it is deployed.`)
    return address
  }
  const resolved = (value: ArgumentType): unknown => {
    if (isFuture(value)) return addressOf(value)
    if (isModuleParameterRuntimeValue(value)) return parameters[value.name] ?? resolved(value.defaultValue ?? '')
    if (isAccountRuntimeValue(value)) throw new Error('An address that depends on who deploys is not predictable.')
    if (Array.isArray(value)) return value.map(resolved)
    if (typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, resolved(member)]))
  }

  for (const future of inOrder(module)) {
    const { abi, bytecode } = await artifacts.loadArtifact(future.contractName)
    const args = future.constructorArgs.map(resolved)
    const initCode = concat([bytecode, Interface.from(abi).encodeDeploy(args)])
    const address = createXAddress({ salt, initCode })
    planned.set(future.id, { id: future.id, contract: future.contractName, args, initCode, address })
  }
  return [...planned.values()]
}

/** Every contract that the module or one of its submodules deploys, dependencies first. */
function inOrder(module: IgnitionModule): NamedArtifactContractDeploymentFuture<string>[] {
  const found = new Map<string, NamedArtifactContractDeploymentFuture<string>>()
  const visit = (item: Future | IgnitionModule) => {
    if (!isFuture(item)) return [...item.submodules, ...item.futures].forEach(visit)
    if (found.has(item.id)) return
    for (const dependency of item.dependencies) visit(dependency)
    if (isNamedContractDeploymentFuture(item)) found.set(item.id, item)
  }
  visit(module)
  return [...found.values()]
}
