import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@sealdeal/sdk'
import {
  connectChain,
  createMoment,
  createSender,
  databaseOutbox,
  mayKill,
  openServiceDatabase,
  openWallet,
  runProcess,
} from '@sealdeal/server'
import { schema } from './config.ts'
import { createMatcher, migrations } from './index.ts'

await runProcess({ name: 'matcher', schema, env: process.env, start })

type Started = Parameters<Parameters<typeof runProcess<typeof schema>>[0]['start']>[0]

async function start({ config, log, signal, onClose }: Started): Promise<void> {
  const chain = await connectChain({ url: config.CHAIN_URL })
  onClose(() => chain.provider.destroy())
  const wallet = await openWallet({ keyFile: config.WALLET_KEY_FILE, chain })
  const database = await openServiceDatabase({ name: 'matcher', url: config.DATABASE_URL, migrations, onClose })
  const outbox = databaseOutbox({ database, chainId: chain.chainId, account: wallet.address })
  const sender = await createSender({ wallet, outbox, log })
  onClose(sender.close)
  // Of the services it reads the market alone; keys and data are none of its business.
  const market = config.MARKET_URL
  const client = await createClient({
    signer: wallet,
    hub: config.HUB_ADDRESS,
    endpoints: { market, sms: market, storage: market },
  })
  const armed = mayKill({ chainId: chain.chainId, nodeEnv: config.NODE_ENV })
  const moment = createMoment({ log, killAt: config.KILL_AT, armed })
  const matcher = createMatcher({ client, database, sender, log, moment })

  async function run(): Promise<void> {
    await matcher.recover()
    log.info({ market }, 'watching the book')
    while (!signal.aborted) {
      await matcher.look().catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error }, 'the book could not be read, tried again later')
      })
      await sleep(config.POLL_MS, undefined, { signal }).catch(() => {})
    }
  }
  const running = run().catch((error: unknown) => {
    log.fatal({ error }, 'matching ended')
    process.exit(1)
  })
  onClose(() => running)
}
