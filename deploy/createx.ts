import { getCreate2Address, Interface, id, keccak256, Transaction } from 'ethers'
import type { NetworkConnection } from 'hardhat/types/network'
import { FactoryError, InsufficientFundsError } from './errors.ts'

/**
 * CreateX, the factory that Ignition's CREATE2 strategy calls. On every chain it has this address and this code, since it
 * was made by one transaction that its authors signed for all chains, with a key that is used for nothing else.
 */
export const createX = '0xba5Ed099633D3B313e4D5F7bdc1305d3c28ba5Ed'
const codeHash = '0xbd8a7ea8cfca7b4e5f5041d7d4b17bc317c5ce42cfbc42066a00cf26b43eb53f'

/** Logged by CreateX for each contract, with its address as the first topic behind this one. */
export const contractCreation = id('ContractCreation(address,bytes32)')

type Ethers = NetworkConnection['ethers']

/**
 * Where CreateX puts a contract. The deployer is no part of it: whoever sends the same creation code gets the same address.
 * CreateX hashes the salt, as long as that does not begin with the sender's address or with zeros, which ask for protection.
 */
export function createXAddress({ salt, initCode }: { salt: string; initCode: string }): string {
  return getCreate2Address(createX, keccak256(salt), keccak256(initCode))
}

const factory = new Interface(['function deployCreate2(bytes32 salt, bytes initCode) payable returns (address)'])

/** What CreateX is told to make a contract. */
export function creationCall({ salt, initCode }: { salt: string; initCode: string }): string {
  return factory.encodeFunctionData('deployCreate2', [salt, initCode])
}

/**
 * Puts CreateX where it is missing: the deployer pays its authors' account what their signed transaction costs at most,
 * then sends that transaction.
 *
 * @throws FactoryError when that is impossible, or when other code lies at its address; InsufficientFundsError.
 */
export async function ensureCreateX({
  ethers,
  deployer,
  confirmations,
  onProgress,
}: {
  ethers: Ethers
  deployer: string
  confirmations: number
  onProgress: (done: string) => void
}): Promise<void> {
  const { provider } = ethers
  if (await isCreateXThere(ethers)) return
  const transaction = await presignedTransaction()
  const author = transaction.from ?? ''
  await expectSendable({ ethers, transaction })
  const missing = transaction.gasLimit * (transaction.gasPrice ?? 0n) - (await provider.getBalance(author))
  if (missing > 0n) {
    const balance = await provider.getBalance(deployer)
    const purpose = 'the factory CreateX, which this chain does not have yet,'
    if (balance < missing) throw new InsufficientFundsError({ deployer, balance, needed: missing, purpose })
    const signer = await ethers.getSigner(deployer)
    await (await signer.sendTransaction({ to: author, value: missing })).wait(confirmations)
  }
  await broadcast({ ethers, transaction, confirmations })
  if (!(await isCreateXThere(ethers))) {
    const remedy = 'Deploy on another chain, or with the basic strategy of Hardhat Ignition.'
    throw new FactoryError({ reason: 'its transaction made no contract', remedy })
  }
  onProgress(`CreateX at ${createX}, which this chain did not have`)
}

export async function isCreateXThere(ethers: Ethers): Promise<boolean> {
  const code = await ethers.provider.getCode(createX)
  if (code === '0x') return false
  if (keccak256(code) === codeHash) return true
  const remedy = 'Do not deploy here: whatever lies there may do what it likes with each contract.'
  throw new FactoryError({ reason: `the code at ${createX} is not its own`, remedy })
}

/** A transaction that fails uses up the nonce, and with it the address, for ever: so look before. */
async function expectSendable({ ethers, transaction }: { ethers: Ethers; transaction: Transaction }): Promise<void> {
  const { from: author, data, gasLimit } = transaction
  const remedy = 'Ask its authors for a transaction with a higher gas limit; see docs/deploy.md.'
  if ((await ethers.provider.getTransactionCount(author ?? '')) > 0) {
    throw new FactoryError({ reason: `its authors' account ${author} has used its first nonce already`, remedy })
  }
  const gas = await ethers.provider.estimateGas({ from: author, data })
  if (gas <= gasLimit) return
  throw new FactoryError({ reason: `it takes ${gas} gas here, and the transaction allows ${gasLimit}`, remedy })
}

async function broadcast({
  ethers,
  transaction,
  confirmations,
}: {
  ethers: Ethers
  transaction: Transaction
  confirmations: number
}): Promise<void> {
  const sent = ethers.provider.broadcastTransaction(transaction.serialized)
  const refusal = await sent.then(
    () => undefined,
    (error: unknown) => error,
  )
  const known = await ethers.provider.getTransaction(transaction.hash ?? '')
  if (known === null) {
    const remedy =
      'It is signed for every chain, without a chain id (EIP-155): use a node that takes such transactions.'
    throw new FactoryError({ reason: 'the node refuses its transaction', remedy, cause: refusal })
  }
  await ethers.provider.waitForTransaction(transaction.hash ?? '', confirmations)
}

/** The transaction comes with Ignition, which sends it on Hardhat's own chain only, and does not export it. */
async function presignedTransaction(): Promise<Transaction> {
  const artifact = 'internal/execution/strategy/createx-artifact.js'
  const { presignedTx } = await import(new URL(artifact, import.meta.resolve('@nomicfoundation/ignition-core')).href)
  return Transaction.from(String(presignedTx))
}
