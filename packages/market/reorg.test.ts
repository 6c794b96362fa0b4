import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, type Hex, Match, Order } from '@sealdeal/protocol'
import { connectChain } from '@sealdeal/server'
import { expect } from 'chai'
import { TransactionResponse } from 'ethers'
import fc from 'fast-check'
import { skipWithoutAnvil, startAnvil } from '../../test/deploy/anvil.ts'
import { createWorld, type World } from './testing/world.ts'

/** Reorganisations, each of 1 to 20 blocks. */
const ROUNDS = Number(process.env.REORGS ?? 25)

describe('the book and the chain', function () {
  this.timeout(Math.max(180_000, ROUNDS * 5_000))
  let world: World
  before(async function () {
    skipWithoutAnvil(this)
    const anvil = await startAnvil({ id: 31337n })
    const chain = await connectChain({ url: anvil.url })
    const close = async () => {
      chain.provider.destroy()
      await anvil.stop()
    }
    world = await createWorld({ on: { ...chain, url: anvil.url, close }, maxOpenOrders: 1_000 })
  })
  after(() => world?.close())

  async function scene() {
    const [seller, other] = [await world.wallet({ stake: 60n }), await world.wallet({ stake: 60n })]
    const app = await world.createApp(seller)
    const workerpool = await world.createWorkerpool(seller)
    const apps = await world.publish('app', seller, { app, volume: 1_000n })
    const closable: (typeof apps)[] = []
    for (let n = 0; n < 4; n++) closable.push(await world.publish('app', seller, { app, volume: 2n }))
    const pools = await world.publish('workerpool', seller, { workerpool, workerpoolprice: 10n, volume: 10n })
    const more = await world.publish('workerpool', seller, { workerpool, workerpoolprice: 20n, volume: 5n })
    const request = await world.publish('request', other, {
      app,
      requester: other.address as Address,
      workerpoolmaxprice: 10n,
      volume: 6n,
    })
    for (const { json } of [apps, ...closable, pools, more, request]) expect(json).to.include({ ok: true })
    // No reorganisation reaches the blocks in which all of this was made.
    await world.provider.send('anvil_mine', ['0x20'])
    return { seller, other, app, apps, closable, pools, more, request }
  }

  /** Open or not, by the chain alone. */
  async function expected({
    seller,
    other,
    app,
    apps,
    closable,
    pools,
    more,
    request,
  }: Awaited<ReturnType<typeof scene>>) {
    const { hub, appRegistry } = world.contracts
    const owner = await appRegistry.registrantOf(app)
    const left = async (hash: Hex, volume: bigint) => volume - (await hub.viewConsumed(hash))
    const found: Record<string, bigint> = {}
    for (const { hash, order } of [apps, ...closable]) {
      const remaining = await left(hash, order.volume)
      if (remaining > 0n && owner === seller.address) found[hash] = remaining
    }
    for (const [account, orders] of [[seller.address, [pools, more]] as const, [other.address, [request]] as const]) {
      let { stake } = await hub.viewAccount(account)
      for (const { hash, order } of orders) {
        const remaining = await left(hash, order.volume)
        const share =
          'workerpool' in order && !('requester' in order) ? Match.poolStake(order.workerpoolprice, 1n) : 10n
        if (remaining <= 0n || stake < share) continue
        found[hash] = remaining
        stake = stake > share * remaining ? stake - share * remaining : 0n
      }
    }
    return found
  }
  async function listed(hashes: Hex[]): Promise<Record<string, bigint>> {
    await world.market().caughtUp()
    const rows = await world.database.query<{ hash: string; remaining: bigint }>(
      `select hash, remaining from book where status = 'open' and hash = any ($1)`,
      [hashes],
    )
    return Object.fromEntries(rows.map(({ hash, remaining }) => [hash, remaining]))
  }

  it('agree after each block, and after each reorganisation, of whatever depth', async () => {
    const stage = await scene()
    const { seller, other, app, apps, closable, pools, more, request } = stage
    const { hub, appRegistry } = world.contracts
    const orders = { app: apps.order, workerpool: pools.order, request: request.order }
    const happen: Record<string, () => Promise<unknown>> = {
      match: () => hub.matchOrders(...Order.quadruple(orders)),
      close: async () => {
        const [order] = closable.filter((_, index) => index === Math.floor(Math.random() * closable.length))
        return order && hub.connect(seller).manageAppOrder({ order: order.order, operation: 1, sign: '0x' })
      },
      give: () => appRegistry.connect(seller).transferFrom(seller.address, other.address, app),
      return: () => appRegistry.connect(other).transferFrom(other.address, seller.address, app),
      withdraw: () => hub.connect(seller).withdraw(15n),
      empty: () => hub.connect(other).withdraw(7n),
      deposit: () => hub.depositFor(9n, seller.address),
      block: () => world.provider.send('evm_mine', []),
    }
    const names = Object.keys(happen)
    const hashes = [apps, ...closable, pools, more, request].map(({ hash }) => hash)
    let [events, undone] = [0, 0]
    const rounds = fc.sample(
      fc.record({
        depth: fc.integer({ min: 1, max: 20 }),
        steps: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 8 }),
      }),
      ROUNDS,
    )
    for (const { depth, steps } of rounds) {
      for (const step of steps) {
        // What the present state does not allow (a second transfer) is refused before it is sent.
        const done = await happen[step]?.().then(mined, () => false)
        if (!done) continue
        events++
        expect(await listed(hashes), `after ${step}`).to.deep.equal(await expected(stage))
      }
      const before = await listed(hashes)
      await world.provider.send('anvil_reorg', [depth, []])
      await world.provider.send('evm_mine', [])
      const after = await listed(hashes)
      expect(after, `after a reorganisation of ${depth} blocks`).to.deep.equal(await expected(stage))
      undone += JSON.stringify(entriesOf(before)) === JSON.stringify(entriesOf(after)) ? 0 : 1
    }
    console.log(`      ${ROUNDS} reorganisations, ${events} events between; ${undone} changed what was on the book`)
    expect(undone).to.be.greaterThan(0)
  })
})

/** The node takes a transaction before it has made the block: until then book and chain may be asked of two states. */
async function mined(sent: unknown): Promise<boolean> {
  if (sent instanceof TransactionResponse) {
    while ((await sent.provider.getTransactionReceipt(sent.hash)) === null) await sleep(2)
  }
  return true
}

function entriesOf(found: Record<string, bigint>): string[] {
  return Object.entries(found)
    .map(([hash, remaining]) => `${hash} ${remaining}`)
    .sort()
}
