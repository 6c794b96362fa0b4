import { PassThrough } from 'node:stream'
import { BaseError } from '@sealdeal/protocol'
import { expect } from 'chai'
import { JsonRpcProvider } from 'ethers'
import { z } from 'zod'
import { createLog } from './log.ts'
import { type HttpOptions, type Server, serve } from './serve.ts'

class TeapotError extends BaseError {
  override name = 'TeapotError'
  constructor() {
    super('I am a teapot.', { metaMessages: ['Ask a coffee pot.'] })
  }
}

describe('serve', () => {
  const logged = new PassThrough()
  let server: Server
  let works = true
  let trouble: unknown

  before(async () => {
    server = await serve({
      name: 'test',
      host: '127.0.0.1',
      port: 0,
      log: createLog({ name: 'test', to: logged }),
      errors: { TeapotError: 418 },
      bodyLimit: 1_000,
      requestsPerMinute: 40,
      ready: {
        database: () => {
          if (!works) throw new Error('the database is away')
        },
        chain: () => {
          if (trouble) throw trouble
        },
      },
      routes(app) {
        app.post('/sum', { schema: { body: z.object({ a: z.number(), b: z.number() }) } }, async ({ body }) => ({
          sum: body.a + body.b,
        }))
        app.get('/teapot', async () => {
          throw new TeapotError()
        })
        app.get('/broken', async () => {
          throw new Error('secret detail')
        })
        app.post('/raw', async ({ rawBody }) => ({ raw: Buffer.from(rawBody).toString() }))
      },
    })
  })
  after(() => server.close())

  const bare = (options: HttpOptions) =>
    serve({
      name: 'bare',
      host: '127.0.0.1',
      port: 0,
      log: createLog({ name: 'bare', level: 'silent' }),
      routes() {},
      ...options,
    })

  async function call(path: string, options: RequestInit = {}) {
    const response = await fetch(server.url + path, options)
    const json = response.headers.get('content-type')?.includes('json') ? await response.json() : undefined
    return { status: response.status, headers: response.headers, json }
  }
  const post = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } })

  it('answers what the route returns', async () => {
    const { status, json } = await call('/sum', post('{"a":1,"b":2}'))
    expect({ status, json }).to.deep.equal({ status: 200, json: { sum: 3 } })
  })

  it('names the wrong field with status 400', async () => {
    const { status, json } = await call('/sum', post('{"a":1,"b":"two"}'))
    expect(status).to.equal(400)
    expect(json).to.include({ ok: false })
    expect(json.error).to.match(/^b: .*number/)
  })

  it('answers JSON to malformed JSON, to too much of it and to unknown routes', async () => {
    expect((await call('/sum', post('{'))).json).to.have.property('ok', false)
    const large = await call('/sum', post(JSON.stringify('x'.repeat(2_000))))
    expect([large.status, large.json.ok]).to.deep.equal([413, false])
    const unknown = await call('/nothing?a=1')
    expect([unknown.status, unknown.json.error]).to.deep.equal([404, 'no route GET /nothing'])
  })

  it('maps an error by its name and hands out its remedies', async () => {
    const { status, json } = await call('/teapot')
    expect(status).to.equal(418)
    expect(json).to.include({ ok: false, error: 'I am a teapot.', name: 'TeapotError' })
    expect(json.remedies).to.deep.equal(['Ask a coffee pot.'])
  })

  it('hides the details of its own faults', async () => {
    const { status, json } = await call('/broken')
    expect(status).to.equal(500)
    expect(JSON.stringify(json)).not.to.contain('secret')
  })

  it('keeps the bytes of the body', async () => {
    expect((await call('/raw', post('{ "a" : 1 }'))).json).to.deep.equal({ raw: '{ "a" : 1 }' })
  })

  it('tells whether it lives, whether it is ready, and its metrics', async () => {
    expect((await call('/health')).json).to.deep.equal({ ok: true, name: 'test' })
    expect((await call('/ready')).status).to.equal(200)
    works = false
    const { status, json } = await call('/ready')
    expect([status, json.checks.database]).to.deep.equal([503, 'the database is away'])
    works = true
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).to.contain('http_request_duration_seconds_count{method="GET",route="/teapot",status="418"} 1')
  })

  it('is open to every origin, or to those that are named and no other', async () => {
    const preflight = async (url: string, origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' }
      return (await fetch(`${url}/sum`, { method: 'OPTIONS', headers })).headers.get('access-control-allow-origin')
    }
    expect(await preflight(server.url, 'https://app.example')).to.equal('*')
    const strict = await bare({ origins: ['https://app.example'] })
    expect(await preflight(strict.url, 'https://app.example')).to.equal('https://app.example')
    for (const origin of ['https://app.example.evil', 'http://app.example', 'null']) {
      expect(await preflight(strict.url, origin), origin).to.equal(null)
      const answer = await fetch(`${strict.url}/health`, { headers: { origin } })
      expect(answer.headers.get('access-control-allow-origin'), origin).to.equal(null)
      expect(answer.headers.get('vary')).to.contain('Origin')
    }
    await strict.close()
  })

  it('echoes a request id and makes one', async () => {
    const own = await call('/teapot', { headers: { 'x-request-id': 'abc-1' } })
    expect([own.headers.get('x-request-id'), own.json.requestId]).to.deep.equal(['abc-1', 'abc-1'])
    expect((await call('/health')).headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/)
  })

  it('tells nobody the access key of the chain, which its library quotes', async () => {
    const provider = new JsonRpcProvider(`${server.url}/v2?key=hush-of-the-provider`, 1, { staticNetwork: true })
    const error = await provider.getBlockNumber().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    provider.destroy()
    expect(String(error)).to.contain('hush-of-the-provider')
    const lines = new PassThrough()
    createLog({ name: 'x', to: lines }).warn({ error }, 'no block')
    expect(String(lines.read())).to.contain(`${server.url}/***`).and.not.contain('hush')

    trouble = error
    const { status, json } = await call('/ready')
    trouble = undefined
    expect(status).to.equal(503)
    expect(json.checks.chain).to.contain('404').and.not.contain('hush')
  })

  it('logs neither bodies nor authorizations', async () => {
    await call('/teapot?token=hush1', { headers: { authorization: 'hush2' } })
    await call('/raw', post('{"hush3":1}'))
    createLog({ name: 'x', to: logged }).info({ headers: { authorization: 'hush4' }, privateKey: 'hush5' })
    const text = String(logged.read())
    expect(text).to.contain('/teapot').and.not.match(/hush/)
  })

  it('limits the requests of one address', async () => {
    let last = 200
    for (let i = 0; i < 60 && last !== 429; i++) last = (await call('/teapot')).status
    expect(last).to.equal(429)
    expect((await call('/teapot')).json).to.include({ ok: false, error: 'Rate limit exceeded' })
    expect((await call('/nowhere')).status).to.equal(429)
    expect((await call('/health')).status).to.equal(200)
  })

  it('counts by the address of the connection, whatever a header says, but for proxies that it trusts', async () => {
    const statuses = async (url: string, addresses: string[]) => {
      const found: number[] = []
      for (const address of addresses) {
        found.push((await fetch(`${url}/nowhere`, { headers: { 'x-forwarded-for': address } })).status)
      }
      return found
    }
    const open = await bare({ requestsPerMinute: 2 })
    expect(await statuses(open.url, ['1.1.1.1', '2.2.2.2', '3.3.3.3'])).to.deep.equal([404, 404, 429])
    await open.close()
    const behind = await bare({ requestsPerMinute: 2, trustedProxies: ['127.0.0.0/8'] })
    // What the client itself wrote stands further left and is not believed.
    expect(await statuses(behind.url, ['9.9.9.1, 1.1.1.1', '9.9.9.2, 1.1.1.1', '9.9.9.3, 1.1.1.1'])).to.deep.equal([
      404, 404, 429,
    ])
    expect(
      await statuses(behind.url, ['2.2.2.2', '2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:3::']),
    ).to.deep.equal([404, 404, 404, 429])
    await behind.close()
  })
})
