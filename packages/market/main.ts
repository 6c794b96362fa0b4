import { connectChain, httpOptions, openServiceDatabase, runProcess } from '@sealdeal/server'
import { schema } from './config.ts'
import { migrations, startMarket } from './start.ts'

await runProcess({
  name: 'market',
  schema,
  env: process.env,
  async start({ config, log, onClose }) {
    const database = await openServiceDatabase({ name: 'market', url: config.DATABASE_URL, migrations, onClose })
    const chain = await connectChain({ url: config.CHAIN_URL })
    onClose(() => chain.provider.destroy())
    const market = await startMarket({
      chain,
      hub: config.HUB_ADDRESS,
      database,
      log,
      host: config.HOST,
      port: config.PORT,
      startBlock: BigInt(config.START_BLOCK),
      interval: config.FOLLOW_INTERVAL,
      maxOpenOrders: config.MAX_OPEN_ORDERS,
      iapps: config.IAPPS,
      http: httpOptions(config),
    })
    onClose(() => market.close())
  },
})
