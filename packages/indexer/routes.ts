import type { App, Database, Follower } from '@sealdeal/server'
import { createHandler } from 'graphql-http/lib/use/fastify'
import { dataProtectorGraph } from './dataProtectorGraph.ts'
import { protocolGraph } from './protocolGraph.ts'
import type { Answering, Meta } from './schema.ts'
import { schemaOf } from './schema.ts'
import { cursorName } from './watch.ts'

export type RoutesParameters = { database: Database; follower: Follower; version: string }

/** Where each graph is asked. Published clients are given the whole URL. */
export const paths = { protocol: '/protocol', dataProtector: '/dataprotector' } as const

const schemas = { protocol: schemaOf(protocolGraph), dataProtector: schemaOf(dataProtectorGraph) }

/** GraphQL over HTTP, by GET and POST. */
export function routes({ database, follower, version }: RoutesParameters) {
  const context: Answering = { database, meta: () => metaOf(database, follower) }
  return function add(app: App): void {
    app.get('/version', async () => ({ ok: true, version }))
    for (const name of ['protocol', 'dataProtector'] as const) {
      const handler = createHandler({ schema: schemas[name], context: () => ({ ...context }) })
      app.route({
        method: ['GET', 'POST'],
        url: paths[name],
        handler: (request, reply) => handler.call(app, request, reply),
      })
    }
  }
}

/** How far the rows go. */
async function metaOf(database: Database, follower: Follower): Promise<Meta> {
  const [row] = await database.query<{ number: bigint; hash: string; timestamp: bigint | null }>(
    `select number, hash, (select timestamp from block where block.hash = follow_cursor.hash) as timestamp
     from follow_cursor where name = $1`,
    [cursorName],
  )
  return {
    block: {
      number: Number(row?.number ?? 0n),
      hash: row?.hash ?? null,
      timestamp: row?.timestamp === null || row === undefined ? null : Number(row.timestamp),
    },
    hasIndexingErrors: follower.status().error !== undefined,
  }
}
