// For tests only: a real chain with the real contracts, people who do things on it, and the service beside it.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Contracts, Deal, type Hex, Order, Task, zeroAddress, zeroHash } from '@sealdeal/protocol'
import { connectChain, createLog, openTestDatabase, signRequest } from '@sealdeal/server'
import { AbiCoder, ContractFactory, type ContractTransactionResponse, getBytes, id, keccak256, Wallet } from 'ethers'
import hre from 'hardhat'
import { deployMarketplace } from '../../../deploy/marketplace.ts'
import { startAnvil } from '../../../test/deploy/anvil.ts'
import { startTestChain, type TestChain } from '../../server/testing/chain.ts'
import { type CallbacksParameters, migrations, startCallbacks } from '../start.ts'

/** Of the phrase that every local chain funds. */
const keys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
] as const

// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, looked at by the tests
export type Answer = { status: number; json: any }

/** A node that can be told to forget blocks. */
export async function startForgetfulChain(): Promise<TestChain> {
  const anvil = await startAnvil({ id: 31337n, args: ['--disable-console-log'] })
  const chain = await connectChain({ url: anvil.url })
  async function close(): Promise<void> {
    chain.provider.destroy()
    await anvil.stop()
  }
  return { ...chain, url: anvil.url, close }
}

export async function createWorld({ on }: { on?: TestChain } = {}) {
  const chain = on ?? (await startTestChain())
  const { provider, chainId } = chain
  const request = ({ method, params = [] }: { method: string; params?: readonly unknown[] | object }) =>
    provider.send(method, params as unknown[])
  const deployed = await deployMarketplace({ connection: { provider: { request } } })
  const hubAddress = deployed.hub as Address
  // The first pays and owns everything, the second owns the pool, the third works.
  const [owner, pool, worker] = keys.map((key) => new Wallet(key, provider)) as [Wallet, Wallet, Wallet]
  const contracts = await Contracts.connectMarketplace(hubAddress, owner)
  const { hub } = contracts
  const domain = Order.domain({ chainId, hub: hubAddress })

  /** Waits for it to be mined. */
  async function mined(sending: Promise<ContractTransactionResponse>): Promise<Hex> {
    const { hash } = await sending
    for (;;) {
      const receipt = await provider.getTransactionReceipt(hash)
      if (receipt?.status === 0) throw new Error(`transaction ${hash} failed`)
      if (receipt) return hash as Hex
      await sleep(2)
    }
  }
  await mined(contracts.token.approve(hubAddress, 2n ** 255n))
  for (const each of [owner, pool, worker]) await mined(hub.depositFor(10n ** 9n, each.address))

  let serial = 0
  async function createApp(): Promise<Address> {
    const fields = [owner.address, `app ${serial++}`, 'DOCKER', '0x', zeroHash, '0x'] as const
    await mined(contracts.appRegistry.createApp(...fields))
    return (await contracts.appRegistry.predictApp(...fields)) as Address
  }
  const poolFields = [pool.address, 'pool'] as const
  await mined(contracts.workerpoolRegistry.createWorkerpool(...poolFields))
  const workerpool = (await contracts.workerpoolRegistry.predictWorkerpool(...poolFields)) as Address

  const sign = <kind extends Order.Kind>(kind: kind, signer: Wallet, input: Order.Input<kind>) =>
    Order.sign(kind, Order.create(kind, { ...input, tag: zeroHash }), signer, domain)

  /** A deal of so many tasks, paid by the owner. */
  async function match({
    app,
    volume = 1n,
    callback = zeroAddress,
  }: {
    app: Address
    volume?: bigint
    callback?: Address
  }): Promise<Hex> {
    const requester = owner.address as Address
    const order = await sign('request', owner, { app, workerpool, requester, volume, callback, trust: 1n })
    await mined(
      hub.matchOrders(
        await sign('app', owner, { app, volume }),
        Order.none('dataset'),
        await sign('workerpool', pool, { workerpool, volume }),
        order,
      ),
    )
    return Deal.id(Order.hash('request', order, domain), 0n)
  }
  const authorization = (taskId: Hex, enclave: Address = zeroAddress) =>
    pool.signMessage(getBytes(Task.authorizationHash(worker.address as Address, taskId, enclave)))

  /** The worker does task `index`, from nothing to its end. */
  async function settle(dealId: Hex, index: bigint, resultsCallback: Hex = '0x'): Promise<Hex> {
    const taskId = Task.id(dealId, index)
    const signature = await authorization(taskId)
    const [results, output] = ['0x7b7d', id('output')]
    return mined(
      hub
        .connect(worker)
        .settle(dealId, index, worker.address, output, results, resultsCallback, zeroAddress, '0x', signature),
    )
  }
  /** An enclave says that task `index` cannot be done. */
  async function settleFailure(dealId: Hex, index: bigint, cause: bigint): Promise<Hex> {
    const enclave = Wallet.createRandom()
    const taskId = Task.id(dealId, index)
    const type = id('TaskFailure(bytes32 taskid,address worker,uint256 cause)')
    const words = AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'address', 'uint256'],
      [type, taskId, worker.address, cause],
    )
    const proof = await enclave.signMessage(getBytes(keccak256(words)))
    const signature = await authorization(taskId, enclave.address as Address)
    return mined(hub.settleFailure(dealId, index, worker.address, cause, enclave.address, proof, signature))
  }
  async function claim(dealId: Hex, index: bigint): Promise<Hex> {
    await provider.send('evm_increaseTime', [4_000])
    await provider.send('evm_mine', [])
    return mined(hub.initializeAndClaimArray([dealId], [index]))
  }
  /** A contract of the tests' own. */
  async function deployMock(name: string, values: unknown[] = []): Promise<Address> {
    const { abi, bytecode } = await hre.artifacts.readArtifact(name)
    const contract = await new ContractFactory(abi as never[], bytecode, owner).deploy(...values)
    await contract.waitForDeployment()
    return (await contract.getAddress()) as Address
  }

  const { database, url: databaseUrl, close: closeDatabase } = await openTestDatabase({ migrations })
  const lines: string[] = []
  const log = createLog({
    name: 'callbacks',
    level: 'trace',
    to: { write: (line: string) => void lines.push(line) } as never,
  })
  const master = new Uint8Array(randomBytes(32))
  const start = (options: Partial<CallbacksParameters> = {}) =>
    startCallbacks({
      chain,
      hub: hubAddress,
      database,
      log,
      host: '127.0.0.1',
      port: 0,
      master,
      interval: 10,
      confirmations: 0,
      allowPrivate: true,
      pause: 5,
      ...options,
    })

  /** One request of a wallet's, signed. */
  async function call(url: string, method: string, path: string, body?: unknown, signer = owner): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const signing = { chainId, hub: hubAddress, service: 'callbacks' }
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: await signRequest({ signer, domain: signing, method, path, body: text }),
        ...(text ? { 'content-type': 'application/json' } : {}),
      },
      ...(text ? { body: text } : {}),
    })
    return { status: response.status, json: await response.json() }
  }
  return {
    chain,
    provider,
    hubAddress,
    relay: deployed.callbackRelay as Address,
    contracts,
    domain,
    owner,
    pool,
    worker,
    workerpool,
    mined,
    createApp,
    sign,
    match,
    settle,
    settleFailure,
    claim,
    deployMock,
    database,
    databaseUrl,
    master,
    lines,
    start,
    call,
    async close() {
      await closeDatabase()
      await chain.close()
    },
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>
