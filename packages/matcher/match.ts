import { type Address, type Choice, type Hex, Order } from '@sealdeal/protocol'
import { type Client, events } from '@sealdeal/sdk'
import { type Database, type Log, type Moment, SendRefusedError, type Transactions } from '@sealdeal/server'
import type { TransactionReceipt } from 'ethers'
import {
  AlreadyMatchingError,
  type Attempt,
  closeAttempt,
  type Ended,
  endedAttempts,
  findAttempt,
  recordAttempt,
  reopenUndone,
} from './attempts.ts'
import { type BookReader, bookReader, openRequests } from './candidates.ts'
import { choose, type Verdict } from './choose.ts'
import { OvertakenError, readHeld } from './holds.ts'
import type { Meters } from './meters.ts'
import { createPauses } from './pauses.ts'
import { type Caps, SpendingCapError } from './spending.ts'

/** Pays for the deals of some requesters, up to its caps. */
export type Sponsor = { caps: Caps; sponsors: (requester: Address) => boolean }

export type MatcherParameters = {
  client: Client
  database: Database
  transactions: Transactions
  log: Log
  moment: Moment
  meters: Meters
  /** The client's account, paying from its deposit. Left out: requesters pay. */
  sponsor?: Sponsor | undefined
  /** How many requests are worked on at the same time. */
  atOnce?: number
}

/** How often a request is chosen for anew at once, when others took what it needs. */
const MOST_OVERTAKEN = 5

type Pair = { requestHash: Hex; consumed: bigint }

/** A transaction costs gas whether it succeeds or not, so a match is tried only when the chain says that it will. */
export function createMatcher(parameters: MatcherParameters) {
  const { client, database, transactions, log, moment, meters, sponsor, atOnce = 32 } = parameters
  const { hub } = client.contracts
  const pauses = createPauses()
  const underway = new Set<Hex>()

  function postpone(requestHash: Hex, reason: string) {
    meters.postponed.inc()
    log.info({ request: requestHash, reason, pause: pauses.postpone(requestHash) }, 'not matched')
  }

  /** Makes one deal of a request. Answers whether there may be another one to make of it now. */
  async function matchOnce(request: Choice.Candidate<'request'>, requestHash: Hex, readBook: BookReader) {
    // The market may be a block behind: what is used up is the chain's to say.
    const consumed = await hub.viewConsumed(requestHash)
    if (consumed >= request.order.volume) return false
    const earlier = await findAttempt(database, { requestHash, consumed })
    if (earlier?.status === 'sent') return false
    // A deal that was made and is not there: a reorganisation took it back, or this node has not seen it yet.
    if (earlier?.status === 'matched' && !(await isUndone(earlier))) {
      postpone(requestHash, 'the chain has not caught up with its own receipt')
      return false
    }
    const pair = { requestHash, consumed }
    const current = { order: request.order, remaining: request.order.volume - consumed }
    const { refusal, receipt } = await payAndSend({ request: current, pair, readBook })
    if (receipt?.status === 1) {
      pauses.forget(requestHash)
      return true
    }
    postpone(requestHash, refusal ?? 'the match failed')
    return false
  }

  /** Tries who may pay, one after the other: a sponsor first, then the requester. */
  async function payAndSend(parts: { request: Choice.Candidate<'request'>; pair: Pair; readBook: BookReader }) {
    const { requester } = parts.request.order
    const isSponsored = sponsor?.sponsors(requester) === true
    let refusal = ''
    for (const payer of isSponsored ? [client.account, requester] : [requester]) {
      const sponsored = isSponsored && payer === client.account ? sponsor.caps : undefined
      try {
        const outcome = await chooseAndSend({ ...parts, payer, caps: sponsored })
        if ('receipt' in outcome) return { receipt: outcome.receipt }
        refusal = outcome.refusal
      } catch (error) {
        if (!(error instanceof SpendingCapError)) throw error
        log.warn({ request: parts.pair.requestHash, error }, 'not sponsored')
        refusal = error.message.split('\n')[0] ?? ''
      }
    }
    return { refusal }
  }

  async function chooseAndSend({
    request,
    pair,
    readBook,
    payer,
    caps,
  }: {
    request: Choice.Candidate<'request'>
    pair: Pair
    readBook: BookReader
    payer: Address
    caps: Caps | undefined
  }): Promise<{ receipt: TransactionReceipt } | { refusal: string }> {
    for (let overtaken = 0; ; overtaken++) {
      const held = await readHeld(database)
      const meter = (seconds: number) => meters.choosing.observe(seconds)
      const choice = await choose({ client, request, payer, readBook, held, meter })
      if ('refusal' in choice) return choice
      const { price, volume } = choice
      moment('orders chosen', { request: pair.requestHash, price: String(price), volume: String(volume) })
      try {
        return { receipt: await sendMatch({ choice, pair, caps }) }
      } catch (error) {
        if (!(error instanceof OvertakenError) || overtaken === MOST_OVERTAKEN) throw error
      }
    }
  }

  async function sendMatch({ choice, pair, caps }: { choice: Verdict; pair: Pair; caps: Caps | undefined }) {
    const call = hub.getFunction(caps ? 'sponsorMatchOrders' : 'matchOrders')
    const { to, data } = await call.populateTransaction(...Order.quadruple(choice.orders))
    const { requestHash } = pair
    const { costAtMost: cost, holds, since } = choice
    const sponsored = caps && { by: client.account, cost, caps }
    let recorded: Attempt | undefined
    const sent = await transactions
      .send({
        to: to as Hex,
        data: data as Hex,
        reference: requestHash,
        async signed({ id, hash, transaction }) {
          if (!transaction) throw new Error('a match is recorded in the database that records its transaction')
          await recordAttempt(transaction, {
            ...pair,
            transactionId: id,
            transactionHash: hash,
            holds,
            since,
            sponsored,
          })
          recorded = { ...pair, transactionId: id, status: 'sent', sponsor: sponsored?.by }
        },
        recorded: ({ hash }) => moment('match recorded', { request: requestHash, transaction: hash }),
      })
      .catch(async (error: unknown) => {
        if (recorded && error instanceof SendRefusedError) await close(recorded, { failure: error.message })
        throw error
      })
    moment('match sent', { request: requestHash, transaction: sent.hash })
    const receipt = await sent.wait()
    moment('match mined', { request: requestHash, status: receipt.status })
    if (recorded) await conclude(recorded, receipt)
    return receipt
  }

  /** Writes down what a mined match came to. */
  async function conclude(attempt: Attempt, receipt: TransactionReceipt) {
    const matched = events(receipt).find(
      ({ name, args }) => name === 'OrdersMatched' && args.requestHash === attempt.requestHash,
    )
    if (!matched) return close(attempt, { failure: `transaction ${receipt.hash} failed` })
    const dealId = matched.args.dealid as Hex
    const { app, dataset, workerpool } = await hub.viewDeal(dealId)
    const cost = (app.price + dataset.price + workerpool.price) * (matched.args.volume as bigint)
    await close(attempt, { dealId, cost: attempt.sponsor ? cost : 0n })
  }

  async function close(attempt: Attempt, outcome: { dealId: Hex; cost: bigint } | { failure: string }) {
    // Another replica may have been quicker.
    if (!(await closeAttempt(database, attempt, outcome))) return
    const { requestHash, sponsor: by } = attempt
    const payer = by ? 'sponsor' : 'requester'
    meters.matches.inc({ outcome: 'dealId' in outcome ? 'matched' : 'failed', payer })
    if ('dealId' in outcome) log.info({ request: requestHash, deal: outcome.dealId, payer }, 'matched')
    else log.warn({ request: requestHash, reason: outcome.failure }, 'the match failed')
  }

  /** Whether a deal that this matcher once made does not exist any more, so that it may be made again. */
  async function isUndone(attempt: Ended): Promise<boolean> {
    if (attempt.minedHash === undefined) return false
    const receipt = await client.provider.getTransactionReceipt(attempt.minedHash)
    if (receipt?.status === 1) return false
    if (receipt) await close(attempt, { failure: 'undone by a reorganisation, and failed on the other branch' })
    else await transactions.doubt(attempt.transactionId)
    return receipt !== null
  }

  /** What others left: the transactions of a killed replica are looked after by all, their outcome is written down here. */
  async function settle(): Promise<void> {
    for (const requestHash of await reopenUndone(database))
      log.warn({ request: requestHash }, 'its deal was undone by a reorganisation')
    for (const attempt of await endedAttempts(database)) {
      if (underway.has(attempt.requestHash)) continue
      if (attempt.minedHash === undefined) await close(attempt, { failure: 'its transaction can never be mined' })
      else {
        const receipt = await client.provider.getTransactionReceipt(attempt.minedHash)
        if (receipt) await conclude(attempt, receipt)
      }
    }
  }

  async function matchRequest(request: Choice.Candidate<'request'>, requestHash: Hex, readBook: BookReader) {
    underway.add(requestHash)
    try {
      moment('request seen', { request: requestHash })
      let book = readBook
      while (await matchOnce(request, requestHash, book)) book = bookReader(client)
    } catch (error) {
      if (!(error instanceof AlreadyMatchingError)) log.warn({ request: requestHash, error }, 'matching failed')
      postpone(requestHash, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
    } finally {
      underway.delete(requestHash)
    }
  }

  return {
    settle,

    /** Looks at the book once and begins to match what can be matched; requests do not wait for one another. */
    async look(): Promise<Promise<void>[]> {
      await settle()
      const requests = await openRequests(client)
      meters.open.set(requests.length)
      const readBook = bookReader(client)
      const due = requests
        .map((request) => ({ request, requestHash: Order.hash('request', request.order, client.domain) }))
        .filter(({ requestHash }) => !underway.has(requestHash) && !pauses.isPaused(requestHash))
      return due
        .slice(0, Math.max(0, atOnce - underway.size))
        .map(({ request, requestHash }) => matchRequest(request, requestHash, readBook))
    },
  }
}
