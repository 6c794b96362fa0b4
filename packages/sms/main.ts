import { readFile } from 'node:fs/promises'
import { type CollateralNeeds, parseCollateral, parsePolicy, trustsSimulator } from '@sealdeal/attestation'
import { zeroAddress } from '@sealdeal/protocol'
import {
  connectChain,
  httpOptions,
  type Log,
  openServiceDatabase,
  readConfigFile,
  readKeyFile,
  runProcess,
  serve,
} from '@sealdeal/server'
import { Wallet } from 'ethers'
import { createAttest, expectPolicyFits } from './attest.ts'
import { readBulkLists } from './bulkList.ts'
import { openChain } from './chain.ts'
import { type Config, schema } from './config.ts'
import { TeeBrokerMismatchError } from './errors.ts'
import { migrations } from './index.ts'
import { openMasterKeys } from './masterKeys.ts'
import { type CollateralSource, openPccs } from './pccs.ts'
import { routes } from './routes.ts'
import { createSecrets } from './secrets.ts'
import { createSessions } from './sessions.ts'
import { statuses } from './statuses.ts'

await runProcess({
  name: 'sms',
  schema,
  env: process.env,
  start: async ({ config, log, onClose }) => {
    const master = await openMasterKeys(config, process.env)
    const signer = new Wallet(await readKeyFile(config.SMS_SIGNER_KEY_FILE))
    const policy = parsePolicy(JSON.parse(await readConfigFile(config.SMS_POLICY_FILE)))
    const { provider, chainId } = await connectChain({ url: config.CHAIN_URL })
    onClose(() => provider.destroy())
    const chain = openChain({ provider, chainId, hub: config.HUB_ADDRESS })
    expectPolicyFits({ policy, chainId, localChain: config.LOCAL_CHAIN })
    if (trustsSimulator(policy)) log.warn({ chainId: String(chainId) }, 'simulated enclaves are trusted here')

    const database = await openServiceDatabase({ name: 'sms', url: config.DATABASE_URL, migrations, onClose })
    const secrets = createSecrets({ database, master })
    const attest = createAttest({ policy, collateral: await openCollateral({ config, log }) })
    const bulkList = readBulkLists({ gateway: config.IPFS_GATEWAY_URL })
    const sessions = createSessions({ database, secrets, chain, bulkList, attest, signer, clock: () => new Date() })

    const server = await serve({
      name: 'sms',
      host: config.HOST,
      port: config.PORT,
      log,
      routes: routes({ secrets, sessions, chain, database }),
      errors: statuses,
      ...httpOptions(config),
      requestsPerMinute: config.REQUESTS_PER_MINUTE ?? config.SMS_REQUESTS_PER_MINUTE,
      ready: {
        database: () => database.query('select 1'),
        chain: () => chain.now(),
        teeBroker: async () => {
          const broker = await chain.teeBroker()
          if (broker !== signer.address && broker !== zeroAddress) {
            throw new TeeBrokerMismatchError({ broker, signer: signer.address })
          }
        },
      },
    })
    onClose(() => server.close())
  },
})

async function openCollateral({ config, log }: { config: Config; log: Log }): Promise<CollateralSource> {
  const { SMS_COLLATERAL_FILE: file, SMS_PCCS_URL: url } = config
  if (url !== undefined) {
    const onStale = (error: unknown, needs: CollateralNeeds) =>
      log.warn({ error, ...needs }, 'collateral is not renewed')
    const maxAge = config.SMS_COLLATERAL_MAX_AGE * 1_000
    return openPccs({ url, rootCrlUrl: config.SMS_ROOT_CRL_URL, maxAge, onStale })
  }
  // The configuration was read: it names one of the two.
  if (file === undefined) throw new Error('nothing gives collateral')
  const read = async () => parseCollateral(JSON.parse(await readFile(file, 'utf8')))
  await read()
  return read
}
