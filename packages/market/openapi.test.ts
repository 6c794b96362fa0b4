import { expect } from 'chai'
import fc from 'fast-check'
import { createWorld, type World } from './testing/world.ts'

type Schema = { type?: string; pattern?: string; enum?: string[] }
type Parameter = { name: string; in: 'query' | 'path'; required?: boolean; schema: Schema }
type Description = { openapi: string; paths: Record<string, Record<string, { parameters?: Parameter[] }>> }

/** Generated requests; 50,000 in a thorough run. */
const RUNS = Number(process.env.REQUESTS ?? 500)

describe('the description of the market', function () {
  this.timeout(Math.max(120_000, RUNS * 50))
  let world: World
  let described: Description
  before(async () => {
    world = await createWorld()
    // Until the history of the chain is read, `/ready` says so with a 503: that is no failure.
    while ((await world.call('/ready')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    described = (await world.call('/openapi.json')).json
  })
  after(() => world.close())

  it('is OpenAPI 3.1 and names every route', () => {
    expect(described.openapi).to.match(/^3\.1\./)
    const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    const kinds = ['app', 'dataset', 'workerpool', 'request']
    const orders = kinds.flatMap((kind) => [
      `get /${kind}orders`,
      `get /${kind}orders/{orderHash}`,
      `post /${kind}orders`,
      `put /${kind}orders`,
    ])
    const others = ['challenge', 'deals', 'deals/{dealid}', 'categories', 'categories/{catid}', 'explain', 'events']
    expect(routes).to.include.members([...orders, ...others.map((path) => `get /${path}`), 'get /version'])
  })

  it('has a value of every parameter that it describes accepted', async () => {
    for (const kind of ['app', 'dataset', 'workerpool', 'request']) {
      const { parameters = [] } = described.paths[`/${kind}orders`]?.get ?? {}
      expect(parameters.map(({ name }) => name)).to.include.members(['app', 'minTag', 'minVolume', 'pageSize'])
    }
    const address = `0x${'ab'.repeat(20)}`
    expect((await world.get('/apporders', { app: address, workerpool: 'any' })).status).to.equal(200)
  })

  it('is kept: whatever is asked by it, or beside it, is answered, and never by a failure of ours', async () => {
    const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({ path, method, parameters })),
    )
    const statuses = new Map<number, number>()
    let slowest = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(...operations.map(requestOf)), async ({ path, method, body }) => {
        const began = performance.now()
        const headers = { 'content-type': 'application/json' }
        const response = await fetch(world.market().url + path, {
          method: method.toUpperCase(),
          ...(method === 'get' ? {} : { headers, body }),
        })
        slowest = Math.max(slowest, performance.now() - began)
        await response.body?.cancel()
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
        expect(response.status, `${method} ${path} ${body}`).to.be.lessThan(500)
      }),
      { numRuns: RUNS },
    )
    console.log(
      `      ${RUNS} requests: ${[...statuses]
        .sort()
        .map(([status, n]) => `${status}: ${n}`)
        .join(', ')}`,
    )
    console.log(`      the slowest took ${slowest.toFixed(0)} ms`)
    expect(statuses.get(200)).to.be.greaterThan(RUNS / 20)
    expect(statuses.get(400)).to.be.greaterThan(RUNS / 20)
  })
})

/** A request as described, most of the time: some parameters left out, some of another form, one that nobody knows. */
function requestOf({ path, method, parameters }: { path: string; method: string; parameters: Parameter[] }) {
  const chosen = parameters.map((parameter) =>
    fc
      .option(sample(parameter), { nil: undefined, freq: parameter.required ? 20 : 1 })
      .map((value) => ({ parameter, value })),
  )
  const stray = fc.option(fc.tuple(fc.string(), fc.string()), { nil: undefined, freq: 1 })
  return fc.record({ values: fc.tuple(...chosen), stray, body: bodies }).map(({ values, stray, body }) => {
    const query = new URLSearchParams(stray ? [stray] : [])
    let filled = path
    for (const { parameter, value } of values) {
      if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value ?? 'x'))
      else if (value !== undefined) query.set(parameter.name, value)
    }
    return { path: `${filled}?${query}`, method, body }
  })
}

function sample({ name, schema }: Parameter): fc.Arbitrary<string> {
  const right =
    name === 'chainId'
      ? fc.constant('31337')
      : schema.enum
        ? fc.constantFrom(...schema.enum)
        : schema.pattern
          ? fc.stringMatching(new RegExp(schema.pattern))
          : fc.string()
  return fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) })
}

const bodies = fc.oneof(
  fc.json(),
  fc.string(),
  fc.record({ order: fc.jsonValue() }).map((value) => JSON.stringify(value)),
  fc.constant('{"__proto__":1}'),
)
