import type { Hex } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { expectPositive } from './deposit.ts'
import { send } from './send.ts'

/**
 * Moves free tokens of the account out of the escrow. What is locked in deals stays.
 *
 * @throws ContractRevertError when less is free.
 */
export async function withdraw(client: Client, { amount }: { amount: bigint }): Promise<{ transactionHash: Hex }> {
  expectPositive(amount)
  const receipt = await send(client, client.contracts.hub.withdraw(amount))
  return { transactionHash: receipt.hash as Hex }
}
