import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, type Hex, Order, Task } from '@sealdeal/protocol'
import { expect } from 'chai'
import { id } from 'ethers'
import { pauseAfter } from './deliver.ts'
import { signature } from './secrets.ts'
import type { Callbacks, CallbacksParameters } from './start.ts'
import { isGenuine, type Receiver, startReceiver } from './testing/receiver.ts'
import { createWorld, type World } from './testing/world.ts'

describe('deliveries', function () {
  this.timeout(180_000)
  let world: World
  let receiver: Receiver
  let service: Callbacks
  let app: Address
  before(async () => {
    world = await createWorld()
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
  async function start(options: Partial<CallbacksParameters> = {}): Promise<void> {
    service = await world.start(options)
    await service.caughtUp()
  }
  async function subscribe(path: string, conditions: object = {}) {
    const { status, json } = await world.call(service.url, 'POST', '/subscriptions', {
      url: receiver.url + path,
      ...conditions,
    })
    expect(status, JSON.stringify(json)).to.equal(201)
    return { id: json.subscription.id as string, secret: json.secret as string }
  }
  const listed = async (subscription: string, query = '') =>
    (await world.call(service.url, 'GET', `/subscriptions/${subscription}/deliveries${query}`)).json.deliveries
  const types = (path: string) => receiver.taken(path).map(({ delivery }) => delivery.type)

  it('tell each subscription what it asked for, in order, under its own secret', async () => {
    await start()
    const all = await subscribe('/all')
    const other = await world.createApp()
    await subscribe('/claims', { kinds: ['task.claimed'] })
    await subscribe('/other', { app: other })
    await subscribe('/pool', { workerpool: world.workerpool, owner: world.pool.address, kinds: ['task.completed'] })
    const dealId = await world.match({ app, volume: 4n })
    const settled = await world.settle(dealId, 0n)
    await world.settleFailure(dealId, 1n, 7n)
    await world.claim(dealId, 2n)
    await receiver.until(() => receiver.taken('/all').length === 3 && receiver.taken('/claims').length === 1)
    await receiver.until(() => receiver.taken('/pool').length === 1)

    expect(types('/all')).to.deep.equal(['task.completed', 'task.failed', 'task.claimed'])
    expect(types('/claims')).to.deep.equal(['task.claimed'])
    expect(types('/other')).to.deep.equal([])
    expect(receiver.received.filter(({ path }) => path === '/all')[0]?.delivery.type).to.equal('subscription.created')
    const [completed, failed] = receiver.taken('/all')
    expect(completed?.delivery).to.deep.include({ transactionHash: settled, chainId: 31337, hub: world.hubAddress })
    expect(completed?.delivery.data).to.deep.equal({
      taskId: Task.id(dealId, 0n),
      dealId,
      index: 0,
      requester: world.owner.address,
      beneficiary: world.owner.address,
      app,
      datasets: [],
      workerpool: world.workerpool,
      results: '0x7b7d',
      callback: null,
    })
    expect(failed?.delivery.data).to.include({ worker: world.worker.address, cause: '7' })
    for (const each of receiver.received.filter(({ path }) => path === '/all')) {
      expect(each.key).to.equal(each.delivery.id)
      expect(isGenuine(each, all.secret)).to.equal(true)
      expect(isGenuine({ ...each, body: `${each.body} ` }, all.secret)).to.equal(false)
    }
    expect(receiver.taken('/claims').every((each) => !isGenuine(each, all.secret))).to.equal(true)
  })

  it('tell of closed orders what the transaction shows, also through a wrapper, to those whom they admitted', async () => {
    await start()
    await subscribe('/app', { app })
    const order = await world.sign('app', world.owner, { app, volume: 5n })
    const hash = Order.hash('app', order, world.domain)
    await subscribe('/hash', { orderHash: hash, owner: world.owner.address })
    const { hub } = world.contracts
    const close = { order, operation: 1n, sign: '0x' }
    await world.mined(hub.multicall([hub.interface.encodeFunctionData('manageAppOrder', [close])]))
    // A request that names the app: revoked by its requester.
    const request = await world.sign('request', world.owner, { app, requester: world.owner.address as Address })
    await world.mined(hub.manageRequestOrder({ order: request, operation: 1n, sign: '0x' }))
    await receiver.until(() => receiver.taken('/app').length === 2 && receiver.taken('/hash').length === 1)
    const [first, second] = receiver.taken('/app').map(({ delivery }) => delivery.data)
    expect(first).to.deep.include({ orderHash: hash, orderKind: 'app', owner: world.owner.address })
    expect(first.order).to.include({ app, volume: '5' })
    expect(second).to.include({ orderKind: 'request', owner: world.owner.address })
  })

  it('tell which callback contracts failed, and how', async () => {
    await start({ traceCallbacks: true })
    await subscribe('/failures', { kinds: ['callback.failed'] })
    await subscribe('/all')
    const consumers = [
      await world.deployMock('ResultConsumer'),
      await world.deployMock('Troublemaker', [0]),
      await world.deployMock('Troublemaker', [3]),
    ]
    const deals: Hex[] = []
    for (const callback of consumers) {
      const dealId = await world.match({ app, callback })
      await world.settle(dealId, 0n, '0x1234')
      deals.push(dealId)
    }
    await receiver.until(() => receiver.taken('/failures').length === 2 && receiver.taken('/all').length === 5)
    const [reverted, burnt] = receiver.taken('/failures').map(({ delivery }) => delivery.data)
    expect(reverted).to.include({ dealId: deals[1], callback: consumers[1], resultsCallback: '0x1234' })
    expect(reverted).to.include({ outOfGas: false })
    expect(burnt).to.include({ dealId: deals[2], callback: consumers[2] })
    expect(burnt.gasUsed).to.be.greaterThan(190_000)
    expect(types('/all').filter((type) => type === 'task.completed')).to.have.length(3)
  })

  it('wait in line behind one that is refused, without holding up other subscriptions', async () => {
    let refusals = 6
    receiver.answer(({ path, delivery }) =>
      path === '/slow' && delivery.type === 'task.completed' && refusals-- > 0
        ? [500, 302, undefined][refusals % 3]
        : 204,
    )
    await start()
    await subscribe('/slow')
    await subscribe('/fast')
    const dealId = await world.match({ app, volume: 3n })
    for (const index of [0n, 1n, 2n]) await world.settle(dealId, index)
    await receiver.until(() => receiver.taken('/slow').length === 3 && receiver.taken('/fast').length === 3)
    const attempts = receiver.received
      .filter(({ path }) => path === '/slow')
      .map(({ delivery }) => delivery.data?.index)
    expect(attempts).to.deep.equal([undefined, 0, 0, 0, 0, 0, 0, 0, 1, 2])
    const ids = receiver.received.filter(({ path, delivery }) => path === '/slow' && delivery.data?.index === 0)
    expect(new Set(ids.map(({ delivery }) => delivery.id)).size).to.equal(1)
    expect(new Set(ids.map(({ body }) => body)).size).to.equal(1)
  })

  it('are parked when their time is over, listed, and sent again on demand under the same id', async () => {
    let down = false
    receiver.answer(() => (down ? 503 : 204))
    await start({ retrySeconds: 1 })
    const { id } = await subscribe('/parked')
    await receiver.until(() => receiver.received.length === 1)
    down = true
    const dealId = await world.match({ app, volume: 2n })
    for (const index of [0n, 1n]) await world.settle(dealId, index)
    let parked = []
    while (parked.length < 2) {
      await sleep(20)
      parked = await listed(id, '?state=parked')
    }
    expect(parked[0]).to.deep.include({ kind: 'task.completed', failure: 'status 503', nextAttemptAt: null })
    expect(parked[0].attempts).to.be.greaterThan(0)
    expect((await listed(id, `?limit=1&after=${parked[0].position}`))[0].id).to.equal(parked[1].id)
    down = false
    const again = `/subscriptions/${id}/deliveries`
    expect((await world.call(service.url, 'POST', `${again}/${parked[1].id}/resend`)).json.resent).to.equal(1)
    await receiver.until(() => receiver.taken('/parked').length === 1)
    expect((await world.call(service.url, 'POST', `${again}/resend`)).json.resent).to.equal(1)
    await receiver.until(() => receiver.taken('/parked').length === 2)
    expect(receiver.taken('/parked').map(({ delivery }) => delivery.id)).to.deep.equal([parked[1].id, parked[0].id])
    const refused = await world.call(service.url, 'POST', `${again}/${parked[0].id}/resend`)
    expect(refused).to.deep.include({ status: 404 })
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    expect(metrics).to.match(/callbacks_attempts_total\{outcome="parked"\} 2/)
    expect(metrics).to.match(/callbacks_deliveries\{state="parked"\} 0/)
  })

  it('do not follow the first one to a receiver that never asked, whose subscription is deleted', async () => {
    receiver.answer(() => 404)
    await start({ retrySeconds: 1 })
    const { id } = await subscribe('/victim')
    await world.settle(await world.match({ app }), 0n)
    await service.caughtUp()
    const left = async () => (await world.call(service.url, 'GET', '/subscriptions')).json.subscriptions.length
    while ((await left()) > 0) await sleep(20)
    expect(new Set(receiver.received.map(({ delivery }) => delivery.type))).to.deep.equal(
      new Set(['subscription.created']),
    )
    expect((await world.call(service.url, 'DELETE', `/subscriptions/${id}`)).status).to.equal(404)
  })

  it('are signed with both secrets after a rotation', async () => {
    await start()
    const { id, secret } = await subscribe('/rotated')
    await receiver.until(() => receiver.received.length === 1)
    const rotated = (await world.call(service.url, 'POST', `/subscriptions/${id}/secret`)).json
    await world.settle(await world.match({ app }), 0n)
    await receiver.until(() => receiver.taken('/rotated').length === 1)
    const [received] = receiver.taken('/rotated')
    if (!received) throw new Error('nothing was received')
    expect([secret, rotated.secret].map((each) => isGenuine(received, each))).to.deep.equal([true, true])
    expect(Date.parse(rotated.formerUntil)).to.be.greaterThan(Date.now() + 80_000_000)
    await world.database.query('update subscription set former_until = now()')
    await world.settle(await world.match({ app }), 0n)
    await receiver.until(() => receiver.taken('/rotated').length === 2)
    const last = receiver.taken('/rotated')[1]
    if (!last) throw new Error('nothing was received')
    expect([secret, rotated.secret].map((each) => isGenuine(last, each))).to.deep.equal([false, true])
  })

  it('wait for the blocks that must follow', async () => {
    await start({ confirmations: 2 })
    const { id } = await subscribe('/deep')
    await receiver.until(() => receiver.received.length === 1)
    await world.settle(await world.match({ app }), 0n)
    await service.caughtUp()
    await world.provider.send('evm_mine', [])
    await service.caughtUp()
    expect(await listed(id, '?state=waiting')).to.have.length(1)
    expect(receiver.taken('/deep')).to.have.length(0)
    await world.provider.send('evm_mine', [])
    await receiver.until(() => receiver.taken('/deep').length === 1)
  })

  it('are refused by the documented receiver when they are forged, altered or old, and acted upon once', async () => {
    const page = await readFile(new URL('../../docs/callbacks.md', import.meta.url), 'utf8')
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? []
    const folder = await mkdtemp(join(tmpdir(), 'sealdeal-receiver-'))
    const file = join(folder, 'receiver.mjs')
    await writeFile(file, code)
    const env = { PATH: process.env.PATH, PORT: '0', CALLBACKS_SECRET: 'sdcb_known' }
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    try {
      const [, port] = String((await lines.next()).value).split(' ')
      const body = JSON.stringify({ id: 'one', type: 'task.completed', data: { taskId: id('ü') } })
      const now = Math.floor(Date.now() / 1_000)
      const post = async (text: string, header: string) => {
        const headers = { 'sealdeal-signature': header }
        return (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: text, headers })).status
      }
      const sign = (secrets: string[], at = now) => signature({ body, secrets, at })
      expect(await post(body, sign(['sdcb_other']))).to.equal(401)
      expect(await post(`${body} `, sign(['sdcb_known']))).to.equal(401)
      expect(await post(body, sign(['sdcb_known'], now - 400))).to.equal(401)
      expect(await post(body, sign(['sdcb_known']).replace(/^t=\d+/, `t=${now + 1}`))).to.equal(401)
      expect(await post(body, '')).to.equal(401)
      expect(await post(body, sign(['sdcb_known']))).to.equal(204)
      expect(await post(body, sign(['sdcb_new', 'sdcb_known']))).to.equal(204)
      child.kill()
      const said: string[] = []
      for (let line = await lines.next(); !line.done; line = await lines.next()) said.push(line.value)
      expect(said).to.deep.equal([`task.completed ${id('ü')}`])
    } finally {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true })
      await start()
    }
  })

  it('are tried again after pauses that double, vary and end at an hour', () => {
    expect([1, 2, 3, 10].map((attempts) => pauseAfter(attempts, 1_000, () => 0.5))).to.deep.equal([
      1_000, 2_000, 4_000, 512_000,
    ])
    expect(pauseAfter(60, 1_000, () => 0.5)).to.equal(3_600_000)
    expect([0, 0.999].map((chance) => Math.round(pauseAfter(1, 1_000, () => chance)))).to.deep.equal([500, 1_499])
  })

  it('leave no secret in the database or the log', async () => {
    await start()
    const { secret } = await subscribe('/secret?token=receivers-own')
    await receiver.until(() => receiver.received.length === 1)
    const [row] = await world.database.query<{ text: string }>('select subscription::text as text from subscription')
    expect(row?.text).to.not.contain(Buffer.from(secret).toString('hex'))
    expect(world.lines.join('')).to.not.match(/sdcb_|receivers-own/)
    expect(world.lines.length).to.be.greaterThan(5)
    await service.close()
    const refused = await world.start({ master: new Uint8Array(32) }).catch((error: Error) => error)
    expect(refused).to.have.property('name', 'SecretUnreadableError')
    await start()
  })
})
