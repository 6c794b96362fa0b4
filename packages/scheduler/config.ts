import { Tag } from '@sealdeal/protocol'
import { chainVariables, commonVariables, databaseVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

const amount = z
  .string()
  .regex(/^\d{1,30}$/, { error: 'must be a whole number' })
  .transform(BigInt)

/**
 * Environment of the scheduler. The pool's order is published when `WORKERPOOL_PRICE` is set; without `WORKER_ADDRESSES`
 * (addresses, separated by commas) every worker may register.
 */
export const schema = z
  .object({
    ...commonVariables,
    ...chainVariables,
    ...databaseVariables,
    WORKERPOOL_ADDRESS: variable.address,
    /** Key of the pool's owner: signs leases and orders, pays for claims. */
    WALLET_KEY_FILE: variable.path,
    MARKET_URL: variable.httpUrl.optional(),
    /** In units of the token, per task. */
    WORKERPOOL_PRICE: amount.optional(),
    WORKERPOOL_CATEGORY: amount.default(0n),
    /** Tasks per published order, at most; the owner's stake may cover fewer. */
    WORKERPOOL_VOLUME: amount.default(10_000n),
    WORKERPOOL_TAG: z
      .string()
      .regex(/^0x[0-9a-fA-F]{1,64}$/, { error: 'must be hex' })
      .transform((text) => `0x${text.slice(2).padStart(64, '0')}` as const)
      .default(Tag.tdx),
    WORKER_ADDRESSES: z
      .string()
      .transform((text) => text.split(',').map((part) => part.trim()))
      .pipe(z.array(variable.address))
      .optional(),
    /** A silent worker loses its leases after so many milliseconds. */
    WORKER_SILENCE_MS: variable.number(200, 3_600_000).default(3_000),
    /** First block that may hold a deal of this pool. */
    START_BLOCK: amount.default(0n),
    KILL_AT: z.string().optional(),
    NODE_ENV: z.string().optional(),
  })
  .refine(({ WORKERPOOL_PRICE, MARKET_URL }) => WORKERPOOL_PRICE === undefined || MARKET_URL !== undefined, {
    error: 'is needed to publish the order that WORKERPOOL_PRICE asks for',
    path: ['MARKET_URL'],
  })
