import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPlatform, createPolicy, createRoot } from '@sealdeal/attestation'
import { migrations as marketMigrations, startMarket } from '@sealdeal/market'
import { type Address, Bytes, connectToken, type Hex, Order, Task } from '@sealdeal/protocol'
import { createLog, openTestDatabase, serve } from '@sealdeal/server'
import * as sms from '@sealdeal/sms'
import * as storage from '@sealdeal/storage'
import { BrowserProvider, getBytes, type JsonRpcProvider, Wallet } from 'ethers'
import { network } from 'hardhat'
import { deployMarketplace } from '../../../deploy/marketplace.ts'
import { type Client, createClient, type Endpoints, send } from '../index.ts'

/** Nothing listens there: a verb that should not call a service fails loudly if it does. */
export const nowhere: Endpoints = {
  market: 'http://127.0.0.1:9',
  sms: 'http://127.0.0.1:9',
  storage: 'http://127.0.0.1:9',
}

/** A chain in this process with the contracts as they are deployed anywhere. */
export async function createChain() {
  const connection = await network.create()
  const { hub, token, dataProtector } = await deployMarketplace({ connection })
  const provider = new BrowserProvider(connection.provider, undefined, { cacheTimeout: -1, pollingInterval: 20 })
  const holder = await provider.getSigner(0)

  /** A client of a fresh account with gas, `tokens` in its wallet and `staked` in the escrow. */
  async function client({ endpoints = nowhere, tokens = 0n, staked = 0n } = {}): Promise<Client> {
    const wallet = Wallet.createRandom().connect(provider)
    await provider.send('hardhat_setBalance', [wallet.address, '0x56bc75e2d63100000'])
    const created = await createClient({
      signer: wallet,
      hub: hub as Address,
      dataProtector: dataProtector as Address,
      endpoints,
      pollingInterval: 5,
    })
    const held = connectToken(token as Address, holder)
    if (tokens + staked > 0n) await send(created, held.transfer(wallet.address, tokens + staked))
    if (staked > 0n) await send(created, created.contracts.token.approveAndCall(hub, staked, '0x'))
    return created
  }

  async function travel(seconds: bigint): Promise<void> {
    await provider.send('evm_increaseTime', [Number(seconds)])
    await provider.send('evm_mine', [])
  }
  /** An ERC-734 group that admits `members`. */
  async function group(...members: Address[]): Promise<Address> {
    const contract = await connection.ethers.deployContract('Group')
    for (const member of members) await contract.add(member, 4n)
    return (await contract.getAddress()) as Address
  }
  return { hub: hub as Address, provider, client, travel, group }
}

export type Chain = Awaited<ReturnType<typeof createChain>>

/** The real market, secret service and storage, over HTTP. */
export async function openServices({ provider, hub }: Chain) {
  const log = createLog({ name: 'test', level: 'silent' })
  const directory = await mkdtemp(join(tmpdir(), 'sdk-'))
  const { chainId } = await provider.getNetwork()
  const test = await openTestDatabase({ migrations: sms.migrations })
  const chain = sms.openChain({ provider, chainId, hub })
  const root = await createRoot({ at: new Date() })
  const platform = await createPlatform(root, { at: new Date() })
  const policy = await createPolicy(root, [])
  const attest = sms.createAttest({ policy, collateral: async () => platform.collateral })
  const secrets = sms.createSecrets({ database: test.database, master: sms.masterKeys(Bytes.random(32)) })
  const signer = new Wallet(Wallet.createRandom().privateKey)
  const sessions = sms.createSessions({
    database: test.database,
    secrets,
    chain,
    bulkList: sms.readBulkLists({ gateway: undefined }),
    attest,
    signer,
    clock: () => new Date(),
  })
  const book = await openTestDatabase({ migrations: marketMigrations })
  const market = await startMarket({
    // Its type asks for HTTP or WebSocket; what it calls, every provider of this family has.
    chain: { provider: provider as unknown as JsonRpcProvider, chainId },
    hub,
    database: book.database,
    log,
    host: '127.0.0.1',
    port: 0,
  })
  const blobs = storage.createBlobs({ blocks: await storage.openBlocks({ directory }) })
  const local = { host: '127.0.0.1', port: 0, log }
  const servers = await Promise.all([
    serve({
      ...local,
      name: 'sms',
      routes: sms.routes({ secrets, sessions, chain, database: test.database }),
      errors: sms.statuses,
    }),
    serve({
      ...local,
      name: 'storage',
      routes: storage.routes({ blobs, limits: { fileBytes: 1e9, files: 10 } }),
      errors: storage.statuses,
    }),
  ])
  const [smsServer, storageServer] = servers
  const endpoints: Endpoints = { market: market.url, sms: smsServer?.url ?? '', storage: storageServer?.url ?? '' }
  async function close(): Promise<void> {
    for (const server of servers) await server.close()
    await market.close()
    await book.close()
    await test.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { endpoints, secrets, caughtUp: market.caughtUp, close }
}

/** A server that counts what reaches it and answers 500. */
export async function openCounter() {
  let requests = 0
  const server = createServer((_, response) => {
    requests++
    response.writeHead(500).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    endpoints: { market: url, sms: url, storage: url },
    requests: () => requests,
    close: () => server.close(),
  }
}

/** Sends the result of a task as its worker, with an enclave's signature and the pool's authorization. */
export async function finish({
  worker,
  pool,
  taskId,
  results,
  digest = `0x${'d1'.repeat(32)}`,
}: {
  worker: Client
  pool: Client
  taskId: Hex
  results: Hex
  digest?: Hex
}) {
  const enclave = Wallet.createRandom()
  const authorization = Task.authorizationHash(worker.account, taskId, enclave.address as Address)
  return send(
    worker,
    worker.contracts.hub.contributeAndFinalize(
      taskId,
      digest,
      results,
      '0x',
      enclave.address,
      await enclave.signMessage(getBytes(Task.enclaveHash(worker.account, taskId, digest))),
      await pool.signer.signMessage(getBytes(authorization)),
    ),
  )
}

/** Signs an order as a client's account. */
export async function signed<kind extends Order.Kind>(client: Client, kind: kind, order: Order.Input<kind>) {
  return Order.sign(kind, Order.create(kind, order), client.signer, client.domain)
}
