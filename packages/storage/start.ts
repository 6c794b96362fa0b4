import type { Address } from '@sealdeal/protocol'
import {
  connectChain,
  type Database,
  httpOptions,
  type Lifecycle,
  type Log,
  openDatabase,
  serve,
} from '@sealdeal/server'
import type { Doors } from './admission.ts'
import { adopt, disown } from './adopt.ts'
import { type Blobs, createBlobs } from './blobs.ts'
import { openBlocks } from './blocks.ts'
import { startCollecting } from './collecting.ts'
import { blockCollection, type Collected, type Collection, nodeCollection } from './collection.ts'
import { type Config, driverOf } from './config.ts'
import { createKuboBlobs } from './kubo.ts'
import { migrations, openLedger } from './ledger.ts'
import { createMetrics } from './metrics.ts'
import { routes, statuses } from './routes.ts'

/** What holds the files, and how that is rid of what nobody keeps. */
type Driver = {
  blobs: Blobs
  ready: Record<string, () => Promise<void>>
  pinned?: (cid: string) => Promise<void>
  collection?: Collection
}

type Starting = { config: Config; log: Log } & Pick<Lifecycle, 'onClose'>

/** Connects the parts of a storage server as its configuration says. */
export async function startStorage({ config, log, onClose }: Starting): Promise<void> {
  const database =
    config.DATABASE_URL === undefined ? undefined : await openDatabase({ url: config.DATABASE_URL, migrations })
  if (database) onClose(database.close)
  const metrics = database && createMetrics(database)
  const driver = await openDriver({ config, database, log, collected: metrics?.collected })
  const doors = await openDoors({ config, database, log, onClose })
  const collecting =
    database &&
    driver.collection &&
    startCollecting({
      database,
      collection: driver.collection,
      everyMs: config.STORAGE_COLLECT_MINUTES * 60_000,
      log,
    })
  if (collecting) onClose(collecting.close)
  const server = await serve({
    name: 'storage',
    host: config.HOST,
    port: config.PORT,
    log,
    routes: routes({
      blobs: driver.blobs,
      limits: { fileBytes: config.STORAGE_MAX_FILE_BYTES, files: config.STORAGE_MAX_FILES },
      doors: { ...doors, ...(driver.pinned ? { pinned: driver.pinned } : {}) },
      ...(collecting ? { removed: collecting.ring } : {}),
    }),
    errors: statuses,
    ...httpOptions(config),
    ready: { ...driver.ready, ...(database ? { database: () => database.query('select 1') } : {}) },
    ...(metrics ? { metrics: metrics.registry } : {}),
  })
  onClose(() => server.close())
}

async function openDriver({
  config,
  database,
  log,
  collected = () => {},
}: {
  config: Config
  database: Database | undefined
  log: Log
  collected?: ((what: Collected) => void) | undefined
}): Promise<Driver> {
  const driver = driverOf(config)
  // The configuration was read: it names one.
  if (driver === undefined) throw new Error('nothing holds the files')
  if ('node' in driver) {
    const kubo = createKuboBlobs(driver)
    const ready = { node: () => kubo.check() }
    if (!database) return { blobs: kubo, ready }
    return { blobs: kubo, ready, pinned: kubo.pin, collection: nodeCollection({ database, kubo }) }
  }
  const blocks = await openBlocks(driver)
  const opened = { blobs: createBlobs({ blocks }), ready: { disk: () => blocks.check() } }
  if (!database) {
    await disown(driver)
    return opened
  }
  await adopt({ database, blocks, ...driver })
  const graceMs = config.STORAGE_GRACE_MINUTES * 60_000
  return { ...opened, collection: blockCollection({ database, blocks, graceMs, log, count: collected }) }
}

async function openDoors({
  config,
  database,
  log,
  onClose,
}: Starting & { database: Database | undefined }): Promise<Doors> {
  if (!database) return {}
  const { STORAGE_UPLOADS: uploads, STORAGE_QUOTA_BYTES: bytes } = config
  const quota = bytes === undefined ? undefined : ({ bytes, per: uploads === 'signed' ? 'account' : 'day' } as const)
  const ledger = openLedger({ database, quota, log })
  onClose(ledger.close)
  if (uploads === 'open') return { ledger }
  const chain = await connectChain({ url: config.CHAIN_URL ?? '' })
  onClose(() => chain.provider.destroy())
  const hub = config.HUB_ADDRESS as Address
  return { ledger, signed: { chain: chain.provider, chainId: chain.chainId, hub, database } }
}
