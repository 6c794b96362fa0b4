import { setTimeout as sleep } from 'node:timers/promises'
import type { Contracts } from '@sealdeal/protocol'
import type { Log, Moment, Sender } from '@sealdeal/server'
import type { Provider } from 'ethers'
import type { Entry, Journal, Lease, Outcome, SignedFailure } from './journal.ts'
import { type Pool, PoolRefusedError } from './pool.ts'
import {
  causeOf,
  initialize,
  keepEntry,
  type Settlement,
  type SettleParameters,
  settle,
  settleFailure,
} from './settle.ts'

/** What an enclave answers: a result that only the chain and the requester can use, or a named failure. */
export type Answer = { outcome: Outcome } | { failure: Fault }
type Fault = { cause: string; message: string; attested?: Omit<SignedFailure, 'cause' | 'message'> | undefined }

/** What the app printed, sealed to the beneficiary by its enclave. */
export type Printed = { stdout: string; stderr: string }

/** Runs the leased task in an enclave. Aborting the signal kills it. */
export type Run = (parameters: {
  lease: Lease
  onStart: () => void
  onStep: (step: string) => void
  onPrinted: (printed: Printed) => void
  signal: AbortSignal
}) => Promise<Answer>

export type WorkParameters = {
  pool: Pool
  hub: Contracts.Hub
  provider: Provider
  sender: Sender
  journal: Journal
  run: Run
  moment: Moment
  log: Log
  /** Milliseconds between signs of life. */
  beatEvery: number
  signal: AbortSignal
}

/**
 * Does one leased task, from the enclave's start to the chain's last word, and says what came of it. The task is opened
 * on chain while the enclave runs. When the lease is lost the enclave is stopped; an outcome that exists by then still
 * goes to the chain, which alone decides.
 */
export async function work(parameters: WorkParameters, lease: Lease): Promise<Settlement | undefined> {
  const { journal, run, moment, log, pool } = parameters
  const { taskId } = lease
  moment('lease taken', { task: taskId, attempt: lease.attempt })
  await journal.write({ lease, sent: [] })
  const keeper = keepEntry(journal, { lease, sent: [] })
  const chain: SettleParameters = { ...parameters, keeper }
  const life = showLife(parameters, lease)
  const opening = initialize(chain)
  // It is awaited later: until then a failure must not end the process.
  opening.catch(() => {})
  let keeping = Promise.resolve()
  try {
    const answer = await run({
      lease,
      onStart() {
        moment('enclave launched', { task: taskId, attempt: lease.attempt })
        life.step('launched')
      },
      onStep: life.step,
      onPrinted(printed) {
        keeping = tellPool({ log, lease }, () => pool.keepPrinted(lease, printed))
      },
      signal: AbortSignal.any([parameters.signal, life.lost]),
    })
    if ('failure' in answer) {
      const { attested, cause, message } = answer.failure
      log.warn({ task: taskId, attempt: lease.attempt, cause, message }, 'the enclave reports a failure')
      if (!attested) {
        await giveUp(parameters, lease, { cause, message })
        return undefined
      }
      await keeper.update({ failure: { cause, message, ...attested } })
      moment('failure received', { task: taskId, attempt: lease.attempt })
      await opening.catch(() => {})
      return await finishFailure(chain, { pool, log, journal })
    }
    await keeper.update({ outcome: answer.outcome })
    moment('outcome received', { task: taskId, attempt: lease.attempt })
    // Where opening failed, settling tries it again, and says why it cannot be.
    await opening.catch(() => {})
    return await finish(chain, { pool, log, journal, life })
  } catch (error) {
    // The process is ending: the journal keeps the task for the next start.
    if (parameters.signal.aborted) return undefined
    if (life.lost.aborted && !keeper.entry.outcome) {
      log.warn({ task: taskId, attempt: lease.attempt }, 'the lease is lost: the enclave was stopped')
      await journal.remove(taskId)
      return undefined
    }
    log.error({ error, task: taskId, attempt: lease.attempt }, 'the task failed here')
    await giveUp(parameters, lease, keeper.entry.outcome ? causeOf(error) : launchFailure(error))
    return undefined
  } finally {
    life.stop()
    await opening.catch(() => {})
    if (!parameters.signal.aborted) await keeping
  }
}

/**
 * Takes up what a killed worker left in its journal. With an outcome it is brought to the chain, unless it is there;
 * without one the attempt is lost: its keys died with the enclave. The pool learns of that by the next request for work,
 * which does not name the task any more.
 */
export async function resume(parameters: WorkParameters, entry: Entry): Promise<Settlement | undefined> {
  const { journal, log, pool } = parameters
  const { lease } = entry
  if (entry.failure) return finishFailure({ ...parameters, keeper: keepEntry(journal, entry) }, { pool, log, journal })
  if (!entry.outcome) {
    log.warn({ task: lease.taskId, attempt: lease.attempt }, 'the attempt was lost when this worker stopped')
    await journal.remove(lease.taskId)
    return undefined
  }
  const keeper = keepEntry(journal, entry)
  const life = showLife(parameters, lease)
  try {
    return await finish({ ...parameters, keeper }, { pool, log, journal, life })
  } catch (error) {
    if (parameters.signal.aborted) return undefined
    log.error({ error, task: lease.taskId, attempt: lease.attempt }, 'the task failed here')
    await giveUp(parameters, lease, causeOf(error))
    return undefined
  } finally {
    life.stop()
  }
}

async function finish(
  chain: SettleParameters,
  { pool, log, journal, life }: Pick<WorkParameters, 'pool' | 'log' | 'journal'> & { life: Life },
): Promise<Settlement> {
  const { lease } = chain.keeper.entry
  life.step('settling')
  // The chain's word ends the timeline: what came before it is said before.
  await life.told()
  const settlement = await settle(chain)
  log.info({ task: lease.taskId, attempt: lease.attempt, ...settlement }, 'settled')
  const { transaction } = settlement
  if (transaction) await tellPool({ log, lease }, () => pool.complete(lease, transaction))
  await journal.remove(lease.taskId)
  return settlement
}

/** Tells the pool, then the chain; where that does not take it, the pool claims the task after its deadline. */
async function finishFailure(
  chain: SettleParameters,
  { pool, log, journal }: Pick<WorkParameters, 'pool' | 'log' | 'journal'>,
): Promise<Settlement | undefined> {
  const { lease, failure } = chain.keeper.entry
  const { taskId, attempt } = lease
  try {
    if (failure) {
      await tellPool({ log, lease }, () => pool.fail(lease, { cause: failure.cause, message: failure.message }))
    }
    const settlement = await settleFailure(chain)
    log.info({ task: taskId, attempt, ...settlement }, 'settled')
    await journal.remove(taskId)
    return settlement
  } catch (error) {
    if (chain.signal.aborted) return undefined
    log.error({ error, task: taskId, attempt }, 'the failure could not be settled')
    await journal.remove(taskId)
    return undefined
  }
}

async function giveUp(
  { pool, journal, log }: WorkParameters,
  lease: Lease,
  failure: { cause: string; message: string },
): Promise<void> {
  await tellPool({ log, lease }, () => pool.fail(lease, failure))
  await journal.remove(lease.taskId)
}

/** The scheduler reads the chain itself, and notices silence: what it misses or refuses here is not lost. */
async function tellPool({ log, lease }: { log: Log; lease: Lease }, say: () => Promise<void>): Promise<void> {
  try {
    await say()
  } catch (error) {
    log.warn({ error, task: lease.taskId, attempt: lease.attempt }, 'the pool was not told')
  }
}

/** The enclave ended without a word. The name is that of the ecosystem's launchers. */
function launchFailure(error: unknown): { cause: string; message: string } {
  const { failure, shortMessage } = error as { failure?: unknown; shortMessage?: unknown }
  return {
    cause: typeof failure === 'string' ? failure : 'TEE_LAUNCH_FAILED',
    message: typeof shortMessage === 'string' ? shortMessage : 'The enclave could not be run: see the worker’s log.',
  }
}

type Life = {
  /** Reports a step at once, together with those that wait behind a slow request. */
  step: (name: string) => void
  /** Resolves when every step so far was reported, or could not be, or after half a second. */
  told: () => Promise<void>
  /** Aborted when the scheduler says that the lease is not ours any more. */
  lost: AbortSignal
  stop: () => void
}

/** Tells the scheduler, again and again, that the lease is being worked on. A scheduler that is away changes nothing. */
function showLife({ pool, log, beatEvery }: WorkParameters, lease: Lease): Life {
  const lost = new AbortController()
  const unsaid: string[] = []
  let saying: Promise<void> | undefined

  async function say(): Promise<void> {
    const reached = unsaid.splice(0)
    try {
      await pool.beat(lease, reached)
    } catch (error) {
      if (!(error instanceof PoolRefusedError && error.status === 409)) {
        log.warn({ error, task: lease.taskId }, 'no sign of life could be given')
        return
      }
      stop()
      lost.abort()
    }
    if (unsaid.length > 0 && !lost.signal.aborted) await say()
  }
  function beat(): void {
    saying ??= say().finally(() => {
      saying = undefined
    })
  }
  const timer = setInterval(beat, beatEvery)
  function stop(): void {
    clearInterval(timer)
  }
  return {
    step(name) {
      if (lost.signal.aborted) return
      unsaid.push(name)
      beat()
    },
    told: () => Promise.race([saying ?? Promise.resolve(), sleep(500)]),
    lost: lost.signal,
    stop,
  }
}
