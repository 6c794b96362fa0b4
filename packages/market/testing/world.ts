// For tests only: a real chain over HTTP with the real contracts, and the market over it, called as published clients do.
import { type Address, Contracts, type Hex, Order } from '@sealdeal/protocol'
import { createLog, openTestDatabase } from '@sealdeal/server'
import { TypedDataEncoder, Wallet, ZeroHash } from 'ethers'
import { deployMarketplace } from '../../../deploy/marketplace.ts'
import { startTestChain, type TestChain } from '../../server/testing/chain.ts'
import { type MarketParameters, migrations, startMarket } from '../start.ts'

// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, looked at by the tests
export type Answer = { status: number; json: any }

/** On Hardhat's own chain, or on another that can set balances and has unlocked accounts. */
export async function createWorld({ on, ...options }: Partial<MarketParameters> & { on?: TestChain } = {}) {
  const chain = on ?? (await startTestChain())
  const { provider, chainId } = chain
  const request = ({ method, params = [] }: { method: string; params?: readonly unknown[] | object }) =>
    provider.send(method, params as unknown[])
  const deployed = await deployMarketplace({ connection: { provider: { request } } })
  const hub = deployed.hub as Address
  const deployer = await provider.getSigner(0)
  const contracts = await Contracts.connectMarketplace(hub, deployer)
  const domain = Order.domain({ chainId, hub })
  await (await contracts.token.approve(hub, 2n ** 255n)).wait()
  const { database, url: databaseUrl, close: closeDatabase } = await openTestDatabase({ migrations })
  const log = createLog({ name: 'market', level: process.env.LOG_LEVEL ?? 'silent' })
  const start = () => startMarket({ chain, hub, database, log, host: '127.0.0.1', port: 0, ...options })
  let market = await start()

  /** A fresh wallet with gas and a stake. */
  async function wallet({ stake = 0n }: { stake?: bigint } = {}): Promise<Wallet> {
    const made = new Wallet(Wallet.createRandom().privateKey, provider)
    await provider.send('hardhat_setBalance', [made.address, '0x8ac7230489e80000'])
    if (stake > 0n) {
      await (await contracts.hub.depositFor(stake, made.address)).wait()
    }
    return made
  }
  let serial = 0
  async function createApp(owner: Wallet): Promise<Address> {
    const fields = [owner.address, `app ${serial++}`, 'BUNDLE', '0x', ZeroHash, '0x'] as const
    const address = await contracts.appRegistry.predictApp(...fields)
    await (await contracts.appRegistry.createApp(...fields)).wait()
    return address as Address
  }
  async function createDataset(owner: Wallet): Promise<Address> {
    const fields = [owner.address, `dataset ${serial++}`, '0x', ZeroHash] as const
    const address = await contracts.datasetRegistry.predictDataset(...fields)
    await (await contracts.datasetRegistry.createDataset(...fields)).wait()
    return address as Address
  }
  async function createWorkerpool(owner: Wallet): Promise<Address> {
    const fields = [owner.address, `pool ${serial++}`] as const
    const address = await contracts.workerpoolRegistry.predictWorkerpool(...fields)
    await (await contracts.workerpoolRegistry.createWorkerpool(...fields)).wait()
    return address as Address
  }

  async function call(path: string, options: RequestInit = {}): Promise<Answer> {
    const response = await fetch(market.url + path, options)
    return { status: response.status, json: await response.json() }
  }
  const get = (path: string, query: Record<string, unknown> = {}) =>
    call(`${path}?${new URLSearchParams({ chainId: String(chainId), ...strings(query) })}`)

  /** The header of published clients. `as` is whom the challenge is for, when that is not who signs. */
  async function login(signer: Wallet, as: string = signer.address): Promise<string> {
    const { json } = await get('/challenge', { address: as })
    const { EIP712Domain: _, ...types } = json.data.types
    const digest = TypedDataEncoder.hash(json.data.domain, types, json.data.message)
    return `${digest}_${await signer.signTypedData(json.data.domain, types, json.data.message)}_${as}`
  }
  async function send(method: string, path: string, body: unknown, authorization?: string): Promise<Answer> {
    const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) }
    return call(`${path}?chainId=${chainId}`, { method, body: JSON.stringify(body), headers })
  }
  async function sign<kind extends Order.Kind>(kind: kind, signer: Wallet, input: Order.Input<kind>) {
    return Order.sign(kind, Order.create(kind, input), signer, domain)
  }
  /** Signs an order and publishes it. */
  async function publish<kind extends Order.Kind>(kind: kind, signer: Wallet, input: Order.Input<kind>) {
    const order = await sign(kind, signer, input)
    const answer = await post(kind, signer, order)
    return { order, hash: Order.hash(kind, order, domain), ...answer }
  }
  async function post<kind extends Order.Kind>(kind: kind, signer: Wallet, order: Order.Signed<kind>) {
    return send('POST', `/${kind}orders`, { order: Order.toJson(kind, order) }, await login(signer))
  }
  const put = async (kind: Order.Kind, signer: Wallet, body: unknown) =>
    send('PUT', `/${kind}orders`, body, await login(signer))

  /** What the book says of an order once it knows all that the chain said. */
  async function standing(kind: Order.Kind, hash: Hex): Promise<{ status: string; remaining: number }> {
    await market.caughtUp()
    const { status, remaining } = (await get(`/${kind}orders/${hash}`)).json
    return { status, remaining }
  }
  async function restart(): Promise<void> {
    await market.close()
    market = await start()
  }
  async function close(): Promise<void> {
    await market.close()
    await closeDatabase()
    await chain.close()
  }
  return {
    chain,
    provider,
    hub,
    contracts,
    domain,
    database,
    databaseUrl,
    market: () => market,
    wallet,
    createApp,
    createDataset,
    createWorkerpool,
    call,
    get,
    login,
    send,
    sign,
    publish,
    post,
    put,
    standing,
    restart,
    close,
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>

function strings(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]))
}
