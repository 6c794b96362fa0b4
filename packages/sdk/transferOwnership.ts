import type { Address, Hex } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { send } from './send.ts'

/**
 * Gives protected data to another account. Every grant of the old owner ends with it, for good as long as the new one
 * owns it. The old owner still knows the data.
 */
export async function transferOwnership(
  client: Client,
  { protectedData, newOwner }: { protectedData: Address; newOwner: Address },
): Promise<{ transactionHash: Hex }> {
  const registry = client.contracts.datasetRegistry
  const transfer = registry['safeTransferFrom(address,address,uint256)']
  const receipt = await send(client, transfer(client.account, newOwner, BigInt(protectedData)))
  return { transactionHash: receipt.hash as Hex }
}
