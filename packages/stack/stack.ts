import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Address } from '@sealdeal/protocol'
import { postgresDirectory } from '@sealdeal/server'
import { JsonRpcProvider, Wallet } from 'ethers'
import { localWallets, type Role, writeSecretFile } from './accounts.ts'
import { startChain } from './chain.ts'
import { openDatabases } from './databases.ts'
import type { Deployment } from './deployment.ts'
import { choosePorts } from './ports.ts'
import type { Process } from './processes.ts'
import { createLauncher, type Environments, isOffered, type ProgramName } from './programs.ts'
import { makeSimulator, type SimulatorFiles } from './simulator.ts'

export { type ProgramName, programs } from './programs.ts'

/** Where the services of a stack listen, each on its own origin. */
export type Endpoints = {
  chain: string
  market: string
  indexer: string
  sms: string
  storage: string
  scheduler: string
  callbacks: string
}

export type Stack = {
  /** Logs, keys, stored blobs and work folders. */
  directory: string
  chainId: bigint
  endpoints: Endpoints
  deployment: Deployment & { workerpool: Address }
  wallets: Record<Role, Wallet>
  provider: JsonRpcProvider
  /** Where the embedded database keeps its files. */
  databaseDirectory: string
  /** The connection URL of a service's database; it carries a password and belongs in no log. */
  databaseUrl: (name: string) => string
  process: (name: ProgramName) => Process
  /** Ends a program and starts it again, with further environment variables when given. */
  restart: (name: ProgramName, env?: Record<string, string>) => Promise<Process>
  stop: () => Promise<void>
}

export type StackParameters = {
  /** Everything the stack writes goes below this folder. */
  directory: string
  /** Chain id of the local chain (31337 unless told otherwise). */
  chainId?: bigint
  /** A PostgreSQL server to use in place of the embedded one. */
  databaseUrl?: string | undefined
  /** Begin with empty databases. */
  wipe?: boolean
  /** Throw the database away when the stack stops. */
  temporary?: boolean
  /** `none` runs apps without a sandbox: which promises fall then is printed by the enclave. */
  sandbox?: 'auto' | 'none'
  /** Told what has just been done, for people who wait. */
  onProgress?: (done: string) => void
  /** Told of a program that ended although nobody asked it to, from the moment it was healthy. */
  onLost?: (program: Process) => void
  /** Aborting ends a start that is under way; what it had started is stopped. Later it has no effect. */
  signal?: AbortSignal
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Price of one task at the local workerpool, in nRLC. */
const WORKERPOOL_PRICE = 1_000_000_000n

/** Where Node keeps what it compiled: every program of the next stack starts in half the time. */
const compiled = { NODE_COMPILE_CACHE: join(root, '.data', 'compiled') }

/** What is to be closed, in the opposite order of the floors; what is on one floor is closed at once. */
type Floors = Record<'ground' | 'servers' | 'agents', (() => unknown)[]>

/**
 * Starts a chain, a database, the servers and the agents on this machine, and waits until each is healthy.
 *
 * @throws ProcessNotHealthyError with the end of a program's log, what `openDatabases` throws, or the signal's reason.
 * Everything started before is stopped then.
 */
export async function startStack(parameters: StackParameters): Promise<Stack> {
  const floors: Floors = { ground: [], servers: [], agents: [] }
  try {
    return await start(parameters, floors)
  } catch (error) {
    await closeAll(floors)
    throw error
  }
}

/** One that fails to close does not keep the others open. */
async function closeAll({ ground, servers, agents }: Floors): Promise<void> {
  for (const floor of [agents, servers, ground]) {
    await Promise.allSettled(floor.splice(0).map(async (close) => close()))
  }
}

async function start(parameters: StackParameters, floors: Floors): Promise<Stack> {
  const { chainId = 31337n, databaseUrl, wipe = false, temporary = false, sandbox = 'auto' } = parameters
  const { onProgress = () => {}, onLost = () => {} } = parameters
  const directory = resolve(parameters.directory)
  const failing = new AbortController()
  const signal = parameters.signal ? AbortSignal.any([parameters.signal, failing.signal]) : failing.signal
  signal.throwIfAborted()

  /** Waits for all of them, also when one fails: whatever they start must be known before it can be stopped. */
  async function together<Results extends unknown[]>(...work: { [Each in keyof Results]: Promise<Results[Each]> }) {
    for (const each of work) each.catch((error: unknown) => failing.abort(error))
    await Promise.allSettled(work)
    signal.throwIfAborted()
    return Promise.all(work) as Promise<Results>
  }

  const folder = (...names: string[]) => {
    const path = join(directory, ...names)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }
  const logs = folder('logs')
  // Outside of the stack's folder: as root the database server is another user, who may not enter every folder.
  const databaseDirectory = postgresDirectory({ clone: directory })

  async function openChain() {
    const chain = await startChain({
      chainId,
      logFile: join(logs, 'chain.log'),
      directory: root,
      env: compiled,
      signal,
    })
    let isStopping = false
    chain.process.ended.then(() => isStopping || onLost(chain.process))
    floors.ground.push(() => {
      isStopping = true
      return chain.process.stop()
    })
    const provider = new JsonRpcProvider(chain.url, chainId, {
      staticNetwork: true,
      pollingInterval: 100,
      cacheTimeout: -1,
    })
    floors.servers.push(() => provider.destroy())
    return { ...chain, provider }
  }
  async function openDatabase(genesis: Promise<string>) {
    const opened = await openDatabases({
      directory: databaseDirectory,
      serverUrl: databaseUrl,
      genesis,
      wipe,
      durable: !temporary,
      notice: onProgress,
    })
    floors.ground.push(async () => {
      await opened.close()
      if (temporary) await rm(databaseDirectory, { recursive: true, force: true })
    })
    return opened
  }

  const opening = openChain()
  const genesis = opening.then(async ({ provider }) => (await provider.getBlock(0))?.hash ?? '')
  // Hardhat is a large thing to load: that need not wait for the chain.
  const [chain, databases, { deploy, furnish }] = await together(
    opening,
    openDatabase(genesis),
    import('./deployment.ts'),
  )
  const { provider } = chain
  onProgress(`a chain at ${chain.url} (chain id ${chainId}, local) and a database`)

  // The chain is always a new one: keys, journals and work in progress of an earlier one are of no use to it.
  for (const name of ['keys', 'simulator', 'worker']) await rm(join(directory, name), { recursive: true, force: true })
  const wallets = localWallets(provider)
  const smsSigner = Wallet.createRandom()
  const [{ deployment, workerpool }, simulator] = await together(
    deploy({ provider, teeBroker: smsSigner.address as Address }).then(async (deployment) => ({
      deployment,
      workerpool: await furnish({ deployment, wallets }),
    })),
    makeSimulator({ directory: folder('simulator'), at: new Date() }),
  )
  onProgress(`contracts: Hub ${deployment.hub}`)

  const keys = folder('keys')
  writeSecretFile(join(keys, 'sms-master'), `0x${randomBytes(32).toString('hex')}`)
  writeSecretFile(join(keys, 'sms-signer'), smsSigner.privateKey)
  writeSecretFile(join(keys, 'callbacks-master'), `0x${randomBytes(32).toString('hex')}`)
  for (const role of ['poolOwner', 'worker', 'matcher', 'relayer'] as const)
    writeSecretFile(join(keys, role), wallets[role].privateKey)

  const [market = 0, indexer = 0, sms = 0, storage = 0, scheduler = 0, callbacks = 0] = await choosePorts(6)
  const ports = { market, indexer, sms, storage, scheduler, callbacks }
  const environments = describeServices({
    chainUrl: chain.url,
    hub: deployment.hub,
    callbackRelay: deployment.callbackRelay,
    dataProtector: deployment.dataProtector,
    workerpool,
    worker: wallets.worker.address,
    ports,
    databaseUrl: databases.url,
    keys,
    folder,
    simulator,
    sandbox,
  })
  const endpoints: Endpoints = {
    chain: chain.url,
    market: local(market),
    indexer: local(indexer),
    sms: local(sms),
    storage: local(storage),
    scheduler: local(scheduler),
    callbacks: local(callbacks),
  }
  const { launch, stop, running } = createLauncher({ root, logs, environments, onLost, signal })
  for (const name of ['market', 'indexer', 'sms', 'storage', 'scheduler'] as const)
    floors.servers.push(() => stop(name))
  for (const name of ['matcher', 'worker', 'callbacks'] as const) floors.agents.push(() => stop(name))

  // All at once: each waits for those that it needs.
  await together(
    together(launch('market'), launch('indexer'), launch('sms'), launch('storage')).then(() => {
      const { market, indexer, sms, storage } = endpoints
      onProgress(`servers: market ${market}, index ${indexer}, secrets ${sms}, storage ${storage}`)
    }),
    together(launch('scheduler'), launch('matcher'), launch('worker'), launch('callbacks')),
  )
  for (const deadline = Date.now() + 20_000; !(await isOffered({ market: endpoints.market, workerpool })); ) {
    signal.throwIfAborted()
    if (Date.now() > deadline) throw new Error('The local workerpool published no order in 20 s: see scheduler.log.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  onProgress(`a workerpool ${workerpool} with one worker; its enclaves are SIMULATED`)

  return {
    directory,
    chainId,
    endpoints,
    deployment: { ...deployment, workerpool },
    wallets,
    provider,
    databaseDirectory,
    databaseUrl: databases.url,
    process: (name) => {
      const program = name === 'chain' ? chain.process : running(name)
      if (!program) throw new Error(`"${name}" was never started`)
      return program
    },
    restart: async (name, env = {}) => {
      if (name === 'chain')
        throw new Error('the local chain keeps its state in memory: a restart would lose every deal')
      await stop(name)
      return launch(name, env)
    },
    stop: () => closeAll(floors),
  }
}

const local = (port: number) => `http://127.0.0.1:${port}`

/** What each service must know: nothing that is not its own. */
function describeServices({
  chainUrl,
  hub,
  callbackRelay,
  dataProtector,
  workerpool,
  worker,
  ports,
  databaseUrl,
  keys,
  folder,
  simulator,
  sandbox,
}: {
  chainUrl: string
  hub: Address
  callbackRelay: Address
  dataProtector: Address
  workerpool: Address
  worker: string
  ports: Record<'market' | 'indexer' | 'sms' | 'storage' | 'scheduler' | 'callbacks', number>
  databaseUrl: (service: string) => string
  keys: string
  folder: (name: string) => string
  simulator: SimulatorFiles
  sandbox: 'auto' | 'none'
}): Environments {
  const onChain = { ...compiled, CHAIN_URL: chainUrl, HUB_ADDRESS: hub, LOCAL_CHAIN: '1' }
  return {
    market: { ...onChain, PORT: String(ports.market), DATABASE_URL: databaseUrl('market') },
    indexer: {
      ...onChain,
      PORT: String(ports.indexer),
      DATABASE_URL: databaseUrl('indexer'),
      DATA_PROTECTOR_ADDRESS: dataProtector,
      IPFS_GATEWAY_URL: local(ports.storage),
    },
    sms: {
      ...onChain,
      PORT: String(ports.sms),
      DATABASE_URL: databaseUrl('sms'),
      SMS_MASTER_KEY_FILE: join(keys, 'sms-master'),
      SMS_SIGNER_KEY_FILE: join(keys, 'sms-signer'),
      SMS_POLICY_FILE: simulator.policyFile,
      SMS_COLLATERAL_FILE: simulator.collateralFile,
      IPFS_GATEWAY_URL: local(ports.storage),
    },
    storage: { ...compiled, PORT: String(ports.storage), STORAGE_DIRECTORY: folder('storage') },
    scheduler: {
      ...onChain,
      PORT: String(ports.scheduler),
      DATABASE_URL: databaseUrl('scheduler'),
      WORKERPOOL_ADDRESS: workerpool,
      WORKER_ADDRESSES: worker,
      WALLET_KEY_FILE: join(keys, 'poolOwner'),
      MARKET_URL: local(ports.market),
      PUBLIC_URL: local(ports.scheduler),
      WORKERPOOL_PRICE: String(WORKERPOOL_PRICE),
    },
    matcher: {
      ...onChain,
      DATABASE_URL: databaseUrl('matcher'),
      MARKET_URL: local(ports.market),
      WALLET_KEY_FILE: join(keys, 'matcher'),
    },
    callbacks: {
      ...onChain,
      PORT: String(ports.callbacks),
      DATABASE_URL: databaseUrl('callbacks'),
      CALLBACKS_MASTER_KEY_FILE: join(keys, 'callbacks-master'),
      ALLOW_PRIVATE_TARGETS: '1',
      TRACE_CALLBACKS: '1',
      CALLBACK_RELAY_ADDRESS: callbackRelay,
      WALLET_KEY_FILE: join(keys, 'relayer'),
      // The local chain mines when something is sent: nothing may ever follow.
      CONFIRMATIONS: '0',
    },
    worker: {
      ...onChain,
      SCHEDULER_URL: local(ports.scheduler),
      SMS_URL: local(ports.sms),
      STORAGE_URL: local(ports.storage),
      WALLET_KEY_FILE: join(keys, 'worker'),
      WORK_DIRECTORY: folder('worker'),
      TEE_PLATFORM_FILE: simulator.platformFile,
      SANDBOX: sandbox,
    },
  }
}
