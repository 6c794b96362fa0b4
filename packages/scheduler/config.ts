import { type Address, Tag } from '@sealdeal/protocol'
import { chainVariables, commonVariables, databaseVariables, httpVariables, variable } from '@sealdeal/server'
import { getAddress, isAddress } from 'ethers'
import { z } from 'zod'

const amount = z
  .string()
  .regex(/^\d{1,30}$/, { error: 'must be a whole number' })
  .transform(BigInt)

/**
 * Environment of the scheduler. The pool's order is published when `WORKERPOOL_PRICE` is set.
 */
export const schema = z
  .object({
    ...commonVariables,
    ...chainVariables,
    ...databaseVariables,
    ...httpVariables,
    /** The pool that it works for. */
    WORKERPOOL_ADDRESS: variable.address,
    /** Key of the pool's owner: signs leases and orders, pays for claims. */
    WALLET_KEY_FILE: variable.path,
    /** Where the pool's order is published. */
    MARKET_URL: variable.httpUrl.optional(),
    /** Where clients reach this scheduler: told to the market, which tells them. */
    PUBLIC_URL: variable.httpUrl.optional(),
    /** In units of the token, per task. */
    WORKERPOOL_PRICE: amount.optional(),
    /** Category of the published order: how long a task may take. */
    WORKERPOOL_CATEGORY: amount.default(0n),
    /** Tasks per published order, at most; the owner's stake may cover fewer. */
    WORKERPOOL_VOLUME: amount.default(10_000n),
    /** Tag of the published order: which enclaves the workers have. */
    WORKERPOOL_TAG: z
      .string()
      .regex(/^0x[0-9a-fA-F]{1,64}$/, { error: 'must be hex' })
      .transform((text) => `0x${text.slice(2).padStart(64, '0')}` as const)
      .default(Tag.tdx),
    /**
     * Who may work for the pool: addresses separated by commas, or `any`. Whoever may can also end a task with a failure that
     * costs the pool its stake, so there is no default.
     */
    WORKER_ADDRESSES: z.string().transform((text, context): Address[] | undefined => {
      if (text === 'any') return undefined
      const listed = text.split(',').map((part) => part.trim())
      if (listed.every((part) => isAddress(part))) return listed.map((part) => getAddress(part) as Address)
      context.addIssue({
        code: 'custom',
        message: 'must be "any", or the addresses of the workers separated by commas',
      })
      return z.NEVER
    }),
    /** A silent worker loses its leases after so many milliseconds. */
    WORKER_SILENCE_MS: variable.number(200, 3_600_000).default(3_000),
    /** What apps print is kept for so many days, sealed: only the beneficiary's key opens it. */
    PRINTED_DAYS: variable.number(1, 365).default(7),
    /** First block that may hold a deal of this pool. */
    START_BLOCK: amount.default(0n),
    /** Fault injection, on local chains outside production: ends the process at this step. */
    KILL_AT: z.string().optional(),
    /** `production` disarms fault injection. */
    NODE_ENV: z.string().optional(),
  })
  .refine(({ WORKERPOOL_PRICE, MARKET_URL }) => WORKERPOOL_PRICE === undefined || MARKET_URL !== undefined, {
    error: 'is needed to publish the order that WORKERPOOL_PRICE asks for',
    path: ['MARKET_URL'],
  })
  .refine(({ PUBLIC_URL, MARKET_URL }) => PUBLIC_URL === undefined || MARKET_URL !== undefined, {
    error: 'is needed to tell where PUBLIC_URL is',
    path: ['MARKET_URL'],
  })
