// Who wants something: a developer with two apps, and requesters who publish requests and listen to webhooks.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Bytes, type Hex, Order, Params, Result, Tag, zeroAddress } from '@sealdeal/protocol'
import {
  type Client,
  createClient,
  createWorkerpool,
  deployApp,
  publishOrder,
  pushResultKey,
  ServiceRefusedError,
  signOrder,
} from '@sealdeal/sdk'
import { signRequest } from '@sealdeal/server'
import { toQuantity, Wallet } from 'ethers'
import type { Random } from './random.ts'
import type { Receiver } from './receiver.ts'
import { POOL_PRICE, type Scene } from './scene.ts'

export const APP_PRICE = 2n

/** What each requester puts into the escrow, in nRLC: more than it can spend. */
export const DEPOSIT = 1_000_000n

/**
 * What becomes of a request: a result; a refund, for its app always fails; a refund soon, for it asks for a category that
 * only a pool without workers offers; nothing, for it pays too little.
 */
export type Fate = 'runs' | 'fails' | 'expires' | 'waits'

/** Tasks that each order of the pool without workers offers: requests are filled from several. */
const IDLE_VOLUME = 60n

export type Request = { hash: Hex; order: Order.Signed<'request'>; fate: Fate; requester: Client }

export type People = Awaited<ReturnType<typeof gatherPeople>>

const apps = {
  runs: `import { writeFileSync } from 'node:fs'
writeFileSync(process.env.IEXEC_OUT + '/result.txt', process.argv.slice(2).join(' '))
writeFileSync(process.env.IEXEC_OUT + '/computed.json', JSON.stringify({ 'deterministic-output-path': process.env.IEXEC_OUT + '/result.txt' }))
`,
  fails: 'process.exit(3)\n',
}

/** Gives everybody what they need, while nothing is in the way yet. */
export async function gatherPeople(scene: Scene, { requesters, receiver }: { requesters: number; receiver: Receiver }) {
  const { chain, contracts, deployment, wallets } = scene
  const connect = (signer: Wallet) => {
    const { hub, dataProtector } = deployment
    return createClient({ signer, hub, dataProtector, endpoints: scene.fronts, pollingInterval: 50 })
  }
  await (await contracts.token.approve(deployment.hub, 2n ** 255n)).wait()
  const developer = await connect(wallets.company)
  const appOrders = { runs: await offer(developer, 'runs'), fails: await offer(developer, 'fails') }
  const idle = await offerIdly(scene, await connect(wallets.researcher))
  const resultKey = await Result.generateKeyPair({ bits: 2048 })
  const clients: Client[] = []
  for (let n = 0; n < requesters; n++) {
    const wallet = new Wallet(Wallet.createRandom().privateKey, chain.provider)
    await chain.provider.send('anvil_setBalance', [wallet.address, toQuantity(10n ** 20n)])
    await (await contracts.hub.depositFor(DEPOSIT, wallet.address)).wait()
    const client = await connect(wallet)
    await pushResultKey(client, resultKey)
    await subscribe(scene, wallet, receiver.urlOf(client.account))
    clients.push(client)
  }
  return { developer, appOrders, ...idle, resultKey, clients }
}

async function offer(developer: Client, fate: keyof typeof apps) {
  const bundle = {
    'iapp.json': Bytes.fromUtf8('{"entrypoint":["node","main.mjs"]}'),
    'main.mjs': Bytes.fromUtf8(apps[fate]),
  }
  const { app } = await deployApp(developer, { name: `app that ${fate}`, bundle })
  const input = { app, appprice: APP_PRICE, volume: 1_000_000n }
  return publishOrder(developer, { kind: 'app', order: input })
}

/** A pool that offers a category of one second, and has neither scheduler nor workers: its deals are refunded in no time. */
async function offerIdly({ contracts, wallets }: Scene, owner: Client) {
  const category = await contracts.hub.countCategory()
  await (await contracts.hub.connect(wallets.operator).createCategory('idle', 'nobody works', 1n)).wait()
  const { workerpool } = await createWorkerpool(owner, { description: 'idle' })
  const offer = async (volume: bigint) => {
    const order = { workerpool, workerpoolprice: POOL_PRICE, volume, category, trust: 1n, tag: Tag.tdx }
    return publishOrder(owner, { kind: 'workerpool', order })
  }
  const idleOrders = []
  for (let n = 0; n < 20; n++) idleOrders.push(await offer(IDLE_VOLUME))
  idleOrders.push(await offer(1_000_000n))
  return { category, idleOrders }
}

/** A subscription to all that concerns a requester. */
async function subscribe({ fronts, chain, deployment }: Scene, signer: Wallet, url: string): Promise<void> {
  const [method, path] = ['POST', '/subscriptions']
  const body = JSON.stringify({ url, requester: signer.address })
  const domain = { chainId: chain.chainId, hub: deployment.hub, service: 'callbacks' }
  const authorization = await signRequest({ signer, domain, method, path, body })
  const headers = { authorization, 'content-type': 'application/json' }
  const response = await fetch(fronts.callbacks + path, { method, headers, body })
  if (response.status !== 201) throw new Error(`no subscription: ${response.status} ${await response.text()}`)
}

/** Most requests are of one task, some of several; one of so many is for an enclave, a few fail or can only wait. */
function fateOf(n: number, enclaveOf: number): Fate {
  if (n % 25 === 3) return 'waits'
  if (n % enclaveOf !== 0) return 'expires'
  return (n / enclaveOf) % 20 === 7 ? 'fails' : 'runs'
}

export async function signRequestOrder(
  people: People,
  { n, random, enclaveOf }: { n: number; random: Random; enclaveOf: number },
): Promise<Request> {
  const requester = people.clients[n % people.clients.length] as Client
  const fate = fateOf(n, enclaveOf)
  const { order: app } = people.appOrders[fate === 'fails' ? 'fails' : 'runs']
  const order = await signOrder(requester, {
    kind: 'request',
    order: {
      app: app.app as Address,
      appmaxprice: APP_PRICE,
      dataset: zeroAddress,
      workerpoolmaxprice: fate === 'waits' ? 1n : POOL_PRICE,
      requester: requester.account,
      volume: random.chance(0.1) ? BigInt(2 + random.whole(3)) : 1n,
      ...(fate === 'expires' ? { category: people.category } : {}),
      tag: Tag.tdx,
      params: Params.build({ args: `deal ${n}`, encryptResult: true }),
    },
  })
  return { hash: Order.hash('request', order, requester.domain), order, fate, requester }
}

/** Publishes until the market has it, whatever happens to the market meanwhile. Answers how many tries it took. */
export async function publishFirmly({ requester, order }: Request): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      await publishOrder(requester, { kind: 'request', order })
      return tries
    } catch (error) {
      // The answer to an earlier try was lost.
      if (error instanceof ServiceRefusedError && /already (published|consumed)/.test(error.message)) return tries
      if (tries === 200) throw error
      await sleep(100)
    }
  }
}
