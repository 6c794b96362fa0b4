import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, connectCallbackRelay, type Hex, Task, zeroAddress } from '@sealdeal/protocol'
import { createLog, createTransactions, type Transactions } from '@sealdeal/server'
import { expect } from 'chai'
import { AbiCoder, Contract, Wallet } from 'ethers'
import { skipWithoutAnvil } from '../../test/deploy/anvil.ts'
import type { Relaying } from './relay.ts'
import type { Callbacks, CallbacksParameters } from './start.ts'
import { openReplicas } from './testing/replicas.ts'
import { createWorld, startForgetfulChain, type World } from './testing/world.ts'

const answer = AbiCoder.defaultAbiCoder().encode(['uint256'], [42n]) as Hex
/** Often at what is under way, seldom at what is over: the relay has to notice by itself what was taken back. */
const looks = { interval: 20, idleInterval: 3_000 }
/** As HungryConsumer numbers them. */
const manners = { PROPER: 0, REFUSES: 1 }

describe('results that contracts missed', function () {
  this.timeout(60_000)
  let world: World
  let app: Address
  before(async function () {
    skipWithoutAnvil(this)
    world = await createWorld({ on: await startForgetfulChain() })
    app = await world.createApp()
  })
  after(() => world?.close())

  const running: (Callbacks | Transactions)[] = []
  afterEach(async () => {
    for (const each of running.splice(0)) await each.close()
    await world.database.query('delete from relay')
  })

  /** An account of its own with money for gas: what it sent is counted. */
  async function createRelayer(): Promise<Wallet> {
    const wallet = new Wallet(Wallet.createRandom().privateKey, world.provider)
    await world.provider.send('anvil_setBalance', [wallet.address, '0x56bc75e2d63100000'])
    return wallet
  }
  async function start({
    options = {},
    relayer,
    ...limits
  }: { options?: Partial<CallbacksParameters>; relayer?: Wallet } & Partial<Relaying> = {}) {
    const wallet = relayer ?? (await createRelayer())
    const { database, relay } = world
    const transactions = createTransactions({ wallet, database, chainId: 31337n, log: silent, ...looks })
    const terms = { consumers: 'any', gasLimit: 2_000_000n, gasOfDay: 100_000_000n } as const
    const service = await world.start({ relaying: { relay, transactions, ...terms, ...limits }, ...options })
    running.push(service, transactions)
    return { service, wallet }
  }
  /** A consumer that needs more gas than the Hub gives, and a task that ended with a result for it. */
  async function missed(manner: keyof typeof manners = 'PROPER') {
    const address = await world.deployMock('HungryConsumer', [world.hubAddress, world.relay, manners[manner]])
    const consumer = new Contract(address, hungryAbi, world.provider)
    const dealId = await world.match({ app, callback: address })
    await world.settle(dealId, 0n, answer)
    return { consumer, address, taskId: Task.id(dealId, 0n) }
  }
  type Listed = { state: string; attempts: number; failure: string | null }
  async function relayOf(taskId: Hex, state: string): Promise<Listed> {
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
      const [row] = await world.database.query<Listed>('select * from relay where task_id = $1', [taskId])
      if (row?.state === state) return row
    }
    const [row] = await world.database.query('select * from relay where task_id = $1', [taskId])
    throw new Error(
      `the relay of ${taskId} is not ${state}: ${JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
    )
  }
  const relayed = async (taskId: Hex) => {
    const relay = connectCallbackRelay(world.relay, world.provider)
    return relay.queryFilter(relay.filters.CallbackRelayed(taskId))
  }
  const sent = (wallet: Wallet) => world.provider.getTransactionCount(wallet.address)

  /** Blocks come by themselves on other chains. */
  async function whileMining(work: () => Promise<unknown>): Promise<void> {
    const mining = setInterval(() => world.provider.send('anvil_mine', ['0x1']).catch(() => {}), 100)
    await work().finally(() => clearInterval(mining))
  }

  it('arrive by the relay, once', async () => {
    const { wallet } = await start()
    const { consumer, taskId } = await missed()
    await relayOf(taskId, 'relayed')
    expect(await consumer.resultOf?.(taskId)).to.equal(answer)
    expect(await consumer.countOf?.(taskId)).to.equal(1n)
    expect(await relayed(taskId)).to.have.length(1)
    expect(await sent(wallet)).to.equal(1)
  })

  it('are nobody’s business where the contract has them, cannot ask, or is not relayed for', async () => {
    const { wallet } = await start({ consumers: [zeroAddress] })
    const unlisted = await missed()
    await relayOf(unlisted.taskId, 'taken')
    const plain = await world.deployMock('ResultConsumer')
    const dealId = await world.match({ app, callback: plain })
    await world.settle(dealId, 0n, answer)
    const { failure } = await relayOf(Task.id(dealId, 0n), 'taken')
    expect(failure).to.equal('it is not relayed for')
    await running[0]?.close()

    const other = await start({ relayer: wallet })
    const before = connectCallbackRelay(world.relay, world.owner)
    await world.mined(before.relay(unlisted.taskId))
    const mine = await missed()
    await relayOf(mine.taskId, 'relayed')
    expect(await sent(other.wallet), 'of three tasks one was relayed').to.equal(1)
  })

  it('are tried again and parked with the reason where the contract refuses them', async () => {
    const { service, wallet } = await start({ options: { retrySeconds: 1, pause: 50 } })
    const { taskId, address } = await missed('REFUSES')
    const { attempts } = await relayOf(taskId, 'parked')
    expect(attempts).to.be.greaterThan(1)
    const { relays, ok } = await (await fetch(`${service.url}/relays?state=parked`)).json()
    expect([ok, relays.length]).to.deep.equal([true, 1])
    expect(relays[0]).to.deep.include({ taskId, consumer: address, state: 'parked', nextAttemptAt: null })
    expect(relays[0].failure).to.contain(address)
    expect(await sent(wallet), 'what would fail is not sent').to.equal(0)
    expect((await fetch(`${service.url}/relays?state=lost`)).status).to.equal(400)
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    expect(metrics).to.match(/callbacks_relays_total\{outcome="parked"\} 1/)
  })

  it('wait when a delivery takes more gas than one, or than a day’s, may use', async () => {
    const small = await start({ gasLimit: 100_000n, options: { pause: 20 } })
    const { taskId } = await missed()
    const failing = async (pattern: RegExp) => {
      for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
        const [row] = await world.database.query<Listed>('select * from relay where task_id = $1', [taskId])
        if (pattern.test(row?.failure ?? '')) return
      }
      throw new Error(`it does not fail for ${pattern}`)
    }
    await failing(/needs \d+ gas, and one delivery may use 100000/)
    for (const each of running.splice(0)) await each.close()
    await start({ relayer: small.wallet, gasOfDay: 100_000n, options: { pause: 20 } })
    await failing(/may use 100000 gas in 24 hours/)
    for (const each of running.splice(0)) await each.close()
    expect(await sent(small.wallet)).to.equal(0)
    await start({ relayer: small.wallet, options: { pause: 20 } })
    await relayOf(taskId, 'relayed')
    expect(await sent(small.wallet)).to.equal(1)
  })

  it('arrive once, though two replicas are at it and both are killed while it is on its way', async () => {
    const relayer = await createRelayer()
    const replicas = await openReplicas(world, { relayer })
    try {
      const alive = [await replicas.start(), await replicas.start()]
      const { taskId, consumer } = await (async () => {
        const address = await world.deployMock('HungryConsumer', [world.hubAddress, world.relay, manners.PROPER])
        const dealId = await world.match({ app, callback: address })
        // The chain goes on when it is told to: what is sent stays on its way.
        const settling = world.settle(dealId, 0n, answer)
        await settling
        await world.provider.send('evm_setAutomine', [false])
        return { taskId: Task.id(dealId, 0n), consumer: new Contract(address, hungryAbi, world.provider) }
      })()
      const rows = () => world.database.query('select 1 from sent_transaction where reference = $1', [taskId])
      for (const end = Date.now() + 15_000; (await rows()).length === 0; await sleep(10)) {
        // It may have been mined before the chain stood still: that is as good.
        if (Date.now() > end) throw new Error('nothing was sent')
      }
      await Promise.all(alive.map(({ kill }) => kill()))
      await replicas.start()
      await world.provider.send('evm_mine', [])
      await world.provider.send('evm_setAutomine', [true])
      await world.database.query(`update relay set leased_until = '-infinity'`)
      await relayOf(taskId, 'relayed')
      expect(await consumer.countOf?.(taskId)).to.equal(1n)
      expect(await rows()).to.have.length(1)
      expect(await sent(relayer)).to.equal(1)
    } finally {
      await world.provider.send('evm_setAutomine', [true])
      await replicas.close()
    }
  })

  it('count as delivered only when the chain keeps the delivery: one that it takes back is made again', async () => {
    const { wallet } = await start({ options: { confirmations: 2 } })
    const { taskId, consumer } = await missed()
    await world.provider.send('anvil_mine', ['0x2'])
    for (const end = Date.now() + 20_000; (await relayed(taskId)).length === 0; await sleep(20)) {
      if (Date.now() > end) throw new Error('nothing was relayed')
    }
    await relayOf(taskId, 'waiting')
    await world.provider.send('anvil_reorg', [1, []])
    expect(await relayed(taskId)).to.deep.equal([])
    await whileMining(() => relayOf(taskId, 'relayed'))
    expect(await relayed(taskId)).to.have.length(1)
    expect(await consumer.countOf?.(taskId)).to.equal(1n)
    expect(await sent(wallet)).to.equal(1)
  })

  it('are forgotten with the block in which the task ended, and noted anew when it ends again', async () => {
    const { service } = await start({ options: { confirmations: 3 } })
    const address = await world.deployMock('HungryConsumer', [world.hubAddress, world.relay, manners.PROPER])
    const dealId = await world.match({ app, callback: address })
    const taskId = Task.id(dealId, 0n)
    await world.settle(dealId, 0n, answer)
    await service.caughtUp()
    await relayOf(taskId, 'waiting')
    await world.provider.send('anvil_reorg', [1, []])
    await world.provider.send('anvil_mine', ['0x1'])
    await service.caughtUp()
    expect(await world.database.query('select 1 from relay where task_id = $1', [taskId])).to.deep.equal([])
    await world.settle(dealId, 0n, answer)
    await whileMining(() => relayOf(taskId, 'relayed'))
  })
})

const hungryAbi = [
  'function resultOf(bytes32) view returns (bytes)',
  'function countOf(bytes32) view returns (uint256)',
]

const silent = createLog({ name: 'test', level: 'silent' })
