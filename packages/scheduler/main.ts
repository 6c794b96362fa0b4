import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, BaseError, Contracts, Order } from '@sealdeal/protocol'
import {
  connectChain,
  createMoment,
  createSender,
  databaseOutbox,
  follow,
  httpOptions,
  type Lifecycle,
  type Log,
  mayKill,
  openServiceDatabase,
  openWallet,
  runProcess,
  serve,
} from '@sealdeal/server'
import { getAddress } from 'ethers'
import { hangBell } from './bell.ts'
import { claimOverdue } from './claims.ts'
import { createClock } from './clock.ts'
import { schema } from './config.ts'
import { watchPool } from './events.ts'
import { migrations } from './index.ts'
import { defaultPolicy, releaseLost } from './leases.ts'
import { connectMarket } from './market.ts'
import { keepOffer } from './offer.ts'
import { forgetPrinted } from './printed.ts'
import { errors, routes } from './routes.ts'
import { expireTasks, refillTasks } from './tasks.ts'

/** The key is not that of the pool: its leases and orders would be worth nothing. */
class NotPoolOwnerError extends BaseError {
  override name = 'NotPoolOwnerError'
  constructor({ workerpool, owner, account }: { workerpool: Address; owner: Address; account: Address }) {
    super(`Workerpool "${workerpool}" belongs to "${owner}", WALLET_KEY_FILE is the key of "${account}".`, {
      metaMessages: ['Use the key of the pool’s owner, or another WORKERPOOL_ADDRESS.'],
      docsPath: '/workerpool#owner',
    })
  }
}

await runProcess({ name: 'scheduler', schema, env: process.env, start })

type Started = Parameters<Parameters<typeof runProcess<typeof schema>>[0]['start']>[0]

async function start({ config, log, signal, onClose }: Started): Promise<void> {
  const chain = await connectChain({ url: config.CHAIN_URL })
  onClose(() => chain.provider.destroy())
  const wallet = await openWallet({ keyFile: config.WALLET_KEY_FILE, chain })
  const account = wallet.address as Address
  const hub = Contracts.connectHub(config.HUB_ADDRESS, chain.provider)
  const workerpool = config.WORKERPOOL_ADDRESS
  const owner = getAddress((await hub.viewWorkerpool(workerpool)).owner) as Address
  if (owner !== account) throw new NotPoolOwnerError({ workerpool, owner, account })

  const database = await openServiceDatabase({ name: 'scheduler', url: config.DATABASE_URL, migrations, onClose })
  const moment = createMoment({
    log,
    killAt: config.KILL_AT,
    armed: mayKill({ chainId: chain.chainId, nodeEnv: config.NODE_ENV }),
  })
  const outbox = databaseOutbox({ database, chainId: chain.chainId, account })
  const sender = await createSender({ wallet, outbox, log })
  onClose(sender.close)
  const bell = await hangBell(database)
  onClose(bell.close)

  const clock = createClock({ chain: chain.provider })
  const policy = { ...defaultPolicy, silence: config.WORKER_SILENCE_MS }
  const follower = await follow({
    chain: chain.provider,
    database,
    name: `scheduler ${workerpool}`,
    address: config.HUB_ADDRESS,
    from: config.START_BLOCK,
    log,
    ...watchPool({ hub, workerpool, log, moment }),
  })
  onClose(follower.close)

  const server = await serve({
    name: 'scheduler',
    host: config.HOST,
    port: config.PORT,
    log,
    errors,
    ...httpOptions(config),
    ready: { database: () => database.query('select 1'), chain: () => follower.check() },
    routes: routes({
      database,
      chain: chain.provider,
      chainId: chain.chainId,
      hub: config.HUB_ADDRESS,
      workerpool,
      signer: wallet,
      clock,
      policy,
      bell,
      moment,
      allowed: config.WORKER_ADDRESSES,
      signal,
    }),
  })
  onClose(server.close)

  const again = { log, signal, onClose }
  repeat({ ...again, name: 'release', every: Math.min(policy.silence / 4, 1_000) }, async () => {
    const lost = await releaseLost(database, { now: await clock(), policy })
    for (const { taskId, attempt, worker } of lost) log.warn({ task: taskId, attempt, worker }, 'lease lost')
  })
  repeat({ ...again, name: 'claim', every: 2_000 }, async () => {
    const now = await clock()
    await expireTasks(database, now)
    while ((await claimOverdue({ database, hub, sender, now, log })) > 0) signal.throwIfAborted()
    await refillTasks(database)
  })
  repeat({ ...again, name: 'forget', every: 3_600_000 }, () => forgetPrinted(database, { days: config.PRINTED_DAYS }))
  const { WORKERPOOL_PRICE: price, MARKET_URL: marketUrl, PUBLIC_URL: publicUrl } = config
  if (marketUrl === undefined) return
  const market = connectMarket({ url: marketUrl, wallet, chainId: chain.chainId })
  if (publicUrl !== undefined)
    repeat({ ...again, name: 'announce', every: 60_000 }, () => market.announce(workerpool, publicUrl))
  if (price === undefined) return
  const terms = {
    workerpool,
    price,
    category: config.WORKERPOOL_CATEGORY,
    volume: config.WORKERPOOL_VOLUME,
    tag: config.WORKERPOOL_TAG,
    trust: 1n,
  }
  const domain = Order.domain({ chainId: chain.chainId, hub: config.HUB_ADDRESS })
  repeat({ ...again, name: 'offer', every: 5_000 }, () =>
    keepOffer({ database, hub, market, owner, signer: wallet, domain, terms, log }),
  )
}

/** What failed is tried again after so many milliseconds at the latest: the market may only just be starting. */
const AFTER_FAILURE = 500

/** Does something now and then, until the process ends. A failure is logged, and tried again soon. */
function repeat(
  {
    name,
    every,
    log,
    signal,
    onClose,
  }: { name: string; every: number; log: Log } & Pick<Lifecycle, 'signal' | 'onClose'>,
  work: () => Promise<unknown>,
): void {
  async function run(): Promise<void> {
    while (!signal.aborted) {
      let pause = every
      try {
        await work()
      } catch (error) {
        if (!signal.aborted) log.error({ error, job: name }, 'failed, tried again later')
        pause = Math.min(every, AFTER_FAILURE)
      }
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }
  const running = run()
  onClose(() => running)
}
