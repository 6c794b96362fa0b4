import { Bytes } from '@sealdeal/protocol'
import { connectChain, openServiceDatabase, readKeyFile, runProcess } from '@sealdeal/server'
import { schema } from './config.ts'
import { migrations, startCallbacks } from './start.ts'

await runProcess({
  name: 'callbacks',
  schema,
  env: process.env,
  async start({ config, log, onClose }) {
    const master = Bytes.fromHex(await readKeyFile(config.CALLBACKS_MASTER_KEY_FILE))
    const database = await openServiceDatabase({ name: 'callbacks', url: config.DATABASE_URL, migrations, onClose })
    const chain = await connectChain({ url: config.CHAIN_URL })
    onClose(() => chain.provider.destroy())
    if (config.ALLOW_PRIVATE_TARGETS) log.warn('receivers on private networks are allowed here')
    const callbacks = await startCallbacks({
      chain,
      hub: config.HUB_ADDRESS,
      database,
      log,
      host: config.HOST,
      port: config.PORT,
      master,
      startBlock: BigInt(config.START_BLOCK),
      interval: config.FOLLOW_INTERVAL,
      confirmations: config.CONFIRMATIONS,
      allowPrivate: config.ALLOW_PRIVATE_TARGETS,
      traceCallbacks: config.TRACE_CALLBACKS,
      timeout: config.REQUEST_TIMEOUT_MS,
      pause: config.RETRY_MS,
      retrySeconds: config.RETRY_SECONDS,
      concurrency: config.CONCURRENCY,
      maxSubscriptions: config.MAX_SUBSCRIPTIONS,
      ...(config.REQUESTS_PER_MINUTE === undefined ? {} : { requestsPerMinute: config.REQUESTS_PER_MINUTE }),
    })
    onClose(() => callbacks.close())
  },
})
