import { BaseError, type Order, RetryableError } from '@sealdeal/protocol'
import type { ErrorTable } from '@sealdeal/server'

// The first sentence of each is what published clients know and show: without a full stop, as they expect it.

/** An order that may not be published, with what would change that. */
export class OrderRefusedError extends BaseError {
  override name = 'OrderRefusedError'
  constructor({ reason, remedy }: { reason: string; remedy: string }) {
    super(reason, { metaMessages: [remedy], docsPath: '/market#publish' })
  }
}

/** An order that may not be taken off the book. */
export class NotUnpublishedError extends BaseError {
  override name = 'NotUnpublishedError'
  constructor({ reason }: { reason: string }) {
    super(reason, { docsPath: '/market#unpublish' })
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

export const errors: ErrorTable = {
  BadRequestError: 400,
  InvalidValueError: 400,
  NotAuthorizedError: 403,
  OrderRefusedError: 403,
  NotUnpublishedError: 403,
  NotFoundError: 404,
  ChainBehindError: 503,
}

/** How published clients spell the kinds. */
export function spelled(kind: Order.Kind): string {
  return `${kind}order`
}
