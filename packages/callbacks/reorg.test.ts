import type { Address, Hex } from '@sealdeal/protocol'
import { expect } from 'chai'
import { skipWithoutAnvil } from '../../test/deploy/anvil.ts'
import type { Callbacks } from './start.ts'
import { type Receiver, startReceiver } from './testing/receiver.ts'
import { createWorld, startForgetfulChain, type World } from './testing/world.ts'

/** Reorganisations, each of 1 to 6 blocks; 200 in a thorough run. */
const ROUNDS = Number(process.env.REORGS ?? 8)

describe('a reorganisation', function () {
  this.timeout(Math.max(180_000, ROUNDS * 5_000))
  let world: World
  let app: Address
  let receiver: Receiver
  let service: Callbacks
  before(async function () {
    skipWithoutAnvil(this)
    world = await createWorld({ on: await startForgetfulChain() })
    app = await world.createApp()
  })
  after(() => world?.close())
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await service.close()
    await world.database.query('delete from subscription')
    await receiver.close()
  })
  const subscribe = async (path: string) =>
    (await world.call(service.url, 'POST', '/subscriptions', { url: receiver.url + path })).json.subscription.id
  const mine = (blocks: number) => world.provider.send('anvil_mine', [`0x${blocks.toString(16)}`])
  /** The last blocks are replaced by as many empty ones and one more. */
  async function forget(depth: number): Promise<void> {
    await world.provider.send('anvil_reorg', [depth, []])
    await mine(1)
    await service.caughtUp()
    await emptied()
  }
  async function emptied(): Promise<void> {
    const waits = `select 1 from delivery where state = 'waiting' and due_block <= (select number from follow_cursor)`
    while ((await world.database.query(waits)).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  it('takes back what was delivered, the latest first, and lets what was not disappear', async () => {
    service = await world.start({ confirmations: 0 })
    const dealId = await world.match({ app, volume: 2n })
    await mine(8)
    await service.caughtUp()
    await subscribe('/quick')
    await world.settle(dealId, 0n)
    await world.settle(dealId, 1n)
    await receiver.until(() => receiver.taken('/quick').length === 2)
    await forget(2)
    await receiver.until(() => receiver.taken('/quick').length === 4)
    const [one, two, ...undone] = receiver.taken('/quick').map(({ delivery }) => delivery)
    expect(undone.map(({ type, undoes }) => [type, undoes])).to.deep.equal([
      ['undone', { id: two.id, type: 'task.completed' }],
      ['undone', { id: one.id, type: 'task.completed' }],
    ])
    expect(undone[0].data).to.deep.equal(two.data)
    await world.settle(dealId, 0n)
    await receiver.until(() => receiver.taken('/quick').length === 5)
    const again = receiver.taken('/quick')[4]?.delivery
    expect(again.data).to.deep.equal(one.data)
    expect(again.id).to.not.equal(one.id)

    await service.close()
    service = await world.start({ confirmations: 3 })
    await world.settle(dealId, 1n)
    await forget(1)
    expect(receiver.taken('/quick')).to.have.length(5)
    expect(await world.database.query("select 1 from delivery where state = 'waiting'")).to.deep.equal([])
  })

  it('of whatever depth leaves receivers with what the chain says', async () => {
    service = await world.start({ confirmations: 0 })
    const replica = await world.start({ confirmations: 0 })
    const deals: Hex[] = []
    for (let n = 0; n < 3; n++) deals.push(await world.match({ app, volume: 100n }))
    await mine(8)
    await service.caughtUp()
    // No reorganisation of these reaches further back, and nothing ended there.
    const from = (await world.provider.getBlockNumber()) - 6
    receiver.answer(() => (Math.random() < 0.2 ? 500 : 204))
    await subscribe('/walk')
    let next = 0
    let [events, undone] = [0, 0]
    for (let round = 0; round < ROUNDS; round++) {
      for (let steps = 1 + Math.floor(Math.random() * 4); steps > 0; steps--) {
        const dealId = deals[next % 3] as Hex
        await world.settle(dealId, BigInt(Math.floor(next++ / 3)))
        events++
      }
      if (Math.random() < 0.5) await service.caughtUp()
      await forget(1 + Math.floor(Math.random() * 6))
    }
    await emptied()
    // A receiver's own account: what it was told, without what was taken back.
    const standing = new Map<string, string>()
    for (const { delivery } of receiver.taken('/walk')) {
      if (delivery.type === 'undone') undone += standing.delete(delivery.undoes.id) ? 1 : 0
      else standing.set(delivery.id, `${delivery.block.hash} ${delivery.data.taskId}`)
    }
    const { hub } = world.contracts
    const logs = await hub.queryFilter(hub.filters.TaskFinalize(), from)
    const said = logs.map((log) => `${log.blockHash} ${log.args.taskid}`)
    expect([...standing.values()].sort()).to.deep.equal(said.sort())
    expect(undone).to.be.greaterThan(0)
    console.log(`      ${ROUNDS} reorganisations, ${events} events, ${undone} of them taken back after delivery`)
    await replica.close()
  })
})
