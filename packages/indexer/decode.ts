import { Contracts, type Hex } from '@sealdeal/protocol'
import type { ChainLog } from '@sealdeal/server'
import {
  AbiCoder,
  EventFragment,
  type FunctionFragment,
  getBytes,
  Interface,
  type JsonFragmentType,
  ParamType,
} from 'ethers'

/** Values by name, as plain data: hex in lower case, numbers as `bigint`, U+FFFD where a text is no UTF-8. */
export type Values = { readonly [name: string]: Value }
export type Value = string | bigint | boolean | readonly Value[] | Values

export type Event = {
  name: string
  args: Values
  /** Who said it, in lower case. */
  emitter: Hex
  block: bigint
  /** Place in the block. */
  log: number
  transaction: Hex
  /** Unix seconds. */
  timestamp: bigint
}

// Nobody holds a contract to write UTF-8: texts are read as bytes, so that no text can keep us from reading on.
const lenient = (type: ParamType): JsonFragmentType => asBytes(JSON.parse(type.format('json')))

function asBytes<Fragment extends { type?: string; components?: readonly unknown[] }>(fragment: Fragment): Fragment {
  const { type, components } = fragment
  return {
    ...fragment,
    ...(type ? { type: type.replace(/^string\b/, 'bytes') } : {}),
    ...(components ? { components: components.map((each) => asBytes(each as Fragment)) } : {}),
  }
}

type Decoder = { name: string; inputs: readonly ParamType[]; indexed: number; event: EventFragment; from: Interface }

/** Tokens of both kinds call an event `Transfer`: how many of its arguments are topics tells which it is. */
const decoders = new Map<string, Decoder>()
for (const abi of [
  Contracts.abis.datasetRegistry,
  Contracts.abis.hub,
  Contracts.abis.dataProtector,
  workerpoolEvents(),
]) {
  for (const fragment of Interface.from(abi).fragments) {
    if (!EventFragment.isFragment(fragment)) continue
    const { name, inputs, topicHash } = fragment
    const indexed = inputs.filter((each) => each.indexed).length
    const event = EventFragment.from({
      type: 'event',
      name,
      anonymous: true,
      inputs: inputs.map(lenient),
    })
    const decoder = { name, inputs, indexed, event, from: new Interface([event]) }
    decoders.set(`${topicHash}/${indexed}`, decoder)
  }
}

function workerpoolEvents(): string[] {
  return [Contracts.everything.getEvent('PolicyUpdate')?.format('full') ?? '']
}

export const policyTopic = Contracts.everything.getEvent('PolicyUpdate')?.topicHash as Hex

/** What a log says, or `undefined` when it says nothing of ours. */
export function decodeLog(log: ChainLog, timestamp: bigint): Event | undefined {
  const decoder = decoders.get(`${log.topics[0]}/${log.topics.length - 1}`)
  if (!decoder) return undefined
  const { name, inputs, event, from } = decoder
  const decoded = from.decodeEventLog(event, log.data, log.topics.slice(1))
  return {
    name,
    args: plainTuple(inputs, decoded.toArray()),
    emitter: log.address.toLowerCase() as Hex,
    block: log.blockNumber,
    log: log.logIndex,
    transaction: log.transactionHash.toLowerCase() as Hex,
    timestamp,
  }
}

/** What a call of one of the Hub's functions answered. */
export function decodeAnswer(fragment: FunctionFragment, data: string): Value {
  const [type] = fragment.outputs
  if (!type) throw new Error(`${fragment.name} answers nothing`)
  const [value] = AbiCoder.defaultAbiCoder()
    .decode([ParamType.from(lenient(type))], data)
    .toArray()
  return plain(type, value)
}

function plainTuple(types: readonly ParamType[], values: readonly unknown[]): Values {
  return Object.fromEntries(types.map((type, index) => [type.name, plain(type, values[index])]))
}

function plain(type: ParamType, value: unknown): Value {
  if (type.components) return plainTuple(type.components, (value as { toArray: () => unknown[] }).toArray())
  if (type.arrayChildren) {
    const child = type.arrayChildren
    return [...(value as Iterable<unknown>)].map((each) => plain(child, each))
  }
  if (type.type === 'string') return readText(value as string)
  return typeof value === 'string' ? value.toLowerCase() : (value as bigint | boolean)
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function readText(bytes: string): string {
  return decoder.decode(getBytes(bytes))
}
