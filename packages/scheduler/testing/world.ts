/** A real chain with the real contracts, a pool, an app and money: what the tests of scheduler and worker share. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Address, Contracts, Deal, type Hex, Order } from '@sealdeal/protocol'
import { openTestDatabase } from '@sealdeal/server'
import { id, JsonRpcProvider, Wallet } from 'ethers'
import { localWallets, writeSecretFile } from '../../stack/accounts.ts'
import { startChain } from '../../stack/chain.ts'
import { deploy, furnish } from '../../stack/deployment.ts'
import { isReady, type Process, startProcess, untilHealthy } from '../../stack/processes.ts'
import { migrations } from '../index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const chainId = 31337n

export type World = Awaited<ReturnType<typeof openWorld>>

export async function openWorld() {
  const directory = await mkdtemp(join(tmpdir(), 'sealdeal-pool-'))
  const chain = await startChain({ chainId, directory: root, logFile: join(directory, 'chain.log') })
  const provider = new JsonRpcProvider(chain.url, Number(chainId), {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 50,
  })
  const { database, url: databaseUrl, close: closeDatabase } = await openTestDatabase({ migrations })
  const wallets = localWallets(provider)
  const broker = Wallet.createRandom()
  const deployment = await deploy({ provider, teeBroker: broker.address as Address })
  const workerpool = await furnish({ deployment, wallets })
  const hub = Contracts.connectHub(deployment.hub, provider)
  const registry = Contracts.connectAppRegistry(deployment.appRegistry, wallets.company)
  const appFields = [wallets.company.address, 'test', 'BUNDLE', '0xa503', id('checksum'), '0x'] as const
  const app = (await registry.predictApp(...appFields)) as Address
  await (await registry.createApp(...appFields)).wait()
  const domain = Order.domain({ chainId, hub: deployment.hub })
  for (const role of ['poolOwner', 'worker'] as const) writeSecretFile(join(directory, role), wallets[role].privateKey)

  /** Matches real orders into a deal of `size` tasks at one token each. */
  async function matchDeal({ size = 1n, price = 1_000_000_000n }: { size?: bigint; price?: bigint } = {}) {
    const requester = wallets.researcher.address as Address
    const orders = {
      app: await Order.sign('app', Order.create('app', { app, volume: size }), wallets.company, domain),
      workerpool: await Order.sign(
        'workerpool',
        Order.create('workerpool', { workerpool, workerpoolprice: price, volume: size }),
        wallets.poolOwner,
        domain,
      ),
      request: await Order.sign(
        'request',
        Order.create('request', { app, requester, workerpool, workerpoolmaxprice: price, volume: size, params: '{}' }),
        wallets.researcher,
        domain,
      ),
    }
    const matched = await Contracts.connectHub(deployment.hub, wallets.matcher).matchOrders(
      orders.app,
      Order.none('dataset'),
      orders.workerpool,
      orders.request,
    )
    await matched.wait()
    const dealId = Deal.id(Order.hash('request', orders.request, domain), 0n)
    return { dealId, taskIds: Deal.tasks(dealId, { botFirst: 0n, botSize: size }).map(({ taskId }) => taskId) }
  }

  const borrowed: string[] = []
  let started = 0
  const running: Process[] = []
  async function start(name: string, file: string, env: Record<string, string>): Promise<Process> {
    const program = startProcess({
      name,
      command: process.execPath,
      args: [join(root, 'packages', file)],
      env: { CHAIN_URL: chain.url, HUB_ADDRESS: deployment.hub, ...env },
      directory: root,
      logFile: join(directory, `${name}-${++started}.log`),
    })
    running.push(program)
    return program
  }

  /** Starts the real scheduler, on a free port unless told, and waits until it is ready. */
  async function startScheduler(env: Record<string, string> = {}): Promise<{ program: Process; url: string }> {
    const program = await start('scheduler', 'scheduler/main.ts', {
      DATABASE_URL: databaseUrl,
      WORKERPOOL_ADDRESS: workerpool,
      WORKER_ADDRESSES: 'any',
      WALLET_KEY_FILE: join(directory, 'poolOwner'),
      ...env,
    })
    return { program, url: await listening(program) }
  }

  /** Starts the real market on a database of its own, and waits until it is ready. */
  async function startMarket(): Promise<{ program: Process; url: string }> {
    const name = `market_${randomBytes(6).toString('hex')}`
    await database.query(`create database ${name}`)
    borrowed.push(name)
    const marketDatabase = new URL(databaseUrl)
    marketDatabase.pathname = `/${name}`
    const program = await start('market', 'market/main.ts', { DATABASE_URL: marketDatabase.href })
    return { program, url: await listening(program) }
  }

  return {
    directory,
    chain,
    provider,
    database,
    wallets,
    broker,
    deployment,
    workerpool,
    hub,
    app,
    matchDeal,
    start,
    startScheduler,
    startMarket,
    /** Moves the chain's clock, and makes a block that shows it. */
    async wait(seconds: number): Promise<void> {
      await provider.send('evm_increaseTime', [seconds])
      await provider.send('evm_mine', [])
    },
    async close(): Promise<void> {
      await Promise.all(running.map((program) => program.stop()))
      provider.destroy()
      for (const name of borrowed) await database.query(`drop database ${name} with (force)`)
      await closeDatabase()
      await chain.process.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function listening(program: Process): Promise<string> {
  let url = ''
  await untilHealthy({
    program,
    async check() {
      url = (await readLog(program)).find(({ msg }) => msg === 'listening')?.url ?? ''
      return url !== '' && isReady(url)
    },
    timeoutMs: 20_000,
  })
  return url
}

export type LogLine = { msg: string; url?: string; moment?: string; task?: Hex }

export async function readLog({ logFile }: Process): Promise<LogLine[]> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as LogLine]
    } catch {
      return []
    }
  })
}

/** Asks again and again until the answer is there. */
export async function until<Answer>(what: string, ask: () => Promise<Answer | undefined | false>): Promise<Answer> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > deadline) throw new Error(`not within 60 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
