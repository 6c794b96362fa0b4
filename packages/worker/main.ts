import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Address, Contracts } from '@sealdeal/protocol'
import { connectChain, createMoment, createSender, type Log, mayKill, openWallet, runProcess } from '@sealdeal/server'
import { schema } from './config.ts'
import { runInEnclave } from './enclave.ts'
import { openJournal } from './journal.ts'
import { loop } from './loop.ts'
import { fileOutbox } from './outbox.ts'
import { connectPool } from './pool.ts'

await runProcess({ name: 'worker', schema, env: process.env, start })

type Started = Parameters<Parameters<typeof runProcess<typeof schema>>[0]['start']>[0]

async function start({ config, log, signal, onClose }: Started): Promise<void> {
  const chain = await connectChain({ url: config.CHAIN_URL })
  onClose(() => chain.provider.destroy())
  const wallet = await openWallet({ keyFile: config.WALLET_KEY_FILE, chain })
  const directory = resolve(config.WORK_DIRECTORY)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const journal = await openJournal(join(directory, 'journal'))
  const sender = await createSender({ wallet, outbox: await fileOutbox(join(directory, 'outbox')), log })
  onClose(sender.close)
  const chainId = chain.chainId
  const hub: Address = config.HUB_ADDRESS
  const running = loop({
    pool: connectPool({ url: config.SCHEDULER_URL, wallet, chainId, hub }),
    hub: Contracts.connectHub(hub, chain.provider),
    provider: chain.provider,
    sender,
    journal,
    run: await runInEnclave({
      directory,
      sandbox: config.SANDBOX,
      smsUrl: config.SMS_URL,
      storageUrl: config.STORAGE_URL,
      platformFile: resolve(config.TEE_PLATFORM_FILE),
      log,
    }),
    moment: createMoment({ log, killAt: config.KILL_AT, armed: mayKill({ chainId, nodeEnv: config.NODE_ENV }) }),
    log: log as Log,
    signal,
    name: config.WORKER_NAME,
    concurrency: config.CONCURRENCY,
  })
  onClose(() => running)
}
