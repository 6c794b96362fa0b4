import { resolve } from 'node:path'
import { readKeyFile, runProcess } from '@sealdeal/server'
import { Wallet } from 'ethers'
import { readBounds } from './bounds.ts'
import { schema } from './config.ts'
import { runInEnclave } from './enclave.ts'
import { startWorker } from './start.ts'

await runProcess({
  name: 'worker',
  schema,
  env: process.env,
  async start({ config, log, signal, onClose }) {
    const run = await runInEnclave({
      directory: resolve(config.WORK_DIRECTORY),
      sandbox: config.SANDBOX,
      ...readBounds(config),
      smsUrl: config.SMS_URL,
      storageUrl: config.STORAGE_URL,
      platformFile: resolve(config.TEE_PLATFORM_FILE),
      wallet: new Wallet(await readKeyFile(config.WALLET_KEY_FILE)),
      hub: config.HUB_ADDRESS,
      log,
      killAt: config.KILL_ENCLAVE_AT,
      nodeEnv: config.NODE_ENV,
    })
    await startWorker({ config, run, log, signal, onClose })
  },
})
