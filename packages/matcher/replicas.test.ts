import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Address, Hex } from '@sealdeal/protocol'
import { createClient } from '@sealdeal/sdk'
import {
  connectChain,
  createLog,
  createTransactions,
  type Database,
  openDatabase,
  openTestDatabase,
  writeKeyFile,
} from '@sealdeal/server'
import { expect } from 'chai'
import { parseUnits, Wallet } from 'ethers'
import { skipWithoutAnvil, startAnvil } from '../../test/deploy/anvil.ts'
import { createWorld, type World } from '../market/testing/world.ts'
import { createMatcher, createMeters, migrations, type Sponsor } from './index.ts'

/** More of them in `npm run test:deep`. */
const KILLS = Number(process.env.KILLS ?? 3)
const REQUESTS = Math.max(8, KILLS)
const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const log = createLog({ name: 'matcher', level: process.env.LOG_LEVEL ?? 'silent' })

describe('replicas of the matcher', function () {
  this.timeout(300_000 + KILLS * 20_000)
  let world: World
  let database: Database
  let databaseUrl: string
  let folder: string
  let developer: Wallet
  let app: Address
  let account: Wallet
  const closers: (() => unknown)[] = []
  const perTest: (() => unknown)[] = []

  before(async function () {
    skipWithoutAnvil(this)
    const anvil = await startAnvil({ id: 31_337n, args: ['--disable-console-log'] })
    const chain = await connectChain({ url: anvil.url })
    const close = async () => {
      chain.provider.destroy()
      await anvil.stop()
    }
    world = await createWorld({ on: { ...chain, url: anvil.url, close }, maxOpenOrders: 1_000 })
    closers.push(world.close)
    const opened = await openTestDatabase({ migrations })
    closers.push(opened.close)
    ;({ database, url: databaseUrl } = opened)
    folder = await mkdtemp(join(tmpdir(), 'sealdeal-matcher-'))
    closers.push(() => rm(folder, { recursive: true }))
    developer = await world.wallet()
    app = await world.createApp(developer)
    await world.publish('app', developer, { app, appprice: 2n, volume: 10_000n })
    account = await world.wallet({ stake: 1_000n })
  })
  afterEach(async () => {
    for (const close of perTest.splice(0).reverse()) await close()
  })
  after(async () => {
    for (const close of closers.reverse()) await close()
  })

  /** A replica in this process, with connections of its own, that looks when it is told to. */
  async function replica(sponsor?: Sponsor) {
    const own = await openDatabase({ url: databaseUrl, migrations })
    const wallet = new Wallet(account.privateKey, world.provider)
    const { chainId } = world.chain
    const transactions = createTransactions({ wallet, database: own, chainId, log, interval: 20 })
    perTest.push(async () => {
      await transactions.close()
      await own.close()
    })
    const { url: market } = world.market()
    const client = await createClient({
      signer: wallet,
      hub: world.hub,
      endpoints: { market, sms: market, storage: market },
    })
    const meters = createMeters()
    return createMatcher({ client, database: own, transactions, log, moment: () => {}, meters, sponsor })
  }
  async function createPool(offers: { workerpoolprice: bigint; volume: bigint }[]): Promise<Address> {
    const owner = await world.wallet({ stake: 100_000n })
    const workerpool = await world.createWorkerpool(owner)
    for (const offer of offers) {
      const { json } = await world.publish('workerpool', owner, { workerpool, ...offer })
      expect(json).to.include({ ok: true })
    }
    return workerpool
  }
  async function ask(workerpool: Address, volume = 1n): Promise<{ hash: Hex; requester: Wallet }> {
    const requester = await world.wallet({ stake: 1_000n })
    const terms = { app, workerpool, appmaxprice: 5n, workerpoolmaxprice: 50n, volume }
    const { hash, json } = await world.publish('request', requester, {
      ...terms,
      requester: requester.address as Address,
    })
    expect(json).to.include({ ok: true })
    return { hash, requester }
  }
  async function deals(): Promise<{ requestHash: string; dealId: string; volume: bigint }[]> {
    const { hub } = world.contracts
    const found = await hub.queryFilter(hub.filters.OrdersMatched())
    return found.map(({ args }) => ({ requestHash: args.requestHash, dealId: args.dealid, volume: args.volume }))
  }
  const dealsOf = async (hashes: Hex[]) =>
    (await deals()).filter(({ requestHash }) => hashes.some((hash) => hash === requestHash))

  it('never count on the same tasks: nothing fails on chain, and the dear order is used only for the rest', async () => {
    const workerpool = await createPool([
      { workerpoolprice: 10n, volume: 3n },
      { workerpoolprice: 20n, volume: 100n },
    ])
    const replicas = [await replica(), await replica()]
    const hashes: Hex[] = []
    for (let n = 0; n < 8; n++) hashes.push((await ask(workerpool)).hash)
    for (let looks = 0; (await dealsOf(hashes)).length < 8 && looks < 20; looks++) {
      const looked = await Promise.all(replicas.map(({ look }) => look()))
      await Promise.all(looked.flat())
      await sleep(100)
    }
    const made = await dealsOf(hashes)
    expect(new Set(made.map(({ requestHash }) => requestHash)).size).to.equal(8)
    expect(made).to.have.length(8)
    const views = await Promise.all(made.map(({ dealId }) => world.contracts.hub.viewDeal(dealId)))
    const dear = views.filter(({ workerpool }) => workerpool.price === 20n)
    expect(dear).to.have.length(5)
    const failed = await database.query("select failure from attempt where status = 'failed'")
    expect(failed).to.deep.equal([])
    expect(await account.getNonce()).to.equal(8)
    expect(await database.query('select * from hold where released_at is null')).to.deep.equal([])
  })

  it('sponsor no more together than the caps allow; then requesters pay themselves', async () => {
    const workerpool = await createPool([{ workerpoolprice: 10n, volume: 100n }])
    const { hub } = world.contracts
    const balances = async (address: string) => {
      const { stake, locked } = await hub.viewAccount(address)
      return { stake, locked }
    }
    const people: Wallet[] = []
    const hashes: Hex[] = []
    const round = async (caps: { day: bigint; total: bigint }) => {
      const replicas = [await replica({ caps, sponsors: () => true }), await replica({ caps, sponsors: () => true })]
      const before = hashes.length
      for (let n = 0; n < 4; n++) {
        const { hash, requester } = await ask(workerpool)
        hashes.push(hash)
        people.push(requester)
      }
      for (let looks = 0; (await dealsOf(hashes)).length < before + 4 && looks < 20; looks++) {
        const looked = await Promise.all(replicas.map(({ look }) => look()))
        await Promise.all(looked.flat())
        await sleep(100)
      }
      expect(await dealsOf(hashes)).to.have.length(before + 4)
      return balances(account.address)
    }
    // A deal costs 12.
    expect(await round({ day: 30n, total: 40n })).to.deep.equal({ stake: 976n, locked: 24n })
    await database.query("update attempt set created_at = now() - interval '25 hours'")
    expect(await round({ day: 30n, total: 40n })).to.deep.equal({ stake: 964n, locked: 36n })
    const paid = await Promise.all(people.map(async ({ address }) => (await balances(address)).locked))
    expect(paid.filter((locked) => locked === 12n)).to.have.length(5)
    expect(paid.filter((locked) => locked === 0n)).to.have.length(3)
  })

  type Child = { process: ChildProcess; watching: Promise<void>; ended: Promise<unknown> }

  function spawnReplica(): Child {
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env.PATH,
        CHAIN_URL: world.chain.url,
        HUB_ADDRESS: world.hub,
        DATABASE_URL: databaseUrl,
        MARKET_URL: world.market().url,
        WALLET_KEY_FILE: join(folder, 'key'),
        EXIT_ON_STDIN_EOF: '1',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const watching = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (JSON.parse(line).msg === 'watching the book') resolve()
      })
    })
    const ended = once(child, 'close')
    // One that ended before is waited for no longer.
    return { process: child, watching: Promise.race([watching, ended.then(() => {})]), ended }
  }

  it(`make every deal once: ${KILLS} kills -9, transactions dropped and replaced`, async () => {
    const { provider } = world
    const workerpool = await createPool([
      { workerpoolprice: 10n, volume: BigInt(REQUESTS) },
      { workerpoolprice: 11n, volume: BigInt(3 * REQUESTS) },
    ])
    await writeKeyFile({ path: join(folder, 'key'), key: account.privateKey as Hex })
    const asked: { hash: Hex; volume: bigint }[] = []
    for (let n = 0; n < REQUESTS; n++) {
      // More than one task: a match that is sent twice could make a second deal.
      const volume = BigInt(1 + (n % 3))
      asked.push({ hash: (await ask(workerpool, volume)).hash, volume })
    }
    const hashes = asked.map(({ hash }) => hash)
    await provider.send('evm_setAutomine', [false])
    const children = [spawnReplica(), spawnReplica()]
    perTest.push(async () => {
      for (const { process, ended } of children) {
        process.stdin?.end()
        await ended
      }
      await provider.send('evm_setAutomine', [true])
    })
    await Promise.race(children.map(({ watching }) => watching))

    /** One of its transactions is forgotten by the node, or another program with the same key pays more for the nonce. */
    async function disturb(): Promise<'dropped' | 'replaced' | undefined> {
      const pool = (await provider.send('txpool_content', [])) as {
        pending: Record<string, Record<string, { hash: Hex }>>
      }
      const mine = Object.entries(pool.pending).find(
        ([address]) => address.toLowerCase() === account.address.toLowerCase(),
      )
      const [[nonce, found] = []] = Object.entries(mine?.[1] ?? {}).sort(() => Math.random() - 0.5)
      if (found === undefined || nonce === undefined) return undefined
      if (Math.random() < 0.5) {
        await provider.send('anvil_dropTransaction', [found.hash])
        return 'dropped'
      }
      const fee = parseUnits('900', 'gwei')
      const raw = await account.signTransaction({
        ...{ to: account.address, nonce: Number(nonce), gasLimit: 21_000n, chainId: world.chain.chainId, type: 2 },
        ...{ maxFeePerGas: fee, maxPriorityFeePerGas: fee },
      })
      return provider.send('eth_sendRawTransaction', [raw]).then(
        () => 'replaced' as const,
        () => undefined,
      )
    }
    const seen = { killed: 0, dropped: 0, replaced: 0 }
    const isComplete = async () => {
      const made = await dealsOf(hashes)
      const tasks = made.reduce((sum, { volume }) => sum + volume, 0n)
      return tasks >= asked.reduce((sum, { volume }) => sum + volume, 0n)
    }
    const deadline = Date.now() + 150_000 + KILLS * 15_000
    while (!(await isComplete()) || seen.killed < KILLS) {
      if (Date.now() > deadline)
        throw new Error(`not in time: ${JSON.stringify(seen)}, ${(await dealsOf(hashes)).length} deals`)
      await sleep(Math.random() * 200)
      const disturbance = Math.random() < 0.3 ? await disturb() : undefined
      if (disturbance) seen[disturbance]++
      if (Math.random() < 0.7) await provider.send('evm_mine', [])
      if (seen.killed === KILLS || Math.random() > 0.15) continue
      const victim = Math.floor(Math.random() * children.length)
      const child = children[victim] as Child
      child.process.kill('SIGKILL')
      await child.ended
      seen.killed++
      children[victim] = spawnReplica()
      // Somebody works always, now and then nobody.
      if (Math.random() < 0.7) await Promise.race(children.map(({ watching }) => watching))
    }
    // Whatever is still under way comes to its end, and makes no deal any more.
    const idle = async () =>
      (await database.query("select 1 from sent_transaction where status = 'pending'")).length === 0 &&
      (await database.query("select 1 from attempt where status = 'sent'")).length === 0
    for (; !(await idle()); await sleep(50)) {
      if (Date.now() > deadline + 60_000) throw new Error('something stays under way')
      await provider.send('evm_mine', [])
    }
    const made = await dealsOf(hashes)
    for (const { hash, volume } of asked) {
      const tasks = made.filter(({ requestHash }) => requestHash === hash).map((deal) => deal.volume)
      expect(tasks.reduce((sum, each) => sum + each, 0n)).to.equal(volume)
    }
    const rows = await database.query<{ deal_id: string }>(
      "select deal_id from attempt where status = 'matched' and request_hash = any($1)",
      [hashes],
    )
    expect(rows.map(({ deal_id }) => deal_id).sort()).to.deep.equal(made.map(({ dealId }) => dealId).sort())
    expect(await database.query('select * from hold where released_at is null')).to.deep.equal([])
    console.log(`      ${made.length} deals of ${REQUESTS} requests; ${JSON.stringify(seen)}`)
  })
})
