import { commonVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** The environment of the storage server. */
export const schema = z.object({
  ...commonVariables,
  /** Holds the blocks; made when missing. Several processes may share it. */
  STORAGE_DIRECTORY: variable.path,
  /** Longest file taken, in bytes. */
  STORAGE_MAX_FILE_BYTES: variable.number(1, Number.MAX_SAFE_INTEGER).default(10_000_000_000),
  /** Most files in one upload. */
  STORAGE_MAX_FILES: variable.number(1, 100_000).default(1_000),
})

export type Config = z.output<typeof schema>
