import { chainVariables, commonVariables, databaseVariables, httpVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** Environment of the indexer. */
export const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
  ...httpVariables,
  /** Where datasets are made together with their schemas; without it there is no protected data to be found. */
  DATA_PROTECTOR_ADDRESS: variable.address.optional(),
  /** Where files are read by their content's address: the lists of datasets of bulk requests. Without it they stay unknown. */
  IPFS_GATEWAY_URL: variable.httpUrl.optional(),
  /** What one query may take, in milliseconds. */
  QUERY_PATIENCE: variable.number(10, 60_000).default(700),
  /** First block to read: the one the Hub was deployed in. */
  START_BLOCK: variable.number(0, Number.MAX_SAFE_INTEGER).default(0),
})

export type Config = z.output<typeof schema>
