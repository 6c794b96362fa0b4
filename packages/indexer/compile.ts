import { storableText } from '@sealdeal/server'
import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  type SelectionSetNode,
} from 'graphql'
import type { Entity, Field, Graph } from './entity.ts'
import { QueryRefusedError } from './errors.ts'
import { condition, type Link, link, place, type Statement, type Where } from './filter.ts'

export type ListArguments = {
  where?: Where | null
  first?: number | null
  skip?: number | null
  orderBy?: string | null
  orderDirection?: 'asc' | 'desc' | null
}

type Selected = { key: string; name: string; node: FieldNode; deeper: FieldNode[] }

/** How deep a query may go, how many lists of entities it may name in all, and how many fields and conditions. */
export const limits = { depth: 12, lists: 60, parts: 2_000, rows: 1_000, skip: 1_000_000 }

type Compiler = Statement & { info: GraphQLResolveInfo; values: unknown[]; lists: number }

/** One statement for all that a query asks of one field at its top, to the last leaf: what it answers is of one moment. */
export function compileList(graph: Graph, entity: Entity, args: ListArguments, info: GraphQLResolveInfo) {
  const compiler = createCompiler(graph, info)
  const sql = `select ${listOf(compiler, { entity, args, nodes: [...info.fieldNodes], first: 100, depth: 1 })} as answer`
  return { sql, values: compiler.values }
}

/** The same for one entity. */
export function compileOne(graph: Graph, entity: Entity, key: string, info: GraphQLResolveInfo) {
  const compiler = createCompiler(graph, info)
  const row = compiler.alias()
  const found = condition(compiler, entity, row, { id: key })
  const object = objectOf(compiler, entity, row, [...info.fieldNodes], 1)
  return {
    sql: `select ${object} as answer from ${place(entity.from, row)} where ${found} limit 1`,
    values: compiler.values,
  }
}

function createCompiler(graph: Graph, info: GraphQLResolveInfo): Compiler {
  const values: unknown[] = []
  let [rows, parts] = [0, 0]
  return {
    graph,
    info,
    values,
    lists: 0,
    bind: (value) => `$${values.push(storable(value))}`,
    alias: () => `e${rows++}`,
    count() {
      if (++parts > limits.parts) throw tooMuch(`has more than ${limits.parts} fields and conditions`)
    },
  }
}

/** Rows hold no NUL: who asks for one is asking for what stands in its place. */
function storable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(storable)
  return typeof value === 'string' ? storableText(value) : value
}

function listOf(
  compiler: Compiler,
  parameters: {
    entity: Entity
    args: ListArguments
    nodes: FieldNode[]
    first: number
    depth: number
    linked?: Link
  },
): string {
  const { entity, args, nodes, first, depth, linked } = parameters
  if (++compiler.lists > limits.lists) throw tooMuch(`names more than ${limits.lists} lists`)
  const row = compiler.alias()
  const conditions = [
    ...(linked ? [link(entity, linked, row)] : []),
    ...(args.where ? [condition(compiler, entity, row, args.where)] : []),
  ]
  const object = objectOf(compiler, entity, row, nodes, depth)
  return `(select coalesce(json_agg(answer), '[]'::json) from (
    select ${object} as answer from ${place(entity.from, row)}
    where ${conditions.join(' and ') || 'true'} order by ${orderOf(entity, row, args)}
    limit ${within('first', args.first ?? first, limits.rows)} offset ${within('skip', args.skip ?? 0, limits.skip)}
  ) as answers)`
}

function within(name: string, value: number, most: number): number {
  if (value >= 0 && value <= most) return value
  throw new QueryRefusedError({ reason: `${name} is ${value}.`, remedy: `It must be between 0 and ${most}.` })
}

/** By what was asked for, then by id, so that pages never overlap. */
function orderOf(entity: Entity, row: string, { orderBy, orderDirection }: ListArguments): string {
  const direction = orderDirection ?? 'asc'
  const field = orderBy ? entity.fields[orderBy] : undefined
  const keys = !field || !('sql' in field) ? [] : ('sort' in field && field.sort) || [field.sql]
  const last = entity.fields.id && 'sort' in entity.fields.id ? entity.fields.id.sort : undefined
  return [...new Set([...keys, ...(last ?? [entity.id])])].map((key) => `${place(key, row)} ${direction}`).join(', ')
}

function objectOf(compiler: Compiler, entity: Entity, row: string, nodes: FieldNode[], depth: number): string {
  if (depth > limits.depth) throw tooMuch(`goes deeper than ${limits.depth}`)
  const type = compiler.info.schema.getType(entity.name) as GraphQLObjectType
  const pairs = select(compiler.info, type, nodes).map(
    (selected) => `'${selected.key}', ${fieldOf(compiler, { entity, row, type, selected, depth })}`,
  )
  // A function takes a hundred arguments: half as many pairs.
  const objects = Array.from({ length: Math.max(1, Math.ceil(pairs.length / 50)) }, (_, index) =>
    pairs.slice(index * 50, (index + 1) * 50).join(', '),
  )
  const [only = ''] = objects
  if (objects.length === 1) return `json_build_object(${only})`
  return objects.map((each) => `jsonb_build_object(${each})`).join(' || ')
}

function fieldOf(
  compiler: Compiler,
  {
    entity,
    row,
    type,
    selected: { name, node, deeper },
    depth,
  }: { entity: Entity; row: string; type: GraphQLObjectType; selected: Selected; depth: number },
): string {
  compiler.count()
  const field = entity.fields[name]
  if (!field) return `'${entity.name}'`
  if ('type' in field) {
    const sql = place(field.sql, row)
    if (field.type === 'BigInt') return `(${sql})::text`
    return field.type === 'BigDecimal' ? `trim_scale(${sql})::text` : sql
  }
  if ('words' in field) return place(field.sql, row)
  if ('one' in field)
    return oneOf(compiler, {
      entity: compiler.graph.entities[field.one] as Entity,
      from: entity,
      field,
      row,
      deeper,
      depth,
    })
  const other = compiler.graph.entities['list' in field ? field.list : field.many] as Entity
  const definition = type.getFields()[name]
  const args = definition ? getArgumentValues(definition, node, compiler.info.variableValues) : {}
  const linked = { entity, field, row }
  if ('list' in field && idOnly(compiler, other, deeper) && node.arguments?.length === 0) {
    return idsOf(compiler, other, place(field.sql, row), deeper)
  }
  return listOf(compiler, { entity: other, args, nodes: deeper, first: limits.rows, depth: depth + 1, linked })
}

/** Who asks for nothing but the id of another entity is answered from this row. */
function oneOf(
  compiler: Compiler,
  parameters: {
    entity: Entity
    from: Entity
    field: Extract<Field, { one: string }>
    row: string
    deeper: FieldNode[]
    depth: number
  },
): string {
  const { entity, from, field, row, deeper, depth } = parameters
  const key = place(field.sql, row)
  if (idOnly(compiler, entity, deeper))
    return `case when ${key} is not null then ${idObject(compiler, entity, key, deeper)} end`
  const other = compiler.alias()
  const object = objectOf(compiler, entity, other, deeper, depth + 1)
  return `(select ${object} from ${place(entity.from, other)} where ${link(entity, { entity: from, field, row }, other)} limit 1)`
}

function selectedOf(compiler: Compiler, entity: Entity, nodes: FieldNode[]): Selected[] {
  return select(compiler.info, compiler.info.schema.getType(entity.name) as GraphQLObjectType, nodes)
}

function idOnly(compiler: Compiler, entity: Entity, nodes: FieldNode[]): boolean {
  return selectedOf(compiler, entity, nodes).every(({ name }) => name === 'id' || name === '__typename')
}

function idObject(compiler: Compiler, entity: Entity, key: string, nodes: FieldNode[]): string {
  const pairs = selectedOf(compiler, entity, nodes).map((each) =>
    each.name === 'id' ? `'${each.key}', ${key}` : `'${each.key}', '${entity.name}'`,
  )
  return `json_build_object(${pairs.join(', ')})`
}

/** In the array's own order. */
function idsOf(compiler: Compiler, entity: Entity, array: string, nodes: FieldNode[]): string {
  const object = idObject(compiler, entity, 'each', nodes)
  return `(select coalesce(json_agg(${object} order by place), '[]'::json) from unnest(${array}) with ordinality as listed (each, place))`
}

/** The fields that are asked for, fragments opened, those with the same key joined. */
function select(info: GraphQLResolveInfo, type: GraphQLObjectType, nodes: readonly FieldNode[]): Selected[] {
  const found = new Map<string, Selected>()
  const opened = new Set<string>()
  for (const { selectionSet } of nodes) if (selectionSet) collect(info, type, selectionSet, { found, opened })
  return [...found.values()]
}

function collect(
  info: GraphQLResolveInfo,
  type: GraphQLObjectType,
  set: SelectionSetNode,
  { found, opened }: { found: Map<string, Selected>; opened: Set<string> },
) {
  for (const node of set.selections) {
    if (getDirectiveValues(GraphQLSkipDirective, node, info.variableValues)?.if === true) continue
    if (getDirectiveValues(GraphQLIncludeDirective, node, info.variableValues)?.if === false) continue
    if (node.kind === 'Field') {
      const key = (node.alias ?? node.name).value
      const known = found.get(key)
      if (known) known.deeper.push(node)
      else found.set(key, { key, name: node.name.value, node, deeper: [node] })
      continue
    }
    // Once is enough: fragments that open one another twice would double with each.
    if (node.kind === 'FragmentSpread') {
      if (opened.has(node.name.value)) continue
      opened.add(node.name.value)
    }
    const fragment: FragmentDefinitionNode | typeof node | undefined =
      node.kind === 'FragmentSpread' ? info.fragments[node.name.value] : node
    const on = fragment?.typeCondition?.name.value
    if (fragment?.selectionSet && (on === undefined || on === type.name))
      collect(info, type, fragment.selectionSet, { found, opened })
  }
}

function tooMuch(what: string): QueryRefusedError {
  return new QueryRefusedError({ reason: `The query ${what}.`, remedy: 'Ask for less, or in several queries.' })
}
