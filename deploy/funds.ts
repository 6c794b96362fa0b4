import { dataLength, getBytes } from 'ethers'
import type { ArtifactManager } from 'hardhat/types/artifacts'
import type { NetworkConnection } from 'hardhat/types/network'
import { createX, creationCall } from './createx.ts'
import { InsufficientFundsError } from './errors.ts'
import type { PlannedContract } from './predict.ts'

type Funds = {
  ethers: NetworkConnection['ethers']
  deployer: string
  missing: PlannedContract[]
  artifacts: ArtifactManager
  salt: string
}

/**
 * Refuses to begin what the deployer can certainly not pay. Constructors ask for one another, so their gas cannot be
 * estimated before they are there; what a transaction, its data and the code it leaves cost at least is known.
 *
 * @throws InsufficientFundsError
 */
export async function expectFunds(funds: Funds): Promise<void> {
  const error = await shortage(funds)
  if (error !== undefined) throw error
}

/**
 * The error of a run that ended for lack of money, or the one that was given. Nodes estimate with no more gas than the
 * deployer can pay, so that a constructor that would succeed seems to fail: only an estimate without a price tells.
 */
export async function explainFunds({ error, ...funds }: Funds & { error: unknown }): Promise<unknown> {
  const { ethers, deployer } = funds
  const codes = await Promise.all(funds.missing.map(({ address }) => ethers.provider.getCode(address)))
  const missing = funds.missing.filter((_, index) => codes[index] === '0x')
  const balance = await ethers.provider.getBalance(deployer)
  const { maxFeePerGas, gasPrice } = await ethers.provider.getFeeData()
  const offered = maxFeePerGas ?? gasPrice ?? 0n
  const next = offered * (await highestGas({ ...funds, missing }))
  if (next <= balance && !/insufficient funds/i.test(String(error))) return error
  // What the rest costs is a guess from above: twice its least.
  const needed = next + 2n * (await leastCost({ ...funds, missing }))
  const purpose = `what is missing (${namesOf(missing)})`
  return new InsufficientFundsError({ deployer, balance, needed: needed > balance ? needed : balance + next, purpose })
}

/** The most that one transaction takes, of those that could be sent now. */
async function highestGas({ ethers, deployer, missing, salt }: Funds): Promise<bigint> {
  const estimates = missing.map(async ({ initCode }) => {
    return ethers.provider.estimateGas({ from: deployer, to: createX, data: creationCall({ salt, initCode }) })
  })
  const gas = await Promise.allSettled(estimates)
  return gas.reduce((most, one) => (one.status === 'fulfilled' && one.value > most ? one.value : most), 0n)
}

async function shortage(funds: Funds): Promise<InsufficientFundsError | undefined> {
  const { ethers, deployer, missing } = funds
  const balance = await ethers.provider.getBalance(deployer)
  const needed = await leastCost(funds)
  if (balance >= needed) return undefined
  const purpose = `what is missing (${namesOf(missing)})`
  return new InsufficientFundsError({ deployer, balance, needed, purpose, isLeast: true })
}

function namesOf(contracts: PlannedContract[]): string {
  return contracts.map(({ contract }) => contract).join(', ')
}

async function leastCost({ ethers, missing, artifacts }: Funds): Promise<bigint> {
  const block = await ethers.provider.getBlock('latest')
  let gas = 0n
  for (const { contract, initCode } of missing) {
    const { deployedBytecode } = await artifacts.readArtifact(contract)
    gas += leastGas({ initCode, codeBytes: dataLength(deployedBytecode) })
  }
  return gas * (block?.baseFeePerGas ?? 0n)
}

/** A transaction (21,000), its data (16 per byte that is not zero, 4 per one that is), a contract (32,000) and its code. */
function leastGas({ initCode, codeBytes }: { initCode: string; codeBytes: number }): bigint {
  const bytes = getBytes(initCode)
  const zeros = bytes.filter((byte) => byte === 0).length
  return BigInt(21_000 + 32_000 + 4 * zeros + 16 * (bytes.length - zeros) + 200 * codeBytes)
}
