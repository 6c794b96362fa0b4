import type { Address } from '@sealdeal/protocol'
import { chainVariables, commonVariables, databaseVariables, httpVariables, variable } from '@sealdeal/server'
import { getAddress, isAddress } from 'ethers'
import { z } from 'zod'

/** `name=0x...,name=0x...` */
const named = z.string().transform((text, context): Map<string, Address> => {
  const pairs = text.split(',').map((pair) => pair.trim().split('='))
  if (pairs.every(([name, address, ...more]) => name && isAddress(address) && more.length === 0))
    return new Map(pairs.map(([name = '', address = '']) => [name, getAddress(address) as Address]))
  context.addIssue({ code: 'custom', message: 'must be names with addresses: name=0x...,name=0x...' })
  return z.NEVER
})

/** Environment of the market. */
export const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
  ...httpVariables,
  /** First block to read: the one the Hub was deployed in. */
  START_BLOCK: variable.number(0, Number.MAX_SAFE_INTEGER).default(0),
  /** Milliseconds between looks at the head of the chain: what the live feed lags behind a block at most, nearly. */
  FOLLOW_INTERVAL: variable.number(10, 60_000).default(40),
  /** How many open orders of one kind one wallet may have. */
  MAX_OPEN_ORDERS: variable.number(1, 1_000_000).default(50),
  /** Apps that clients may ask for by name: `name=0x...,name=0x...`. */
  IAPPS: named.optional().transform((iapps) => iapps ?? new Map<string, Address>()),
})

export type Config = z.output<typeof schema>
