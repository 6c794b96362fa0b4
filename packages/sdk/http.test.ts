import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Order, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import { call } from './http.ts'
import { type Client, createClient } from './index.ts'
import { login } from './login.ts'
import { type Chain, createChain, nowhere } from './testing/world.ts'

describe('services', function () {
  this.timeout(60_000)
  let chain: Chain
  const servers: Server[] = []

  before(async () => {
    chain = await createChain()
  })
  after(() => {
    for (const server of servers) server.close()
  })

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const answering = (status: number, body: unknown) =>
    listen((_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    )
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error) => error,
    )
  const at = (market: string) => ({ endpoints: { ...nowhere, market } })
  const get = { service: 'market', path: '/x' } as const

  it('pass on why they refuse and what to do', async () => {
    const url = await answering(403, { ok: false, error: 'order already published', remedies: ['Change its salt.'] })
    const error = await failure(call(at(url), get))
    expect([error.name, error.status]).to.deep.equal(['ServiceRefusedError', 403])
    expect(error.message).to.contain('The market refused: order already published.').and.to.contain('Change its salt.')
  })

  it('are said to be unavailable when they fail or are away, which may be tried again', async () => {
    const url = await answering(500, { error: 'a detail' })
    for (const endpoint of [url, 'http://127.0.0.1:9']) {
      const error = await failure(call(at(endpoint), get))
      expect(error.name).to.equal('ServiceUnavailableError')
      expect(error.message).to.contain(endpoint).and.to.not.contain('a detail')
    }
  })

  it('live at the root of an origin', async () => {
    const { signer } = await chain.client()
    for (const market of ['http://host/market', 'ftp://host', 'nowhere']) {
      const error = await failure(createClient({ signer, hub: chain.hub, endpoints: { ...nowhere, market } }))
      expect(error.message).to.contain('endpoints.market')
    }
  })

  describe('a market that asks for a login', () => {
    const domain = { name: 'iExec Gateway', version: '1', chainId: 31337 }
    const types = { Challenge: [{ name: 'challenge', type: 'string' }] }
    const good = { domain, types, primaryType: 'Challenge', message: { challenge: 'Sign this message to log in: 1' } }

    /** A client that counts what its wallet signs. */
    async function counting(market: string): Promise<{ client: Client; signatures: () => number }> {
      const client = await chain.client({ endpoints: { ...nowhere, market } })
      let count = 0
      const sign = client.signer.signTypedData.bind(client.signer)
      client.signer.signTypedData = (...parameters) => {
        count++
        return sign(...parameters)
      }
      return { client, signatures: () => count }
    }

    for (const [form, body] of [
      ['bare', good],
      ['under `data`', { ok: true, data: good }],
      ['with the type of the domain', { data: { ...good, types: { ...types, EIP712Domain: [] } } }],
    ] as const) {
      it(`gets its challenge signed: ${form}`, async () => {
        const { client } = await counting(await answering(200, body))
        expect((await login(client)).authorization).to.match(/^0x[0-9a-f]{64}_0x[0-9a-f]{130}_0x[0-9a-fA-F]{40}$/)
      })
    }

    it('gets nothing else signed, least of all an order', async () => {
      const hub = Order.domain({ chainId: 31337, hub: chain.hub })
      const { message, types: orderTypes, primaryType } = Order.typedData('app', Order.none('app'), hub)
      const json = { ...message, appprice: '0', volume: '1' }
      const bad = [
        {},
        { ...good, primaryType: 'AppOrder' },
        { ...good, domain: { ...domain, verifyingContract: zeroAddress } },
        { ...good, types: { Challenge: [...types.Challenge, { name: 'more', type: 'string' }] } },
        { ...good, message: { challenge: 1 } },
        { domain: { ...hub, chainId: 31337 }, types: orderTypes, primaryType, message: json },
      ]
      for (const data of bad) {
        const { client, signatures } = await counting(await answering(200, { ok: true, data }))
        expect((await failure(login(client))).name).to.equal('InvalidValueError')
        expect(signatures()).to.equal(0)
      }
    })
  })
})
