// How rows look as entities of a graph. `{}` in a piece of SQL stands for the entity's own row.

export type ScalarName = 'ID' | 'String' | 'Bytes' | 'BigInt' | 'BigDecimal' | 'Int' | 'Boolean'

/** `sort` gives the same order where an index knows it. */
export type Value = { type: ScalarName; sql: string; nullable?: true; sort?: readonly string[] }

export type Field =
  | Value
  /** One of some words. */
  | { words: string; sql: string }
  /** Another entity, by its id. */
  | { one: string; sql: string }
  /** Other entities, by an array of their ids. */
  | { list: string; sql: string }
  /** All entities of that name whose field `by` is this one. `near` finds them faster: `{}` is theirs, `{^}` this one's row. */
  | { many: string; by: string; near?: string }

export type Entity = {
  name: string
  single: string
  plural: string
  /** What comes behind `from`, the row being called `{}`. */
  from: string
  id: string
  fields: Readonly<Record<string, Field>>
}

export type Graph = {
  entities: Readonly<Record<string, Entity>>
  /** The words of fields that take one of some. */
  words: Readonly<Record<string, readonly string[]>>
}

export const id = (sql = '{}.id'): Value => ({ type: 'ID', sql })
export const string = (sql: string): Value => ({ type: 'String', sql })
export const bytes = (sql: string): Value => ({ type: 'Bytes', sql })
export const bigInt = (sql: string): Value => ({ type: 'BigInt', sql })
export const int = (sql: string): Value => ({ type: 'Int', sql })
/** An amount in the smallest unit, shown in whole tokens of 10^9. */
export const tokens = (sql: string): Value => ({ type: 'BigDecimal', sql: `(${sql}) / 1000000000.0` })
export const one = (entity: string, sql: string): Field => ({ one: entity, sql })
export const many = (entity: string, by: string, near?: string): Field => ({
  many: entity,
  by,
  ...(near ? { near } : {}),
})
export const orNull = (field: Value): Field => ({ ...field, nullable: true })

/** When the row's block was made (unix seconds). */
export const timestamp: Value = {
  type: 'BigInt',
  sql: '(select block.timestamp from block where block.number = {}.block)',
  sort: ['{}.block', '{}.log'],
}
export const blockNumber: Value = { type: 'BigInt', sql: '{}.block', sort: ['{}.block', '{}.log'] }

export function entity(name: string, from: string, fields: Record<string, Field>, plural?: string): Entity {
  const single = `${name[0]?.toLowerCase()}${name.slice(1)}`
  const { id: idField } = fields
  if (!idField || !('type' in idField)) throw new Error(`${name} has no id`)
  return { name, single, plural: plural ?? pluralOf(single), from: `${from} as {}`, id: idField.sql, fields }
}

function pluralOf(word: string): string {
  if (/(s|x|ch)$/.test(word)) return `${word}es`
  return word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`
}

export function graph(entities: readonly Entity[], words: Graph['words'] = {}): Graph {
  return { entities: Object.fromEntries(entities.map((each) => [each.name, each])), words }
}
