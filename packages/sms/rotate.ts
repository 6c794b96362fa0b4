/** Re-wraps all data keys under the first of SMS_MASTER_KEYS: `node packages/sms/rotate.ts`, beside running services. */
import { databaseVariables, openDatabase, readConfig } from '@sealdeal/server'
import { z } from 'zod'
import { checkMasterKeys, masterKeyVariables } from './config.ts'
import { migrations } from './index.ts'
import { openMasterKeys } from './masterKeys.ts'
import { rotate } from './rotation.ts'

const schema = z
  .object({ DATABASE_URL: databaseVariables.DATABASE_URL.unwrap(), ...masterKeyVariables })
  .superRefine(checkMasterKeys)

async function main(): Promise<number> {
  const config = readConfig({ schema, env: process.env })
  const master = await openMasterKeys(config, process.env)
  const database = await openDatabase({ url: config.DATABASE_URL, migrations, connections: 2 })
  try {
    const say = (line: object) => console.log(JSON.stringify(line))
    const outcome = await rotate({ database, master, onBatch: (rewrapped) => say({ rewrapped }) })
    say({ current: master.current.id, ...outcome })
    if (outcome.left > 0) console.error(`${outcome.left} secrets are still under another key: run it again.`)
    return outcome.left > 0 ? 1 : 0
  } finally {
    await database.close()
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  return 1
})
