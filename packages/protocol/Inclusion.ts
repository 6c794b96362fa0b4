// What a block proves by its header alone: that a receipt, with the events in it, is part of it.
import { createMerkleProof, createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import {
  concat,
  decodeRlp,
  encodeRlp,
  getAddress,
  getBytes,
  keccak256,
  type RlpStructuredDataish,
  toBeArray,
} from 'ethers'
import * as Bytes from './Bytes.ts'
import { BaseError } from './errors.ts'
import type { Address, Hex } from './hex.ts'

/** A block as `eth_getBlockByNumber` answers: members that its chain does not have are absent. */
export type RpcBlock = { hash: Hex } & Record<string, unknown>

/** A receipt as `eth_getTransactionReceipt` and `eth_getBlockReceipts` answer. */
export type RpcReceipt = {
  type?: Hex
  status?: Hex
  root?: Hex
  cumulativeGasUsed: Hex
  logsBloom: Hex
  logs: { address: Address; topics: Hex[]; data: Hex }[]
}

/** An event as a receipt holds it. */
export type Log = { address: Address; topics: Hex[]; data: Hex }

/** What a header says that matters here. `hash` is all that needs to be compared with the chain. */
export type Header = { hash: Hex; receiptsRoot: Hex; number: bigint; timestamp: bigint }

/** Blocks of this chain cannot be proved by what its node tells of them. */
export class ProofUnavailableError extends BaseError {
  override name = 'ProofUnavailableError'
  constructor({ block, reason }: { block: string; reason: string }) {
    super(`Block ${block} cannot be proved by its header: ${reason}.`, {
      metaMessages: ['Ask another node of the same chain, or leave receipts: the chain itself still has it all.'],
      docsPath: '/receipts#blocks',
    })
  }
}

/** Members of a header in their order (Yellow Paper 4.3; EIP-1559, 4895, 4844, 4788, 7685). Numbers have no leading zeros. */
const members = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'number'],
  ['number', 'number'],
  ['gasLimit', 'number'],
  ['gasUsed', 'number'],
  ['timestamp', 'number'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
  ['baseFeePerGas', 'number'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'number'],
  ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
] as const

const place = (name: (typeof members)[number][0]) => members.findIndex(([member]) => member === name)

/**
 * The header of a block in RLP: its keccak256 is the block's hash.
 *
 * @throws ProofUnavailableError where the chain has headers of another form.
 */
export function encodeHeader(block: RpcBlock): Hex {
  const values = members.flatMap(([name, type]) => {
    const value = block[name]
    if (typeof value !== 'string') return []
    return [type === 'number' ? number(value) : value]
  })
  const header = encodeRlp(values) as Hex
  if (keccak256(header) === block.hash) return header
  throw new ProofUnavailableError({ block: block.hash, reason: 'its hash is not that of the members that are known' })
}

/** Reads a header. Throws when the bytes are none. */
export function decodeHeader(header: Hex): Header {
  const values = decodeRlp(header)
  const at = (name: Parameters<typeof place>[0]): Hex => {
    const value = Array.isArray(values) ? values[place(name)] : undefined
    if (typeof value !== 'string') throw new Error(`a header without ${name}`)
    return value as Hex
  }
  const numberAt = (name: Parameters<typeof place>[0]) => (at(name) === '0x' ? 0n : BigInt(at(name)))
  return {
    hash: keccak256(header) as Hex,
    receiptsRoot: at('receiptsRoot'),
    number: numberAt('number'),
    timestamp: numberAt('timestamp'),
  }
}

/**
 * The nodes of the trie of a block's receipts that lead to one of them (EIP-1186's form of a proof).
 *
 * @param receipts all of the block, in order.
 * @throws ProofUnavailableError where the chain has receipts of another form.
 */
export async function proveReceipt({
  block,
  receipts,
  index,
}: {
  block: RpcBlock
  receipts: readonly RpcReceipt[]
  index: number
}): Promise<Hex[]> {
  const trie = await createMPT()
  for (const [position, receipt] of receipts.entries()) await trie.put(keyOf(position), encodeReceipt(receipt))
  if (Bytes.toHex(trie.root()) !== block.receiptsRoot) {
    throw new ProofUnavailableError({ block: block.hash, reason: 'its receipts are not encoded as in Ethereum' })
  }
  return (await createMerkleProof(trie, keyOf(index))).map(Bytes.toHex)
}

/** The events of the receipt at `index`. Throws when the nodes do not lead there from the root. */
export async function provenLogs({
  receiptsRoot,
  index,
  proof,
}: {
  receiptsRoot: Hex
  index: number
  proof: readonly Hex[]
}): Promise<Log[]> {
  const nodes = proof.map(Bytes.fromHex)
  const receipt = await verifyMerkleProof(keyOf(index), nodes, { root: Bytes.fromHex(receiptsRoot) })
  if (receipt === null) throw new Error('the trie holds nothing there')
  // EIP-2718: a byte below 0x80 in front is the transaction's type.
  const fields = decodeRlp((receipt[0] ?? 0) < 0x80 ? receipt.slice(1) : receipt) as [string, string, string, unknown]
  const logs = fields[3] as [string, string[], string][]
  return logs.map(([address, topics, data]) => ({
    address: getAddress(address) as Address,
    topics: topics as Hex[],
    data: data as Hex,
  }))
}

function encodeReceipt({ type = '0x0', status, root, cumulativeGasUsed, logsBloom, logs }: RpcReceipt): Uint8Array {
  const outcome = status === undefined ? (root ?? '0x') : number(status)
  const events = logs.map(({ address, topics, data }): RlpStructuredDataish => [address, topics, data])
  const body = encodeRlp([outcome, number(cumulativeGasUsed), logsBloom, events])
  return getBytes(BigInt(type) === 0n ? body : concat([toBeArray(BigInt(type)), body]))
}

function number(quantity: string): Uint8Array {
  return toBeArray(BigInt(quantity))
}

function keyOf(index: number): Uint8Array {
  return getBytes(encodeRlp(toBeArray(index)))
}
