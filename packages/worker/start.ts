import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Contracts } from '@sealdeal/protocol'
import {
  connectChain,
  createMoment,
  createSender,
  type Lifecycle,
  type Log,
  mayKill,
  openWallet,
  serve,
} from '@sealdeal/server'
import type { z } from 'zod'
import type { schema } from './config.ts'
import { openJournal } from './journal.ts'
import { loop } from './loop.ts'
import { meterPool } from './meters.ts'
import { fileOutbox } from './outbox.ts'
import { connectPool } from './pool.ts'
import type { Run } from './work.ts'

/** Connects a worker's parts and lets it work until the process ends. `run` is what starts an enclave. */
export async function startWorker({
  config,
  run,
  log,
  signal,
  onClose,
}: { config: z.output<typeof schema>; run: Run; log: Log } & Pick<Lifecycle, 'signal' | 'onClose'>): Promise<void> {
  const chain = await connectChain({ url: config.CHAIN_URL })
  onClose(() => chain.provider.destroy())
  const wallet = await openWallet({ keyFile: config.WALLET_KEY_FILE, chain })
  const directory = resolve(config.WORK_DIRECTORY)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const journal = await openJournal(join(directory, 'journal'))
  const sender = await createSender({ wallet, outbox: await fileOutbox(join(directory, 'outbox')), log })
  onClose(sender.close)
  const { chainId } = chain
  const hub = config.HUB_ADDRESS
  const { pool, registry, check } = meterPool(connectPool({ url: config.SCHEDULER_URL, wallet, chainId, hub }))
  const server = await serve({
    name: 'worker',
    host: config.HOST,
    port: config.PORT,
    log,
    metrics: registry,
    routes: () => {},
    ready: { chain: () => chain.provider.getBlockNumber(), scheduler: check },
  })
  onClose(server.close)
  const running = loop({
    pool,
    hub: Contracts.connectHub(hub, chain.provider),
    provider: chain.provider,
    sender,
    journal,
    run,
    moment: createMoment({ log, killAt: config.KILL_AT, armed: mayKill({ chainId, nodeEnv: config.NODE_ENV }) }),
    log,
    signal,
    name: config.WORKER_NAME,
    concurrency: config.CONCURRENCY,
  })
  onClose(() => running)
}
