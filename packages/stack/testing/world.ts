// Everything of a running stack that somebody other than the data's owner can see, searched for a canary.
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { getCreateAddress, JsonRpcProvider } from 'ethers'
import pg from 'pg'
import { type Finding, needles, scanBytes, scanFolder } from './canary.ts'

export type World = {
  /** The stack's own folder: logs, stored blobs, work folders. */
  directory: string
  chainUrl: string
  /** A URL of each service's database; its files are searched as well where they lie in a temporary folder. */
  databaseUrls: string[]
  /** Process ids whose arguments and environment, and those of their descendants, are searched. */
  pids: number[]
  /** When the stack was started: temporary folders shared with others are searched for what changed since. */
  since: Date
}

/** Searches chain, databases, files, temporary folders, arguments and environments for one secret or for several. */
export async function scanWorld(world: World, ...canaries: (string | Uint8Array)[]): Promise<Finding[]> {
  const wanted = canaries.flatMap(needles)
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

/** Every transaction's input, every log, and the code of every contract, also of those that contracts made. */
async function scanChain(url: string, wanted: Needles): Promise<Finding[]> {
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 })
  const found: Finding[] = []
  try {
    const contracts = new Map<string, string>()
    const numbers = Array.from({ length: (await provider.getBlockNumber()) + 1 }, (_, number) => number)
    await each(numbers, async (number) => {
      const block = await provider.getBlock(number, true)
      for (const { hash, data } of block?.prefetchedTransactions ?? []) {
        found.push(...scanBytes(bytesOf(data), wanted, `input of transaction ${hash}`))
        const receipt = await provider.getTransactionReceipt(hash)
        if (receipt?.contractAddress) contracts.set(receipt.contractAddress, 'by a transaction')
        for (const { address, topics, data } of receipt?.logs ?? []) {
          contracts.set(address, 'named by a log')
          // What CREATE2 made is named where a token or an argument is an address.
          for (const topic of topics.filter((topic) => /^0x0{24}[^0]/.test(topic)))
            contracts.set(`0x${topic.slice(26)}`, 'named by a topic')
          const where = `log of transaction ${hash}`
          for (const bytes of [data, ...topics]) found.push(...scanBytes(bytesOf(bytes), wanted, where))
        }
      }
    })
    await each([...contracts], async ([address, origin]) => {
      found.push(...(await scanCode(address, origin)))
      // The address of what CREATE made follows from its maker and the maker's nonce.
      const made = (await provider.getTransactionCount(address)) - 1
      const nonces = Array.from({ length: Math.max(made, 0) }, (_, index) => index + 1)
      await each(nonces, async (nonce) => {
        found.push(...(await scanCode(getCreateAddress({ from: address, nonce }), `created by ${address}`)))
      })
    })
  } finally {
    provider.destroy()
  }
  return found

  async function scanCode(address: string, origin: string): Promise<Finding[]> {
    return scanBytes(bytesOf(await provider.getCode(address)), wanted, `code of ${address}, ${origin}`)
  }
}

/** Does something with each item, a number of them at a time. */
async function each<T>(items: T[], action: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += 50) {
    await Promise.all(items.slice(start, start + 50).map(action))
  }
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
  for (const id of [pid, ...(await descendants(pid))]) {
    for (const file of ['cmdline', 'environ']) {
      const bytes = await readFile(`/proc/${id}/${file}`).catch(() => Buffer.alloc(0))
      found.push(...scanBytes(bytes, wanted, `/proc/${id}/${file}`))
    }
  }
  return found
}

/** Process ids of the children of a process, and of theirs; none where the kernel does not tell. */
export async function descendants(pid: number): Promise<number[]> {
  const found: number[] = []
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  for (const thread of threads) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')
    for (const child of children.split(' ').filter((text) => text !== ''))
      found.push(Number(child), ...(await descendants(Number(child))))
  }
  return found
}
