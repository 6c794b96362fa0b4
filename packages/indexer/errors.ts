import { BaseError } from '@sealdeal/protocol'

/** A query that the graph cannot answer: a wrong value in a filter, too many rows, too deep. */
export class QueryRefusedError extends BaseError {
  override name = 'QueryRefusedError'
  constructor({ reason, remedy }: { reason: string; remedy: string }) {
    super(reason, { metaMessages: [remedy], docsPath: '/indexer#queries' })
  }
}
