// The fields of an app or a dataset lie in its code, and its address follows from its code: who knows the fields can prove
// them by the address alone, without asking the chain. Twin of `Registry.sol` and `Fields.sol`.
import { concat, getCreate2Address, keccak256, toBeHex, zeroPadValue } from 'ethers'
import * as Bytes from './Bytes.ts'
import { InvalidValueError } from './errors.ts'
import type { Address, Hex } from './hex.ts'

/** Where an entry came from: its registry, the code that it delegates to, and who it was made for. */
export type Origin = { registry: Address; master: Address; owner: Address }

export type App = { name: string; type: string; multiaddr: Hex; checksum: Hex; mrEnclave: Hex }
export type Dataset = { name: string; multiaddr: Hex; checksum: Hex }

/** Address of the app that has these fields. */
export function appAddress(origin: Origin, { name, type, multiaddr, checksum, mrEnclave }: App): Address {
  return addressOf(origin, [checksum, ...[text(name), text(type), multiaddr].flatMap(measured), mrEnclave])
}

/** Address of the dataset that has these fields. */
export function datasetAddress(origin: Origin, { name, multiaddr, checksum }: Dataset): Address {
  return addressOf(origin, [checksum, ...measured(text(name)), multiaddr])
}

/** Bytes of a clone of ERC-1167, around the address that it delegates to. */
const head = '0x363d3d373d3d3d363d73'
const tail = '0x5af43d82803e903d91602b57fd5bf3'
const proxyLength = 45

function addressOf({ registry, master, owner }: Origin, parts: readonly Hex[]): Address {
  const fields = concat(parts)
  const length = toBeHex(proxyLength + (fields.length - 2) / 2, 2)
  const code = concat(['0x61', length, '0x3d81600a3d39f3', head, master, tail, fields])
  return getCreate2Address(registry, zeroPadValue(owner, 32), keccak256(code)) as Address
}

/** A field behind its length in two bytes. */
function measured(field: Hex): Hex[] {
  const length = (field.length - 2) / 2
  if (length > 0xffff)
    throw new InvalidValueError({ path: 'asset', expected: 'fields below 65,536 bytes', value: length })
  return [toBeHex(length, 2) as Hex, field]
}

function text(value: string): Hex {
  return Bytes.toHex(Bytes.fromUtf8(value))
}
