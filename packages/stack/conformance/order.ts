import { expect } from 'chai'
import type * as Orders from 'iexec/IExecOrderModule'
import { RLC, refusal } from '../testing/scene.ts'
import { type Person, somebody, utils } from './client.ts'
import { assetsOf, type Kind, kinds, type Order, prices, quadruple, type Terms, verbs } from './goods.ts'

export const orderTests = () =>
  describe('order', () => {
    let seller: Person
    let assets: Record<Kind, string>
    /** What the four orders of the seller are made from. */
    let terms: Record<Kind, Terms>
    before(async () => {
      seller = await somebody({ staked: 100n * RLC })
      assets = await assetsOf(seller)
      const { app, dataset, workerpool } = assets
      terms = {
        app: { app, appprice: prices.app },
        dataset: { dataset, datasetprice: prices.dataset },
        workerpool: { workerpool, workerpoolprice: '1 RLC', category: 0 },
        request: { app, appmaxprice: prices.app, workerpool, workerpoolmaxprice: prices.workerpool, category: 0 },
      }
    })
    const signed = async (kind: Kind): Promise<Order> => {
      const { create, sign } = verbs(seller.iexec, kind)
      return sign(await create(terms[kind]))
    }

    for (const kind of kinds) {
      describe(`of kind ${kind}`, () => {
        before(async () => {
          // A request is published when there is something that it can be matched with.
          if (kind === 'request')
            await seller.iexec.order.publishApporder((await signed('app')) as Orders.SignedApporder)
        })
        it('is published, found, and taken off the book by its hash', async () => {
          const { publish, unpublish, hash, fetch } = verbs(seller.iexec, kind)
          const order = await signed(kind)
          const orderHash = await publish(order)
          expect(orderHash).to.equal(await hash(order))
          const found = await fetch(orderHash)
          expect(found).to.deep.include({ orderHash, remaining: 1, status: 'open', signer: seller.address })
          expect(found.order.sign).to.equal(order.sign)
          expect((await refusal(publish(order))).message).to.equal('API error: order already published')
          expect(await unpublish(orderHash)).to.equal(orderHash)
          expect((await refusal(fetch(orderHash))).message).to.equal(`API error: ${kind}order not found`)
          const again = await refusal(unpublish(orderHash))
          expect(again.message).to.equal(`API error: ${kind}order with orderHash ${orderHash} is not published`)
        })
        it('is taken off the book as the last one, or with all others', async () => {
          const { publish, unpublishLast, unpublishAll } = verbs(seller.iexec, kind)
          const hashes: string[] = []
          for (let n = 0; n < 3; n++) hashes.push(await publish(await signed(kind)))
          expect(await unpublishLast(assets[kind])).to.equal(hashes.pop())
          expect(new Set(await unpublishAll(assets[kind]))).to.deep.equal(new Set(hashes))
          const none = await refusal(unpublishAll(assets[kind]))
          expect(none.message).to.match(new RegExp(`no open ${kind}order published by signer ${seller.address}`))
        })
        it('is canceled for everybody, once', async () => {
          const { publish, cancel, fetch } = verbs(seller.iexec, kind)
          const order = await signed(kind)
          const orderHash = await publish(order)
          expect((await cancel(order)).txHash).to.match(/^0x/)
          for (let status = ''; status !== 'canceled'; ) status = (await fetch(orderHash)).status
          expect((await refusal(cancel(order))).message).to.match(/already canceled/)
          expect((await refusal(publish(order))).message).to.match(/^API error: order already/)
        })
      })
    }

    it('that somebody else signed is refused in words', async () => {
      const stranger = await somebody()
      const order = await signed('app')
      const refused = await refusal(stranger.iexec.order.publishApporder(order as never))
      expect(refused.message).to.equal(`API error: only order signer ${seller.address} can publish an order`)
    })
    it('of a pool without enough stake is refused in words', async () => {
      const { create, sign, publish } = verbs(seller.iexec, 'workerpool')
      const order = await sign(await create({ ...terms.workerpool, workerpoolprice: 1_000n * RLC }))
      const { message } = await refusal(publish(order))
      expect(message).to.equal("API error: workerpool owner's stake is too low to cover required workerpool lock")
    })
    it('of a requester that nothing matches is refused in words', async () => {
      const { create, sign, publish } = verbs(seller.iexec, 'request')
      const apporderHash = await verbs(seller.iexec, 'app').publish(await signed('app'))
      const cheap = await refusal(publish(await sign(await create({ ...terms.request, appmaxprice: 1 }))))
      const best = `actual best price is ${prices.app} nRLC`
      expect(cheap.message).to.equal(`API error: appmaxprice for app ${assets.app} is too low, ${best}`)
      const { dataset } = assets
      const ungranted = await refusal(publish(await sign(await create({ ...terms.request, dataset }))))
      expect(ungranted.message).to.equal(`API error: No datasetorder published for dataset ${dataset}`)
      await seller.iexec.order.unpublishApporder(apporderHash)
      const unoffered = await refusal(publish(await signed('request')))
      expect(unoffered.message).to.equal(`API error: No tee enabled apporder published for app ${assets.app}`)
    })
    it('is estimated and matched with three others', async () => {
      const orders = await quadruple(seller, assets, { volume: 2 })
      const { volume, total } = await seller.iexec.order.estimateMatchOrders(orders)
      expect([volume, total].map(String)).to.deep.equal([
        '2',
        String(2n * (prices.app + prices.dataset + prices.workerpool)),
      ])
      const made = await seller.iexec.order.matchOrders(orders)
      expect(made.volume.toString()).to.equal('2')
      expect((await seller.iexec.deal.show(made.dealid)).requester).to.equal(seller.address)
      expect((await refusal(seller.iexec.order.matchOrders(orders))).message).to.match(/fully consumed|consumed/)
    })
    it('of many datasets is prepared as a bulk that lies in the storage', async () => {
      const { create, sign } = verbs(seller.iexec, 'dataset')
      const free = { dataset: assets.dataset, datasetprice: 0, volume: utils.DATASET_INFINITE_VOLUME }
      const orders = [await sign(await create(free)), await sign(await create(free)), await sign(await create(free))]
      const { cid, volume } = await seller.iexec.order.prepareDatasetBulk(orders, { maxDatasetPerTask: 2 })
      expect(volume).to.equal(2)
      expect(cid).to.match(/^\w{46,}$/)
    })
  })
