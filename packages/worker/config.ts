import { chainVariables, commonVariables, variable } from '@sealdeal/server'
import { z } from 'zod'

/** Environment of the worker. */
export const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  /** The pool's scheduler, which leases tasks. */
  SCHEDULER_URL: variable.httpUrl,
  /** The secret management service, which the enclave asks for keys. */
  SMS_URL: variable.httpUrl,
  /** Where ciphertext is read and results are stored. */
  STORAGE_URL: variable.httpUrl,
  /** Pays for gas, and is paid for work. Use it for one worker alone. */
  WALLET_KEY_FILE: variable.path,
  /** Journal and outbox, which survive a kill; and the mount point of enclaves. */
  WORK_DIRECTORY: variable.path,
  /** The (simulated) machine's keys, read by the enclave. */
  TEE_PLATFORM_FILE: variable.path,
  /** `none` runs apps without a sandbox: the worker says which promises fall. */
  SANDBOX: z.enum(['auto', 'none']).default('auto'),
  /** MiB of memory that the processes of one app may hold of their own, together; half of the machine's unless given. */
  APP_MEMORY: variable.number(16, 2 ** 24).optional(),
  /** Seconds of processor time that the processes of one app may take, together; unbounded unless given. */
  APP_CPU_SECONDS: variable.number(1, 2 ** 31).optional(),
  /** Processes and threads of one app at a time. */
  APP_PROCESSES: variable.number(8, 2 ** 16).default(1024),
  /** Seconds that one app may run, where the deal's category grants more; the category's unless given. */
  APP_SECONDS: variable.number(1, 2 ** 31).optional(),
  /** MiB that one app may write into its output folder; a quarter of the machine's memory unless given. */
  APP_OUTPUT: variable.number(1, 2 ** 24).optional(),
  /** MiB that one app may write to its /tmp; an eighth of the machine's memory unless given. */
  APP_SCRATCH: variable.number(1, 2 ** 24).optional(),
  /** MiB of inputs that one enclave may hold; half of the machine's memory unless given. */
  ENCLAVE_PLAINTEXT: variable.number(1, 2 ** 24).optional(),
  /** Tasks at a time. */
  CONCURRENCY: variable.number(1, 64).default(1),
  /** Shown by the pool. */
  WORKER_NAME: z.string().max(100).default(''),
  /** Fault injection, on local chains outside production: ends the process at this step. */
  KILL_AT: z.string().optional(),
  /** Fault injection, under the rule of `KILL_AT`: the first enclave that says this step is killed there. */
  KILL_ENCLAVE_AT: z.string().optional(),
  /** `production` disarms fault injection. */
  NODE_ENV: z.string().optional(),
})
