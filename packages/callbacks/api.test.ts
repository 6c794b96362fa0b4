import { type Address, zeroHash } from '@sealdeal/protocol'
import { expect } from 'chai'
import { TypedDataEncoder, Wallet } from 'ethers'
import fc from 'fast-check'
import type { Callbacks } from './start.ts'
import { createWorld, type World } from './testing/world.ts'

/** Generated requests; 50,000 in a thorough run. */
const RUNS = Number(process.env.REQUESTS ?? 100)

describe('the interface for subscriptions', function () {
  this.timeout(Math.max(180_000, RUNS * 50))
  let world: World
  let service: Callbacks
  before(async () => {
    world = await createWorld()
    service = await world.start({ allowPrivate: false, maxSubscriptions: 3 })
  })
  after(async () => {
    await service?.close()
    await world?.close()
  })
  const url = 'https://receiver.example/hook'
  const call = (method: string, path: string, body?: unknown, signer?: Wallet) =>
    world.call(service.url, method, path, body, signer)

  it('knows a wallet by a challenge, once', async () => {
    const { address } = world.worker
    const asked = await fetch(`${service.url}/challenge?address=${address}&chainId=31337`)
    const { data } = (await asked.json()) as { data: { domain: object; types: object; message: object } }
    const { EIP712Domain: _, ...types } = data.types as Record<string, { name: string; type: string }[]>
    const signed = await world.worker.signTypedData(data.domain, types, data.message)
    const authorization = `${TypedDataEncoder.hash(data.domain, types, data.message)}_${signed}_${address}`
    const list = async () => (await fetch(`${service.url}/subscriptions`, { headers: { authorization } })).status
    expect([await list(), await list()]).to.deep.equal([200, 403])
    const elsewhere = await fetch(`${service.url}/challenge?address=${address}&chainId=1`)
    expect([elsewhere.status, ((await elsewhere.json()) as { name: string }).name]).to.deep.equal([
      400,
      'WrongChainError',
    ])
  })

  it('tells strangers nothing, not even what is wrong with their request', async () => {
    for (const [method, path] of [
      ['GET', '/subscriptions'],
      ['POST', '/subscriptions'],
      ['DELETE', '/subscriptions/x'],
    ] as const) {
      const response = await fetch(service.url + path, { method })
      expect([response.status, ((await response.json()) as { error: string }).error]).to.deep.equal([
        403,
        'invalid authorization',
      ])
    }
  })

  it('keeps the subscriptions of wallets apart, and shows no secret twice', async () => {
    const conditions = { kinds: ['order.closed'], app: world.workerpool, orderHash: zeroHash }
    const { json } = await call('POST', '/subscriptions', { url, ...conditions })
    const { id } = json.subscription
    expect(json.secret).to.match(/^sdcb_[\w-]{43}$/)
    const listed = await call('GET', '/subscriptions')
    expect(listed.json.subscriptions).to.deep.equal([json.subscription])
    expect(json.subscription).to.deep.include({ ...conditions, url, requester: null })
    expect(JSON.stringify(listed.json)).to.not.contain(json.secret)
    expect((await call('GET', '/subscriptions', undefined, world.pool)).json.subscriptions).to.deep.equal([])
    for (const [method, path] of [
      ['DELETE', ''],
      ['POST', '/secret'],
      ['GET', '/deliveries'],
      ['POST', '/deliveries/resend'],
    ] as const) {
      const refused = await call(method, `/subscriptions/${id}${path}`, undefined, world.pool)
      expect([refused.status, refused.json.name], path).to.deep.equal([404, 'UnknownSubscriptionError'])
    }
    expect((await call('DELETE', `/subscriptions/${id}`)).status).to.equal(200)
    expect((await call('GET', '/subscriptions')).json.subscriptions).to.deep.equal([])
  })

  it('gives a wallet so many subscriptions, also when it asks for all at once', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => call('POST', '/subscriptions', { url }, world.pool)))
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([201, 201, 201, 403, 403])
    const refused = answers.find(({ status }) => status === 403)
    expect(refused?.json.name).to.equal('TooManySubscriptionsError')
  })

  it('says which field is wrong', async () => {
    const wrong = async (body: object) => {
      const { status, json } = await call('POST', '/subscriptions', body)
      return `${status} ${json.error}`
    }
    expect(await wrong({ url, app: '0x12' })).to.contain('400 app: must be an address')
    expect(await wrong({ url, kinds: ['task.started'] })).to.contain('400 kinds')
    expect(await wrong({ url, colour: 'red' })).to.match(/^400 .*colour/)
    expect(await wrong({ url: 'https://10.0.0.1/' })).to.contain('400 Nothing is sent to "10.0.0.1"')
    expect(await wrong({ url: 'http://receiver.example/' })).to.contain('it is not https')
  })

  it('is described, and answers whatever is asked by the description or beside it', async () => {
    const described = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses?: object }>>
    }
    expect(described.openapi).to.match(/^3\.1\./)
    const routes = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method, path })),
    )
    expect(routes.map(({ method, path }) => `${method} ${path}`)).to.include.members([
      'get /challenge',
      'post /subscriptions',
      'get /subscriptions',
      'delete /subscriptions/{id}',
      'post /subscriptions/{id}/secret',
      'get /subscriptions/{id}/deliveries',
      'post /subscriptions/{id}/deliveries/resend',
      'post /subscriptions/{id}/deliveries/{delivery}/resend',
    ])
    const wallet = Wallet.createRandom() as unknown as Wallet
    const address = fc.constantFrom(wallet.address as Address, '0x12', '')
    const field = fc.oneof(address, fc.string(), fc.jsonValue())
    const body = fc.oneof(
      fc.record(
        { url: fc.oneof(fc.webUrl(), fc.string()), kinds: fc.array(fc.string()), app: field, orderHash: field },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    )
    const segment = fc.oneof(fc.uuid(), fc.string({ minLength: 1 }))
    const query = fc.record(
      { state: fc.string(), after: fc.oneof(fc.nat(), fc.string()), limit: fc.oneof(fc.nat(), fc.string()) },
      { requiredKeys: [] },
    )
    const statuses = new Map<number, number>()
    let slowest = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        segment,
        segment,
        query,
        body,
        async (route, id, delivery, asked, given) => {
          const filled = route.path
            .replace('{id}', encodeURIComponent(id))
            .replace('{delivery}', encodeURIComponent(delivery))
          const path = `${filled}?${new URLSearchParams(asked as Record<string, string>)}`
          const began = performance.now()
          const sent = route.method === 'post' ? given : undefined
          const { status, json } = await world
            .call(service.url, route.method.toUpperCase(), path, sent, wallet)
            // Metrics are no JSON.
            .catch((error: unknown) =>
              error instanceof SyntaxError ? { status: 200, json: {} } : Promise.reject(error),
            )
          slowest = Math.max(slowest, performance.now() - began)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          expect(status, `${route.method} ${path} ${JSON.stringify(json)}`).to.satisfy(
            (code: number) => code < 500 || route.path === '/ready',
          )
        },
      ),
      { numRuns: RUNS },
    )
    const counts = [...statuses].sort().map(([status, n]) => `${status}: ${n}`)
    console.log(`      ${RUNS} requests: ${counts.join(', ')}; the slowest took ${slowest.toFixed(0)} ms`)
    expect(statuses.get(400)).to.be.greaterThan(0)
  })
})
