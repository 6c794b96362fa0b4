import { type AppLimits, defaultLimits, defaultSizes, type RoomSizes } from '@sealdeal/enclave'
import type { z } from 'zod'
import type { schema } from './config.ts'

const mebibyte = 2 ** 20

/** What one app may take of this machine, in bytes and seconds. */
export function readBounds(config: z.output<typeof schema>): { limits: AppLimits; sizes: RoomSizes } {
  const { APP_MEMORY, APP_PROCESSES, APP_CPU_SECONDS, APP_SECONDS, APP_OUTPUT, APP_SCRATCH, ENCLAVE_PLAINTEXT } = config
  return {
    limits: {
      ...defaultLimits(),
      processes: APP_PROCESSES,
      ...(APP_MEMORY !== undefined && { memory: APP_MEMORY * mebibyte }),
      ...(APP_CPU_SECONDS !== undefined && { cpuSeconds: APP_CPU_SECONDS }),
      ...(APP_SECONDS !== undefined && { seconds: APP_SECONDS }),
    },
    sizes: {
      ...defaultSizes(),
      ...(APP_OUTPUT !== undefined && { output: APP_OUTPUT * mebibyte }),
      ...(APP_SCRATCH !== undefined && { scratch: APP_SCRATCH * mebibyte }),
      ...(ENCLAVE_PLAINTEXT !== undefined && { plaintext: ENCLAVE_PLAINTEXT * mebibyte }),
    },
  }
}
