import { connectChain, httpOptions, openServiceDatabase, runProcess } from '@sealdeal/server'
import { schema } from './config.ts'
import { migrations, startIndexer } from './start.ts'

await runProcess({
  name: 'indexer',
  schema,
  env: process.env,
  async start({ config, log, onClose }) {
    const database = await openServiceDatabase({ name: 'indexer', url: config.DATABASE_URL, migrations, onClose })
    const chain = await connectChain({ url: config.CHAIN_URL })
    onClose(() => chain.provider.destroy())
    const indexer = await startIndexer({
      chain,
      hub: config.HUB_ADDRESS,
      database,
      log,
      host: config.HOST,
      port: config.PORT,
      startBlock: BigInt(config.START_BLOCK),
      patience: config.QUERY_PATIENCE,
      ...(config.DATA_PROTECTOR_ADDRESS === undefined ? {} : { dataProtector: config.DATA_PROTECTOR_ADDRESS }),
      ...(config.IPFS_GATEWAY_URL === undefined ? {} : { ipfsGateway: config.IPFS_GATEWAY_URL }),
      http: httpOptions(config),
    })
    onClose(() => indexer.close())
  },
})
