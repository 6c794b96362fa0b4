import { type Address, Deal, Order } from '@sealdeal/protocol'
import { expect } from 'chai'
import { rawCall, rawParams, signRaw } from '../server/testing/rawParams.ts'
import { createWorld, type World } from './testing/world.ts'

describe('a request whose params are bytes that nobody expects', function () {
  this.timeout(120_000)
  let world: World
  before(async () => {
    world = await createWorld()
  })
  after(() => world.close())

  for (const [name, params] of Object.entries(rawParams)) {
    it(`does not keep the market from reading on, neither broadcast nor matched: ${name}`, async () => {
      const { hub } = world.contracts
      const owner = await world.wallet()
      const pool = await world.wallet({ stake: 1_000n })
      const requester = await world.wallet({ stake: 1_000n })
      const [app, workerpool] = [await world.createApp(owner), await world.createWorkerpool(pool)]
      const request = Order.create('request', {
        app,
        requester: requester.address as Address,
        workerpool,
        category: 0n,
        volume: 1n,
      })
      const { order, hash } = signRaw({ request, params, signer: requester, domain: world.domain })
      const send = async (call: string, args: unknown[]) =>
        (await owner.sendTransaction({ to: world.hub, data: rawCall(hub.interface, call, args, params) })).wait()
      await send('broadcastRequestOrder', [order])
      await send('matchOrders', [
        await world.sign('app', owner, { app, volume: 1n }),
        Order.none('dataset'),
        await world.sign('workerpool', pool, { workerpool, category: 0n, volume: 1n }),
        order,
      ])
      await world.market().caughtUp()
      const { json } = await world.get(`/deals/${Deal.id(hash, 0n)}`)
      expect(json).to.deep.include({ ok: true, requester: requester.address, requestHash: hash })
      expect(json.params).to.include('\ufffd')
    })
  }
})
