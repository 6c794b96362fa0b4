// Two replicas of every service over one chain and one PostgreSQL, each service behind a front.
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Contracts } from '@sealdeal/protocol'
import { Wallet } from 'ethers'
import { localWallets } from '../../packages/stack/accounts.ts'
import { deploy, furnish } from '../../packages/stack/deployment.ts'
import { choosePorts } from '../../packages/stack/ports.ts'
import { makeSimulator } from '../../packages/stack/simulator.ts'
import { root } from '../run.ts'
import { type Front, openFront } from './front.ts'
import { openChain, openDatabases } from './ground.ts'
import { type Loss, superviseReplica } from './replicas.ts'

export const servers = ['market', 'indexer', 'sms', 'storage', 'scheduler', 'callbacks'] as const
export const services = [...servers, 'matcher', 'worker'] as const
export type ServerName = (typeof servers)[number]

/** What one task costs at the local pool, in nRLC. */
export const POOL_PRICE = 10n

/** Blocks that follow an event before receivers hear of it: some reorganisations are deeper, some are not. */
export const CONFIRMATIONS = 2

export type Scene = Awaited<ReturnType<typeof openScene>>

/** @param parameters.onLost - Told of a process that ended although nobody killed it. */
export async function openScene({ directory, onLost }: { directory: string; onLost: (loss: Loss) => void }) {
  const closers: (() => unknown)[] = []
  async function close(): Promise<void> {
    for (const each of closers.splice(0).reverse()) await each()
  }
  try {
    return { ...(await open({ directory, onLost, closers })), close }
  } catch (error) {
    await close()
    throw error
  }
}

type Opening = { directory: string; onLost: (loss: Loss) => void; closers: (() => unknown)[] }

async function open({ directory, onLost, closers }: Opening) {
  const databases = await openDatabases(directory)
  closers.push(databases.close)
  const chain = await openChain()
  closers.push(chain.close)
  const wallets = localWallets(chain.provider)
  const smsSigner = Wallet.createRandom()
  const deployment = await deploy({ provider: chain.provider, teeBroker: smsSigner.address as Address })
  const workerpool = await furnish({ deployment, wallets })
  const contracts = await Contracts.connectMarketplace(deployment.hub, wallets.operator)

  const logs = join(directory, 'logs')
  await mkdir(logs)
  const secrets = { 'sms-signer': smsSigner.privateKey, poolOwner: wallets.poolOwner.privateKey }
  const keys = await writeKeys(directory, {
    ...{ ...secrets, matcher: wallets.matcher.privateKey, 'worker-0': wallets.worker.privateKey },
    ...{ 'worker-1': wallets.stranger.privateKey, 'sms-master': random(), 'callbacks-master': random() },
  })
  const ports = Object.fromEntries(
    await Promise.all([...servers, 'matcher'].map(async (name) => [name, await choosePorts(2)] as const)),
  )
  const fronts = {} as Record<ServerName, string>
  for (const name of servers) {
    const front: Front = await openFront(() => ports[name] ?? [])
    closers.push(front.close)
    fronts[name] = `http://127.0.0.1:${front.port}`
  }
  const simulator = await makeSimulator({ directory, at: new Date() })
  const urls = Object.fromEntries(
    await Promise.all(
      ['market', 'indexer', 'sms', 'scheduler', 'matcher', 'callbacks'].map(
        async (name) => [name, await databases.url(name)] as const,
      ),
    ),
  )
  const workers = [wallets.worker.address, wallets.stranger.address]
  const environments = describe({ chain, deployment, workerpool, fronts, urls, keys, directory, simulator, workers })
  const replicas = services.flatMap((service) =>
    [0, 1].map((index) => {
      const port = ports[service]?.[index] ?? 0
      const greeting = service === 'worker' ? { greeting: 'registered with the pool' } : {}
      const env = environments(service, index)
      return superviseReplica({ service, index, port, env, logs, onLost, ...greeting })
    }),
  )
  closers.push(() => Promise.all(replicas.map(({ stop }) => stop())))

  /** Waits until all replicas work. */
  async function untilUp(patience = 120_000): Promise<void> {
    for (const deadline = Date.now() + patience; ; await sleep(200)) {
      const states = await Promise.all(replicas.map((replica) => replica.isUp()))
      if (states.every(Boolean)) return
      const missing = replicas.filter((_, index) => !states[index]).map(({ service }) => service)
      if (Date.now() > deadline) throw new Error(`not at work after ${patience / 1_000} s: ${missing.join(', ')}`)
    }
  }
  return { directory, chain, databases, wallets, deployment, contracts, workerpool, fronts, urls, replicas, untilUp }
}

const random = () => `0x${randomBytes(32).toString('hex')}`

/** Writes secrets where only their owner can read them. Returns where. */
async function writeKeys(directory: string, secrets: Record<string, string>) {
  await mkdir(join(directory, 'keys'), { mode: 0o700 })
  const path = (name: string) => join(directory, 'keys', name)
  for (const [name, secret] of Object.entries(secrets)) await writeFile(path(name), `${secret}\n`, { mode: 0o600 })
  return path
}

type Surroundings = {
  chain: { url: string }
  deployment: { hub: Address; dataProtector: Address }
  workerpool: Address
  fronts: Record<ServerName, string>
  urls: Record<string, string>
  keys: (name: string) => string
  directory: string
  simulator: { platformFile: string; policyFile: string; collateralFile: string }
  workers: string[]
}

/** The environment of each replica. */
function describe(given: Surroundings) {
  const { chain, deployment, workerpool, fronts, urls, keys, directory, simulator, workers } = given
  const common = {
    NODE_COMPILE_CACHE: join(root, '.data', 'compiled'),
    CHAIN_URL: chain.url,
    HUB_ADDRESS: deployment.hub,
    LOCAL_CHAIN: '1',
  }
  const own: Record<(typeof services)[number], Record<string, string>> = {
    market: { FOLLOW_INTERVAL: '200' },
    indexer: { DATA_PROTECTOR_ADDRESS: deployment.dataProtector, IPFS_GATEWAY_URL: fronts.storage },
    sms: {
      SMS_MASTER_KEY_FILE: keys('sms-master'),
      SMS_SIGNER_KEY_FILE: keys('sms-signer'),
      SMS_POLICY_FILE: simulator.policyFile,
      SMS_COLLATERAL_FILE: simulator.collateralFile,
    },
    storage: { STORAGE_DIRECTORY: join(directory, 'storage') },
    scheduler: {
      WORKERPOOL_ADDRESS: workerpool,
      WORKER_ADDRESSES: workers.join(','),
      WALLET_KEY_FILE: keys('poolOwner'),
      MARKET_URL: fronts.market,
      PUBLIC_URL: fronts.scheduler,
      WORKERPOOL_PRICE: String(POOL_PRICE),
      // Small offers: requests are filled from several of them.
      WORKERPOOL_VOLUME: '50',
      WORKER_SILENCE_MS: '10000',
    },
    matcher: { MARKET_URL: fronts.market, WALLET_KEY_FILE: keys('matcher') },
    callbacks: {
      CALLBACKS_MASTER_KEY_FILE: keys('callbacks-master'),
      ALLOW_PRIVATE_TARGETS: '1',
      CONFIRMATIONS: String(CONFIRMATIONS),
      RETRY_MS: '50',
    },
    worker: {
      SCHEDULER_URL: fronts.scheduler,
      SMS_URL: fronts.sms,
      STORAGE_URL: fronts.storage,
      TEE_PLATFORM_FILE: simulator.platformFile,
      CONCURRENCY: '1',
    },
  }
  return (service: (typeof services)[number], index: number): Record<string, string> => ({
    ...common,
    ...(urls[service] === undefined ? {} : { DATABASE_URL: urls[service] }),
    ...own[service],
    ...(service === 'worker'
      ? { WALLET_KEY_FILE: keys(`worker-${index}`), WORK_DIRECTORY: join(directory, `worker-${index}`) }
      : {}),
  })
}
