import { randomUUID } from 'node:crypto'
import { type Address, connectCallbackRelay, decodeRevert, type Hex } from '@sealdeal/protocol'
import type { ChainAccess, Database, Log, Transactions } from '@sealdeal/server'
import { AbiCoder, Interface, isError } from 'ethers'
import type { Bell } from './bell.ts'
import { pauseAfter } from './deliver.ts'
import { RelayBudgetError } from './errors.ts'
import { type ClaimedRelay, claimRelays, endRelay, failRelay, gasOfDay, noteSent, postponeRelay } from './relays.ts'

/** Who pays for deliveries on chain, for whom, and how much. */
export type Relaying = {
  /** The contract that delivers: `CallbackRelay`. */
  relay: Address
  transactions: Transactions
  /** Whose results are delivered. */
  consumers: 'any' | readonly Address[]
  /** The most that one delivery may use, in units of gas. */
  gasLimit: bigint
  /** The most that all deliveries of 24 hours may use. */
  gasOfDay: bigint
}

export type RelayParameters = Relaying & {
  chain: ChainAccess
  database: Database
  log: Log
  bell: Bell
  /** Milliseconds after the first failure. */
  pause: number
  /** A delivery counts when so many blocks came after it. */
  confirmations: number
  tried: (outcome: 'relayed' | 'taken' | 'failed' | 'parked') => void
}

/** Looks for what is due at least this often, in milliseconds. */
const POLL = 500
const AT_ONCE = 8
/** A lease ends by itself after so many seconds: what was sent meanwhile is found by its record. */
const LEASE_SECONDS = 30

const awaited = new Interface(['function relayFor(bytes32 taskId) view returns (address)'])

/**
 * Delivers results on chain again, to callback contracts that wait for them and name the relay (`relayFor`): the Hub calls
 * once, with a fixed amount of gas. Whether a contract waits is asked of it each time, and the relay asks again: so nothing
 * arrives twice, whatever the number of replicas and whoever else calls the relay.
 */
export function relayResults(parameters: RelayParameters) {
  const { database, log, bell } = parameters
  const stop = new AbortController()
  const busy = new Set<Promise<void>>()

  async function look(): Promise<void> {
    const free = AT_ONCE - busy.size
    const due =
      free > 0 ? await claimRelays(database, { most: free, leaseSeconds: LEASE_SECONDS, token: randomUUID() }) : []
    for (const claimed of due) {
      const work = attempt(parameters, claimed)
        .catch((error: unknown) => log.error({ error, task: claimed.taskId }, 'a try to relay was not recorded'))
        .finally(() => {
          busy.delete(work)
          bell.ring()
        })
      busy.add(work)
    }
    if (due.length === 0) await bell.next(POLL)
  }
  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await look().catch(async (error: unknown) => {
        log.error({ error }, 'results to relay cannot be read')
        await bell.next(POLL)
      })
    }
  }
  const running = run()
  return {
    async close() {
      stop.abort()
      bell.ring()
      await running
      // What is under way is recorded: whoever comes next goes on from there.
      await Promise.race([Promise.all(busy), new Promise((resolve) => setTimeout(resolve, 2_000))])
    },
  }
}

/** One try, and what became of it. */
async function attempt(parameters: RelayParameters, claimed: ClaimedRelay): Promise<void> {
  const { database, log, tried, pause } = parameters
  const { taskId, consumer } = claimed
  try {
    const outcome = await deliverOnce(parameters, claimed)
    if ('wait' in outcome) return await postponeRelay(database, claimed, outcome)
    const { state } = outcome
    await endRelay(database, claimed, outcome)
    tried(state)
    if (state === 'relayed') log.info({ task: taskId, consumer }, 'relayed')
  } catch (error) {
    const failure = reasonOf(error)
    const { parked } = await failRelay(database, { claimed, failure, wait: pauseAfter(claimed.attempts, pause) })
    tried(parked ? 'parked' : 'failed')
    log[parked ? 'warn' : 'debug']({ task: taskId, consumer, failure }, parked ? 'relay parked' : 'not relayed')
  }
}

/** What a try came to: an end, or when to look again, in milliseconds and not before a block. */
type Outcome = { state: 'relayed' | 'taken'; reason?: string } | { wait: number; block?: bigint }

async function deliverOnce(parameters: RelayParameters, claimed: ClaimedRelay): Promise<Outcome> {
  const { taskId, consumer, transactionId } = claimed
  const { relay, consumers, database } = parameters
  if (consumers !== 'any' && !consumers.includes(consumer)) return { state: 'taken', reason: 'it is not relayed for' }
  const earlier = transactionId === null ? undefined : await outcomeOf(database, transactionId)
  if (earlier === 'pending') return { wait: POLL }
  const before = await askConsumer(parameters, { taskId, consumer })
  if (!before.isAwaited) return earlier === 'mined' ? { state: 'relayed' } : { state: 'taken', ...before }
  if (transactionId !== null && earlier === 'mined' && (await isTakenBack(parameters, transactionId)))
    return { wait: POLL }
  const { data } = await connectCallbackRelay(relay).relay.populateTransaction(taskId)
  await send(parameters, { claimed, data: data as Hex })
  const after = await askConsumer(parameters, { taskId, consumer })
  return after.isAwaited ? failedAgain(parameters, data as Hex) : confirmed(parameters)
}

/** A reorganisation may take the delivery back, and then it may fail: only what was asked again later is over. */
async function confirmed({ chain, confirmations }: RelayParameters): Promise<Outcome> {
  if (confirmations === 0) return { state: 'relayed' }
  const head = BigInt((await chain.send('eth_blockNumber', [])) as string)
  return { wait: 0, block: head + BigInt(confirmations) }
}

async function send(
  parameters: RelayParameters,
  { claimed, data }: { claimed: ClaimedRelay; data: Hex },
): Promise<void> {
  const { relay, transactions, chain, gasLimit, gasOfDay: most } = parameters
  const needed = BigInt((await chain.send('eth_estimateGas', [{ to: relay, data }, 'latest'])) as string)
  // What a call needs may change until it is mined.
  const gas = (needed * 120n) / 100n
  if (gas > gasLimit) throw new Error(`it needs ${gas} gas, and one delivery may use ${gasLimit}`)
  const sent = await transactions.send({
    to: relay,
    data,
    gasLimit: gas,
    reference: claimed.taskId,
    async signed({ id, transaction }) {
      if (!transaction) throw new Error('a relay is recorded in the database that records its transaction')
      await transaction.query('select pg_advisory_xact_lock($1)', [budgetLock])
      const used = await gasOfDay(transaction)
      if (used + gas > most) throw new RelayBudgetError({ used, gas, most })
      const own = { taskId: claimed.taskId, token: claimed.token, id, gas }
      if (!(await noteSent(transaction, own))) throw new Error('another replica is at it')
    },
  })
  await sent.wait()
}

/** Serializes the budget: two replicas must not both use the rest. */
const budgetLock = 7_202_311

/** Why a delivery that was mined did not arrive: the same call, made again, says it. */
async function failedAgain({ chain, relay }: RelayParameters, data: Hex): Promise<never> {
  await chain.send('eth_call', [{ to: relay, data }, 'latest'])
  throw new Error('the delivery failed, for a reason that is gone')
}

async function outcomeOf(database: Database, id: string): Promise<'pending' | 'mined' | 'dropped' | undefined> {
  const [row] = await database.query<{ status: 'pending' | 'mined' | 'dropped' }>(
    'select status from sent_transaction where id = $1',
    [id],
  )
  return row?.status
}

/** A reorganisation took the delivery back before anybody noticed: it is on its way again, and needs no second one. */
async function isTakenBack({ chain, database, transactions }: RelayParameters, id: string): Promise<boolean> {
  const [row] = await database.query<{ hash: Hex }>(
    `select mined_hash as hash from sent_transaction where id = $1 and status = 'mined'`,
    [id],
  )
  if (row && (await chain.send('eth_getTransactionReceipt', [row.hash])) !== null) return false
  await transactions.doubt(id)
  return true
}

/** Whether the contract names our relay for this task. Whoever cannot answer waits for nothing, for that reason. */
async function askConsumer(
  { chain, relay }: RelayParameters,
  { taskId, consumer }: { taskId: Hex; consumer: Address },
): Promise<{ isAwaited: boolean; reason?: string }> {
  const data = awaited.encodeFunctionData('relayFor', [taskId])
  try {
    const answer = await chain.send('eth_call', [{ to: consumer, data }, 'latest'])
    if (typeof answer !== 'string' || answer.length < 66) return { isAwaited: false, reason: 'it has no relayFor' }
    const [named] = AbiCoder.defaultAbiCoder().decode(['uint256'], answer.slice(0, 66))
    return { isAwaited: named === BigInt(relay) }
  } catch (error) {
    if (!isError(error, 'CALL_EXCEPTION')) throw error
    return { isAwaited: false, reason: `relayFor: ${reasonOf(error)}` }
  }
}

function reasonOf(error: unknown): string {
  const named = decodeRevert(error)
  return named?.shortMessage ?? (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
}
