import { chainVariables, commonVariables, databaseVariables, httpVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** The environment of the storage server. */
export const schema = z
  .object({
    ...commonVariables,
    ...httpVariables,
    /** Holds the blocks; made when missing. Several processes may share it. Not read where a node holds them. */
    STORAGE_DIRECTORY: variable.path.optional(),
    /** RPC of an IPFS node (Kubo) that holds the files instead of this server's disk: with its gateway, or not at all. */
    STORAGE_KUBO_URL: variable.httpUrl.optional(),
    /** Gateway of that node. */
    STORAGE_KUBO_GATEWAY_URL: variable.httpUrl.optional(),
    /** Longest file taken, in bytes. */
    STORAGE_MAX_FILE_BYTES: variable.number(1, Number.MAX_SAFE_INTEGER).default(10_000_000_000),
    /** Most files in one upload. */
    STORAGE_MAX_FILES: variable.number(1, 100_000).default(1_000),
    /** Who may upload: `open` is everybody, `signed` whoever signs the request; that wants `DATABASE_URL`, `CHAIN_URL` and `HUB_ADDRESS`. */
    STORAGE_UPLOADS: z.enum(['open', 'signed']).default('open'),
    /** PostgreSQL for the ledger of who keeps what. Without it nothing is counted, deleted or collected. */
    DATABASE_URL: databaseVariables.DATABASE_URL,
    /** JSON-RPC of the chain, which knows the contract accounts that sign. Not read where uploads are open. */
    CHAIN_URL: chainVariables.CHAIN_URL.optional(),
    /** The Hub that signatures name. Not read where uploads are open. */
    HUB_ADDRESS: chainVariables.HUB_ADDRESS.optional(),
    /** Bytes that one account may keep; where uploads are open, bytes that one network address may bring in 24 hours. Needs `DATABASE_URL`; no limit when unset. */
    STORAGE_QUOTA_BYTES: variable.number(1, Number.MAX_SAFE_INTEGER).optional(),
    /** Minutes between two collections of what nobody keeps. */
    STORAGE_COLLECT_MINUTES: variable.number(1, 10_080).default(60),
    /** Minutes for which the blocks of uploads that were never finished stay. */
    STORAGE_GRACE_MINUTES: variable.number(1, 10_080).default(60),
  })
  .superRefine((config, context) => {
    const { STORAGE_UPLOADS: uploads, STORAGE_QUOTA_BYTES: quota } = config
    const wanted = { DATABASE_URL: uploads === 'signed' || quota !== undefined, CHAIN_URL: uploads === 'signed' }
    for (const [name, isWanted] of Object.entries({ ...wanted, HUB_ADDRESS: uploads === 'signed' })) {
      if (isWanted && config[name as keyof typeof wanted] === undefined) {
        context.addIssue({ code: 'custom', path: [name], message: 'is not set' })
      }
    }
    if (driverOf(config) !== undefined) return
    const { STORAGE_KUBO_URL: node, STORAGE_KUBO_GATEWAY_URL: gateway } = config
    const missing = node ? 'STORAGE_KUBO_GATEWAY_URL' : gateway ? 'STORAGE_KUBO_URL' : 'STORAGE_DIRECTORY'
    context.addIssue({ code: 'custom', path: [missing], message: 'is not set' })
  })

export type Config = z.output<typeof schema>

type Places = Partial<Record<'STORAGE_DIRECTORY' | 'STORAGE_KUBO_URL' | 'STORAGE_KUBO_GATEWAY_URL', string | undefined>>

/** What holds the files; nothing where the configuration does not say. */
export function driverOf(config: Places): { node: string; gateway: string } | { directory: string } | undefined {
  const { STORAGE_DIRECTORY: directory, STORAGE_KUBO_URL: node, STORAGE_KUBO_GATEWAY_URL: gateway } = config
  if (node && gateway) return { node, gateway }
  return !node && !gateway && directory ? { directory } : undefined
}
