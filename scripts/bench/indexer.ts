// `node scripts/bench/indexer.ts`: how many events of a local node's history are indexed per second, against the raw inserts
// of the same rows on this machine, into the same PostgreSQL, which waits for the disk.
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Hex, Task, zeroAddress } from '@sealdeal/protocol'
import { type Database, startPostgres } from '@sealdeal/server'
import { getBytes, type HDNodeWallet, id } from 'ethers'
import { tables } from '../../packages/indexer/handlers.ts'
import { createWorld, type World } from '../../packages/indexer/testing/world.ts'

const WANTED_PER_SECOND = 5_000
/** How long the history is: deals of 50 tasks, each settled. */
const DEALS = Number(process.env.DEALS ?? 60)
const RUNS = Number(process.env.RUNS ?? 3)
const tasksOfDeal = 50n

/** A marketplace at work: every deal matched, each of its tasks settled, fifty in one transaction. */
async function makeHistory(world: World): Promise<void> {
  const app = await world.createApp()
  const workerpool = await world.createWorkerpool()
  const dataset = await world.protectData('{"email":"string"}')
  for (let made = 0; made < DEALS; made++) {
    const orders = await world.ordersOf({ app, dataset, workerpool, volume: tasksOfDeal })
    const dealId = await world.match(orders)
    if (!(await settleAll(world, dealId))) throw new Error(`The tasks of deal ${dealId} could not be settled.`)
  }
}

async function settleAll({ contracts, people, mined }: World, dealId: Hex): Promise<boolean> {
  const worker = people.workers[0] as HDNodeWallet
  const settlements = await Promise.all(
    Array.from({ length: Number(tasksOfDeal) }, async (_, index) => {
      const idx = BigInt(index)
      const hash = Task.authorizationHash(worker.address as Hex, Task.id(dealId, idx), zeroAddress)
      return {
        idx,
        worker: worker.address,
        outputDigest: id('output'),
        results: '0x7b7d',
        resultsCallback: '0x',
        enclaveChallenge: zeroAddress,
        enclaveSign: '0x',
        authorizationSign: await people.pool.signMessage(getBytes(hash)),
      }
    }),
  )
  return mined(contracts.hub.connect(worker).settleBatch(dealId, settlements))
}

/** Of those tables whose rows are one event each, or a part of one. */
const counted = tables.filter((table) => !['asset', 'task', 'order_event'].includes(table))

async function countEvents(database: Database): Promise<number> {
  const counts = counted.map((table) => `(select count(*) from ${table})`).join(' + ')
  const [row] = await database.query<{ events: bigint }>(`select ${counts} as events`)
  return Number(row?.events)
}

/** From an empty database to the head of the chain, in seconds, and in seconds of this process's CPU. */
async function index(world: World): Promise<{ seconds: number; cpu: number }> {
  await world.database.query('truncate block, follow_cursor, follow_block cascade')
  const [since, before] = [performance.now(), process.cpuUsage()]
  const indexer = await world.start()
  await indexer.caughtUp()
  const seconds = (performance.now() - since) / 1_000
  const { user, system } = process.cpuUsage(before)
  await indexer.close()
  return { seconds, cpu: (user + system) / 1e6 }
}

/** The same rows into tables with the same indexes, a thousand in a statement, in seconds: nothing is read, nothing made. */
async function insertRaw(database: Database): Promise<number> {
  let seconds = 0
  for (const table of ['block', 'transaction', 'account', ...tables]) {
    await database.query(`drop table if exists raw; create table raw (like ${table} including all)`)
    const rows = await database.query<{ row: object }>(`select to_jsonb(${table}) as row from ${table}`)
    for (let start = 0; start < rows.length; start += 1_000) {
      const part = JSON.stringify(rows.slice(start, start + 1_000).map(({ row }) => row))
      const since = performance.now()
      await database.query('insert into raw select * from jsonb_populate_recordset(null::raw, $1)', [part])
      seconds += (performance.now() - since) / 1_000
    }
  }
  await database.query('drop table raw')
  return seconds
}

const directory = await mkdtemp(join(tmpdir(), 'bench-indexer-'))
const postgres = await startPostgres({ directory })
process.env.TEST_DATABASE_URL = await postgres.database('bench')
const world = await createWorld({ node: 'anvil' })
try {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}`)
  await makeHistory(world)
  const took: Awaited<ReturnType<typeof index>>[] = []
  for (let run = 0; run < RUNS; run++) took.push(await index(world))
  const events = await countEvents(world.database)
  const rate = events / Math.min(...took.map(({ seconds }) => seconds))
  const ceiling = events / (await insertRaw(world.database))
  const all = took.map(({ seconds, cpu }) => `${seconds.toFixed(2)} s (CPU ${cpu.toFixed(2)} s)`).join(', ')
  console.log(`${events} events in ${await world.provider.getBlockNumber()} blocks, indexed in ${all}`)
  console.log(`raw inserts of the same rows: those of ${ceiling.toFixed(0)} events/s`)
  const isMet = rate >= WANTED_PER_SECOND
  const share = `${((rate / ceiling) * 100).toFixed(0)} % of the raw inserts`
  console.log(
    `${isMet ? 'met   ' : 'MISSED'} indexing: ${rate.toFixed(0)} events/s, ${share} (wanted: ${WANTED_PER_SECOND})`,
  )
  process.exitCode = isMet ? 0 : 1
} finally {
  await world.close()
  await postgres.stop()
  await rm(directory, { recursive: true, force: true })
}
