// A chain in memory of its own: whatever else runs in this process does not change what is measured here.
/// <reference path="../../typechain-types/hardhat.d.ts" />
import type { HardhatEthersSigner } from '@nomicfoundation/hardhat-ethers/types'
import type { BaseContract, TransactionReceipt } from 'ethers'
import { network } from 'hardhat'
import type { NetworkConfig } from 'hardhat/types/config'

/** More than any call needs, less than one transaction may have. */
const gasLimit = 16_700_000n

/** Who does what, on either side. The deployers do nothing else, so that addresses depend on nothing else. */
const roles = [
  'owner',
  'hubDeployer',
  'officeDeployer',
  'registryDeployer',
  'tokenDeployer',
  'referenceDeployer',
  'mockDeployer',
  'appOwner',
  'datasetOwner',
  'scheduler',
  'requester',
  'sponsor',
  'anyone',
] as const

const workerCount = 10

export type Account = HardhatEthersSigner
export type Accounts = Record<(typeof roles)[number], Account> & { workers: Account[] }
export type Chain = Awaited<ReturnType<typeof startChain>>

/** Every run has the same accounts, the same time and the same addresses: so it has the same calldata and the same gas. */
export async function startChain() {
  const connection = await network.create({
    network: 'hardhat',
    override: { initialDate: '2030-01-01T00:00:00Z', accounts: { count: roles.length + workerCount } },
  })
  const { ethers, networkHelpers } = connection
  const signers = await ethers.getSigners()

  /** Sends a call and waits for it, one second after the block before. Throws if it reverts. */
  async function send(from: Account, to: BaseContract, call: string, args: readonly unknown[]) {
    const data = to.interface.encodeFunctionData(call, args)
    return transact(from, { to: to.target.toString(), data })
  }

  async function transact(from: Account, transaction: { to?: string; data: string }): Promise<TransactionReceipt> {
    await networkHelpers.time.setNextBlockTimestamp((await networkHelpers.time.latest()) + 1)
    const receipt = await (await from.sendTransaction({ ...transaction, gasLimit })).wait()
    if (receipt === null) throw new Error('A transaction of a chain in memory has no receipt.')
    return receipt
  }

  /** Runs something and takes everything back that it did. */
  async function undone<T>(run: () => Promise<T>): Promise<T> {
    const snapshot = await networkHelpers.takeSnapshot()
    const result = await run()
    await snapshot.restore()
    return result
  }

  return {
    ethers,
    provider: connection.provider,
    hardfork: hardforkOf(connection.networkConfig),
    accounts: accountsOf(signers),
    chainId: (await ethers.provider.getNetwork()).chainId,
    send,
    transact,
    undone,
    passTime: (seconds: bigint) => networkHelpers.time.increase(seconds),
    close: () => connection.close(),
  }
}

function accountsOf(signers: Account[]): Accounts {
  const named = Object.fromEntries(roles.map((role, index) => [role, signers[index]]))
  return { ...named, workers: signers.slice(roles.length) } as Accounts
}

function hardforkOf(config: NetworkConfig): string {
  return config.type === 'edr-simulated' ? config.hardfork : 'unknown'
}
