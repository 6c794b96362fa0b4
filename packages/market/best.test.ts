import { type Address, Match, Order, Tag, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import type { Wallet } from 'ethers'
import { createWorld, type World } from './testing/world.ts'

describe('GET /best', function () {
  this.timeout(120_000)
  let world: World
  let developer: Wallet
  let owner: Wallet
  let requester: Address
  let app: Address
  let dataset: Address
  let pools: Address[]
  before(async () => {
    world = await createWorld({ maxOpenOrders: 1_000 })
    developer = await world.wallet()
    owner = await world.wallet({ stake: 10_000n })
    requester = (await world.wallet()).address as Address
    app = await world.createApp(developer)
    dataset = await world.createDataset(developer)
    pools = [await world.createWorkerpool(owner), await world.createWorkerpool(owner)]
  })
  after(() => world.close())
  const best = (query: object = {}) => world.get('/best', { app, requester, ...query })

  it('says when nothing fits', async () => {
    const { status, json } = await best()
    expect([status, json.error]).to.deep.equal([404, 'match not found'])
  })

  it('is the cheapest of all that match, as trying every one of them shows', async () => {
    const [first = zeroAddress, second = zeroAddress] = pools
    const restrictions = [zeroAddress, zeroAddress, first, second]
    const people = [zeroAddress, zeroAddress, requester, developer.address as Address]
    const book: {
      app: Order.Signed<'app'>[]
      dataset: Order.Signed<'dataset'>[]
      workerpool: Order.Signed<'workerpool'>[]
    } = {
      app: [],
      dataset: [],
      workerpool: [],
    }
    const some = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T
    const price = () => BigInt(Math.floor(Math.random() * 20))
    const tags = [Tag.tdx, Tag.tdx, Tag.encode(['tee', 'tdx', 'gpu'])]
    for (let n = 0; n < 12; n++) {
      const volume = BigInt(1 + (n % 4))
      const restrict = { workerpoolrestrict: some(restrictions), requesterrestrict: some(people) }
      const one = await world.publish('app', developer, {
        app,
        appprice: price(),
        volume,
        tag: some(tags),
        ...restrict,
      })
      const two = await world.publish('dataset', developer, { dataset, datasetprice: price(), volume, ...restrict })
      const three = await world.publish('workerpool', owner, {
        workerpool: some(pools),
        workerpoolprice: price(),
        volume,
        tag: some(tags),
        category: BigInt(n % 2),
        requesterrestrict: some(people),
      })
      for (const { json } of [one, two, three]) expect(json).to.include({ ok: true })
      book.app.push(one.order)
      book.dataset.push(two.order)
      book.workerpool.push(three.order)
    }
    let found = 0
    for (let n = 0; n < 60; n++) {
      const wish = {
        dataset: some([zeroAddress, dataset]),
        workerpool: some([zeroAddress, zeroAddress, first]),
        category: some([0n, 1n]),
        volume: some([1n, 2n, 3n]),
        tag: some(tags),
      }
      const any = 2n ** 53n - 1n
      const highest = { appmaxprice: any, datasetmaxprice: any, workerpoolmaxprice: any }
      const request = { ...Order.create('request', { app, requester, ...highest, ...wish }), sign: '0x' as const }
      const prices = book.app.flatMap((one) =>
        (wish.dataset === zeroAddress ? [undefined] : book.dataset).flatMap((two) =>
          book.workerpool.flatMap((three) => {
            const orders = { app: one, dataset: two, workerpool: three, request }
            const enough = Match.volume(orders) >= wish.volume
            return enough && Match.check(orders, { categoryCount: 5n }).length === 0
              ? [Number(Match.price(orders))]
              : []
          }),
        ),
      )
      const { status, json } = await best(wish)
      if (prices.length === 0) expect(status).to.equal(404)
      else expect(json.price).to.equal(Math.min(...prices))
      found += prices.length > 0 ? 1 : 0
      if (status !== 200) continue
      const shown = [json.apporder, json.datasetorder, json.workerpoolorder].filter((each) => each !== undefined)
      const sum = shown.reduce(
        (all, { order }) => all + (order.appprice ?? order.datasetprice ?? order.workerpoolprice),
        0,
      )
      expect(sum).to.equal(json.price)
      expect(json.volume).to.be.at.least(Number(wish.volume))
    }
    expect(found).to.be.greaterThan(5)
  })

  it('finds the pool that an app admits, however many others are cheaper', async () => {
    const [common = zeroAddress, wanted = zeroAddress] = pools
    const choosy = await world.createApp(developer)
    const category = 3n
    await world.publish('app', developer, { app: choosy, appprice: 2n, workerpoolrestrict: wanted, volume: 5n })
    const cheap = Array.from({ length: 70 }, (_, n) =>
      world.publish('workerpool', owner, { workerpool: common, workerpoolprice: BigInt(n % 5), category }),
    )
    await Promise.all(cheap)
    const terms = { app: choosy, category }
    expect((await best(terms)).status).to.equal(404)
    await world.publish('workerpool', owner, { workerpool: wanted, workerpoolprice: 90n, category })
    const { json } = await best(terms)
    expect([json.price, json.workerpoolorder?.order.workerpool]).to.deep.equal([92, wanted])
  })
})
