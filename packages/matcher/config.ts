import { chainVariables, commonVariables, databaseVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** Environment of the matcher. */
export const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
  MARKET_URL: variable.httpUrl,
  /** Pays for the gas of matches, and for nothing else: the requester pays for the deal. */
  WALLET_KEY_FILE: variable.path,
  /** Milliseconds between two looks at the book. */
  POLL_MS: variable.number(20, 60_000).default(150),
  KILL_AT: z.string().optional(),
  NODE_ENV: z.string().optional(),
})
