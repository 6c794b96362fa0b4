// One spelling for each JSON value, so that it can be hashed: RFC 8785. Members are sorted by name, in UTF-16 code units;
// there is no space; strings and numbers are written as ECMAScript does.
import { keccak256 } from 'ethers'
import * as Bytes from './Bytes.ts'
import { InvalidValueError } from './errors.ts'
import type { Hex } from './hex.ts'

/** Members whose value is undefined count as absent. */
export function stringify(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (typeof value !== 'object') throw new InvalidValueError({ path: 'json', expected: 'a JSON value', value })
  if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`).join(',')}}`
}

/** keccak256 of the UTF-8 bytes of that spelling. */
export function hash(value: unknown): Hex {
  return keccak256(Bytes.fromUtf8(stringify(value))) as Hex
}
