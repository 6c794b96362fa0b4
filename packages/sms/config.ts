import { chainVariables, commonVariables, databaseVariables, httpVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

const named = /^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*|vault:[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+)$/

/** What a process that opens secrets reads about master keys. */
export const masterKeyVariables = {
  /** The master key, which wraps every secret's own key: short for `file:PATH` in SMS_MASTER_KEYS. Losing it loses all secrets. */
  SMS_MASTER_KEY_FILE: variable.path.optional(),
  /** Master keys, separated by commas: `file:PATH`, `env:VARIABLE` or `vault:MOUNT/NAME`. The first wraps, all of them open. */
  SMS_MASTER_KEYS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((keys) => keys.every((key) => named.test(key)), {
      error: 'must be file:PATH, env:VARIABLE or vault:MOUNT/NAME, separated by commas',
    })
    .optional(),
  /** Of the KMS of `vault:` keys (Vault's Transit API). */
  SMS_VAULT_URL: variable.httpUrl.optional(),
  /** Holds the token for it; read again at each use. */
  SMS_VAULT_TOKEN_FILE: variable.path.optional(),
}

export type MasterKeyConfig = z.output<z.ZodObject<typeof masterKeyVariables>>

/** Adds an issue where the variables name no master key, or two ways, or a KMS that is nowhere. */
export function checkMasterKeys(config: MasterKeyConfig, context: z.RefinementCtx): void {
  const { SMS_MASTER_KEY_FILE: file, SMS_MASTER_KEYS: keys } = config
  const wrong = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message })
  if (!file && !keys) wrong('SMS_MASTER_KEYS', 'is not set, nor is SMS_MASTER_KEY_FILE')
  if (file && keys) wrong('SMS_MASTER_KEYS', 'is set beside SMS_MASTER_KEY_FILE: one of the two')
  if (!keys?.some((key) => key.startsWith('vault:'))) return
  if (!config.SMS_VAULT_URL) wrong('SMS_VAULT_URL', 'is not set, and SMS_MASTER_KEYS names a vault key')
  if (!config.SMS_VAULT_TOKEN_FILE) wrong('SMS_VAULT_TOKEN_FILE', 'is not set, and SMS_MASTER_KEYS names a vault key')
}

/** The environment of the secret management service. Keys come as files that only their owner can read. */
export const schema = z
  .object({
    ...commonVariables,
    ...chainVariables,
    ...databaseVariables,
    ...httpVariables,
    ...masterKeyVariables,
    /** Key of the account that the Hub names as its TEE broker. */
    SMS_SIGNER_KEY_FILE: variable.path,
    /** Which enclaves are trusted (JSON). */
    SMS_POLICY_FILE: variable.path,
    /** DCAP collateral of the platforms (JSON), read again at each session. Either this or SMS_PCCS_URL. */
    SMS_COLLATERAL_FILE: variable.path.optional(),
    /** Intel's provisioning certification service, or a cache of it (PCCS), which is asked for collateral. */
    SMS_PCCS_URL: variable.httpUrl.optional(),
    /** Where the revocation list of Intel's root is, if not at SMS_PCCS_URL. */
    SMS_ROOT_CRL_URL: variable.httpUrl.optional(),
    /** For how long collateral is used before it is fetched again, in seconds. */
    SMS_COLLATERAL_MAX_AGE: variable.number(1, 30 * 86_400).default(3_600),
    /** Where the lists of datasets are that bulk requests name; without it no such task gets a session. */
    IPFS_GATEWAY_URL: variable.httpUrl.optional(),
    /** Says that the chain is local although its id does not: simulated enclaves may then be trusted. */
    LOCAL_CHAIN: variable.flag.default(false),
    /** Requests of one network address per minute. */
    SMS_REQUESTS_PER_MINUTE: variable.number(1, 1_000_000).default(6_000),
  })
  .superRefine(checkMasterKeys)
  .superRefine(({ SMS_COLLATERAL_FILE: file, SMS_PCCS_URL: url }, context) => {
    if ((file === undefined) !== (url === undefined)) return
    const message = file
      ? 'is set beside SMS_COLLATERAL_FILE: one of the two'
      : 'is not set, nor is SMS_COLLATERAL_FILE'
    context.addIssue({ code: 'custom', path: ['SMS_PCCS_URL'], message })
  })

export type Config = z.output<typeof schema>
