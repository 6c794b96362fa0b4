// A chain with assets on it, a PostgreSQL that waits for the disk, and the market as the process that operators start.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Contracts, Order } from '@sealdeal/protocol'
import { connectChain, freePort, openDatabase, startPostgres } from '@sealdeal/server'
import { type ContractTransactionResponse, NonceManager, Wallet, ZeroHash } from 'ethers'
import { deployMarketplace } from '../../../deploy/marketplace.ts'
import { migrations } from '../../../packages/market/start.ts'
import { startAnvil } from '../../../test/deploy/anvil.ts'
import { root } from '../../run.ts'
import { openClient } from './client.ts'

/** Wallets that publish, each with an app, a dataset and a workerpool. */
const OWNERS = 40

export type Owner = { wallet: Wallet; app: Address; dataset: Address; workerpool: Address }
export type Scene = Awaited<ReturnType<typeof openScene>>

export async function openScene({ directory }: { directory: string }) {
  const anvil = await startAnvil({ id: 31337n })
  const chain = await connectChain({ url: anvil.url })
  const { provider, chainId } = chain
  const request = ({ method, params = [] }: { method: string; params?: readonly unknown[] | object }) =>
    provider.send(method, params as unknown[])
  const deployed = await deployMarketplace({ connection: { provider: { request } } })
  const hub = deployed.hub as Address
  const deployer = new NonceManager(await provider.getSigner(0))
  const contracts = await Contracts.connectMarketplace(hub, deployer)
  await mined(contracts.token.approve(hub, 2n ** 255n))
  const owners: Owner[] = []
  for (let n = 0; n < OWNERS; n++) owners.push(await createOwner(n))

  async function createOwner(n: number): Promise<Owner> {
    const wallet = new Wallet(Wallet.createRandom().privateKey, provider)
    await provider.send('anvil_setBalance', [wallet.address, '0x56bc75e2d63100000'])
    const { appRegistry, datasetRegistry, workerpoolRegistry } = contracts
    const app = [wallet.address, `app ${n}`, 'BUNDLE', '0x', ZeroHash, '0x'] as const
    const dataset = [wallet.address, `dataset ${n}`, '0x', ZeroHash] as const
    const workerpool = [wallet.address, `pool ${n}`] as const
    await mined(contracts.hub.depositFor(10n ** 12n, wallet.address))
    await mined(appRegistry.createApp(...app))
    await mined(datasetRegistry.createDataset(...dataset))
    await mined(workerpoolRegistry.createWorkerpool(...workerpool))
    return {
      wallet,
      app: (await appRegistry.predictApp(...app)) as Address,
      dataset: (await datasetRegistry.predictDataset(...dataset)) as Address,
      workerpool: (await workerpoolRegistry.predictWorkerpool(...workerpool)) as Address,
    }
  }

  const postgres = await startPostgres({ directory })
  const databaseUrl = await postgres.database('market')
  const database = await openDatabase({ url: databaseUrl, migrations })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const environment = {
    CHAIN_URL: anvil.url,
    HUB_ADDRESS: hub,
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    MAX_OPEN_ORDERS: '1000',
    EXIT_ON_STDIN_EOF: '1',
  }
  // Its log is written as in production, and goes nowhere.
  const market = spawn(process.execPath, [join(root, 'packages/market/main.ts')], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const client = openClient(url)
  while ((await client.get('/ready').catch(() => undefined))?.status !== 200) await sleep(50)

  return {
    provider,
    contracts,
    domain: Order.domain({ chainId, hub }),
    owners,
    database,
    client,
    url,
    async close() {
      client.close()
      market.kill()
      await once(market, 'exit')
      await database.close()
      await postgres.stop()
      provider.destroy()
      await anvil.stop()
    },
  }
}

/** Waits until it is part of the chain. */
async function mined(sending: Promise<ContractTransactionResponse>): Promise<void> {
  await (await sending).wait()
}
