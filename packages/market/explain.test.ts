import { type Address, type Hex, Tag, zeroAddress } from '@sealdeal/protocol'
import { createClient, explain, printReasons } from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Wallet } from 'ethers'
import { createWorld, type World } from './testing/world.ts'

type Answer = {
  code: string
  rule: string
  order: string
  holds: boolean
  wanted?: string
  found?: string
  remedy?: string
}

describe('GET /explain (C78)', function () {
  this.timeout(120_000)
  let world: World
  let developer: Wallet
  let owner: Wallet
  let requester: Wallet
  let app: Address
  let dataset: Address
  let workerpool: Address
  let published: Hex
  before(async () => {
    world = await createWorld({ maxOpenOrders: 100 })
    developer = await world.wallet()
    owner = await world.wallet({ stake: 1_000n })
    requester = await world.wallet({ stake: 100n })
    app = await world.createApp(developer)
    dataset = await world.createDataset(developer)
    workerpool = await world.createWorkerpool(owner)
  })
  after(() => world.close())

  async function ask(query: object = {}) {
    const { status, json } = await world.get('/explain', { app, requester: requester.address, ...query })
    expect([status, json.ok]).to.deep.equal([200, true])
    const broken = (json.answers as Answer[]).filter(({ holds }) => !holds)
    return { json, broken, codes: broken.map(({ code }) => code) }
  }

  it('names the orders that nobody has published, and what would help', async () => {
    const { json, broken } = await ask({ dataset, workerpool })
    expect(json.runs).to.equal(false)
    expect(broken.map(({ rule, order }) => [rule, order])).to.deep.equal([
      ['NotPublished', 'app'],
      ['NotPublished', 'dataset'],
      ['NotPublished', 'workerpool'],
    ])
    expect(broken[1]).to.include({
      wanted: `an order of dataset ${dataset}`,
      found: 'none',
      remedy: 'Ask its owner to grant you access.',
    })
  })

  it('says that it runs, with one answer for every rule, once all of it is there', async () => {
    const one = await world.publish('app', developer, { app, appprice: 5n, volume: 50n })
    const two = await world.publish('workerpool', owner, { workerpool, workerpoolprice: 10n, volume: 20n })
    const { json } = await ask({ volume: 3 })
    expect(json).to.deep.include({ runs: true, volume: 3, price: 15, orders: { app: one.hash, workerpool: two.hash } })
    expect(json.answers.every(({ holds }: Answer) => holds)).to.equal(true)
    expect(json.answers.map(({ code }: Answer) => code)).to.deep.equal(
      '00 01 02 03 05 06 07 10 11 12 13 14 15 19 1a 1b 20 21 40 41 50 60 60 60 70 71'.split(' '),
    )
  })

  it('names order, rule, both values and remedy of each rule that is broken', async () => {
    const { broken } = await ask({ appmaxprice: 4, category: 1, tag: Tag.encode(['tee', 'tdx', 'gpu']), volume: 9 })
    const shown = broken.map(({ order, rule, wanted, found }) => [order, rule, wanted, found])
    expect(shown).to.deep.equal([
      ['workerpool', 'CategoryMismatch', '1', '0'],
      ['app', 'Overpriced', '4', '5'],
      ['workerpool', 'TagNotCovered', Tag.encode(['tee', 'tdx', 'gpu']), Tag.tdx],
      ['request', 'ERC20InsufficientBalance', '135', '100'],
    ])
    expect(broken[3]?.remedy).to.equal('It must deposit 35 more.')
  })

  it('tells a grant for somebody else, and a group that admits', async () => {
    const stranger = await world.wallet()
    await world.publish('dataset', developer, { dataset, requesterrestrict: stranger.address as Address })
    const { codes, broken } = await ask({ dataset })
    expect(codes).to.deep.equal(['18'])
    expect(broken[0]).to.include({ wanted: stranger.address, found: requester.address })
    expect((await ask({ dataset, requester: stranger.address })).codes).to.deep.equal(['70'])
  })

  it('looks at a request of the book, and at orders that have left it', async () => {
    const request = await world.publish('request', requester, {
      app,
      requester: requester.address as Address,
      appmaxprice: 5n,
      workerpoolmaxprice: 10n,
      volume: 2n,
    })
    expect(request.json).to.include({ ok: true })
    const query = { requestorderHash: request.hash }
    published = request.hash
    expect((await world.get('/explain', query)).json).to.include({ runs: true, volume: 2 })
    await (await world.contracts.hub.connect(owner).withdraw(999n)).wait()
    const after = (await world.get('/explain', query)).json
    expect(after.answers.filter(({ holds }: Answer) => !holds)).to.deep.equal([
      {
        code: '71',
        rule: 'ERC20InsufficientBalance',
        order: 'workerpool',
        holds: false,
        wanted: '6',
        found: '1',
        sentence: `The owner of the workerpool ${owner.address} has 1 free in the escrow, but 6 is needed.`,
        remedy: 'It must deposit 5 more.',
      },
    ])
  })

  it('is printed by the SDK: every reason by its name, with its remedy', async () => {
    const endpoints = { market: world.market().url, sms: 'http://127.0.0.1:9', storage: 'http://127.0.0.1:9' }
    const client = await createClient({ signer: requester, hub: world.hub, endpoints })
    const free = await explain(client, { app, volume: 3n })
    expect(free.reasons.map(({ rule, order }) => [rule, order])).to.deep.equal([
      ['ERC20InsufficientBalance', 'workerpool'],
    ])
    const poor = await explain(client, { app, appmaxprice: 4n, category: 1n })
    expect(poor).to.deep.include({ runs: false, price: 15n })
    expect(printReasons(poor.reasons).split('\n')).to.include(
      "Overpriced (app order): The app costs 5 per task, the request pays at most 4. Raise the request's appmaxprice to 5, or find a cheaper order.",
    )
    expect(poor.reasons.map(({ rule }) => rule)).to.include('CategoryMismatch')
    const request = await explain(client, { requestorderHash: published })
    expect(request.orders.request).to.equal(published)
    const unknown = explain(client, { requestorderHash: `0x${'12'.repeat(32)}` })
    expect(await unknown.catch(String)).to.contain('requestorder not found')
  })

  it('refuses what it cannot look at', async () => {
    const none = await world.get('/explain', { app })
    expect([none.status, none.json.error]).to.deep.equal([400, 'app and requester, or requestorderHash, are required'])
    const unknown = await world.get('/explain', { requestorderHash: `0x${'12'.repeat(32)}` })
    expect([unknown.status, unknown.json.error]).to.deep.equal([404, 'requestorder not found'])
    expect((await world.get('/explain', { app: zeroAddress, requester: 'nobody' })).status).to.equal(400)
  })
})
