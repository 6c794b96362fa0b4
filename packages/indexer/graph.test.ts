import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, type Hex, Order, Task } from '@sealdeal/protocol'
import { expect } from 'chai'
import { rawCall, rawParams, signRaw } from '../server/testing/rawParams.ts'
import type { Indexer } from './index.ts'
import { ask, createWorld, type World } from './testing/world.ts'

describe('the graphs that published clients ask', function () {
  this.timeout(120_000)
  let world: World
  let indexer: Indexer
  let app: Address
  let workerpool: Address
  before(async () => {
    world = await createWorld()
    app = await world.createApp()
    workerpool = await world.createWorkerpool()
    indexer = await world.start()
  })
  after(async () => {
    await indexer.close()
    await world.close()
  })

  describe('of the protocol', () => {
    let dealId: Hex
    let request: Order.Signed<'request'>
    before(async () => {
      const orders = await world.ordersOf({ app, workerpool, volume: 2n })
      request = orders.request
      dealId = await world.match(orders)
      expect(await world.settle(dealId, 0n)).to.equal(true)
      await indexer.caughtUp()
    })

    it('tells of a deal and its tasks', async () => {
      const answer = await ask(
        indexer.url,
        'protocol',
        `query ($id: ID!) { deal(id: $id) {
          id botSize app { id name owner { id } } appPrice workerpoolPrice dataset { id } requester { id balance frozen }
          completedTasksCount tasks(orderBy: index) { id index status results contributions { worker { id } status hash } events { type } }
        } }`,
        { id: dealId },
      )
      const worker = world.people.workers[0]?.address.toLowerCase()
      const taskId = Task.id(dealId, 0n)
      const account = await world.contracts.hub.viewAccount(world.people.requester.address)
      expect(answer.deal).to.deep.include({
        id: dealId,
        botSize: '2',
        appPrice: '0.000000003',
        workerpoolPrice: '0.0000001',
        dataset: null,
        completedTasksCount: 1,
      })
      expect(answer.deal.app.owner.id).to.equal(world.people.owner.address.toLowerCase())
      expect(Math.round(Number(answer.deal.requester.balance) * 1e9)).to.equal(Number(account.stake))
      expect(Math.round(Number(answer.deal.requester.frozen) * 1e9)).to.equal(Number(account.locked))
      const { consensusValue } = await world.contracts.hub.viewTask(taskId)
      expect(answer.deal.tasks).to.deep.equal([
        {
          id: taskId,
          index: '0',
          status: 'COMPLETED',
          results: '0x7b7d',
          contributions: [{ worker: { id: worker }, status: 'PROVED', hash: consensusValue }],
          events: ['TaskInitialize', 'TaskContribute', 'TaskConsensus', 'TaskReveal', 'TaskFinalize'].map((type) => ({
            type,
          })),
        },
      ])
    })

    it('finds the deals of a request, with the query of the published client', async () => {
      const query = `
    query ($where: Deal_filter) {
      deals(where: $where) {
        tasks {
          taskId: id
          bulkSlice {
            datasets {
              id
            }
          }
        }
      }
    }`
      const where = { requestorder: Order.hash('request', request, world.domain) }
      expect(await ask(indexer.url, 'protocol', query, { where })).to.deep.equal({
        deals: [{ tasks: [{ taskId: Task.id(dealId, 0n), bulkSlice: null }] }],
      })
    })
  })

  describe('of texts that are bytes nobody expects', () => {
    for (const [name, params] of Object.entries(rawParams)) {
      it(`tells them as far as they can be read: ${name}`, async () => {
        const { app: appOrder, dataset, workerpool: poolOrder, request } = await world.ordersOf({ app, workerpool })
        const { sign: _, ...unsigned } = request
        const signer = world.people.requester
        const { order, hash } = signRaw({ request: unsigned, params, signer, domain: world.domain })
        const { hub } = world.contracts
        const send = (call: string, args: unknown[]) =>
          world.mined(
            signer.sendTransaction({ to: world.hubAddress, data: rawCall(hub.interface, call, args, params) }),
          )
        expect(await send('broadcastRequestOrder', [order])).to.equal(true)
        expect(await send('matchOrders', [appOrder, dataset, poolOrder, order])).to.equal(true)
        await indexer.caughtUp()
        const query = `query ($where: Deal_filter) { deals(where: $where) { params requestorder { id params } } }`
        const { deals } = await ask(indexer.url, 'protocol', query, { where: { requestorder: hash } })
        expect(deals).to.have.length(1)
        expect(deals[0].params).to.include('\ufffd')
        expect(deals[0].requestorder).to.deep.equal({ id: hash, params: deals[0].params })
      })
    }
  })

  describe('of a bulk request', () => {
    const query = `query ($where: Deal_filter) { deals(where: $where) { tasks { taskId: id bulkSlice { datasets { id } } } } }`
    const [list, slice] = [`Qm${'L'.repeat(44)}`, `Qm${'S'.repeat(44)}`]

    it('tells the datasets of each task, as the files say that it names', async () => {
      const datasets = [await world.protectData('{"a":"bool"}'), await world.protectData('{"b":"bool"}')]
      const orders = await Promise.all(
        datasets.map((dataset) => world.sign('dataset', world.people.owner, { dataset, datasetprice: 0n, volume: 9n })),
      )
      // Stored after the deal: the first look finds nothing.
      const files = new Map<string, unknown>()
      const gateway = createServer((request, response) => {
        const file = files.get(request.url ?? '')
        response.writeHead(file === undefined ? 404 : 200).end(JSON.stringify(file ?? null))
      })
      await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
      const ipfsGateway = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
      const reader = await world.start({ ipfsGateway })
      const params = JSON.stringify({ bulk_cid: list })
      const quadruple = await world.ordersOf({ app, workerpool, volume: 1n, params })
      const dealId = await world.match(quadruple)
      await world.settle(dealId, 0n)
      await reader.caughtUp()
      const where = { requestorder: Order.hash('request', quadruple.request, world.domain) }
      const told = async () => (await ask(reader.url, 'protocol', query, { where })).deals[0].tasks[0].bulkSlice
      expect(await told()).to.equal(null)
      files.set(`/ipfs/${list}`, [slice])
      files.set(
        `/ipfs/${slice}`,
        orders.map((order) => Order.toJson('dataset', order)),
      )
      for (const deadline = Date.now() + 20_000; (await told()) === null && Date.now() < deadline; await sleep(50));
      expect(await told()).to.deep.equal({ datasets: datasets.map((each) => ({ id: each.toLowerCase() })) })
      await reader.close()
      gateway.close()
    })

    it('tells those that were attached on chain', async () => {
      const dataset = await world.protectData('{"c":"bool"}')
      const order = await world.sign('dataset', world.people.owner, { dataset, datasetprice: 7n, volume: 1n })
      const quadruple = await world.ordersOf({ app, workerpool, volume: 1n })
      const dealId = await world.match(quadruple)
      const { hub } = world.contracts
      const attached = hub.connect(world.people.requester).attachDatasets(dealId, 0n, [order], 7n)
      expect(await world.mined(attached)).to.equal(true)
      await world.settle(dealId, 0n)
      await indexer.caughtUp()
      const where = { requestorder: Order.hash('request', quadruple.request, world.domain) }
      const { deals } = await ask(indexer.url, 'protocol', query, { where })
      expect(deals[0].tasks[0].bulkSlice).to.deep.equal({ datasets: [{ id: dataset.toLowerCase() }] })
    })
  })

  describe('of protected data', () => {
    const query = `
      query ($start: Int!, $range: Int!, $where: ProtectedData_filter) {
        protectedDatas(where: $where, skip: $start, first: $range, orderBy: creationTimestamp, orderDirection: desc) {
          id name owner { id } schema { id } creationTimestamp multiaddr
        }
      }`
    const made: Address[] = []
    const find = async (where: object, { start = 0, range = 1_000 } = {}): Promise<number[]> => {
      const { protectedDatas } = await ask(indexer.url, 'dataprotector', query, { where, start, range })
      const places = protectedDatas.map(({ id }: { id: string }) => made.findIndex((each) => each.toLowerCase() === id))
      return places.filter((place: number) => place >= 0)
    }
    before(async () => {
      const { owner, requester } = world.people
      made.push(await world.protectData('{"email":"string"}', { holder: owner }))
      made.push(await world.protectData('{"email":"string","n":{"png":"image/png"}}', { holder: requester }))
      made.push(await world.protectData('{"n":"bool"}', { holder: owner }))
      // A name that is no text, and a schema that is none.
      made.push(await world.protectData('[1, \u0000', { holder: owner, name: 'nul \u0000' }))
      await indexer.caughtUp()
    })

    it('finds it by address, owner, schema and time, the newest first', async () => {
      const owner = world.people.requester.address
      expect(await find({})).to.deep.equal([3, 2, 1, 0])
      expect(await find({ and: [{ id: made[1] }] })).to.deep.equal([1])
      expect(await find({ owner })).to.deep.equal([1])
      expect(await find({ schema_contains: ['email:string'] })).to.deep.equal([1, 0])
      expect(await find({ schema_contains: ['email:string', 'n.png:image/png'] })).to.deep.equal([1])
      const any = { or: [{ schema_contains: ['n:bool'] }, { schema_contains: ['n.png:image/png'] }] }
      expect(await find({ and: [any, { owner_not: owner }] })).to.deep.equal([2])
      const since = (await world.provider.getBlock('latest'))?.timestamp
      expect(await find({ creationTimestamp_gte: since })).to.deep.equal([3])
      expect(await find({ id_in: [made[0], made[2]] })).to.deep.equal([2, 0])
    })

    it('hands it out in pages', async () => {
      expect(await find({}, { range: 3 })).to.deep.equal([3, 2, 1])
      expect(await find({}, { start: 3, range: 3 })).to.deep.equal([0])
    })

    it('follows it to its new owner', async () => {
      const { owner, requester } = world.people
      const registry = world.contracts.datasetRegistry.connect(requester)
      const token = BigInt(made[1] ?? 0)
      await world.mined(registry['safeTransferFrom(address,address,uint256)'](requester.address, owner.address, token))
      await indexer.caughtUp()
      expect(await find({ owner: requester.address })).to.deep.equal([])
      expect(await find({ owner: owner.address.toLowerCase() })).to.deep.equal([3, 2, 1, 0])
    })

    it('refuses what it does not understand', async () => {
      const refused = async (where: object) => String(await find(where).catch((error: Error) => error))
      expect(await refused({ color: 'red' })).to.include('Field "color" is not defined')
      expect(await refused({ creationTimestamp_gte: 'soon' })).to.include('BigInt cannot be "soon"')
      const many = await find({}, { range: 5_000 }).catch((error: Error) => error)
      expect(String(many)).to.include('first is 5000')
    })
  })
})
