// For tests only: a real chain with the real contracts, people who do things on it, and the indexer beside it.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Contracts, Deal, type Hex, Order, Task, zeroAddress } from '@sealdeal/protocol'
import { type Chain, connectChain, createLog, openTestDatabase } from '@sealdeal/server'
import { getBytes, HDNodeWallet, id, isError, Mnemonic, type Wallet, ZeroHash } from 'ethers'
import { deployMarketplace } from '../../../deploy/marketplace.ts'
import { startAnvil } from '../../../test/deploy/anvil.ts'
import { startTestChain } from '../../server/testing/chain.ts'
import { type IndexerParameters, migrations, startIndexer } from '../start.ts'

const phrase = Mnemonic.fromPhrase('test test test test test test test test test test test junk')
const zeroHash = ZeroHash as Hex

/** Hardhat's chain, or anvil, which can be told to forget blocks. */
export async function startNode(
  kind: 'hardhat' | 'anvil',
): Promise<Chain & { url: string; close: () => Promise<void> }> {
  if (kind === 'hardhat') return startTestChain()
  const anvil = await startAnvil({ args: ['--disable-console-log'] })
  const chain = await connectChain({ url: anvil.url })
  async function close(): Promise<void> {
    chain.provider.destroy()
    await anvil.stop()
  }
  return { ...chain, url: anvil.url, close }
}

export async function createWorld({ node: kind = 'hardhat' }: { node?: 'hardhat' | 'anvil' } = {}) {
  const node = await startNode(kind)
  const { provider, chainId } = node
  const request = ({ method, params = [] }: { method: string; params?: readonly unknown[] | object }) =>
    provider.send(method, params as unknown[])
  const deployed = await deployMarketplace({ connection: { provider: { request } } })
  const hubAddress = deployed.hub as Address
  const [owner, pool, requester, ...workers] = Array.from({ length: 7 }, (_, index) =>
    HDNodeWallet.fromMnemonic(phrase, `m/44'/60'/0'/0/${index}`).connect(provider),
  ) as [HDNodeWallet, HDNodeWallet, HDNodeWallet, ...HDNodeWallet[]]
  const contracts = await Contracts.connectMarketplace(hubAddress, owner)
  const { hub } = contracts
  const dataProtector = Contracts.connectDataProtector(deployed.dataProtector as Address, owner)
  const domain = Order.domain({ chainId, hub: hubAddress })

  /** Waits for it to be mined, asking for the receipt until it is there; false when it did nothing. */
  async function mined(sending: Promise<{ hash: string }>): Promise<boolean> {
    try {
      const { hash } = await sending
      for (;;) {
        const receipt = await provider.getTransactionReceipt(hash)
        if (receipt) return receipt.status === 1
        await sleep(2)
      }
    } catch (error) {
      if (isError(error, 'CALL_EXCEPTION')) return false
      throw error
    }
  }
  await mined(contracts.token.approve(hubAddress, 2n ** 255n))
  for (const each of [pool, requester, ...workers]) await mined(hub.depositFor(10n ** 12n, each.address))

  let serial = 0
  async function createApp(holder = owner): Promise<Address> {
    const fields = [holder.address, `app ${serial++}`, 'DOCKER', '0xabcd', id('image'), '0x'] as const
    await mined(contracts.appRegistry.createApp(...fields))
    return (await contracts.appRegistry.predictApp(...fields)) as Address
  }
  async function createWorkerpool(holder = pool): Promise<Address> {
    const fields = [holder.address, `pool ${serial++}`] as const
    await mined(contracts.workerpoolRegistry.createWorkerpool(...fields))
    return (await contracts.workerpoolRegistry.predictWorkerpool(...fields)) as Address
  }
  async function protectData(schema: string, { holder = owner, name = `data ${serial++}` } = {}): Promise<Address> {
    const fields = [name, '0xa503', id('ciphertext')] as const
    await mined(dataProtector.createDatasetWithSchema(holder.address, fields[0], schema, fields[1], fields[2]))
    return (await contracts.datasetRegistry.predictDataset(holder.address, ...fields)) as Address
  }

  async function sign<kind extends Order.Kind>(kind: kind, signer: HDNodeWallet, input: Order.Input<kind>) {
    return Order.sign(
      kind,
      Order.create(kind, { ...input, tag: zeroHash, salt: id(`salt ${serial++}`) as Hex }),
      signer as unknown as Wallet,
      domain,
    )
  }
  /** The four orders of a deal between people who know each other. */
  async function ordersOf({
    app,
    dataset,
    workerpool,
    volume = 1n,
    trust = 1n,
    price = 100n,
    params = '{}',
  }: {
    app: Address
    dataset?: Address
    workerpool: Address
    volume?: bigint
    trust?: bigint
    price?: bigint
    params?: string
  }) {
    const category = 0n
    return {
      app: await sign('app', owner, { app, appprice: 3n, volume: 1_000n }),
      dataset: dataset
        ? await sign('dataset', owner, { dataset, datasetprice: 5n, volume: 1_000n })
        : Order.none('dataset'),
      workerpool: await sign('workerpool', pool, {
        workerpool,
        workerpoolprice: price,
        volume: 1_000n,
        category,
        trust: 100n,
      }),
      request: await sign('request', requester, {
        app,
        appmaxprice: 3n,
        dataset: dataset ?? zeroAddress,
        datasetmaxprice: 5n,
        workerpool,
        workerpoolmaxprice: price,
        requester: requester.address as Address,
        beneficiary: requester.address as Address,
        volume,
        category,
        trust,
        params,
      }),
    }
  }
  type Quadruple = Awaited<ReturnType<typeof ordersOf>>
  async function match({ app, dataset, workerpool, request }: Quadruple): Promise<Hex> {
    await mined(hub.matchOrders(app, dataset, workerpool, request))
    return Deal.id(Order.hash('request', request, domain), 0n)
  }
  const authorization = (worker: string, taskId: Hex) =>
    pool.signMessage(getBytes(Task.authorizationHash(worker as Address, taskId, zeroAddress)))

  /** One worker does task `index` of a deal of trust 1, from nothing to its end. */
  async function settle(dealId: Hex, index: bigint, worker = workers[0] as HDNodeWallet): Promise<boolean> {
    const taskId = Task.id(dealId, index)
    const results = '0x7b7d'
    const signature = await authorization(worker.address, taskId)
    return mined(
      hub
        .connect(worker)
        .settle(dealId, index, worker.address, id('output'), results, '0x', zeroAddress, '0x', signature),
    )
  }
  async function contribute(taskId: Hex, digest: Hex, worker: HDNodeWallet): Promise<boolean> {
    const address = worker.address as Address
    const seal = Task.resultSeal(address, taskId, digest)
    const signature = await authorization(address, taskId)
    return mined(
      hub.connect(worker).contribute(taskId, Task.resultHash(taskId, digest), seal, zeroAddress, '0x', signature),
    )
  }
  const travel = async (seconds: number) => {
    await provider.send('evm_increaseTime', [seconds])
    await provider.send('evm_mine', [])
  }

  const { database, url: databaseUrl, close: closeDatabase } = await openTestDatabase({ migrations })
  const log = createLog({ name: 'indexer', level: process.env.LOG_LEVEL ?? 'silent' })
  const start = (options: Partial<IndexerParameters> = {}) =>
    startIndexer({
      chain: node,
      hub: hubAddress,
      dataProtector: deployed.dataProtector as Address,
      database,
      log,
      host: '127.0.0.1',
      port: 0,
      // A busy machine is no reason to refuse what a test asks.
      patience: 60_000,
      ...options,
    })

  return {
    node,
    provider,
    deployed,
    hubAddress,
    contracts,
    dataProtector,
    workerpoolAt: (address: Address) => Contracts.connectWorkerpool(address, pool),
    domain,
    people: { owner, pool, requester, workers },
    mined,
    createApp,
    createWorkerpool,
    protectData,
    sign,
    ordersOf,
    match,
    settle,
    contribute,
    travel,
    database,
    databaseUrl,
    start,
    zeroHash,
    async close() {
      await closeDatabase()
      await node.close()
    },
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** Asks a graph as published clients do. */
export async function ask(
  url: string,
  graph: 'protocol' | 'dataprotector',
  query: string,
  variables: Record<string, unknown> = {},
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, looked at by the tests
): Promise<any> {
  const response = await fetch(`${url}/${graph}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: '*/*' },
    body: JSON.stringify({ query, variables }),
  })
  const answer = (await response.json()) as { data?: unknown; errors?: { message: string }[] }
  if (answer.errors) throw new Error(answer.errors.map(({ message }) => message).join('\n'))
  return answer.data
}
