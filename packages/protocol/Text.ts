import { AbiCoder, type BytesLike, getBytes, Interface, type InterfaceAbi, ParamType, Result } from 'ethers'

// Nobody holds a contract to write UTF-8: whoever makes an order or an asset chooses the bytes of its texts, and could keep
// every reader that refuses some from reading on.

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Takes texts as bytes, and reads U+FFFD where they are no UTF-8. */
class TolerantCoder extends AbiCoder {
  override decode(types: readonly (string | ParamType)[], data: BytesLike, loose?: boolean): Result {
    const params = types.map((type) => ParamType.from(type))
    return readTuple(params, super.decode(params.map(withoutTexts), data, loose))
  }
}

const coder = new TolerantCoder()

class TolerantInterface extends Interface {
  override getAbiCoder(): AbiCoder {
    return coder
  }
}

/** An interface that can read whatever bytes are in a contract's texts. It writes as any other does. */
export function tolerant(abi: InterfaceAbi): Interface {
  return new TolerantInterface(Interface.from(abi).fragments)
}

const known = new WeakMap<ParamType, ParamType>()

function withoutTexts(type: ParamType): ParamType {
  const found = known.get(type) ?? ParamType.from(JSON.parse(type.format('json'), bytesForTexts))
  known.set(type, found)
  return found
}

/** An event's indexed arguments are decoded apart, as if they were not indexed. */
function bytesForTexts(key: string, value: unknown): unknown {
  if (key === 'indexed') return undefined
  return key === 'type' && typeof value === 'string' ? value.replace(/^string\b/, 'bytes') : value
}

function readTuple(types: readonly ParamType[], values: Result): Result {
  return Result.fromItems(
    types.map((type, index) => read(type, values[index])),
    types.map(({ name }) => name || null),
  )
}

function read(type: ParamType, value: unknown): unknown {
  if (type.type === 'string') return decoder.decode(getBytes(value as string))
  if (type.components) return readTuple(type.components, value as Result)
  const child = type.arrayChildren
  return child ? Result.fromItems([...(value as Result)].map((each) => read(child, each))) : value
}
