import { type Hex, InvalidValueError } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { send } from './send.ts'

/**
 * Moves tokens of the account into the escrow, in one transaction. `amount` is in units of the token.
 *
 * @throws ContractRevertError when the account has less.
 */
export async function deposit(client: Client, { amount }: { amount: bigint }): Promise<{ transactionHash: Hex }> {
  expectPositive(amount)
  const { token, hub } = client.contracts
  const receipt = await send(client, token.approveAndCall(await hub.getAddress(), amount, '0x'))
  return { transactionHash: receipt.hash as Hex }
}

export function expectPositive(amount: unknown): void {
  if (typeof amount === 'bigint' && amount > 0n) return
  throw new InvalidValueError({ path: 'amount', expected: 'a bigint above zero', value: amount })
}
