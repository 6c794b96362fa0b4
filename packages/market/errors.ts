import { BaseError, type Order, RetryableError } from '@sealdeal/protocol'
import type { ErrorTable } from '@sealdeal/server'

// The first sentence of each is what published clients know and show: without a full stop, as they expect it.

/** One rule of publishing that an order breaks. */
export type Failure = {
  rule:
    | 'unpublished'
    | 'registered'
    | 'owner'
    | 'signature'
    | 'limit'
    | 'remaining'
    | 'stake'
    | 'offers'
    | 'price'
    | 'category'
    | 'tag'
  /** What is wrong, as published clients know it. */
  reason: string
  /** What would put it right. */
  remedy: string
}

/** An order that may not be published: the first broken rule in words, all of them in `failures`. */
export class OrderRefusedError extends BaseError {
  override name = 'OrderRefusedError'
  /** Answered beside the text. */
  readonly particulars: { failures: readonly Failure[] }
  constructor({ failures }: { failures: readonly [Failure, ...Failure[]] }) {
    super(failures[0].reason, { metaMessages: failures.map(({ remedy }) => remedy), docsPath: '/market#publish' })
    this.particulars = { failures }
  }
}

/** An order that may not be taken off the book. */
export class NotUnpublishedError extends BaseError {
  override name = 'NotUnpublishedError'
  constructor({ reason }: { reason: string }) {
    super(reason, { docsPath: '/market#unpublish' })
  }
}

/** Only its owner says where a workerpool's API is. */
export class ForeignWorkerpoolError extends BaseError {
  override name = 'ForeignWorkerpoolError'
  constructor({ workerpool, owner }: { workerpool: string; owner: string }) {
    super(`only the owner ${owner} can say where the API of workerpool ${workerpool} is`, {
      docsPath: '/market#compass',
    })
  }
}

/** No such order, deal or category. */
export class NotFoundError extends BaseError {
  override name = 'NotFoundError'
  constructor({ what }: { what: string }) {
    super(`${what} not found`)
  }
}

/** A request that makes no sense: a filter that is missing, another chain. */
export class BadRequestError extends BaseError {
  override name = 'BadRequestError'
  constructor({ reason }: { reason: string }) {
    super(reason, { docsPath: '/market' })
  }
}

/** The chain cannot be followed at the moment, so nothing can be judged by it. */
export class ChainBehindError extends RetryableError {
  override name = 'ChainBehindError'
  constructor() {
    super('The market cannot follow the chain at the moment.', { docsPath: '/operate#chain' })
  }
}

/** This replica tells as many readers as it can. */
export class FeedFullError extends RetryableError {
  override name = 'FeedFullError'
  constructor() {
    super('This replica has as many readers of its live feed as it can serve.', { docsPath: '/market#live-feed' })
  }
}

export const errors: ErrorTable = {
  BadRequestError: 400,
  InvalidValueError: 400,
  NotAuthorizedError: 403,
  OrderRefusedError: 403,
  NotUnpublishedError: 403,
  ForeignWorkerpoolError: 403,
  NotFoundError: 404,
  ChainBehindError: 503,
  FeedFullError: 503,
}

/** How published clients spell the kinds. */
export function spelled(kind: Order.Kind): string {
  return `${kind}order`
}
