/**
 * Verifies the audit log: `node packages/sms/audit.ts [--export] [--noted SEQUENCE:HASH]`. `--export` prints each entry as a
 * line of JSON before. Exit code 1: the chain does not hold, and what is wrong stands on standard error.
 */
import { parseArgs } from 'node:util'
import { databaseVariables, openDatabase, readConfig } from '@sealdeal/server'
import { z } from 'zod'
import { type Head, verifyAudit } from './auditLog.ts'
import { migrations } from './index.ts'

const schema = z.object({ DATABASE_URL: databaseVariables.DATABASE_URL.unwrap() })

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { export: { type: 'boolean' }, noted: { type: 'string' } } })
  const noted = values.noted === undefined ? undefined : readHead(values.noted)
  const { DATABASE_URL: url } = readConfig({ schema, env: process.env })
  const database = await openDatabase({ url, migrations, connections: 1 })
  try {
    const say = (line: object) => console.log(JSON.stringify(line))
    const { entries, head, problems } = await verifyAudit({ database, noted, ...(values.export && { onEntry: say }) })
    for (const problem of problems) console.error(problem)
    console.error(`${entries} entries, ${problems.length} problems; the last is ${head.sequence}:${head.hash}`)
    return problems.length > 0 ? 1 : 0
  } finally {
    await database.close()
  }
}

function readHead(text: string): Head {
  const [, sequence, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? []
  if (sequence === undefined || hash === undefined) {
    throw new Error(`--noted must be SEQUENCE:HASH as a verification printed it, is "${text}"`)
  }
  return { sequence: Number(sequence), hash }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  return 1
})
