import type { Database } from '@sealdeal/server'
import {
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigArgumentMap,
  type GraphQLFieldConfigMap,
  GraphQLID,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  Kind,
} from 'graphql'
import { compileList, compileOne, type ListArguments } from './compile.ts'
import type { Entity, Field, Graph, ScalarName } from './entity.ts'
import { QueryRefusedError } from './errors.ts'
import { kinds, listOperators, oneKind, wordKind } from './filter.ts'

/** What resolvers get along with a query. */
export type Answering = { database: Database; meta: () => Promise<Meta>; budget: Budget }
/** What one request may take: how many fields at its top, and until when (by `performance.now`). */
export type Budget = { fields: number; until: number; milliseconds: number }
export type Meta = {
  block: { number: number; hash: string | null; timestamp: number | null }
  hasIndexingErrors: boolean
}

/** A number that is passed as text, or as a literal, and kept as the text that it is. */
function numberScalar(name: string, description: string, pattern: RegExp): GraphQLScalarType {
  const read = (value: unknown): string => {
    const text =
      typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' ? String(value) : ''
    if (pattern.test(text)) return text
    throw new QueryRefusedError({ reason: `${name} cannot be ${JSON.stringify(value)}.`, remedy: description })
  }
  return new GraphQLScalarType({
    name,
    description,
    serialize: String,
    parseValue: read,
    parseLiteral: (node) =>
      read(node.kind === Kind.INT || node.kind === Kind.FLOAT || node.kind === Kind.STRING ? node.value : undefined),
  })
}

const bytesScalar = new GraphQLScalarType({
  name: 'Bytes',
  description: 'Hex digits behind 0x.',
  serialize: String,
  parseValue: readText,
  parseLiteral: (node) => readText(node.kind === Kind.STRING ? node.value : undefined),
})

function readText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new QueryRefusedError({ reason: `Bytes cannot be ${JSON.stringify(value)}.`, remedy: 'Hex digits behind 0x.' })
}

const scalars: Record<ScalarName, GraphQLScalarType> = {
  ID: GraphQLID,
  String: GraphQLString,
  Bytes: bytesScalar,
  BigInt: numberScalar('BigInt', 'A whole number of up to 78 digits.', /^-?\d{1,78}$/),
  BigDecimal: numberScalar('BigDecimal', 'A decimal number of up to 78 digits.', /^-?\d{1,78}(\.\d{1,78})?$/),
  Int: GraphQLInt,
  Boolean: GraphQLBoolean,
}

const direction = new GraphQLEnumType({ name: 'OrderDirection', values: { asc: {}, desc: {} } })

const metaType = new GraphQLObjectType({
  name: '_Meta_',
  fields: {
    block: {
      type: new GraphQLNonNull(
        new GraphQLObjectType({
          name: '_Block_',
          fields: {
            number: { type: new GraphQLNonNull(GraphQLInt) },
            hash: { type: bytesScalar },
            timestamp: { type: GraphQLInt },
          },
        }),
      ),
    },
    deployment: { type: new GraphQLNonNull(GraphQLString), resolve: () => 'sealdeal' },
    hasIndexingErrors: { type: new GraphQLNonNull(GraphQLBoolean) },
  },
})

type Types = {
  graph: Graph
  words: Map<string, GraphQLEnumType>
  objects: Map<string, GraphQLObjectType>
  filters: Map<string, GraphQLInputObjectType>
  orders: Map<string, GraphQLEnumType>
}

/** The GraphQL schema of a graph: one entity and many of each kind, filtered, sorted, in pages. */
export function schemaOf(graph: Graph): GraphQLSchema {
  const types: Types = { graph, words: new Map(), objects: new Map(), filters: new Map(), orders: new Map() }
  for (const [name, words] of Object.entries(graph.words)) {
    types.words.set(name, new GraphQLEnumType({ name, values: Object.fromEntries(words.map((word) => [word, {}])) }))
  }
  for (const entity of Object.values(graph.entities)) addTypes(types, entity)
  const fields: GraphQLFieldConfigMap<unknown, Answering> = {}
  for (const entity of Object.values(graph.entities)) Object.assign(fields, rootFields(types, entity))
  fields._meta = { type: metaType, resolve: (_source, _args, { meta }) => meta() }
  return new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields }) })
}

function addTypes(types: Types, entity: Entity): void {
  const { name, fields } = entity
  const entries = Object.entries(fields)
  types.objects.set(
    name,
    new GraphQLObjectType({
      name,
      fields: () => Object.fromEntries(entries.map(([key, field]) => [key, outputField(types, field)])),
    }),
  )
  types.filters.set(
    name,
    new GraphQLInputObjectType({ name: `${name}_filter`, fields: () => filterFields(types, entity) }),
  )
  const sortable = entries.filter(([, field]) => 'sql' in field && !('list' in field)).map(([key]) => [key, {}])
  types.orders.set(name, new GraphQLEnumType({ name: `${name}_orderBy`, values: Object.fromEntries(sortable) }))
}

function rootFields(types: Types, entity: Entity): GraphQLFieldConfigMap<unknown, Answering> {
  const { graph } = types
  const type = types.objects.get(entity.name) as GraphQLObjectType
  return {
    [entity.single]: {
      type,
      args: { id: { type: new GraphQLNonNull(GraphQLID) } },
      resolve: (_source, args, context, info) => answer(context, () => compileOne(graph, entity, args.id, info)),
    },
    [entity.plural]: {
      type: listType(type),
      args: listArguments(types, entity),
      resolve: (_source, args: ListArguments, context, info) =>
        answer(context, () => compileList(graph, entity, args, info)),
    },
  }
}

/** No answer is longer, in bytes of JSON. */
const longestAnswer = 4_000_000

type Compiled = { sql: string; values: unknown[] }

async function answer({ database, budget }: Answering, compile: () => Compiled): Promise<unknown> {
  if (--budget.fields < 0) throw refuse('It asks for too many fields at its top.', 'Ask in several queries.')
  const { sql, values } = compile()
  return database.transaction(async (transaction) => {
    const left = Math.floor(budget.until - performance.now())
    if (left < 1) throw tooSlow(budget)
    await transaction.query(`set local statement_timeout = ${left}`)
    const [row] = await transaction
      .query<{ answer: unknown; size: number }>(measured(sql), values)
      .catch((error: { code?: string }) => {
        throw error.code === queryCanceled ? tooSlow(budget) : error
      })
    if (row && row.size > longestAnswer) {
      throw refuse(`The answer would have ${row.size} bytes.`, `Ask for less: ${longestAnswer} at most.`)
    }
    return row?.answer ?? null
  })
}

/** PostgreSQL's word for a statement that took too long. */
const queryCanceled = '57014'

function measured(sql: string): string {
  return `with asked as materialized (${sql})
    select size, case when size <= ${longestAnswer} then answer end as answer
    from asked cross join lateral (select octet_length(answer::text) as size) as measure`
}

function tooSlow({ milliseconds }: Budget): QueryRefusedError {
  return refuse(`The query takes longer than ${milliseconds} ms.`, 'Ask for less, or filter by an indexed field.')
}

function refuse(reason: string, remedy: string): QueryRefusedError {
  return new QueryRefusedError({ reason, remedy })
}

function listType(type: GraphQLOutputType): GraphQLOutputType {
  return new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)))
}

function listArguments({ filters, orders }: Types, entity: Entity): GraphQLFieldConfigArgumentMap {
  return {
    skip: { type: GraphQLInt, defaultValue: 0 },
    first: { type: GraphQLInt },
    orderBy: { type: orders.get(entity.name) as GraphQLEnumType },
    orderDirection: { type: direction },
    where: { type: filters.get(entity.name) as GraphQLInputObjectType },
  }
}

/** The statement has built the answer under the keys that were asked for. */
function outputField(types: Types, field: Field): GraphQLFieldConfig<Record<string, unknown>, Answering> {
  const resolve = (
    source: Record<string, unknown>,
    _args: unknown,
    _context: Answering,
    info: { path: { key: string | number } },
  ) => source[info.path.key]
  if ('type' in field) {
    const scalar = scalars[field.type]
    return { type: field.nullable ? scalar : new GraphQLNonNull(scalar), resolve }
  }
  if ('words' in field) return { type: new GraphQLNonNull(types.words.get(field.words) as GraphQLEnumType), resolve }
  if ('one' in field) return { type: types.objects.get(field.one) as GraphQLObjectType, resolve }
  const name = 'list' in field ? field.list : field.many
  const other = types.graph.entities[name] as Entity
  return { type: listType(types.objects.get(name) as GraphQLObjectType), args: listArguments(types, other), resolve }
}

function filterFields(types: Types, entity: Entity): Record<string, { type: GraphQLInputType }> {
  const own = types.filters.get(entity.name) as GraphQLInputObjectType
  const fields: Record<string, { type: GraphQLInputType }> = {
    and: { type: new GraphQLList(own) },
    or: { type: new GraphQLList(own) },
  }
  for (const [name, field] of Object.entries(entity.fields)) Object.assign(fields, filtersOf(types, name, field))
  return fields
}

function filtersOf(types: Types, name: string, field: Field): Record<string, { type: GraphQLInputType }> {
  const related = 'one' in field ? field.one : 'list' in field ? field.list : 'many' in field ? field.many : undefined
  const deeper = related ? { [`${name}_`]: { type: types.filters.get(related) as GraphQLInputObjectType } } : {}
  if ('many' in field) return deeper
  if ('list' in field) {
    const type = new GraphQLList(new GraphQLNonNull(GraphQLString))
    return {
      ...deeper,
      ...Object.fromEntries(Object.keys(listOperators).map((operator) => [name + operator, { type }])),
    }
  }
  const scalar: GraphQLInputType =
    'type' in field
      ? scalars[field.type]
      : 'words' in field
        ? (types.words.get(field.words) as GraphQLEnumType)
        : GraphQLString
  const kind = 'type' in field ? kinds[field.type] : 'words' in field ? wordKind : oneKind
  return {
    ...deeper,
    ...Object.fromEntries(
      Object.keys(kind.operators).map((operator) => [
        name + operator,
        { type: kind.many.has(operator) ? new GraphQLList(new GraphQLNonNull(scalar)) : scalar },
      ]),
    ),
  }
}
