import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectChain } from '@sealdeal/server'
import { expect } from 'chai'
import { readGraphs, scanChain } from './testing/scan.ts'
import { createWalk } from './testing/walk.ts'
import { createWorld, type World } from './testing/world.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

describe('the indexer as a process', function () {
  this.timeout(120_000)
  let world: World
  before(async () => {
    world = await createWorld()
  })
  after(() => world.close())

  async function start() {
    const env = {
      PATH: process.env.PATH,
      CHAIN_URL: world.node.url,
      HUB_ADDRESS: world.hubAddress,
      DATA_PROTECTOR_ADDRESS: String(world.deployed.dataProtector),
      DATABASE_URL: world.databaseUrl,
      EXIT_ON_STDIN_EOF: '1',
      QUERY_PATIENCE: '60000',
    }
    const child = spawn(process.execPath, [main], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, url } = JSON.parse(line) as { msg: string; url?: string }
      if (msg === 'listening' && url) return { child, url }
    }
    throw new Error('the indexer did not start')
  }

  it('has every row once after it was killed in the middle of a block', async () => {
    const walk = createWalk(world, { seed: 5 })
    await walk.prepare()
    await walk.all()
    const { database } = world
    // The last table of a block waits for us: what came before it is written and not committed.
    const client = await database.pool.connect()
    await client.query('begin')
    await client.query('lock table custody_event in access exclusive mode')
    const first = await start()
    const isWaiting = async () => {
      const [row] = await database.query<{ waiting: boolean }>(
        `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and query like 'insert into custody_event%') as waiting`,
      )
      return row?.waiting === true
    }
    for (const deadline = Date.now() + 30_000; !(await isWaiting()); await sleep(20)) {
      if (Date.now() > deadline) throw new Error('nothing was written')
    }
    first.child.kill('SIGKILL')
    await once(first.child, 'close')
    await client.query('rollback')
    client.release()

    const second = await start()
    const wanted = JSON.stringify(await scanChain(world))
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
      if (JSON.stringify(await readGraphs(second.url)) === wanted) break
    }
    expect(JSON.stringify(await readGraphs(second.url))).to.equal(wanted)
    second.child.stdin.end()
    const [code] = await once(second.child, 'close')
    expect(code).to.equal(0)
  })

  it('reads a chain over a WebSocket, also one that breaks again and again', async () => {
    const { database, node } = world
    await database.query('truncate block, follow_cursor cascade')
    // Between us and the node: hangs up after so many bytes of answers.
    const sockets = new Set<Socket>()
    let [open, lost] = [40_000, 0]
    const between = createServer((socket) => {
      const onward = connect(Number(new URL(node.url).port), '127.0.0.1')
      const hangUp = () => [socket, onward].map((end) => end.destroy())
      for (const each of [socket, onward]) {
        sockets.add(each)
        each.on('error', hangUp).on('close', hangUp)
      }
      socket.pipe(onward)
      onward.on('data', (chunk) => {
        open -= chunk.length
        if (open > 0) return socket.write(chunk)
        lost++
        open = 200_000
        return hangUp()
      })
    })
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
    const chain = await connectChain({ url: `ws://127.0.0.1:${(between.address() as AddressInfo).port}` })
    const indexer = await world.start({ chain })
    const walk = createWalk(world, { seed: 6 })
    await walk.prepare()
    await walk.all()
    const wanted = JSON.stringify(await scanChain(world))
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
      if (JSON.stringify(await readGraphs(indexer.url)) === wanted) break
    }
    expect(JSON.stringify(await readGraphs(indexer.url))).to.equal(wanted)
    expect(lost).to.be.greaterThan(0)
    await indexer.close()
    chain.provider.destroy()
    for (const each of sockets) each.destroy()
    between.close()
  })
})
