import { expect } from 'chai'
import { RLC } from '../testing/scene.ts'
import { nobody, onlooker, type Person, somebody, utils } from './client.ts'
import { assetsOf, type Kind, type Terms, verbs } from './goods.ts'
import { conformanceStack } from './stack.ts'

type Page = { count: number; orders: { order: Record<string, unknown> }[]; more?: () => Promise<Page> }

export const orderbookTests = () =>
  describe('orderbook', () => {
    let seller: Person
    let assets: Record<Kind, string>
    const friend = nobody()
    before(async () => {
      seller = await somebody({ staked: 1_000n * RLC })
      assets = await assetsOf(seller)
    })
    const publish = async (kind: Kind, given: Terms): Promise<string> => {
      const { create, sign, publish } = verbs(seller.iexec, kind)
      return publish(await sign(await create(given), { preflightCheck: false }), { preflightCheck: false })
    }
    /** What somebody without a wallet finds, as the values of one field. */
    const look = async (kind: Kind, query: Terms, field = `${kind}price`) => {
      const { orders }: Page = await verbs(await onlooker(), kind).list(query)
      return orders.map(({ order }) => order[field])
    }

    it('lists the orders of an app, the cheapest first, page by page', async () => {
      const { app } = assets
      const ascending = Array.from({ length: 11 }, (_, n) => n + 1)
      await Promise.all(ascending.map((appprice) => publish('app', { app, appprice })))
      const first: Page = await (await onlooker()).orderbook.fetchAppOrderbook({ app, pageSize: 10 })
      expect([first.count, first.orders.length]).to.deep.equal([11, 10])
      const second = await first.more?.()
      expect(second?.more).to.equal(undefined)
      const listed = [...first.orders, ...(second?.orders ?? [])].map(({ order }) => order.appprice)
      expect(listed).to.deep.equal(ascending)
      expect(await look('app', { appOwner: seller.address, page: 1, pageSize: 10 })).to.deep.equal([11])
    })
    it('shows what is restricted to those who ask as the ones that may', async () => {
      const { dataset } = assets
      await publish('dataset', { dataset, datasetprice: 1, requesterrestrict: friend, volume: 5 })
      await publish('dataset', { dataset, datasetprice: 2 })
      await publish('dataset', {
        dataset,
        datasetprice: 0,
        volume: utils.DATASET_INFINITE_VOLUME,
        apprestrict: assets.app,
      })
      expect(await look('dataset', { dataset })).to.deep.equal([2])
      expect(await look('dataset', { dataset, requester: friend })).to.deep.equal([1, 2])
      expect(await look('dataset', { dataset, requester: friend, isRequesterStrict: true })).to.deep.equal([1])
      expect(await look('dataset', { dataset, requester: 'any', app: 'any' })).to.deep.equal([0, 1, 2])
      expect(await look('dataset', { datasetOwner: seller.address, app: assets.app, bulkOnly: true })).to.deep.equal([
        0,
      ])
      expect(
        await look('dataset', { dataset: 'any', datasetOwner: seller.address, minVolume: 5, requester: friend }),
      ).to.deep.equal([1])
    })
    it('lists what pools offer, by category, trust and tag', async () => {
      const { workerpool } = assets
      await publish('workerpool', { workerpool, workerpoolprice: 3, category: 1, trust: 4 })
      await publish('workerpool', { workerpool, workerpoolprice: 2, category: 1, tag: ['tee', 'tdx', 'gpu'] })
      await publish('workerpool', { workerpool, workerpoolprice: 1, category: 2 })
      expect(await look('workerpool', { workerpoolOwner: seller.address })).to.deep.equal([1, 2, 3])
      expect(await look('workerpool', { workerpool, category: 1 })).to.deep.equal([2, 3])
      expect(await look('workerpool', { workerpool, minTrust: 3 })).to.deep.equal([3])
      expect(await look('workerpool', { workerpool, minTag: ['gpu'] })).to.deep.equal([2])
      expect(await look('workerpool', { workerpool, maxTag: ['tee', 'tdx'] })).to.deep.equal([1, 3])
    })
    it('lists what is asked for, the best paying first', async () => {
      const { app, workerpool } = assets
      const given = { app, appmaxprice: 1, category: 0 }
      await publish('request', { ...given, workerpoolmaxprice: 5 })
      await publish('request', { ...given, workerpoolmaxprice: 7, trust: 9 })
      await publish('request', { ...given, workerpoolmaxprice: 6, workerpool })
      const requester = seller.address
      const paid = (query: Terms) => look('request', { requester, ...query }, 'workerpoolmaxprice')
      expect(await paid({})).to.deep.equal([7, 5])
      expect(await paid({ workerpool: 'any', app, category: 0 })).to.deep.equal([7, 6, 5])
      expect(await paid({ workerpool, isWorkerpoolStrict: true })).to.deep.equal([6])
      expect(await paid({ maxTrust: 8 })).to.deep.equal([5])
    })
    it('has single orders by their hash', async () => {
      const { app } = assets
      const orderHash = await publish('app', { app, appprice: 99 })
      const found = await (await onlooker()).orderbook.fetchApporder(orderHash)
      expect(found).to.deep.include({
        orderHash,
        remaining: 1,
        status: 'open',
        chainId: Number((await conformanceStack()).chainId),
      })
      expect(Date.now() - Date.parse(found.publicationTimestamp)).to.be.lessThan(60_000)
    })
  })
