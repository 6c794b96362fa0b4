// `node scripts/backup.ts`: backs up a running marketplace with operate/backup.sh, loses everything that its services keep,
// restores it with operate/restore.sh, and runs an app on data that was protected before.
//
// On the PostgreSQL that DATABASE_URL names (its stack's databases are emptied!), else on one of the operating system.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { grantAccess, protectData, run as runApp } from '@sealdeal/sdk'
import { startStack } from '../packages/stack/stack.ts'
import { finished, limits, newcomer, offerApp, prices, resultKey, textOf } from '../packages/stack/testing/scene.ts'
import { startInstalled } from './backup/server.ts'
import { root, run } from './run.ts'

const services = ['sms', 'market', 'scheduler', 'matcher', 'callbacks', 'indexer'] as const

const installed = process.env.DATABASE_URL ? undefined : await startInstalled()
const url = process.env.DATABASE_URL ?? installed?.url
if (url === undefined) {
  console.log(
    'Nothing was tried: DATABASE_URL is not set, and no PostgreSQL is installed (apt-get install postgresql).',
  )
  process.exit(1)
}
const directory = mkdtempSync(join(tmpdir(), 'sealdeal-backup-'))
const backup = join(directory, 'backup')
const stack = await startStack({ directory: join(directory, 'stack'), databaseUrl: url, wipe: true })
const storage = join(stack.directory, 'storage')
const { hostname, port, username, password } = new URL(url)
const env = {
  PGHOST: hostname,
  PGPORT: port || '5432',
  PGUSER: username,
  ...(password ? { PGPASSWORD: decodeURIComponent(password) } : {}),
  DATABASES: services.map((name) => `sealdeal_${name}`).join(' '),
  STORAGE_DIRECTORY: storage,
}

try {
  const owner = await newcomer(stack)
  const cost = prices.app + prices.data + prices.pool
  const user = await newcomer(stack, { staked: 2n * cost })
  const { app } = await offerApp(owner)
  const { address: dataset } = await protectData(owner, { data: { name: 'Ada' } })
  await grantAccess(owner, {
    protectedData: dataset,
    authorizedApp: app,
    authorizedUser: user.account,
    pricePerAccess: prices.data,
    numberOfAccess: 10n,
  })
  const ask = async () => {
    const made = await runApp(user, { app, dataset, args: 'Ada', ...limits, resultKey: await resultKey() })
    return textOf((await finished(user, made)).files, 'result.txt').trim()
  }
  console.log(`before: a run says "${await ask()}"`)

  await step('backup', () => script('backup.sh'))
  for (const name of readdirSync(backup)) console.log(`  ${name}: ${statSync(join(backup, name)).size} bytes`)
  await step('loss of all databases and files', async () => {
    for (const name of services) await command('dropdb', ['--force', `sealdeal_${name}`])
    for (const name of readdirSync(storage)) rmSync(join(storage, name), { recursive: true })
  })
  await step('restore', () => script('restore.sh'))
  await step('start of the services', () => Promise.all([...services, 'storage' as const].map((n) => stack.restart(n))))
  console.log(`after: a run on the same data says "${await ask()}"`)
} finally {
  await stack.stop()
  await installed?.stop()
  rmSync(directory, { recursive: true, force: true })
}

function script(name: string): Promise<void> {
  return command(join(root, 'operate', name), [backup])
}

async function command(name: string, args: string[]): Promise<void> {
  const { code, output } = await run(name, args, { env })
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${output}`)
}

async function step(what: string, work: () => Promise<unknown>): Promise<void> {
  const since = performance.now()
  await work()
  console.log(`${what}: ${((performance.now() - since) / 1_000).toFixed(1)} s`)
}
