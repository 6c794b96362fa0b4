// For tests only: requests made from what a server says of itself at `/openapi.json`, and a storm of them. Not exported.
import { expect } from 'chai'
import fc from 'fast-check'

export type Schema = {
  type?: string
  pattern?: string
  enum?: string[]
  const?: unknown
  minimum?: number
  maximum?: number
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  anyOf?: Schema[]
  oneOf?: Schema[]
}
export type Parameter = { name: string; in: 'query' | 'path' | 'header'; required?: boolean; schema: Schema }
export type Operation = {
  parameters?: Parameter[]
  security?: unknown[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}
export type Description = { openapi: string; paths: Record<string, Record<string, Operation>> }

/** A request as described. `wantsLogin`: its route asks who calls. */
export type Described = { method: string; path: string; body?: unknown; wantsLogin: boolean }

/** Generated requests of a storm; 50,000 in a thorough run. */
export const stormSize = Number(process.env.REQUESTS ?? 300)

/** How many are under way at once. */
const AT_ONCE = 10
const SLOW_MS = 1_000

export type StormParameters = {
  url: string
  /** Values that mean something to the server, put where their form allows. */
  known: readonly string[]
  /** Makes the header of a request that wants a login; most of them are given one. */
  authorize?: (request: { method: string; path: string; body: string }) => Promise<string>
  /** Changes a body into one that goes further: signs the order in it, for instance. */
  prepare?: (request: Described) => Promise<unknown>
}

/**
 * Asks everything that is described, as it is described and a little beside it: nothing may be answered by a failure of
 * the server's own, nor take longer than a second three times in a row (once may be the machine).
 */
export async function storm({ url, known, authorize, prepare }: StormParameters) {
  const description = (await (await fetch(`${url}/openapi.json`)).json()) as Description
  const requests = fc.oneof(...operationsOf(description).map((operation) => requestOf(operation, known)))
  const statuses = new Map<number, number>()
  /** How many of each method did what they are for. */
  const succeeded = new Map<string, number>()
  let slowest = 0

  async function ask(request: Described): Promise<number> {
    const { method, path } = request
    const prepared = prepare ? await prepare(request) : request.body
    const body = typeof prepared === 'string' ? prepared : JSON.stringify(prepared)
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    if (request.wantsLogin && authorize) headers.authorization = await authorize({ method, path, body: body ?? '' })
    const began = performance.now()
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) })
    const took = performance.now() - began
    await response.body?.cancel()
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    if (response.ok) succeeded.set(method, (succeeded.get(method) ?? 0) + 1)
    const told = response.headers.get('x-request-id')
    expect(response.status, `${method} ${path} ${body} (request ${told})`).to.be.lessThan(500)
    return took
  }
  async function askInTime(request: Described): Promise<void> {
    let took = await ask(request)
    for (let again = 0; took > SLOW_MS && again < 2; again++) took = Math.min(took, await ask(request))
    slowest = Math.max(slowest, took)
    expect(took, `${request.method} ${request.path} is slow`).to.be.lessThan(SLOW_MS)
  }
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (batch) => {
      await Promise.all(batch.map(askInTime))
    }),
    { numRuns: Math.ceil(stormSize / AT_ONCE), endOnFailure: true },
  )
  const counts = [...statuses].sort(([one], [other]) => one - other).map(([status, count]) => `${status}: ${count}`)
  console.log(`      ${stormSize} requests: ${counts.join(', ')}; the slowest took ${slowest.toFixed(0)} ms`)
  return { statuses, succeeded, slowest }
}

type Named = { path: string; method: string } & Operation

export function operationsOf({ paths }: Description): Named[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  )
}

/** Most of the time as described; else some parameters are left out, of another form, or unknown. */
function requestOf({ path, method, parameters = [], requestBody, security }: Named, known: readonly string[]) {
  const values = parameters
    .filter((parameter) => parameter.in !== 'header')
    .map((parameter) =>
      fc
        .option(beside(textOf(parameter.schema, known)), { nil: undefined, freq: parameter.required ? 20 : 1 })
        .map((value) => ({ parameter, value })),
    )
  const stray = fc.option(fc.tuple(fc.string(), fc.string()), { nil: undefined, freq: 1 })
  const described = requestBody?.content['application/json']?.schema
  const body = method === 'GET' ? fc.constant(undefined) : bodyOf(described, known)
  const wantsLogin = security === undefined ? fc.constant(false) : fc.nat(4).map((chance) => chance > 0)
  return fc.record({ values: fc.tuple(...values), stray, body, wantsLogin }).map((made): Described => {
    const query = new URLSearchParams(made.stray ? [made.stray] : [])
    let filled = path
    for (const { parameter, value } of made.values) {
      if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value ?? 'x'))
      else if (value !== undefined) query.set(parameter.name, value)
    }
    return { path: `${filled}?${query}`, method, body: made.body, wantsLogin: made.wantsLogin }
  })
}

function bodyOf(schema: Schema | undefined, known: readonly string[]): fc.Arbitrary<unknown> {
  const right = schema ? madeOf(schema, known) : fc.jsonValue()
  const wrong = fc.oneof(fc.json(), fc.string(), fc.constant('{"__proto__":1}'), fc.jsonValue())
  return fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: wrong })
}

/** A value in a URL. */
function textOf(schema: Schema, known: readonly string[]): fc.Arbitrary<string> {
  return madeOf(schema, known).map(String)
}

/** What a schema describes, as far as ours go. */
export function madeOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map((each) => madeOf(each, known)))
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.type === 'object') return objectOf(schema, known)
  if (schema.type === 'array') return fc.array(madeOf(schema.items ?? {}, known), { maxLength: 5 })
  if (schema.type === 'boolean') return fc.boolean()
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema
    return fc.oneof(fc.maxSafeNat(), fc.nat(20)).map((value) => Math.min(Math.max(value, minimum), maximum))
  }
  if (schema.type === 'string') return stringOf(schema, known)
  return fc.jsonValue()
}

function objectOf({ properties = {}, required = [] }: Schema, known: readonly string[]) {
  const members = Object.entries(properties).map(([name, schema]) => {
    const value = madeOf(schema, known)
    return [name, required.includes(name) ? value : fc.option(value, { nil: undefined })] as const
  })
  return fc.record(Object.fromEntries(members))
}

function stringOf({ pattern }: Schema, known: readonly string[]): fc.Arbitrary<string> {
  if (pattern === undefined) {
    return fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...known, 'a NUL:\0'))
  }
  const form = new RegExp(pattern)
  const fitting = known.filter((value) => form.test(value))
  const any = fc.stringMatching(form)
  return fitting.length === 0 ? any : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...fitting) }, any)
}

function beside(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) })
}
