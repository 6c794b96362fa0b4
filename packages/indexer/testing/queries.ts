// For tests only: queries that the graph's schema allows, and some beside it, each made from a number.
import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'

export type Generated = { query: string; variables: Record<string, unknown> }

/** The same seed, the same query. `known` are texts that rows have. */
export function generate(schema: GraphQLSchema, seed: number, known: readonly string[]): Generated {
  let state = seed >>> 0 || 1
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const rarely = () => random(25) === 0
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  const variables: Record<string, unknown> = {}
  const declared: string[] = []

  function value(type: GraphQLInputType, depth: number): unknown {
    if (rarely()) return pick<unknown>([null, 'what\0is\ud800this', -1, 1e9, '', [], {}, true])
    if (isNonNullType(type)) return value(type.ofType, depth)
    if (isListType(type)) return Array.from({ length: random(4) }, () => value(type.ofType, depth + 1))
    if (isEnumType(type)) return pick(type.getValues()).name
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields())
      const chosen = Array.from({ length: depth > 4 ? 0 : 1 + random(2) }, () => pick(fields))
      return Object.fromEntries(chosen.map((field) => [field.name, value(field.type, depth + 1)]))
    }
    const values: Record<string, () => unknown> = {
      Int: () => random(rarely() ? 2 ** 31 : 20),
      Boolean: () => random(2) === 0,
      BigInt: () => String(random(1_000)),
      BigDecimal: () => `${random(1_000)}.${random(1_000)}`,
    }
    return (values[getNamedType(type).name] ?? (() => pick([...known, String(random(100)), 'a', '%'])))()
  }
  function argument(arg: GraphQLArgument): string {
    const name = `v${declared.length}`
    declared.push(`$${name}: ${arg.type}`)
    variables[name] = value(arg.type, 0)
    return `${arg.name}: $${name}`
  }
  function selection(type: GraphQLObjectType, depth: number): string {
    const fields = Object.values(type.getFields())
    const leaves = fields.filter((field) => !isObjectType(getNamedType(field.type)))
    const from = depth > 0 ? fields : leaves
    const parts = Array.from({ length: 1 + random(4) }, (_, index) => {
      const field = pick(from.length > 0 ? from : fields)
      const below = getNamedType(field.type)
      const needed = field.args.filter((arg) => isNonNullType(arg.type) || random(3) === 0)
      const list = needed.length > 0 ? `(${needed.map(argument).join(', ')})` : ''
      const directive = rarely() ? ' @include(if: false)' : ''
      return `f${index}: ${field.name}${list}${directive}${isObjectType(below) ? ` { ${selection(below, depth - 1)} }` : ''}`
    })
    return rarely() ? `... on ${type.name} { ${parts.join(' ')} } __typename` : parts.join(' ')
  }
  const root = schema.getQueryType() as GraphQLObjectType
  const body = selection(root, 1 + random(5))
  const query = `query${declared.length > 0 ? `(${declared.join(', ')})` : ''} { ${body} }`
  return { query: rarely() ? query.replace(pick(['{', '}', ':', '(']), pick(['', '!', '{{', '"'])) : query, variables }
}

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ')
/** What somebody would ask who wants the server to be busy, or to break. */
export const hostile: Record<string, Generated | string> = {
  'the same list, sixty times': { query: `{ ${times(60, (n) => `a${n}: deals(first: 1000) { id }`)} }`, variables: {} },
  'everything of everything': {
    query: `{ deals(first: 1000) { ${'tasks(first: 1000) { deal { '.repeat(5)} id ${'} }'.repeat(5)} } }`,
    variables: {},
  },
  'lists in lists': {
    query: `{ transfers(first: 1000) { ${'from { transfersFrom(first: 1000) { '.repeat(4)} id ${'} }'.repeat(4)} } }`,
    variables: {},
  },
  'deeper than anybody needs': {
    query: `{ deals { ${'requester { dealRequester { '.repeat(200)} id ${'} }'.repeat(200)} } }`,
    variables: {},
  },
  'one field many times': { query: `{ deals { ${'id '.repeat(100_000)} } }`, variables: {} },
  'one field as often as words are allowed': { query: `{ ${'deals { id } '.repeat(480)} }`, variables: {} },
  'many names for one field': { query: `{ deals { ${times(600, (n) => `a${n}: usageCount`)} } }`, variables: {} },
  'fragments that double': {
    query: `{ deals { ...F0 } } ${times(40, (n) => `fragment F${n} on Deal { id ...F${n + 1} ...F${n + 1} }`)} fragment F40 on Deal { id }`,
    variables: {},
  },
  'fragments that double under other names': {
    query: `{ deals { ...F0 } } ${times(20, (n) => `fragment F${n} on Deal { a: app { usages { ...F${n + 1} } } b: app { usages { ...F${n + 1} } } }`)} fragment F20 on Deal { id }`,
    variables: {},
  },
  'a fragment in itself': { query: '{ deals { ...F } } fragment F on Deal { id ...F }', variables: {} },
  'a schema of a schema': {
    query: `{ __schema { types { ${'fields { type { '.repeat(12)} name ${'} }'.repeat(12)} } } }`,
    variables: {},
  },
  'a filter in a filter': `{"query":"query ($w: Deal_filter) { deals(where: $w) { id } }","variables":{"w":${'{"and":['.repeat(20_000)}${']}'.repeat(20_000)}}}`,
  'a filter over all that is related': {
    query: 'query ($w: Deal_filter) { deals(where: $w) { id } }',
    variables: {
      w: { tasks_: { deal_: { tasks_: { deal_: { requester_: { dealRequester_: { params_contains: 'x' } } } } } } },
    },
  },
  'many conditions': {
    query: 'query ($w: [Deal_filter]) { deals(where: { or: $w }) { id } }',
    variables: { w: Array.from({ length: 3_000 }, (_, n) => ({ params_contains: String(n) })) },
  },
  'a number with many digits': {
    query: `{ deals(where: { appPrice_gt: "${'9'.repeat(500)}" }) { id } }`,
    variables: {},
  },
  'the last page': { query: '{ deals(first: 1000, skip: 1000000) { id } }', variables: {} },
  'a text with NUL': { query: 'query ($t: String) { apps(where: { name: $t }) { id } }', variables: { t: '\0' } },
  'no operation': { query: 'fragment F on Deal { id }', variables: {} },
  'a body that is no JSON': '{"query": "{ deals',
  'a body that is a list': '[{"query": "{ deals { id } }"}]',
  'a body without end': JSON.stringify({ query: `{ deals(where: { id: "${'x'.repeat(2_000_000)}" }) { id } }` }),
  'braces without end': JSON.stringify({ query: '{'.repeat(200_000) }),
  'a list without end': `{"query":"{ deals { id } }","variables":${'['.repeat(120_000)}${']'.repeat(120_000)}}`,
}
