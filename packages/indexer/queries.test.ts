import { expect } from 'chai'
import fc from 'fast-check'
import { dataProtectorGraph } from './dataProtectorGraph.ts'
import type { Indexer } from './index.ts'
import { protocolGraph } from './protocolGraph.ts'
import { schemaOf } from './schema.ts'
import { type Generated, generate, hostile } from './testing/queries.ts'
import { createWalk } from './testing/walk.ts'
import { createWorld, type World } from './testing/world.ts'

/** Generated requests; 50,000 in a thorough run. */
const RUNS = Number(process.env.REQUESTS ?? 300)
/** No request may take longer, in milliseconds; a query itself less, so that its answer can still be sent. */
const limit = 1_000
const patience = 400

const graphs = { protocol: schemaOf(protocolGraph), dataprotector: schemaOf(dataProtectorGraph) }

describe('whatever a graph is asked', function () {
  this.timeout(300_000 + RUNS * 100)
  let world: World
  let indexer: Indexer
  const known: string[] = []
  before(async () => {
    world = await createWorld()
    const walk = createWalk(world, { seed: 11 })
    await walk.prepare()
    await walk.all()
    indexer = await world.start({ patience })
    await indexer.caughtUp()
    for (const table of ['deal', 'task', 'account', 'asset']) {
      const rows = await world.database.query<{ id: string }>(`select id from ${table} limit 5`)
      known.push(...rows.map(({ id }) => id))
    }
  })
  after(async () => {
    await indexer.close()
    await world.close()
  })

  type Answer = { status: number; text: string; milliseconds: number }
  async function send(graph: string, body: string): Promise<Answer> {
    const began = performance.now()
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${indexer.url}/${graph}`, { method: 'POST', headers, body })
    const text = await response.text()
    return { status: response.status, text, milliseconds: performance.now() - began }
  }
  /** What is slow is slow each time; what a busy machine held up is not. */
  async function quickest(graph: string, body: string): Promise<Answer> {
    let best = await send(graph, body)
    for (let again = 0; again < 5 && best.milliseconds > limit; again++) {
      const answer = await send(graph, body)
      if (answer.milliseconds < best.milliseconds) best = answer
    }
    return best
  }
  async function expectAnswered(graph: string, body: string): Promise<Answer> {
    const answer = await quickest(graph, body)
    expect(answer.status, answer.text.slice(0, 500)).to.be.lessThan(500)
    expect(answer.text).not.to.include('Something went wrong')
    expect(answer.milliseconds).to.be.lessThan(limit)
    return answer
  }

  it('is answered, or refused with a reason, in less than a second', async () => {
    const seen = { data: 0, refused: 0 }
    let slowest = 0
    const graph = fc.constantFrom(...(Object.keys(graphs) as (keyof typeof graphs)[]))
    const request = fc
      .tuple(graph, fc.integer({ min: 1, max: 2 ** 31 }))
      .map(([name, seed]) => ({ name, ...generate(graphs[name], seed, known) }))
    await fc.assert(
      fc.asyncProperty(request, async ({ name, ...asked }) => {
        const { text, milliseconds } = await expectAnswered(name, JSON.stringify(asked))
        slowest = Math.max(slowest, milliseconds)
        const { data, errors } = JSON.parse(text)
        expect(data ?? errors).to.not.equal(undefined)
        seen[errors ? 'refused' : 'data']++
      }),
      { numRuns: RUNS },
    )
    console.log(
      `      ${RUNS} queries: ${seen.data} answered, ${seen.refused} refused, the slowest ${slowest.toFixed(0)} ms`,
    )
    expect(seen.data).to.be.greaterThan(RUNS / 5)
    expect(seen.refused).to.be.greaterThan(RUNS / 20)
  })

  for (const [name, asked] of Object.entries(hostile)) {
    it(`is answered or refused in less than a second: ${name}`, async () => {
      const body = typeof asked === 'string' ? asked : JSON.stringify(asked satisfies Generated)
      await expectAnswered('protocol', body)
    })
  }

  it('is refused when it takes longer than the operator allows', async () => {
    const hurried = await world.start({ patience: 0 })
    const body = JSON.stringify({ query: '{ accounts { id } }' })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${hurried.url}/protocol`, { method: 'POST', headers, body })
    expect(await response.text()).to.include('takes longer than 0 ms')
    await hurried.close()
  })

  it('is refused when it takes the database longer', async () => {
    const client = await world.database.pool.connect()
    await client.query('begin')
    await client.query('lock table deal in access exclusive mode')
    const { text } = await send('protocol', JSON.stringify({ query: '{ deals { id } }' }))
    await client.query('rollback')
    client.release()
    expect(text).to.include(`takes longer than ${patience} ms`)
  })

  it('is refused when its answer would be longer than four million bytes', async () => {
    const patient = await world.start()
    const leaves = Array.from({ length: 40 }, (_, index) => `a${index}: transaction { id }`).join(' ')
    const lists = (way: string) =>
      `transfers${way} { from { transfersFrom { from { transfers${way} { ${leaves} } } } } }`
    const body = JSON.stringify({ query: `{ accounts { a: ${lists('From')} b: ${lists('To')} } }` })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${patient.url}/protocol`, { method: 'POST', headers, body })
    expect(await response.text()).to.match(/The answer would have \d{7,} bytes/)
    await patient.close()
  })
})
