import { chainVariables, commonVariables, databaseVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** The environment of the secret management service. Keys come as files that only their owner can read. */
export const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
  /** Wraps every secret's own key. Losing it loses all secrets; keep a copy apart from the database. */
  SMS_MASTER_KEY_FILE: variable.path,
  /** Key of the account that the Hub names as its TEE broker. */
  SMS_SIGNER_KEY_FILE: variable.path,
  /** Which enclaves are trusted (JSON). */
  SMS_POLICY_FILE: variable.path,
  /** DCAP collateral of the platforms (JSON), read again at each session. */
  SMS_COLLATERAL_FILE: variable.path,
  /** Says that the chain is local although its id does not: simulated enclaves may then be trusted. */
  LOCAL_CHAIN: variable.flag.default(false),
  /** Requests of one network address per minute. */
  SMS_REQUESTS_PER_MINUTE: variable.number(1, 1_000_000).default(6_000),
})

export type Config = z.output<typeof schema>
