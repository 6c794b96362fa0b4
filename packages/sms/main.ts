import { readFile } from 'node:fs/promises'
import { parseCollateral, parsePolicy, trustsSimulator } from '@sealdeal/attestation'
import { Bytes, zeroAddress } from '@sealdeal/protocol'
import { connectChain, openServiceDatabase, readConfigFile, readKeyFile, runProcess, serve } from '@sealdeal/server'
import { Wallet } from 'ethers'
import { createAttest, expectPolicyFits } from './attest.ts'
import { openChain } from './chain.ts'
import { schema } from './config.ts'
import { masterKeys } from './envelope.ts'
import { TeeBrokerMismatchError } from './errors.ts'
import { migrations } from './index.ts'
import { routes } from './routes.ts'
import { createSecrets } from './secrets.ts'
import { createSessions } from './sessions.ts'
import { statuses } from './statuses.ts'

await runProcess({
  name: 'sms',
  schema,
  env: process.env,
  start: async ({ config, log, onClose }) => {
    const master = masterKeys(Bytes.fromHex(await readKeyFile(config.SMS_MASTER_KEY_FILE)))
    const signer = new Wallet(await readKeyFile(config.SMS_SIGNER_KEY_FILE))
    const policy = parsePolicy(JSON.parse(await readConfigFile(config.SMS_POLICY_FILE)))
    const { provider, chainId } = await connectChain({ url: config.CHAIN_URL })
    onClose(() => provider.destroy())
    const chain = openChain({ provider, chainId, hub: config.HUB_ADDRESS })
    expectPolicyFits({ policy, chainId, localChain: config.LOCAL_CHAIN })
    if (trustsSimulator(policy)) log.warn({ chainId: String(chainId) }, 'simulated enclaves are trusted here')

    const database = await openServiceDatabase({ name: 'sms', url: config.DATABASE_URL, migrations, onClose })
    const secrets = createSecrets({ database, master })
    const collateral = async () => parseCollateral(JSON.parse(await readFile(config.SMS_COLLATERAL_FILE, 'utf8')))
    await collateral()
    const attest = createAttest({ policy, collateral })
    const sessions = createSessions({ database, secrets, chain, attest, signer, clock: () => new Date() })

    const server = await serve({
      name: 'sms',
      host: config.HOST,
      port: config.PORT,
      log,
      routes: routes({ secrets, sessions, chain }),
      errors: statuses,
      requestsPerMinute: config.SMS_REQUESTS_PER_MINUTE,
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
