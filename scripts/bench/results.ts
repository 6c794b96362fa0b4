import { type Address, type Hex, Task, zeroAddress } from '@sealdeal/protocol'
import { AbiCoder, getBytes, hexlify, id, keccak256, toUtf8Bytes, Wallet } from 'ethers'
import type { Account } from './chain.ts'
import type { Market } from './market.ts'

/** What a worker publishes of a result: 85 bytes. */
export const results = hexlify(
  toUtf8Bytes('{"storage":"ipfs","location":"/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdGx"}'),
) as Hex

/** What a contract is called back with: one word. */
export const callbackData = id('a word for a contract') as Hex

export const enclave = new Wallet(id('the key that an enclave made'))

export type Contribution = {
  digest: Hex
  hash: Hex
  seal: Hex
  resultsCallback: Hex
  challenge: Address
  enclaveSign: string
  authorizationSign: string
}

type Wanted = { worker?: Account; tee?: boolean; callback?: boolean; digest?: Hex }

/** What the app computed; a result for a contract is known by its hash. */
const outputDigest = id('the output of the app') as Hex

function digestOf(callback: boolean): Hex {
  return callback ? (keccak256(callbackData) as Hex) : outputDigest
}

/** What a worker hands in, authorized by the pool's owner. All workers of a task find the same. */
export async function contribution(
  { accounts }: Market,
  taskId: Hex,
  { worker = first(accounts.workers), tee = false, callback = false, digest = digestOf(callback) }: Wanted,
): Promise<Contribution> {
  const address = worker.address as Address
  const challenge = tee ? (enclave.address as Address) : zeroAddress
  const resultsCallback = callback ? callbackData : '0x'
  const authorization = getBytes(Task.authorizationHash(address, taskId, challenge))
  return {
    digest,
    hash: Task.resultHash(taskId, digest),
    seal: Task.resultSeal(address, taskId, digest),
    resultsCallback,
    challenge,
    enclaveSign: tee ? await enclave.signMessage(getBytes(Task.enclaveHash(address, taskId, digest))) : '0x',
    authorizationSign: await accounts.scheduler.signMessage(authorization),
  }
}

export function first<T>(list: T[]): T {
  const [head] = list
  if (head === undefined) throw new Error('The list is empty.')
  return head
}

/** What a worker with an enclave hands in to have a task opened and settled at once. */
export async function settlement(market: Market, dealId: Hex, index: bigint) {
  const taskId = Task.id(dealId, index)
  const worker = first(market.accounts.workers)
  const hashes = [outputDigest, keccak256(results), keccak256('0x')]
  const digest = keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'bytes32'], hashes)) as Hex
  const { challenge, authorizationSign } = await contribution(market, taskId, { worker, tee: true, digest })
  const hash = Task.settlementHash(worker.address as Address, taskId, digest)
  return {
    idx: index,
    worker: worker.address,
    outputDigest,
    results,
    resultsCallback: '0x',
    enclaveChallenge: challenge,
    enclaveSign: await enclave.signMessage(getBytes(hash)),
    authorizationSign,
  }
}

/** What the enclave signs, as EIP-191, over a fault that is not the worker's. */
export function failureHash(worker: Address, taskId: Hex, cause: bigint): Hex {
  const typeHash = id('TaskFailure(bytes32 taskid,address worker,uint256 cause)')
  const values = [typeHash, taskId, worker, cause]
  return keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'bytes32', 'address', 'uint256'], values)) as Hex
}
