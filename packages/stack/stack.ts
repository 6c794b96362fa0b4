import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Address } from '@sealdeal/protocol'
import { freePort, postgresDirectory } from '@sealdeal/server'
import { JsonRpcProvider, Wallet } from 'ethers'
import { localWallets, type Role, writeSecretFile } from './accounts.ts'
import { startChain } from './chain.ts'
import { openDatabases } from './databases.ts'
import { type Deployment, deploy, furnish } from './deployment.ts'
import { isReady, type Process, startProcess, untilHealthy } from './processes.ts'
import { makeSimulator } from './simulator.ts'

/** The programs of a stack, in the order in which they start; they stop in the opposite one. */
export const programs = ['chain', 'market', 'sms', 'storage', 'scheduler', 'matcher', 'worker'] as const

export type ProgramName = (typeof programs)[number]

/** Where the services of a stack listen, each on its own origin. */
export type Endpoints = { chain: string; market: string; sms: string; storage: string; scheduler: string }

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
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Price of one task at the local workerpool, in nRLC. */
const WORKERPOOL_PRICE = 1_000_000_000n

/**
 * Starts a chain, a database, the servers and the agents on this machine, in order, and waits until each is healthy.
 *
 * @throws ProcessNotHealthyError with the end of a program's log; everything started before it is stopped.
 */
export async function startStack(parameters: StackParameters): Promise<Stack> {
  const closers: (() => Promise<unknown>)[] = []
  try {
    return await start(parameters, closers)
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

/** In the opposite order; one that fails to close does not keep the others open. */
async function closeAll(closers: (() => Promise<unknown>)[]) {
  for (const close of closers.splice(0).reverse()) await close().catch(() => {})
}

async function start(parameters: StackParameters, closers: (() => Promise<unknown>)[]): Promise<Stack> {
  const {
    directory,
    chainId = 31337n,
    databaseUrl,
    wipe = false,
    temporary = false,
    sandbox = 'auto',
    onProgress = () => {},
  } = parameters
  const folder = (...names: string[]) => {
    const path = join(directory, ...names)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }
  const logs = folder('logs')
  const keys = folder('keys')

  const chain = await startChain({ chainId, logFile: join(logs, 'chain.log'), directory: root })
  closers.push(chain.process.stop)
  const provider = new JsonRpcProvider(chain.url, chainId, {
    staticNetwork: true,
    pollingInterval: 100,
    cacheTimeout: -1,
  })
  closers.push(async () => provider.destroy())
  // Outside of the stack's folder: as root the database server is another user, who may not enter every folder.
  const databaseDirectory = postgresDirectory({ clone: directory })
  const genesis = (await provider.getBlock(0))?.hash ?? ''
  const databases = await openDatabases({
    directory: databaseDirectory,
    serverUrl: databaseUrl,
    genesis,
    wipe,
    notice: onProgress,
  })
  closers.push(async () => {
    await databases.close()
    if (temporary) await rm(databaseDirectory, { recursive: true, force: true })
  })
  onProgress(`a chain at ${chain.url} (chain id ${chainId}, local) and a database`)

  const wallets = localWallets(provider)
  const smsSigner = Wallet.createRandom()
  const deployment = await deploy({ provider, teeBroker: smsSigner.address as Address })
  const workerpool = await furnish({ deployment, wallets })
  onProgress(`contracts: Hub ${deployment.hub}`)

  writeSecretFile(join(keys, 'sms-master'), `0x${randomBytes(32).toString('hex')}`)
  writeSecretFile(join(keys, 'sms-signer'), smsSigner.privateKey)
  for (const role of ['poolOwner', 'worker', 'matcher'] as const)
    writeSecretFile(join(keys, role), wallets[role].privateKey)
  const simulator = await makeSimulator({ directory: folder('simulator'), at: new Date() })

  const ports = {
    market: await freePort(),
    sms: await freePort(),
    storage: await freePort(),
    scheduler: await freePort(),
  }
  const local = (port: number) => `http://127.0.0.1:${port}`
  const endpoints: Endpoints = {
    chain: chain.url,
    market: local(ports.market),
    sms: local(ports.sms),
    storage: local(ports.storage),
    scheduler: local(ports.scheduler),
  }

  const onChain = { CHAIN_URL: chain.url, HUB_ADDRESS: deployment.hub, LOCAL_CHAIN: '1' }
  const environments: Record<Exclude<ProgramName, 'chain'>, Record<string, string>> = {
    market: { ...onChain, PORT: String(ports.market), DATABASE_URL: databases.url('market') },
    sms: {
      ...onChain,
      PORT: String(ports.sms),
      DATABASE_URL: databases.url('sms'),
      SMS_MASTER_KEY_FILE: join(keys, 'sms-master'),
      SMS_SIGNER_KEY_FILE: join(keys, 'sms-signer'),
      SMS_POLICY_FILE: simulator.policyFile,
      SMS_COLLATERAL_FILE: simulator.collateralFile,
    },
    storage: { PORT: String(ports.storage), STORAGE_DIRECTORY: folder('storage') },
    scheduler: {
      ...onChain,
      PORT: String(ports.scheduler),
      DATABASE_URL: databases.url('scheduler'),
      WORKERPOOL_ADDRESS: workerpool,
      WALLET_KEY_FILE: join(keys, 'poolOwner'),
      MARKET_URL: endpoints.market,
      WORKERPOOL_PRICE: String(WORKERPOOL_PRICE),
    },
    matcher: {
      ...onChain,
      DATABASE_URL: databases.url('matcher'),
      MARKET_URL: endpoints.market,
      WALLET_KEY_FILE: join(keys, 'matcher'),
    },
    worker: {
      ...onChain,
      SCHEDULER_URL: endpoints.scheduler,
      SMS_URL: endpoints.sms,
      STORAGE_URL: endpoints.storage,
      WALLET_KEY_FILE: join(keys, 'worker'),
      WORK_DIRECTORY: folder('worker'),
      TEE_PLATFORM_FILE: simulator.platformFile,
      SANDBOX: sandbox,
    },
  }

  const running = new Map<ProgramName, Process>([['chain', chain.process]])
  const launch = async (name: Exclude<ProgramName, 'chain'>, env: Record<string, string> = {}) => {
    const program = startProcess({
      name,
      command: process.execPath,
      args: [join(root, 'packages', name, 'main.ts')],
      env: { ...environments[name], ...env },
      directory: root,
      logFile: join(logs, `${name}.log`),
    })
    running.set(name, program)
    const url = name in endpoints ? endpoints[name as keyof Endpoints] : undefined
    if (url) await untilHealthy({ program, check: () => isReady(url) })
    return program
  }
  closers.push(async () => {
    for (const name of [...programs].reverse()) if (name !== 'chain') await running.get(name)?.stop()
  })

  await Promise.all([launch('market'), launch('sms'), launch('storage')])
  onProgress(`servers: market ${endpoints.market}, secrets ${endpoints.sms}, storage ${endpoints.storage}`)
  await Promise.all([launch('scheduler'), launch('matcher')])
  await launch('worker')
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
      const program = running.get(name)
      if (!program) throw new Error(`"${name}" was never started`)
      return program
    },
    restart: async (name, env = {}) => {
      if (name === 'chain')
        throw new Error('the local chain keeps its state in memory: a restart would lose every deal')
      await running.get(name)?.stop()
      return launch(name, env)
    },
    stop: () => closeAll(closers),
  }
}
