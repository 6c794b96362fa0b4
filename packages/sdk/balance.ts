import type { Address } from '@sealdeal/protocol'
import type { Client } from './client.ts'

export type Balance = {
  /** Free in the escrow. */
  free: bigint
  /** Locked in deals. */
  locked: bigint
  /** Tokens outside the escrow. */
  wallet: bigint
}

/** What an account owns, in units of the token. */
export async function balance(
  { contracts: { hub, token }, account: own }: Client,
  { account = own }: { account?: Address } = {},
): Promise<Balance> {
  const [{ stake, locked }, wallet] = await Promise.all([hub.viewAccount(account), token.balanceOf(account)])
  return { free: stake, locked, wallet }
}
