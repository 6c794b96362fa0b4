import { type Address, type Hex, Order } from '@sealdeal/protocol'
import { createLog } from '@sealdeal/server'
import { expect } from 'chai'
import { connectMarket, type Market } from './market.ts'
import { keepOffer, type OfferParameters, type Terms } from './offer.ts'
import { openWorld, until, type World } from './testing/world.ts'

describe('the pool’s order', function () {
  this.timeout(60_000)
  let world: World
  let market: Market
  let marketUrl: string
  let terms: Terms
  before(async () => {
    world = await openWorld()
    marketUrl = (await world.startMarket()).url
    market = connectMarket({ url: marketUrl, wallet: world.wallets.poolOwner, chainId: 31337n })
    terms = {
      workerpool: world.workerpool,
      price: 1_000_000_000n,
      category: 0n,
      volume: 10n,
      tag: `0x${'00'.repeat(31)}09`,
      trust: 1n,
    }
  })
  after(() => world?.close())

  const keep = (changes: Partial<Terms> = {}, others: Partial<OfferParameters> = {}) =>
    keepOffer({
      database: world.database,
      hub: world.hub,
      market,
      owner: world.wallets.poolOwner.address as Address,
      signer: world.wallets.poolOwner,
      domain: Order.domain({ chainId: 31337n, hub: world.deployment.hub }),
      terms: { ...terms, ...changes },
      log: createLog({ name: 'test', level: 'silent' }),
      ...others,
    })
  type Listed = { orders: { orderHash: Hex; order: { workerpoolprice: number | string; volume: number | string } }[] }
  async function book(): Promise<Listed['orders']> {
    const query = `chainId=31337&workerpool=${world.workerpool}`
    const answer = await fetch(`${marketUrl}/workerpoolorders?${query}`)
    return ((await answer.json()) as Listed).orders
  }

  it('is on the market once, however many replicas keep it', async () => {
    const hashes = await Promise.all([keep(), keep(), keep()])
    expect(new Set(hashes).size).to.equal(1)
    const listed = await book()
    expect(listed.map(({ orderHash }) => orderHash)).to.deep.equal([hashes[0]])
    expect(listed[0]?.order).to.deep.include({ workerpoolprice: 1_000_000_000, volume: 10 })
  })

  it('is replaced when the terms change', async () => {
    const before = await keep()
    const after = await keep({ price: 2_000_000_000n })
    expect(after).not.to.equal(before)
    expect((await book()).map(({ orderHash }) => orderHash)).to.deep.equal([after])
    await keep()
  })

  it('is replaced when it left the market', async () => {
    const before = (await keep()) as Hex
    await market.unpublish(before)
    const after = await keep()
    expect(after).not.to.equal(before)
    expect((await book()).map(({ orderHash }) => orderHash)).to.deep.equal([after])
  })

  it('comes with where the pool’s API is, said once and again when it moves', async () => {
    const place = `${marketUrl}/31337/workerpools/${world.workerpool}`
    expect((await fetch(place)).status).to.equal(404)
    for (const apiUrl of ['http://127.0.0.1:1', 'http://127.0.0.1:1', 'http://127.0.0.1:2']) {
      await market.announce(world.workerpool, apiUrl)
      expect(((await (await fetch(place)).json()) as { apiUrl: string }).apiUrl).to.equal(apiUrl)
    }
  })

  it('offers no more tasks than the owner’s stake covers', async () => {
    const { stake } = await world.hub.viewAccount(world.wallets.poolOwner.address)
    const price = (stake * 100n) / 30n / 4n
    await keep({ price })
    const [listed] = await book()
    expect(BigInt(listed?.order.volume ?? 0)).to.equal(stake / ((price * 30n) / 100n))
    expect(await keep({ price: stake * 10n })).to.equal(undefined)
  })

  it('is published by the scheduler when a price is set', async () => {
    const { program } = await world.startScheduler({ WORKERPOOL_PRICE: '7', MARKET_URL: marketUrl })
    await until('the order', async () => (await book()).some(({ order }) => Number(order.workerpoolprice) === 7))
    await program.stop()
  })
})
