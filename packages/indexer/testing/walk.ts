// For tests only: people who do things at random, so that every event of the protocol is seen.
import { type Address, type Hex, Order, Task } from '@sealdeal/protocol'
import { type HDNodeWallet, id } from 'ethers'
import type { World } from './world.ts'

/** A pseudo-random walk: the same seed, the same steps. */
export function createWalk(world: World, { seed }: { seed: number }) {
  const { contracts, people, domain } = world
  const { hub } = contracts
  let state = seed >>> 0 || 1
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  const apps: Address[] = []
  const datasets: Address[] = []
  const pools: Address[] = []
  const deals: { id: Hex; volume: bigint; trust: bigint }[] = []
  const digest = id('digest') as Hex
  let endings = 0
  const worker = () => pick(people.workers) as HDNodeWallet

  const steps: Record<string, () => Promise<unknown>> = {
    app: async () => apps.push(await world.createApp()),
    pool: async () => pools.push(await world.createWorkerpool()),
    data: async () => {
      const schema = pick([
        '{"email":"string"}',
        '{"email":"string","n":{"png":"image/png"}}',
        '{"age":"i128"}',
        'none',
      ])
      datasets.push(await world.protectData(schema))
    },
    async give() {
      const token = BigInt(pick(apps))
      const registry = contracts.appRegistry
      const holder = await registry.ownerOf(token).catch(() => '')
      const from = [people.owner, people.requester].find(({ address }) => address === holder)
      const to = from === people.owner ? people.requester : people.owner
      if (from)
        await world.mined(
          registry.connect(from)['safeTransferFrom(address,address,uint256)'](from.address, to.address, token),
        )
    },
    policy: () => {
      const pool = world.workerpoolAt(pick(pools))
      return world.mined(pool.changePolicy(random(60), random(50)))
    },
    async match() {
      const trust = pick([1n, 1n, 1n, 3n])
      const volume = BigInt(1 + random(3))
      const dataset = random(2) === 0 && datasets.length > 0 ? { dataset: pick(datasets) } : {}
      const orders = await world.ordersOf({ app: pick(apps), workerpool: pick(pools), ...dataset, volume, trust })
      deals.push({ id: await world.match(orders), volume, trust })
    },
    async settle() {
      const deal = pick(deals)
      if (deal) await world.settle(deal.id, BigInt(random(Number(deal.volume))), worker())
    },
    async initialize() {
      const deal = pick(deals)
      if (deal) await world.mined(hub.initialize(deal.id, BigInt(random(Number(deal.volume)))))
    },
    async together() {
      const orders = await world.ordersOf({
        app: await world.createApp(),
        workerpool: await world.createWorkerpool(),
        trust: 3n,
      })
      const [deal, index] = [{ id: await world.match(orders) }, 0n]
      const taskId = Task.id(deal.id, index)
      await world.mined(hub.initialize(deal.id, index))
      const [first, second, third] = people.workers as [HDNodeWallet, HDNodeWallet, HDNodeWallet]
      await world.contribute(taskId, id('wrong') as Hex, third)
      await world.contribute(taskId, digest, first)
      await world.contribute(taskId, digest, second)
      // Against the wrong one it takes three.
      await world.contribute(taskId, digest, people.workers[3] as HDNodeWallet)
      const ending = endings++ % 3
      if (ending === 0) {
        await world.travel(700)
        await world.mined(hub.connect(people.pool).reopen(taskId))
        return
      }
      for (const each of people.workers) await world.mined(hub.connect(each).reveal(taskId, digest))
      if (ending === 1) await world.mined(hub.connect(people.pool).finalize(taskId, '0x01', '0x'))
    },
    async claim() {
      const orders = await world.ordersOf({ app: await world.createApp(), workerpool: await world.createWorkerpool() })
      const missed = await world.match(orders)
      const deal = pick(deals)
      await world.travel(4_000)
      // Of a deal that nobody worked for, so that it is claimed for certain, and one that may be over or half done.
      await world.mined(hub.initializeAndClaimArray([missed], [0n]))
      if (deal) await world.mined(hub.claim(Task.id(deal.id, BigInt(random(Number(deal.volume))))))
    },
    deposit: () => world.mined(hub.depositFor(BigInt(1 + random(1_000)), pick(people.workers).address)),
    withdraw: () => world.mined(hub.connect(worker()).withdraw(BigInt(random(100)))),
    pay: () => world.mined(hub.connect(worker()).transfer(people.owner.address, BigInt(random(100)))),
    category: () => world.mined(hub.createCategory('new', 'made by a test', BigInt(100 + random(1_000)))),
    async close() {
      const order = await world.sign('app', people.owner, { app: pick(apps), appprice: 1n, volume: 1n })
      if ((await contracts.appRegistry.ownerOf(BigInt(order.app)).catch(() => '')) !== people.owner.address) return
      const operation = BigInt(random(2))
      await world.mined(hub.manageAppOrder({ order, operation, sign: '0x' }))
      if (random(2) === 0) await world.mined(hub.broadcastAppOrder(order))
      return Order.hash('app', order, domain)
    },
  }

  return {
    random,
    /** Things to do everything else with. */
    async prepare() {
      for (const name of ['app', 'app', 'pool', 'data', 'data', 'match', 'match']) await steps[name]?.()
    },
    /** One thing at random. Answers what it was. */
    async step(): Promise<string> {
      const name = pick(Object.keys(steps))
      await steps[name]?.()
      return name
    },
    async all(): Promise<void> {
      for (const name of Object.keys(steps)) await steps[name]?.()
    },
  }
}
