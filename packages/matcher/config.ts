import { chainVariables, commonVariables, databaseVariables, variable } from '@sealdeal/server'
import { parseUnits } from 'ethers'
import { z } from 'zod'

const amount = z
  .string()
  .regex(/^\d{1,30}$/, { error: 'must be a whole number of nRLC' })
  .transform(BigInt)

const requesters = z.string().transform((text, context) => {
  if (text === 'any') return 'any' as const
  const parsed = z.array(variable.address).safeParse(text.split(',').map((part) => part.trim()))
  if (parsed.success) return parsed.data
  context.addIssue({ code: 'custom', message: 'must be "any", or addresses separated by commas' })
  return z.NEVER
})

/** Environment of the matcher. */
export const schema = z
  .object({
    ...commonVariables,
    ...chainVariables,
    ...databaseVariables,
    /** Whose book is matched. */
    MARKET_URL: variable.httpUrl,
    /** Pays for the gas of matches; where requesters are sponsored, for their deals as well, from its deposit. */
    WALLET_KEY_FILE: variable.path,
    /** Milliseconds between two looks at the book, at least. */
    POLL_MS: variable.number(20, 60_000).default(150),
    /** How many requests are worked on at the same time. */
    REQUESTS_AT_ONCE: variable.number(1, 1_000).default(32),
    /** Gwei per gas: never more is paid, matches wait until it is cheaper. */
    HIGHEST_FEE_GWEI: variable
      .number(1, 1_000_000)
      .default(1_000)
      .transform((gwei) => parseUnits(String(gwei), 'gwei')),
    /** Whose deals this matcher pays for: `any`, or addresses. */
    SPONSORED_REQUESTERS: requesters.optional(),
    /** What it spends on that at most in any 24 hours, in nRLC. */
    SPONSOR_DAY_NRLC: amount.optional(),
    /** What it spends on that at most in all, in nRLC. */
    SPONSOR_TOTAL_NRLC: amount.optional(),
    /** Fault injection, on local chains outside production: ends the process at this step. */
    KILL_AT: z.string().optional(),
    /** `production` disarms fault injection. */
    NODE_ENV: z.string().optional(),
  })
  .superRefine((config, context) => {
    for (const name of ['SPONSOR_DAY_NRLC', 'SPONSOR_TOTAL_NRLC'] as const) {
      if (config.SPONSORED_REQUESTERS === undefined || config[name] !== undefined) continue
      context.addIssue({ code: 'custom', path: [name], message: 'must be set: nobody is sponsored without a cap' })
    }
  })

export type Config = z.output<typeof schema>
