import { setTimeout as sleep } from 'node:timers/promises'
import type { Address, Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { isGenuine, type Received, startReceiver } from './testing/receiver.ts'
import { openReplicas, type Replica } from './testing/replicas.ts'
import { createWorld, type World } from './testing/world.ts'

/** Killings of a replica, or of both; 40 in a thorough run. */
const KILLS = Number(process.env.KILLS ?? 2)
/** Tasks that end between two killings. */
const TASKS = 5

describe('two replicas that are killed at random moments', function () {
  this.timeout(Math.max(240_000, KILLS * 20_000))
  let world: World
  let app: Address
  before(async () => {
    world = await createWorld()
    app = await world.createApp()
  })
  after(() => world?.close())

  it('deliver what the chain said to each subscription: nothing lost, nothing under two ids, in order', async () => {
    const receiver = await startReceiver()
    const replicas = await openReplicas(world)
    const alive: Replica[] = [await replicas.start(), await replicas.start()]
    const secrets: Record<string, string> = {}
    for (const path of ['/all', '/flaky', '/completed']) {
      const conditions = path === '/completed' ? { kinds: ['task.completed'] } : {}
      const body = { url: receiver.url + path, ...conditions }
      const { json } = await world.call(alive[0]?.url ?? '', 'POST', '/subscriptions', body)
      secrets[path] = json.secret
    }

    /** What a kill hangs on: a delivery on its way, one that was just answered, or the clock. */
    let strike: { when: 'before' | 'after'; now: () => void } | undefined
    receiver.answer(async ({ path }) => {
      const struck = strike
      if (struck) {
        strike = undefined
        if (struck.when === 'before') struck.now()
        // The answer leaves, and the process is gone before it can write down that it came.
        else setImmediate(struck.now)
      }
      return path === '/flaky' && Math.random() < 0.3 ? [500, undefined][Math.floor(Math.random() * 2)] : 204
    })

    const expected: Record<string, string[]> = { '/all': [], '/flaky': [], '/completed': [] }
    const happened = (kind: string, transaction: Hex) => {
      for (const path of ['/all', '/flaky']) expected[path]?.push(`${kind} ${transaction}`)
      if (kind === 'task.completed') expected['/completed']?.push(`${kind} ${transaction}`)
    }
    async function work(dealId: Hex): Promise<void> {
      for (let index = 0n; index < TASKS; index++) {
        if (Math.random() < 0.3) happened('task.failed', await world.settleFailure(dealId, index, 1n))
        else happened('task.completed', await world.settle(dealId, index))
      }
    }
    async function killOnce(round: number): Promise<void> {
      const both = round % 3 === 0
      const victims = both ? alive.splice(0) : alive.splice(Math.floor(Math.random() * alive.length), 1)
      if (round % 3 === 2) await sleep(Math.random() * 200)
      else {
        const when = round % 3 === 0 ? 'before' : 'after'
        await new Promise<void>((now) => {
          strike = { when, now }
        })
      }
      await Promise.all(victims.map((victim) => victim.kill()))
      alive.push(...(await Promise.all(victims.map(() => replicas.start()))))
    }

    for (let round = 0; round < KILLS; round++) {
      const dealId = await world.match({ app, volume: BigInt(TASKS) })
      await Promise.all([killOnce(round), work(dealId)])
    }
    const taken = (path: string) => receiver.taken(path)
    const ids = (path: string) => new Set(taken(path).map(({ delivery }) => delivery.id))
    await receiver.until(() => Object.entries(expected).every(([path, all]) => ids(path).size >= all.length))
    // What might come too much would come within a lease and a pause.
    while ((await world.database.query("select 1 from delivery where state = 'waiting'")).length > 0) await sleep(20)
    await Promise.all(alive.map((replica) => replica.kill()))

    for (const [path, all] of Object.entries(expected)) {
      const first = new Map<string, Received>()
      for (const each of taken(path)) if (!first.has(each.delivery.id)) first.set(each.delivery.id, each)
      const told = [...first.values()].map(({ delivery }) => `${delivery.type} ${delivery.transactionHash}`)
      expect(told, path).to.deep.equal(all)
      expect([...first.values()].every((each) => isGenuine(each, secrets[path] ?? ''))).to.equal(true)
    }
    const events = expected['/all']?.length ?? 0
    const repeated = receiver.received.length - Object.keys(expected).reduce((sum, path) => sum + ids(path).size, 3)
    console.log(
      `      ${KILLS} kills, ${events} events, ${receiver.received.length} requests, ${repeated} of them repeated`,
    )
    await replicas.close()
    await receiver.close()
  })
})
