import type { Entity, Field, Graph, ScalarName } from './entity.ts'
import { QueryRefusedError } from './errors.ts'

/** A statement in the making: its values are only ever passed beside it. */
export type Statement = {
  graph: Graph
  /** Adds a value and says what stands for it. */
  bind: (value: unknown) => string
  /** A name for one more row. */
  alias: () => string
  /** Counts one more field or condition. Throws where there are too many. */
  count: () => void
}

export type Where = { readonly [name: string]: unknown }

type Operator = (left: string, right: string) => string
type Kind = { operators: Readonly<Record<string, Operator>>; many: ReadonlySet<string> }

const equality: Record<string, Operator> = {
  '': (left, right) => `${left} = ${right}`,
  _not: (left, right) => `${left} is distinct from ${right}`,
  _in: (left, right) => `${left} = any(${right})`,
  _not_in: (left, right) => `(${left} = any(${right})) is not true`,
}
const comparison: Record<string, Operator> = {
  _gt: (left, right) => `${left} > ${right}`,
  _lt: (left, right) => `${left} < ${right}`,
  _gte: (left, right) => `${left} >= ${right}`,
  _lte: (left, right) => `${left} <= ${right}`,
}
const parts: Record<string, Operator> = {
  _contains: (left, right) => `strpos(${left}, ${right}) > 0`,
  _contains_nocase: (left, right) => `strpos(lower(${left}), lower(${right})) > 0`,
  _not_contains: (left, right) => `strpos(${left}, ${right}) = 0`,
  _starts_with: (left, right) => `starts_with(${left}, ${right})`,
  _not_starts_with: (left, right) => `not starts_with(${left}, ${right})`,
  _ends_with: (left, right) => `right(${left}, length(${right})) = ${right}`,
}
const several = new Set(['_in', '_not_in'])
const valued = (...operators: Record<string, Operator>[]): Kind => ({
  operators: Object.assign({}, ...operators),
  many: several,
})

/** What one value can be compared by. */
export const kinds: Record<ScalarName, Kind> = {
  ID: valued(equality, comparison),
  String: valued(equality, comparison, parts),
  Bytes: valued(equality, comparison, parts),
  BigInt: valued(equality, comparison),
  BigDecimal: valued(equality, comparison),
  Int: valued(equality, comparison),
  Boolean: valued({ '': equality[''] as Operator, _not: equality._not as Operator }),
}
export const wordKind = valued(equality)
export const oneKind = valued(equality, comparison)

/** Whole arrays of ids. */
export const listOperators: Readonly<Record<string, Operator>> = {
  '': (left, right) => `(${left} @> ${right} and ${left} <@ ${right})`,
  _not: (left, right) => `not (${left} @> ${right} and ${left} <@ ${right})`,
  _contains: (left, right) => `${left} @> ${right}`,
  _not_contains: (left, right) => `not (${left} @> ${right})`,
}

const sqlTypes: Record<ScalarName, string> = {
  ID: 'text',
  String: 'text',
  Bytes: 'text',
  BigInt: 'numeric',
  BigDecimal: 'numeric',
  Int: 'int',
  Boolean: 'boolean',
}

/** The condition under which the row `alias` of the entity is what `where` asks for. */
export function condition(statement: Statement, entity: Entity, alias: string, where: Where): string {
  const clauses = Object.entries(where)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => clause(statement, entity, alias, name, value))
  return clauses.length === 0 ? 'true' : clauses.join(' and ')
}

function clause(statement: Statement, entity: Entity, alias: string, name: string, value: unknown): string {
  statement.count()
  if (name === 'and' || name === 'or') {
    const parts = ((value ?? []) as (Where | null)[]).map(
      (each) => `(${condition(statement, entity, alias, each ?? {})})`,
    )
    return parts.length === 0 ? 'true' : `(${parts.join(` ${name} `)})`
  }
  const { fieldName, operator } = split(entity, name)
  const field = entity.fields[fieldName] as Field
  if (operator === '_') return related(statement, { entity, field, row: alias }, (value ?? {}) as Where)
  if ('list' in field) {
    const list = statement.bind(readList(value ?? [], lower))
    return (listOperators[operator] as Operator)(place(field.sql, alias), `${list}::text[]`)
  }
  if ('many' in field) throw unknown(entity, name)
  const type = 'type' in field ? field.type : 'ID'
  return compare(statement, place(field.sql, alias), operator, type, value)
}

function compare(statement: Statement, left: string, operator: string, type: ScalarName, value: unknown): string {
  if (value === null) return operator === '_not' ? `${left} is not null` : `${left} is null`
  const read = type === 'ID' || type === 'Bytes' ? lower : (each: unknown) => each
  const isMany = several.has(operator)
  const bound = statement.bind(isMany ? readList(value, read) : read(value))
  const apply = kinds[type].operators[operator] as Operator
  return apply(`(${left})`, `${bound}::${sqlTypes[type]}${isMany ? '[]' : ''}`)
}

/** The longest name of a field that the filter's name begins with, and what follows. */
function split(entity: Entity, name: string): { fieldName: string; operator: string } {
  for (let end = name.length; end > 0; end = name.lastIndexOf('_', end - 1)) {
    const fieldName = name.slice(0, end)
    if (Object.hasOwn(entity.fields, fieldName)) return { fieldName, operator: name.slice(end) }
  }
  throw unknown(entity, name)
}

function unknown(entity: Entity, name: string): QueryRefusedError {
  return new QueryRefusedError({
    reason: `${entity.name} has no filter "${name}".`,
    remedy: 'Ask the schema for its filters.',
  })
}

/** Whether entities that belong to this one are what `where` asks for. */
function related(statement: Statement, from: Link, where: Where): string {
  const { field } = from
  const name = 'one' in field ? field.one : 'list' in field ? field.list : 'many' in field ? field.many : ''
  const other = statement.graph.entities[name] as Entity
  const row = statement.alias()
  const wanted = condition(statement, other, row, where)
  return `exists (select from ${place(other.from, row)} where ${link(other, from, row)} and ${wanted})`
}

/** A field of an entity's row that leads to other entities. */
export type Link = { entity: Entity; field: Field; row: string }

/** The condition under which the row `child` is one of those that the field leads to. */
export function link(child: Entity, { entity, field, row }: Link, childRow: string): string {
  const own = place(child.id, childRow)
  if ('one' in field) return `${own} = ${place(field.sql, row)}`
  if ('list' in field) return `${own} = any(${place(field.sql, row)})`
  if (!('many' in field)) throw new Error('a value leads to nothing')
  const back = child.fields[field.by]
  if (!back || !('one' in back)) throw new Error(`${child.name}.${field.by} leads to nothing`)
  const near = field.near ? ` and ${place(field.near.replaceAll('{^}', row), childRow)}` : ''
  return `${place(back.sql, childRow)} = ${place(entity.id, row)}${near}`
}

/** Puts the row's name into a piece of SQL. */
export function place(sql: string, alias: string): string {
  return sql.replaceAll('{}', alias)
}

/** Hex is stored in lower case and may be asked for in any. */
function lower(value: unknown): unknown {
  return typeof value === 'string' && /^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value
}

function readList(value: unknown, read: (each: unknown) => unknown): unknown[] {
  return (Array.isArray(value) ? value : [value]).map(read)
}
