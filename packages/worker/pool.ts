import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, BaseError, type Hex } from '@sealdeal/protocol'
import { type AuthDomain, signRequest } from '@sealdeal/server'
import type { Wallet } from 'ethers'
import { z } from 'zod'
import { Lease } from './journal.ts'

/** The pool's scheduler refuses what was asked. */
export class PoolRefusedError extends BaseError {
  override name = 'PoolRefusedError'
  readonly status: number
  constructor({
    path,
    status,
    reason,
    remedies,
  }: { path: string; status: number; reason: string; remedies: string[] }) {
    super(`The scheduler refused ${path}: ${reason}`, { metaMessages: remedies, docsPath: '/worker#pool' })
    this.status = status
  }
}

/** The pool's scheduler does not answer, or not as one. */
export class PoolUnreachableError extends BaseError {
  override name = 'PoolUnreachableError'
  constructor({ url, cause }: { url: string; cause: unknown }) {
    super(`The scheduler at "${url}" does not answer.`, {
      cause,
      metaMessages: ['Is SCHEDULER_URL right, and the scheduler running?'],
      docsPath: '/worker#pool',
    })
  }
}

const Registration = z.object({ workerpool: z.string(), silenceMs: z.number().positive() })
const Refusal = z.object({ error: z.string().default('no reason given'), remedies: z.array(z.string()).default([]) })

export type Pool = {
  /** Introduces the worker. Answers for how long it may be silent, in milliseconds. */
  register(name: string): Promise<{ workerpool: string; silenceMs: number }>
  /** Waits for work, up to `wait` seconds; undefined when there is none. */
  ask(parameters: { holding: readonly Hex[]; wait: number; signal?: AbortSignal }): Promise<Lease | undefined>
  /** A sign of life, with the steps reached since the last one. */
  beat(lease: Lease, reached: readonly string[]): Promise<void>
  complete(lease: Lease, transaction: Hex): Promise<void>
  fail(lease: Lease, failure: { cause: string; message: string }): Promise<void>
  /** Hands over what the app printed, sealed to the beneficiary; also after the lease has ended. */
  keepPrinted(lease: Lease, printed: { stdout: string; stderr: string }): Promise<void>
}

/**
 * Talks to a pool's scheduler: every request is signed by the worker's wallet.
 *
 * All methods throw {PoolRefusedError} when the scheduler says no (409: the lease is lost) and {PoolUnreachableError}
 * when it does not answer.
 */
export function connectPool({
  url,
  wallet,
  chainId,
  hub,
}: {
  url: string
  wallet: Wallet
  chainId: bigint
  hub: Address
}): Pool {
  const domain: AuthDomain = { chainId, hub, service: 'scheduler' }

  async function call({
    path,
    body,
    seconds = 10,
    signal,
  }: {
    path: string
    body: unknown
    seconds?: number
    signal?: AbortSignal | undefined
  }): Promise<unknown> {
    const target = new URL(path, url)
    const text = JSON.stringify(body)
    const authorization = await signRequest({
      signer: wallet,
      domain,
      method: 'POST',
      path: target.pathname + target.search,
      body: text,
    })
    const timeout = AbortSignal.timeout(seconds * 1_000)
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: text,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
      if (response.status === 204) return undefined
      const answer: unknown = await response.json()
      if (response.ok) return answer
      if (response.status >= 500) throw new Error(`status ${response.status}`)
      const { error, remedies } = Refusal.parse(answer)
      throw new PoolRefusedError({ path, status: response.status, reason: error, remedies })
    } catch (cause) {
      if (cause instanceof PoolRefusedError) throw cause
      throw new PoolUnreachableError({ url, cause })
    }
  }

  /** What must be told survives a restart of the scheduler; what it refuses needs not be said again. */
  async function tell(path: string, body: unknown): Promise<void> {
    for (let round = 0; ; round++) {
      try {
        await call({ path, body, seconds: 5 })
        return
      } catch (error) {
        if (!(error instanceof PoolUnreachableError) || round === 4) throw error
        await sleep(200 * 2 ** round)
      }
    }
  }

  return {
    register: async (name) => Registration.parse(await call({ path: '/workers', body: { name } })),
    async ask({ holding, wait, signal }) {
      const answer = await call({ path: '/leases', body: { holding, wait }, seconds: wait + 10, signal })
      return answer === undefined ? undefined : Lease.parse(answer)
    },
    async beat({ taskId, attempt }, reached) {
      await call({ path: `/leases/${taskId}/heartbeat`, body: { attempt, reached }, seconds: 3 })
    },
    complete: ({ taskId, attempt }, transaction) =>
      tell(`/leases/${taskId}/outcome`, { attempt, completed: { transaction } }),
    fail: ({ taskId, attempt }, { cause, message }) =>
      tell(`/leases/${taskId}/outcome`, { attempt, failure: { cause, message: message.slice(0, 1_000) } }),
    keepPrinted: ({ taskId, attempt }, { stdout, stderr }) =>
      tell(`/leases/${taskId}/printed`, { attempt, stdout, stderr }),
  }
}
