import { Bytes } from '@sealdeal/protocol'
import {
  type Chain,
  connectChain,
  createTransactions,
  type Database,
  httpOptions,
  type Log,
  openServiceDatabase,
  openWallet,
  readKeyFile,
  runProcess,
} from '@sealdeal/server'
import { type Config, schema } from './config.ts'
import type { Relaying } from './relay.ts'
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
    const relaying = await openRelaying({ config, chain, database, log })
    if (relaying) onClose(relaying.transactions.close)
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
      http: httpOptions(config),
      ...(relaying ? { relaying } : {}),
    })
    onClose(() => callbacks.close())
  },
})

async function openRelaying({
  config,
  chain,
  database,
  log,
}: {
  config: Config
  chain: Chain
  database: Database
  log: Log
}): Promise<Relaying | undefined> {
  const { CALLBACK_RELAY_ADDRESS: relay, WALLET_KEY_FILE: keyFile } = config
  if (relay === undefined || keyFile === undefined) return undefined
  const wallet = await openWallet({ keyFile, chain })
  const highestFee = config.HIGHEST_FEE_GWEI
  const transactions = createTransactions({ wallet, database, chainId: chain.chainId, log, highestFee })
  log.info({ relay, account: wallet.address }, 'results are delivered on chain again')
  return {
    relay,
    transactions,
    consumers: config.RELAYED_CONSUMERS,
    gasLimit: BigInt(config.RELAY_GAS_LIMIT),
    gasOfDay: BigInt(config.RELAY_DAY_GAS),
  }
}
