import { type Address, Order, Tag } from '@sealdeal/protocol'
import { signRequest } from '@sealdeal/server'
import { expect } from 'chai'
import type { Wallet } from 'ethers'
import fc from 'fast-check'
import { type Described, type Description, madeOf, operationsOf, storm, stormSize } from '../server/testing/requests.ts'
import { createWorld, type World } from './testing/world.ts'

describe('the description of the market', function () {
  this.timeout(Math.max(120_000, stormSize * 100))
  let world: World
  let owner: Wallet
  let known: string[]
  let assets: Record<'app' | 'dataset' | 'workerpool', Address>
  let described: Description
  before(async () => {
    world = await createWorld({ maxOpenOrders: 1_000 })
    owner = await world.wallet({ stake: 1_000_000n })
    const [app, dataset, workerpool] = await Promise.all([
      world.createApp(owner),
      world.createDataset(owner),
      world.createWorkerpool(owner),
    ])
    assets = { app, dataset, workerpool }
    const { hash } = await world.publish('app', owner, { app, volume: 9n })
    known = [owner.address, app, dataset, workerpool, hash, `0x${'0'.repeat(40)}`, `0x${'0'.repeat(64)}`]
    // What is asked of another chain goes nowhere; small numbers name categories, pages and volumes that there are.
    known.push('31337', '0', '1', '10', 'any')
    // Until the history of the chain is read, `/ready` says so with a 503: that is no failure.
    while ((await world.call('/ready')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    described = (await world.call('/openapi.json')).json
  })
  after(() => world.close())

  const bodyOf = (method: 'post' | 'put', kind: Order.Kind) =>
    described.paths[`/${kind}orders`]?.[method]?.requestBody?.content['application/json']?.schema ?? {}

  it('is OpenAPI 3.1 and names every route', () => {
    expect(described.openapi).to.match(/^3\.1\./)
    const routes = operationsOf(described).map(({ method, path }) => `${method.toLowerCase()} ${path}`)
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
    for (const kind of Order.kinds) {
      const { parameters = [] } = described.paths[`/${kind}orders`]?.get ?? {}
      expect(parameters.map(({ name }) => name)).to.include.members([
        'app',
        'minTag',
        'minVolume',
        'pageSize',
        'cursor',
      ])
    }
    const address = `0x${'ab'.repeat(20)}`
    expect((await world.get('/apporders', { app: address, workerpool: 'any' })).status).to.equal(200)
  })

  it('says what is to be sent: every field of an order, who must log in, and how orders are taken off', () => {
    for (const kind of Order.kinds) {
      const { order } = bodyOf('post', kind).properties ?? {}
      expect(order?.required).to.deep.equal(Order.fieldNames(kind))
      expect(Object.keys(order?.properties ?? {})).to.deep.equal([...Order.fieldNames(kind), 'sign'])
      const targets = bodyOf('put', kind).oneOf ?? bodyOf('put', kind).anyOf ?? []
      expect(targets.map(({ properties }) => properties?.target?.enum?.[0])).to.deep.equal([
        'unpublish_orderHash',
        'unpublish_last',
        'unpublish_all',
      ])
    }
    const guarded = operationsOf(described).filter(({ security }) => security !== undefined)
    expect(guarded.map(({ method }) => method).sort()).to.deep.equal([
      ...Array(4).fill('POST'),
      ...Array(5).fill('PUT'),
    ])
  })

  it('makes bodies that are read, whatever becomes of them; one field less, or of another form, is not', async () => {
    for (const kind of Order.kinds) {
      const schema = bodyOf('post', kind)
      const [body] = fc.sample(madeOf(schema, known), { numRuns: 1 }) as { order: Record<string, unknown> }[]
      const answer = async (order: object) => {
        const login = await world.login(owner)
        return (await world.send('POST', `/${kind}orders`, { order }, login)).json.error as string | undefined
      }
      const order = { ...body?.order, volume: 0 }
      expect(await answer(order)).to.equal('volume must be at least 1')
      const required = schema.properties?.order?.required ?? []
      for (const name of [required[0], required.at(-2)] as string[]) {
        const { [name]: _, ...rest } = order as Record<string, unknown>
        expect(await answer(rest), `${kind}order without ${name}`).to.match(new RegExp(`^order.${name}: `))
      }
    }
  })

  it('is kept: whatever is asked by it, or beside it, is answered, and never by a failure of ours', async () => {
    const domain = { chainId: 31337n, hub: world.hub as Address, service: 'market' }
    const { statuses, succeeded } = await storm({
      url: world.market().url,
      known,
      authorize: (request) => signRequest({ signer: owner, domain, ...request }),
      prepare: signed,
    })
    expect(statuses.get(200)).to.be.greaterThan(stormSize / 20)
    expect(statuses.get(400)).to.be.greaterThan(stormSize / 20)
    expect(statuses.get(403)).to.be.greaterThan(stormSize / 50)
    expect(succeeded.get('POST'), 'of the generated orders some are published').to.be.greaterThan(0)
  })

  let prepared = 0
  /** An order that could be one is signed by the wallet that asks; every other one is for what that wallet owns. */
  async function signed({ path, body }: Described): Promise<unknown> {
    const kind = Order.kinds.find((each) => path.startsWith(`/${each}orders`))
    const given = (body as { order?: object } | null | undefined)?.order
    if (!kind || given === undefined) return body
    const own = prepared++ % 2 === 0 ? { ...assets, tag: Tag.none } : {}
    try {
      const order = await Order.sign(kind, Order.fromJson(kind, { ...given, ...own }), owner, world.domain)
      return { order: Order.toJson(kind, order) }
    } catch {
      return body
    }
  }
})
