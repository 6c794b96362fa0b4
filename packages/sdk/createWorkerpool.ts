import { type Address, connectWorkerpool, type Hex } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { mintedIn } from './deployApp.ts'
import { send } from './send.ts'

export type CreateWorkerpoolParameters = {
  /** Shown to everybody. */
  description: string
  /** Percentage of the price that a worker of a replicated task stakes (default 30). */
  workerStakeRatio?: bigint
  /** Percentage of the price that the pool's owner keeps (default 1). */
  schedulerRewardRatio?: bigint
}

/** Registers a workerpool of the account, with its policy. */
export async function createWorkerpool(
  client: Client,
  { description, workerStakeRatio = 30n, schedulerRewardRatio = 1n }: CreateWorkerpoolParameters,
): Promise<{ workerpool: Address; transactionHash: Hex }> {
  const registry = client.contracts.workerpoolRegistry
  const receipt = await send(client, registry.createWorkerpool(client.account, description))
  const workerpool = mintedIn(receipt, await registry.getAddress())
  if (workerStakeRatio !== 30n || schedulerRewardRatio !== 1n) {
    const entry = connectWorkerpool(workerpool, client.signer)
    await send(client, entry.changePolicy(workerStakeRatio, schedulerRewardRatio))
  }
  return { workerpool, transactionHash: receipt.hash as Hex }
}
