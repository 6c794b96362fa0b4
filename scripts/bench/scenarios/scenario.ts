import type { Market, Side } from '../market.ts'

/** One line of the table: what is measured, from the same steady state each time, and what it may cost. */
export type Scenario = {
  name: string
  /** What was measured of the reference's release 6.2, to hold against what is measured of 6.1.0 here. */
  expected?: number
  /** Why the two differ by more than one percent. */
  because?: string
  /** The most that ours may cost. */
  target?: number
  /** Default: both. */
  only?: Side
  /** What the name does not tell. */
  note?: string
  gas(market: Market): Promise<bigint>
}

export const reasons = {
  noRefund: 'there, three amounts fell to zero in an idle market: refunds of 4,800 each; here other deals stay open',
  olderCode: 'its code of this part is older',
  smallerProxy: 'its proxies are 819 bytes, those of 6.2 976',
}
