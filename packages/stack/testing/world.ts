// Everything of a running stack that somebody other than the data's owner can see, searched for a canary.
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { JsonRpcProvider, type TransactionReceipt } from 'ethers'
import pg from 'pg'
import { type Finding, needles, scanBytes, scanFolder } from './canary.ts'

export type World = {
  /** The stack's own folder: logs, stored blobs, work folders, the database's files. */
  directory: string
  chainUrl: string
  /** A URL of each service's database. */
  databaseUrls: string[]
  /** Process ids whose arguments and environment are searched. */
  pids: number[]
  /** When the stack was started: temporary folders shared with others are searched for what changed since. */
  since: Date
}

/** Searches chain, databases, files, temporary folders, arguments and environments. */
export async function scanWorld(world: World, canary: string | Uint8Array): Promise<Finding[]> {
  const wanted = needles(canary)
  const findings = [await scanFolder(world.directory, wanted)]
  for (const folder of new Set([tmpdir(), '/tmp', '/var/tmp', '/dev/shm'])) {
    findings.push(await scanFolder(folder, wanted, { since: world.since, leaveOut: [world.directory] }))
  }
  findings.push(await scanChain(world.chainUrl, wanted))
  for (const url of world.databaseUrls) findings.push(await scanDatabase(url, wanted))
  for (const pid of world.pids) findings.push(await scanProcess(pid, wanted))
  return findings.flat()
}

type Needles = ReturnType<typeof needles>

const bytesOf = (hex: string) => Buffer.from(hex.slice(2), 'hex')

/** Every transaction's input, every log, and the code of every contract that a log or a receipt names. */
async function scanChain(url: string, wanted: Needles): Promise<Finding[]> {
  const provider = new JsonRpcProvider(url)
  const found: Finding[] = []
  try {
    const height = await provider.getBlockNumber()
    const contracts = new Set<string>()
    for (let number = 0; number <= height; number++) {
      const block = await provider.getBlock(number, true)
      for (const transaction of block?.prefetchedTransactions ?? []) {
        found.push(...scanBytes(bytesOf(transaction.data), wanted, `input of transaction ${transaction.hash}`))
        const receipt = (await provider.getTransactionReceipt(transaction.hash)) as TransactionReceipt
        if (receipt.contractAddress) contracts.add(receipt.contractAddress)
        for (const log of receipt.logs) {
          contracts.add(log.address)
          found.push(...scanBytes(bytesOf(log.data), wanted, `log of transaction ${transaction.hash}`))
        }
      }
    }
    for (const address of contracts)
      found.push(...scanBytes(bytesOf(await provider.getCode(address)), wanted, `code of ${address}`))
  } finally {
    provider.destroy()
  }
  return found
}

/** Every row of every table, as text: binary columns are in hexadecimal there, which is one of the forms looked for. */
async function scanDatabase(url: string, wanted: Needles): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    )
    const found: Finding[] = []
    for (const { name } of tables.rows) {
      const rows = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`)
      for (const { row } of rows.rows)
        found.push(...scanBytes(Buffer.from(row), wanted, `table ${name} of ${new URL(url).pathname}`))
    }
    return found
  } finally {
    await client.end()
  }
}

/** The arguments and the environment of a process and of its descendants. */
async function scanProcess(pid: number, wanted: Needles): Promise<Finding[]> {
  const found: Finding[] = []
  for (const file of ['cmdline', 'environ']) {
    const bytes = await readFile(`/proc/${pid}/${file}`).catch(() => Buffer.alloc(0))
    found.push(...scanBytes(bytes, wanted, `/proc/${pid}/${file}`))
  }
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  for (const thread of threads) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')
    for (const child of children.split(' ').filter((text) => text !== ''))
      found.push(...(await scanProcess(Number(child), wanted)))
  }
  return found
}
