import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { z } from 'zod'
import { type Database, openDatabase } from './database.ts'
import { startJobs } from './jobs.ts'
import { createLog } from './log.ts'
import { openTestDatabase } from './testing.ts'

describe('openDatabase', function () {
  this.timeout(30_000)
  let folder: string
  let database: Database
  let url: string
  let close: () => Promise<void>
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdeal-migrations-'))
    ;({ database, url, close } = await openTestDatabase({ migrations: [] }))
    await database.query('create table counted (n int)')
  })
  after(async () => {
    await close()
    await rm(folder, { recursive: true })
  })

  async function migrations(name: string, files: Record<string, string>): Promise<URL[]> {
    const path = join(folder, name, 'migrations')
    await mkdir(path, { recursive: true })
    for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text)
    return [pathToFileURL(`${path}/`)]
  }
  const open = async (folders: readonly URL[]) => {
    const opened = await openDatabase({ url, migrations: folders })
    await opened.close()
  }
  const refusal = (folders: readonly URL[]) => open(folders).then(() => '', String)

  it('applies each migration once, also when replicas start at the same moment', async () => {
    const folders = await migrations('once', {
      '0001_table.sql': 'create table once (n int)',
      '0002_row.sql': 'insert into once values (1)',
    })
    await Promise.all([open(folders), open(folders), open(folders)])
    await open(folders)
    expect(await database.query('select n from once')).to.deep.equal([{ n: 1 }])
    await migrations('once', { '0003_more.sql': 'insert into once values (2)' })
    await open(folders)
    expect(await database.query('select n from once order by n')).to.deep.equal([{ n: 1 }, { n: 2 }])
  })

  it('undoes all of a start whose migration fails, and names the file', async () => {
    const folders = await migrations('broken', { '0001_good.sql': 'create table half (n int)', '0002_bad.sql': 'oops' })
    expect(await refusal(folders))
      .to.contain('0002_bad.sql')
      .and.to.contain('syntax error')
    expect(await database.query(`select to_regclass('half')::text as half`)).to.deep.equal([{ half: null }])
  })

  it('refuses a number that was taken by another file', async () => {
    const folders = await migrations('renamed', { '0001_one.sql': 'select 1' })
    await open(folders)
    await rm(join(folder, 'renamed', 'migrations', '0001_one.sql'))
    await migrations('renamed', { '0001_two.sql': 'select 2' })
    expect(await refusal(folders)).to.contain('has the number of "0001_one.sql"')
  })

  it('reads whole numbers of any size exactly', async () => {
    const [row] = await database.query(
      `select (2::numeric ^ 255)::numeric(78) as large, 9007199254740993::bigint as big`,
    )
    expect(row).to.deep.equal({ large: 2n ** 255n, big: 9007199254740993n })
  })

  it('undoes a transaction that fails', async () => {
    const failed = database.transaction(async (transaction) => {
      await transaction.query('insert into counted values (1)')
      throw new Error('no')
    })
    expect(await failed.catch((error: Error) => error.message)).to.equal('no')
    expect(await database.query('select * from counted')).to.deep.equal([])
  })

  it('hears notifications', async () => {
    const heard: string[] = []
    const listener = await database.listen('news', (payload) => heard.push(payload))
    await database.query(`select pg_notify('news', 'hello')`)
    while (!heard.includes('hello')) await sleep(5)
    await listener.close()
  })

  it('asks a server that is away once every half second whether it is back, and then hears again', async () => {
    let isAway = false
    let tries = 0
    const open = new Set<Socket>()
    const front = createServer((client) => {
      tries++
      if (isAway) return client.destroy()
      const upstream = connect(Number(new URL(url).port), '127.0.0.1')
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        open.add(one)
        one.on('error', () => {}).on('close', () => other.destroy())
        one.pipe(other)
      }
    })
    front.listen(0, '127.0.0.1')
    await once(front, 'listening')
    const through = new URL(url)
    through.port = String((front.address() as AddressInfo).port)
    const guarded = await openDatabase({ url: through.href, migrations: [] })
    const heard: string[] = []
    const listener = await guarded.listen('back', (payload) => heard.push(payload))
    isAway = true
    tries = 0
    for (const socket of open) socket.destroy()
    await sleep(2_600)
    expect(tries).to.be.within(3, 6)
    isAway = false
    // Told that it may have missed something.
    while (heard.length < 2) await sleep(20)
    await database.query("select pg_notify('back', 'again')")
    while (heard.length < 3) await sleep(20)
    expect(heard).to.deep.equal(['', '', 'again'])
    await listener.close()
    await guarded.close()
    front.close()
  })

  it('runs jobs that were committed, again when they fail, and none that were not', async () => {
    const done: number[] = []
    let failures = 0
    const jobs = await startJobs({
      database,
      log: createLog({ name: 'test', level: 'silent' }),
      jobs: {
        count: {
          payload: z.object({ n: z.number() }),
          run: async ({ n }: { n: number }) => {
            if (n === 2 && failures++ === 0) throw new Error('not yet')
            done.push(n)
          },
        },
      },
    })
    await jobs.enqueue({ name: 'count', payload: { n: 1 } })
    await jobs.enqueue({ name: 'count', payload: { n: 2 } })
    await database
      .transaction(async (transaction) => {
        await jobs.enqueue({ name: 'count', payload: { n: 3 }, on: transaction })
        throw new Error('undone')
      })
      .catch(() => {})
    const deadline = Date.now() + 15_000
    while (done.length < 2 && Date.now() < deadline) await sleep(20)
    expect([done, failures]).to.deep.equal([[1, 2], 2])
    await jobs.close()
  })
})
