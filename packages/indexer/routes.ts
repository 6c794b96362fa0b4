import type { App, Database, Follower, Log } from '@sealdeal/server'
import { GraphQLError, parse } from 'graphql'
import { createHandler } from 'graphql-http/lib/use/fastify'
import { dataProtectorGraph } from './dataProtectorGraph.ts'
import { QueryRefusedError } from './errors.ts'
import { protocolGraph } from './protocolGraph.ts'
import type { Answering, Meta } from './schema.ts'
import { schemaOf } from './schema.ts'
import { cursorName } from './watch.ts'

export type RoutesParameters = {
  database: Database
  follower: Follower
  version: string
  log: Log
  /** What one request may take, in milliseconds. */
  patience: number
}

/** Where each graph is asked. Published clients are given the whole URL. */
export const paths = { protocol: '/protocol', dataProtector: '/dataprotector' } as const

const schemas = { protocol: schemaOf(protocolGraph), dataProtector: schemaOf(dataProtectorGraph) }

/** In bytes: a thousand ids find room. */
const longestQuery = 262_144
/** So many fields at the top of a query, words in all of it, and levels in its variables. */
const limits = { fields: 40, tokens: 2_000, levels: 30 }

/** GraphQL over HTTP, by GET and POST. Whatever is asked is refused before it takes long. */
export function routes({ database, follower, version, log, patience }: RoutesParameters) {
  const context = (): Answering => ({
    database,
    meta: () => metaOf(database, follower),
    budget: { fields: limits.fields, until: performance.now() + patience, milliseconds: patience },
  })
  return function add(app: App): void {
    app.get('/version', async () => ({ ok: true, version }))
    for (const name of ['protocol', 'dataProtector'] as const) {
      const handler = createHandler({
        schema: schemas[name],
        context: () => ({ ...context() }),
        parse: (source) => parse(source, { maxTokens: limits.tokens }),
        onSubscribe: (_request, { variables }) => (isTooDeep(variables) ? [tooDeep()] : undefined),
        formatError: (error) => withoutDetails(error, log),
      })
      app.route({
        method: ['GET', 'POST'],
        url: paths[name],
        bodyLimit: longestQuery,
        handler: (request, reply) => handler.call(app, request, reply),
      })
    }
  }
}

/** Level by level, since what is read here may be deeper than calls can go. */
function isTooDeep(variables: unknown): boolean {
  let level = [variables]
  for (let depth = 0; depth <= limits.levels; depth++) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
    if (level.length === 0) return false
  }
  return true
}

function tooDeep(): GraphQLError {
  return new GraphQLError(`The variables are nested deeper than ${limits.levels} levels.`)
}

/** What is not the asker's fault is told to the log alone. */
function withoutDetails(error: Readonly<GraphQLError | Error>, log: Log): GraphQLError | Error {
  const cause = error instanceof GraphQLError ? error.originalError : undefined
  if (!cause || cause instanceof GraphQLError || cause instanceof QueryRefusedError) return error
  log.error({ error: cause }, 'a query failed')
  return new GraphQLError('Something went wrong, you should retry later.', {
    path: (error as GraphQLError).path,
  })
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
