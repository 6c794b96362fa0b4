import { mkdir } from 'node:fs/promises'
import { detectSandbox, fallenPromises, launch } from '@sealdeal/enclave'
import type { Log } from '@sealdeal/server'
import type { Run } from './work.ts'

/**
 * Runs tasks in enclave processes on this machine. The sandbox is tried once, now: a worker that cannot lock an app away
 * takes no work. Without one (`none`) the log says, at each start, which promises fall.
 *
 * @throws {SandboxUnavailableError}
 */
export async function runInEnclave({
  directory,
  sandbox: preference,
  smsUrl,
  storageUrl,
  platformFile,
  log,
}: {
  directory: string
  sandbox: 'auto' | 'none'
  smsUrl: string
  storageUrl: string
  platformFile: string
  log: Log
}): Promise<Run> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const sandbox = await detectSandbox({ preference, directory })
  if (sandbox === 'none') log.warn({ fallen: fallenPromises }, 'apps run WITHOUT A SANDBOX')
  return async function run({ lease, onStart, onStep, signal }) {
    const { chainId, hub, dealId, index, worker, attempt, expiry, signature, app } = lease
    const task = { chainId, hub, dealId, index, worker, lease: { attempt, expiry, signature }, app }
    return launch({
      launch: { ...task, smsUrl, storageUrl, platformFile },
      directory,
      sandbox,
      onStart,
      onStep(step) {
        log.info({ task: lease.taskId, attempt, ...step }, step.step)
        onStep(step.step)
      },
      signal,
    })
  }
}
