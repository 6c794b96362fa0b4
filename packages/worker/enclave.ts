import { mkdir } from 'node:fs/promises'
import {
  type AppLimits,
  detectSandbox,
  EnclaveFailureError,
  fallenPromises,
  launch,
  type RoomSizes,
  uploadRequest,
} from '@sealdeal/enclave'
import type { Address } from '@sealdeal/protocol'
import { createMoment, type Log, mayKill, signRequest } from '@sealdeal/server'
import type { BaseWallet } from 'ethers'
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
  wallet,
  hub: ownHub,
  limits,
  sizes,
  log,
  killAt,
  nodeEnv,
}: {
  directory: string
  sandbox: 'auto' | 'none'
  smsUrl: string
  storageUrl: string
  platformFile: string
  /** Signs for results where the storage wants that; it never enters an enclave. */
  wallet: BaseWallet
  hub: Address
  /** What one app may take. */
  limits?: AppLimits
  sizes?: RoomSizes
  log: Log
  /** Fault injection: the first enclave that says this step is killed there, where `KILL_AT` would be obeyed as well. */
  killAt?: string | undefined
  nodeEnv?: string | undefined
}): Promise<Run> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const sandbox = await detectSandbox({ preference, directory })
  if (sandbox === 'none') log.warn({ fallen: fallenPromises }, 'apps run WITHOUT A SANDBOX')
  let armed = killAt !== undefined
  return async function run({ lease, onStart, onStep, onPrinted, signal }) {
    const { chainId, hub, dealId, index, worker, attempt, expiry, signature, app } = lease
    const task = { chainId, hub, dealId, index, worker, lease: { attempt, expiry, signature }, app }
    const kill = new AbortController()
    const moment = createMoment({
      log,
      killAt,
      armed: armed && mayKill({ chainId: BigInt(chainId), nodeEnv }),
      kill() {
        armed = false
        kill.abort()
      },
    })
    const answer = await launch({
      launch: { ...task, smsUrl, storageUrl, platformFile },
      directory,
      sandbox,
      ...(limits && { limits }),
      ...(sizes && { sizes }),
      onStart,
      onPrinted,
      authorizeUpload: () =>
        signRequest({
          signer: wallet,
          domain: { chainId: BigInt(chainId), hub: ownHub, service: 'storage' },
          ...uploadRequest,
        }),
      onStep(step) {
        // What was in the pipe already when it was killed counts as never said.
        if (kill.signal.aborted) return
        moment(step.step, { task: lease.taskId, attempt, ...step })
        onStep(step.step)
      },
      signal: AbortSignal.any([signal, kill.signal]),
    })
    if (kill.signal.aborted)
      throw new EnclaveFailureError({ failure: 'TEE_LAUNCH_FAILED', message: 'Killed, as asked.' })
    return answer
  }
}
