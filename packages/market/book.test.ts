import { type Address, type Hex, Order, Tag, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import type { Wallet } from 'ethers'
import { listEntries } from './list.ts'
import { createWorld, type World } from './testing/world.ts'

describe('the book', function () {
  this.timeout(60_000)
  let world: World
  before(async () => {
    world = await createWorld({ maxOpenOrders: 1_000 })
  })
  after(() => world.close())

  describe('lists', () => {
    let owner: Wallet
    let app: Address
    const pool = `0x${'aa'.repeat(20)}`
    const user = `0x${'bb'.repeat(20)}`
    const prices = async (query: object, path = '/apporders') => {
      const { status, json } = await world.get(path, { app, ...query })
      expect([status, json.ok]).to.deep.equal([200, true])
      return json.orders.map((each: { order: Record<string, number> }) => each.order.appprice)
    }
    before(async () => {
      owner = await world.wallet()
      app = await world.createApp(owner)
      const publish = async (input: object) => {
        expect((await world.publish('app', owner, { app, ...input })).json).to.include({ ok: true })
      }
      await publish({ appprice: 3n })
      await publish({ appprice: 1n, requesterrestrict: user })
      await publish({ appprice: 2n, workerpoolrestrict: pool, volume: 100n })
      await publish({ appprice: 5n, tag: Tag.none })
      await publish({ appprice: 4n, tag: Tag.encode(['tee', 'tdx', 'gpu']), volume: 50n })
    })

    it('orders open to everybody when no restriction is named, the cheapest first', async () => {
      expect(await prices({})).to.deep.equal([3, 4, 5])
    })
    it('beside them those for the named one, those alone when strict, all with any', async () => {
      expect(await prices({ requester: user })).to.deep.equal([1, 3, 4, 5])
      expect(await prices({ requester: user, isRequesterStrict: true })).to.deep.equal([1])
      expect(await prices({ requester: 'any', workerpool: 'any' })).to.deep.equal([1, 2, 3, 4, 5])
      expect(await prices({ requester: user.toUpperCase().replace('0X', '0x') })).to.deep.equal([1, 3, 4, 5])
    })
    it('by tag and volume', async () => {
      expect(await prices({ minTag: Tag.encode(['tee']) })).to.deep.equal([3, 4])
      expect(await prices({ maxTag: Tag.tdx })).to.deep.equal([3, 5])
      expect(await prices({ minVolume: 50, workerpool: 'any' })).to.deep.equal([2, 4])
    })
    it('by owner, and asks for one or the other', async () => {
      const { json } = await world.get('/apporders', { appOwner: owner.address })
      expect(json.count).to.equal(3)
      const neither = await world.get('/apporders')
      expect([neither.status, neither.json.error]).to.deep.equal([400, 'app or appOwner is required'])
      const wrong = await world.get('/apporders', { appOwner: 'any' })
      expect([wrong.status, wrong.json.error]).to.deep.equal([400, 'appOwner: must be an address'])
    })
    it('page by page', async () => {
      const other = await world.wallet()
      const many = await world.createApp(other)
      for (let n = 0; n < 25; n++) await world.publish('app', other, { app: many, appprice: BigInt(n % 5) })
      const pages = [0, 1, 2].map((pageIndex) => world.get('/apporders', { app: many, pageIndex, pageSize: 10 }))
      const [first, second, third] = (await Promise.all(pages)).map(({ json }) => json)
      expect([first.count, first.nextPage, second.nextPage, third.nextPage]).to.deep.equal([25, 10, 20, undefined])
      const hashes = [first, second, third].flatMap(({ orders }) =>
        orders.map((each: { orderHash: string }) => each.orderHash),
      )
      expect(new Set(hashes).size).to.equal(25)
      const sorted = [first, second, third].flatMap(({ orders }) =>
        orders.map((each: { order: { appprice: number } }) => each.order.appprice),
      )
      expect(sorted).to.deep.equal([...sorted].sort((one, two) => one - two))
      expect((await world.get('/apporders', { app: many, pageSize: 9 })).status).to.equal(400)

      // By cursor, while cheaper orders come and orders that were seen leave: nothing twice, nothing left out.
      const seen: string[] = hashes.slice(0, 10)
      await world.put('app', other, { target: 'unpublish_orderHash', orderHash: hashes[0] })
      await world.put('app', other, { target: 'unpublish_orderHash', orderHash: hashes[9] })
      await world.publish('app', other, { app: many, appprice: 0n })
      for (let cursor = first.nextCursor; cursor !== undefined; ) {
        const { json } = await world.get('/apporders', { app: many, cursor, pageSize: 10 })
        expect(json).not.to.have.property('nextPage')
        seen.push(...json.orders.map((each: { orderHash: string }) => each.orderHash))
        cursor = json.nextCursor
      }
      expect(seen).to.deep.equal(hashes)
      const foreign = await world.get('/apporders', { app: many, cursor: 'bm9uc2Vuc2U' })
      expect([foreign.status, foreign.json.error]).to.deep.equal([
        400,
        'cursor: must be one that an earlier answer gave',
      ])
    })
    it('by cursor also where the dearest come first, and where many have one price', async () => {
      const pool = zeroAddress
      await world.database.query(
        `insert into book select 'request ' || n, 'request', signer, app, dataset, $1, signer, beneficiary, n / 3,
           0, volume, category, trust, tag, signed, published_at, remaining, status
         from book, generate_series(1, 20) n where app = $2 and price = 3 and status = 'open'`,
        [pool, app],
      )
      const all = await listEntries(world.database, { kind: 'request', filter: { app }, limit: 100 })
      expect(all.map(({ price }) => Number(price))).to.deep.equal(
        Array.from({ length: 20 }, (_, n) => Math.floor((20 - n) / 3)),
      )
      const walked: string[] = []
      for (let last = all[0]; last; ) {
        walked.push(last.hash)
        const after = { price: last.price, publishedAt: last.published_at, hash: last.hash }
        ;[last] = await listEntries(world.database, { kind: 'request', filter: { app }, limit: 1, after })
      }
      expect(walked).to.deep.equal(all.map(({ hash }) => hash))
      await world.database.query(`delete from book where hash like 'request %'`)
    })
    it('says which datasets bulk processing may take', async () => {
      const dataset = await world.createDataset(owner)
      await world.publish('dataset', owner, { dataset, volume: 2n ** 53n - 1n })
      await world.publish('dataset', owner, { dataset, volume: 5n })
      const all = await world.get('/datasetorders', { dataset, bulkOnly: false })
      expect(all.json.orders.map(({ bulk }: { bulk: boolean }) => bulk)).to.deep.equal([true, false])
      expect((await world.get('/datasetorders', { dataset, bulkOnly: true })).json.count).to.equal(1)
    })
  })

  describe('unpublishing', () => {
    let owner: Wallet
    let app: Address
    before(async () => {
      owner = await world.wallet()
      app = await world.createApp(owner)
    })
    const publish = async () => (await world.publish('app', owner, { app })).hash

    it('takes off one order by its hash; it can then be published again', async () => {
      const { order, hash } = await world.publish('app', owner, { app })
      const off = await world.put('app', owner, { target: 'unpublish_orderHash', orderHash: hash })
      expect(off.json).to.deep.equal({ ok: true, unpublished: [hash] })
      const again = await world.put('app', owner, { target: 'unpublish_orderHash', orderHash: hash })
      expect([again.status, again.json.error]).to.deep.equal([403, `apporder with orderHash ${hash} is not published`])
      expect((await world.post('app', owner, order)).status).to.equal(200)
      await world.put('app', owner, { target: 'unpublish_orderHash', orderHash: hash })
    })
    it('takes off the last one, then all', async () => {
      const hashes = [await publish(), await publish(), await publish()]
      const last = await world.put('app', owner, { target: 'unpublish_last', app })
      expect(last.json.unpublished).to.deep.equal([hashes[2]])
      const all = await world.put('app', owner, { target: 'unpublish_all', app })
      expect(all.json.unpublished).to.have.members(hashes.slice(0, 2))
      const none = await world.put('app', owner, { target: 'unpublish_all', app })
      expect([none.status, none.json.error]).to.deep.equal([
        403,
        `no open apporder published by signer ${owner.address} for app ${app}`,
      ])
    })
    it('refuses anybody but the signer', async () => {
      const hash = await publish()
      const stranger = await world.wallet()
      const answer = await world.put('app', stranger, { target: 'unpublish_orderHash', orderHash: hash })
      expect([answer.status, answer.json.error]).to.deep.equal([
        403,
        `only order signer ${owner.address} can unpublish an order`,
      ])
      expect((await world.put('app', owner, { target: 'nonsense' })).status).to.equal(400)
    })
  })

  describe('follows the chain:', () => {
    async function quadruple({ volume = 5n, stake = 1_000n } = {}) {
      const [developer, poolOwner, requester] = [
        await world.wallet(),
        await world.wallet({ stake }),
        await world.wallet({ stake }),
      ]
      const app = await world.createApp(developer)
      const workerpool = await world.createWorkerpool(poolOwner)
      const user = requester.address as Address
      const apps = await world.publish('app', developer, { app, appprice: 2n, volume: 100n })
      const pools = await world.publish('workerpool', poolOwner, { workerpool, workerpoolprice: 10n, volume: 7n })
      const request = await world.publish('request', requester, {
        app,
        requester: user,
        appmaxprice: 2n,
        workerpoolmaxprice: 10n,
        volume,
        params: '{"iexec_args":"x"}',
      })
      const four = Order.quadruple({ app: apps.order, workerpool: pools.order, request: request.order })
      const match = async () => (await world.contracts.hub.matchOrders(...four)).wait()
      return { developer, poolOwner, requester, app, workerpool, apps, pools, request, match }
    }

    it('a match uses up volume and is listed as a deal', async () => {
      const { apps, pools, request, requester, app, match } = await quadruple()
      const receipt = await match()
      expect(await world.standing('request', request.hash)).to.deep.equal({ status: 'filled', remaining: 0 })
      expect(await world.standing('app', apps.hash)).to.deep.equal({ status: 'open', remaining: 95 })
      expect(await world.standing('workerpool', pools.hash)).to.deep.equal({ status: 'open', remaining: 2 })

      const { json } = await world.get('/deals', { requester: requester.address })
      expect(json.count).to.equal(1)
      const [deal] = json.deals
      expect(deal).to.deep.include({
        chainId: 31337,
        app: { pointer: app, owner: apps.json.published.signer, price: 2 },
        dataset: { pointer: zeroAddress, owner: zeroAddress, price: 0 },
        requester: requester.address,
        volume: 5,
        botFirst: 0,
        botSize: 5,
        category: 0,
        params: '{"iexec_args":"x"}',
        tag: Tag.tdx,
        appHash: apps.hash,
        requestHash: request.hash,
        transactionHash: receipt?.hash,
        blockNumber: receipt?.blockNumber,
      })
      const block = await world.provider.getBlock(receipt?.blockNumber ?? 0)
      expect(Date.parse(deal.blockTimestamp) / 1_000).to.equal(block?.timestamp)
      expect((await world.get('/deals', { apporderHash: apps.hash })).json.count).to.equal(1)
      expect((await world.get(`/deals/${deal.dealid}`)).json).to.deep.equal({ ok: true, ...deal })
      expect((await world.get('/deals')).status).to.equal(400)

      const copies = "'copy ' || n, block_hash, n, block_time, transaction_hash, log_index, app_hash, dataset_hash"
      await world.database.query(
        `insert into deal select ${copies}, workerpool_hash, request_hash, volume, '${zeroAddress}', app, dataset, workerpool,
           details from deal, generate_series(1, 25) n where dealid = $1`,
        [deal.dealid],
      )
      const blocks: number[] = []
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const place: object = cursor === '' ? {} : { cursor }
        const page = (await world.get('/deals', { requester: zeroAddress, pageSize: 10, ...place })).json
        blocks.push(...page.deals.map(({ blockNumber }: { blockNumber: number }) => blockNumber))
        cursor = page.nextCursor
      }
      expect(blocks).to.deep.equal(Array.from({ length: 25 }, (_, n) => 25 - n))
      await world.database.query(`delete from deal where dealid like 'copy %'`)
    })

    it('tasks of a deal are what the Hub says of them, and prices those of the latest deals', async () => {
      const { request, match } = await quadruple()
      await match()
      await world.market().caughtUp()
      const [{ dealid }] = (await world.get('/deals', { requestorderHash: request.hash })).json.deals
      const deployer = await world.provider.getSigner(0)
      await (await world.contracts.hub.connect(deployer).initialize(dealid, 1n)).wait()
      const { json } = await world.get('/tasks', { dealid })
      expect(json.count).to.equal(5)
      expect(json.tasks.map(({ idx, status }: { idx: number; status: string }) => [idx, status])).to.deep.equal([
        [0, 'UNSET'],
        [1, 'ACTIVE'],
        [2, 'UNSET'],
        [3, 'UNSET'],
        [4, 'UNSET'],
      ])
      const one = await world.get(`/tasks/${json.tasks[1].taskid}`)
      expect(one.json).to.deep.include({ ok: true, ...json.tasks[1], dealid })
      expect((await world.get(`/tasks/${json.tasks[0].taskid}`)).json.error).to.equal('task not found')
      expect((await world.get('/tasks', { dealid: request.hash })).json.error).to.equal('deal not found')

      const prices = (await world.get('/ohlc', { category: 0 })).json
      const block = await world.provider.getBlock('latest')
      expect(prices.count).to.be.within(1, 100)
      expect(prices.ohlc.at(-1)[0] / 1_000).to.be.within((block?.timestamp ?? 0) - 60, block?.timestamp ?? 0)
      expect(prices.ohlc.at(-1).slice(1)).to.deep.equal([10, 5])
      expect((await world.get('/ohlc', { category: 4 })).json.ohlc).to.deep.equal([])
    })

    it('a closed order is canceled', async () => {
      const { apps, developer } = await quadruple()
      const hub = world.contracts.hub.connect(developer)
      await (await hub.manageAppOrder({ order: apps.order, operation: 1, sign: '0x' })).wait()
      expect(await world.standing('app', apps.hash)).to.deep.equal({ status: 'canceled', remaining: 0 })
    })

    it('the orders of the owner before die with a transfer, and live again when the asset comes back', async () => {
      const { apps, app, developer, requester } = await quadruple()
      const transfer = async (from: Wallet, to: Wallet) => {
        const registry = world.contracts.appRegistry.connect(from)
        await (await registry.transferFrom(from.address, to.address, app)).wait()
      }
      await transfer(developer, requester)
      expect(await world.standing('app', apps.hash)).to.include({ status: 'dead' })
      expect((await world.get('/apporders', { app })).json.count).to.equal(0)
      await transfer(requester, developer)
      expect(await world.standing('app', apps.hash)).to.include({ status: 'open' })
    })

    it('orders without a stake behind them die, and live again with it', async () => {
      const { pools, request, poolOwner, requester } = await quadruple()
      for (const each of [poolOwner, requester]) await (await world.contracts.hub.connect(each).withdraw(998n)).wait()
      expect(await world.standing('workerpool', pools.hash)).to.include({ status: 'dead' })
      expect(await world.standing('request', request.hash)).to.include({ status: 'dead' })
      await (await world.contracts.hub.depositFor(100n, poolOwner.address)).wait()
      expect(await world.standing('workerpool', pools.hash)).to.include({ status: 'open' })
      expect(await world.standing('request', request.hash)).to.include({ status: 'dead' })
    })

    it('of several orders behind one stake the newest die first, and the one that leaves makes room', async () => {
      const owner = await world.wallet({ stake: 90n })
      const workerpool = await world.createWorkerpool(owner)
      const hashes: Hex[] = []
      for (let n = 0; n < 3; n++) {
        const { hash } = await world.publish('workerpool', owner, { workerpool, workerpoolprice: 100n, volume: 1n })
        hashes.push(hash)
      }
      const statuses = async () => {
        const all = await Promise.all(hashes.map((hash) => world.standing('workerpool', hash)))
        return all.map(({ status }) => status)
      }
      expect(await statuses()).to.deep.equal(['open', 'open', 'open'])
      await (await world.contracts.hub.connect(owner).withdraw(50n)).wait()
      expect(await statuses()).to.deep.equal(['open', 'dead', 'dead'])
      await world.put('workerpool', owner, { target: 'unpublish_orderHash', orderHash: hashes.shift() as Hex })
      expect(await statuses()).to.deep.equal(['open', 'dead'])
      await (await world.contracts.hub.depositFor(20n, owner.address)).wait()
      expect(await statuses()).to.deep.equal(['open', 'open'])
    })

    it('what a reorganisation takes back is back on the book', async () => {
      const { request, requester, match } = await quadruple()
      await world.market().caughtUp()
      const snapshot = await world.provider.send('evm_snapshot', [])
      await match()
      expect(await world.standing('request', request.hash)).to.include({ status: 'filled' })
      expect((await world.get('/deals', { requester: requester.address })).json.count).to.equal(1)

      await world.provider.send('evm_revert', [snapshot])
      await world.provider.send('evm_mine', [])
      await world.provider.send('evm_mine', [])
      expect(await world.standing('request', request.hash)).to.deep.equal({ status: 'open', remaining: 5 })
      expect((await world.get('/deals', { requester: requester.address })).json.count).to.equal(0)
      await match()
      expect(await world.standing('request', request.hash)).to.include({ status: 'filled' })
    })

    it('what happened while the market was away is known when it is back', async () => {
      const { request, match } = await quadruple({ volume: 3n })
      await world.market().close()
      await match()
      await world.restart()
      expect(await world.standing('request', request.hash)).to.include({ status: 'filled' })
    })
  })

  it('knows the categories, its version, whether it is ready, and its metrics', async () => {
    await world.market().caughtUp()
    const { json } = await world.get('/categories')
    expect(json.count).to.be.greaterThan(4)
    expect(json.categories[0]).to.deep.include({ catid: 0, name: 'XS', workClockTimeRef: 300 })
    expect((await world.get('/categories/0')).json).to.include({ ok: true, name: 'XS' })
    expect((await world.get('/categories/99')).status).to.equal(404)
    expect((await world.get('/version')).json).to.deep.equal({ ok: true, version: '0.1.0' })
    expect((await world.get('/ready')).json).to.deep.equal({ ok: true, checks: { database: 'ok', chain: 'ok' } })
    expect((await world.get('/health')).status).to.equal(200)
  })
})
