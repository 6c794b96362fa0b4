import { setTimeout as sleep } from 'node:timers/promises'
import { BaseError, type Contracts, decodeRevert, Failure, type Hex, Task } from '@sealdeal/protocol'
import { type Moment, type Sender, SendRefusedError, type Sent, TransactionDroppedError } from '@sealdeal/server'
import { type ContractTransaction, isError, type Provider } from 'ethers'
import type { Entry, Journal } from './journal.ts'

/** The Hub refuses what this attempt made, and will refuse it for ever. */
export class ResultRefusedError extends BaseError {
  override name = 'ResultRefusedError'
  constructor({ taskId, reason, cause }: { taskId: Hex; reason: string; cause?: unknown }) {
    super(`The Hub refuses the result of task "${taskId}": ${reason}`, {
      cause,
      metaMessages: ['Another attempt makes another result: the pool leases the task again.'],
      docsPath: '/worker#settling',
    })
  }
}

/** How the chain ended a task; `transaction` is ours where it was our result that did. */
export type Settlement = { settlement: 'finalized' | 'failed' | 'claimed'; transaction?: Hex }

/** A journal entry while it is being worked on: a change is on disk before it counts. */
export type Keeper = {
  readonly entry: Entry
  update(change: Partial<Entry>): Promise<void>
}

export type SettleParameters = {
  hub: Contracts.Hub
  provider: Provider
  sender: Sender
  keeper: Keeper
  moment: Moment
  signal: AbortSignal
}

export function keepEntry(journal: Journal, first: Entry): Keeper {
  let entry = first
  return {
    get entry() {
      return entry
    },
    async update(change) {
      entry = { ...entry, ...change }
      await journal.write(entry)
    },
  }
}

/** How often a transaction is made anew after another one took its nonce or its ground. */
const ROUNDS = 4

/** Opens the task on chain unless it is open: anyone may, and whoever comes second loses a little gas and nothing else. */
export async function initialize(parameters: SettleParameters): Promise<void> {
  const { hub, keeper, moment } = parameters
  const { dealId, index, taskId } = keeper.entry.lease
  for (let round = 0; round < ROUNDS; round++) {
    if ((await readStatus(parameters)) !== 'UNSET') return moment('initialized', { task: taskId })
    const reference = `initialize:${taskId}`
    const call = await hub.initialize.populateTransaction(dealId, BigInt(index))
    await sendOnce(parameters, { reference, call, expected: 'UNSET' })
  }
  throw new ResultRefusedError({ taskId, reason: 'it cannot be initialized.' })
}

/**
 * Brings the journal's outcome to the chain, whatever of that was done before: looks at the task first, at a
 * transaction sent earlier second, and sends only when neither has settled it. The chain accepts one result per task, so
 * nobody is ever paid twice.
 *
 * @throws {ResultRefusedError} and whatever the node says to a transaction it does not take
 */
export async function settle(parameters: SettleParameters): Promise<Settlement> {
  const { hub, keeper, moment } = parameters
  const { lease, outcome } = keeper.entry
  const { taskId } = lease
  if (!outcome) throw new ResultRefusedError({ taskId, reason: 'there is none yet.' })
  for (let round = 0; round < ROUNDS; round++) {
    const status = await readStatus(parameters)
    if (status === 'COMPLETED') return { settlement: 'finalized', ...(await ownTransaction(parameters)) }
    if (status === 'FAILED') return { settlement: 'claimed' }
    if (status === 'UNSET') await initialize(parameters)
    const call = await hub.contributeAndFinalize.populateTransaction(
      taskId,
      outcome.resultDigest,
      outcome.results,
      outcome.resultsCallback,
      outcome.enclaveAddress,
      outcome.enclaveSignature,
      outcome.authorization,
    )
    await sendOnce(parameters, {
      reference: `finalize:${taskId}`,
      call,
      expected: 'ACTIVE',
      signed: ({ hash }) => keeper.update({ sent: [...keeper.entry.sent, hash] }),
      sent: ({ hash }) => moment('sent contributeAndFinalize', { task: taskId, transaction: hash }),
    })
  }
  throw new ResultRefusedError({ taskId, reason: 'it cannot be finalized.' })
}

/**
 * Ends a task without a result, with the cause that the enclave signed: whoever pays is refunded at once. The pool ends it
 * after its deadline where this does not come in time.
 *
 * @throws {ResultRefusedError} and whatever the node says to a transaction it does not take
 */
export async function settleFailure(parameters: SettleParameters): Promise<Settlement> {
  const { hub, keeper, moment } = parameters
  const { lease, failure } = keeper.entry
  const { taskId, dealId, worker } = lease
  if (!failure || !Failure.isFinal(failure.cause))
    throw new ResultRefusedError({ taskId, reason: 'no cause was signed.' })
  for (let round = 0; round < ROUNDS; round++) {
    const status = await readStatus(parameters)
    if (status === 'COMPLETED') return { settlement: 'finalized' }
    if (status === 'FAILED') return { settlement: 'failed', ...(await ownTransaction(parameters)) }
    const call = await hub.settleFailure.populateTransaction(
      dealId,
      BigInt(lease.index),
      worker,
      Failure.codes[failure.cause],
      failure.enclaveAddress,
      failure.enclaveSignature,
      failure.authorization,
    )
    await sendOnce(parameters, {
      reference: `fail:${taskId}`,
      call,
      expected: status,
      signed: ({ hash }) => keeper.update({ sent: [...keeper.entry.sent, hash] }),
      sent: ({ hash }) => moment('sent settleFailure', { task: taskId, transaction: hash }),
    })
  }
  throw new ResultRefusedError({ taskId, reason: 'its failure cannot be settled.' })
}

/** Sends one transaction, or takes up the recorded one, and waits. What came of it is read from the chain afterwards. */
async function sendOnce(
  parameters: SettleParameters,
  {
    reference,
    call,
    expected,
    signed,
    sent: afterwards,
  }: {
    reference: string
    call: ContractTransaction
    /** The status in which the Hub must take it. */
    expected: Task.Status
    signed?: (sent: { hash: Hex }) => Promise<void>
    sent?: (sent: Sent) => void
  },
): Promise<void> {
  const { sender, keeper } = parameters
  try {
    const { to, data } = call as { to: Hex; data: Hex }
    const before = await sender.resume(reference)
    const sent =
      before ?? (await reach(parameters, () => sender.send({ to, data, reference, ...(signed ? { signed } : {}) })))
    if (!before) afterwards?.(sent)
    await reach(parameters, () => sent.wait())
  } catch (error) {
    // The ground may have moved: another worker was first, the task was claimed, a nonce was taken. Else say why not.
    if (error instanceof TransactionDroppedError) return
    if (!isError(error, 'CALL_EXCEPTION') && !(error instanceof SendRefusedError)) throw error
    if ((await readStatus(parameters)) !== expected) return
    if (error instanceof SendRefusedError) throw error
    const { taskId } = keeper.entry.lease
    const reason = decodeRevert(error)?.shortMessage ?? 'the call reverts without a reason.'
    throw new ResultRefusedError({ taskId, reason, cause: error })
  }
}

/** Our own transaction, if it is the one that finalized the task. */
async function ownTransaction(parameters: SettleParameters): Promise<{ transaction?: Hex }> {
  for (const transaction of parameters.keeper.entry.sent) {
    const receipt = await reach(parameters, () => parameters.provider.getTransactionReceipt(transaction))
    if (receipt?.status === 1) return { transaction }
  }
  return {}
}

async function readStatus(parameters: SettleParameters): Promise<Task.Status> {
  const { hub, keeper } = parameters
  const { status } = await reach(parameters, () => hub.viewTask(keeper.entry.lease.taskId))
  return Task.status(status)
}

/** Waits for a chain that cannot be reached: what is in the journal is worth as much later. */
async function reach<Result>({ signal }: SettleParameters, action: () => Promise<Result>): Promise<Result> {
  for (let pause = 250; ; pause = Math.min(pause * 2, 5_000)) {
    try {
      return await action()
    } catch (error) {
      if (!isUnreachable(error)) throw error
      await sleep(pause, undefined, { signal })
    }
  }
}

function isUnreachable(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return (
    isError(error, 'NETWORK_ERROR') ||
    isError(error, 'SERVER_ERROR') ||
    isError(error, 'TIMEOUT') ||
    (typeof code === 'string' && /^(ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOSTUNREACH)/.test(code))
  )
}

/** What the pool is told when settling failed. */
export function causeOf(error: unknown): { cause: string; message: string } {
  const told = error instanceof ResultRefusedError || error instanceof SendRefusedError
  return {
    cause: 'TRANSACTION_FAILED',
    message: told ? error.shortMessage : 'The worker could not send its transaction: see its log.',
  }
}
