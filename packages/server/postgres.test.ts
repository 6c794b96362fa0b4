import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import pg from 'pg'
import { startPostgres } from './postgres.ts'

const holder = fileURLToPath(new URL('./testing/postgresHolder.ts', import.meta.url))
const isRoot = process.getuid?.() === 0

async function freshDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sealdeal-pg-'))
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const results: pg.QueryArrayResult | pg.QueryArrayResult[] = await client
    .query({ text, rowMode: 'array' })
    .finally(() => client.end())
  return [results].flat().flatMap(({ rows }) => rows.flat())
}

/** Every process whose command line names the directory. */
async function processesOf(directory: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const commands = await Promise.all(
    pids.map(async (pid) => `${pid} ${await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')}`),
  )
  return commands.filter((command) => command.includes(`${directory}/data`))
}

async function until(met: () => Promise<boolean>, milliseconds = 15_000): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!(await met())) {
    if (Date.now() > deadline) throw new Error('did not happen in time')
    await sleep(50)
  }
}

/** A process that starts the database and waits: the one to kill. */
async function startHolder(directory: string, options: { uid?: number; gid?: number; durable?: boolean } = {}) {
  const { durable = false, ...user } = options
  const child = spawn(process.execPath, [holder, directory, String(durable)], {
    ...user,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const url = String(line).trim()
  expect(url).to.match(/^postgres:/)
  return { child, url }
}

describe('startPostgres', function () {
  this.timeout(60_000)
  const directories: string[] = []
  async function directory(): Promise<string> {
    const path = await freshDirectory()
    directories.push(path)
    return path
  }
  after(async () => {
    for (const path of directories) await rm(path, { recursive: true, force: true })
  })

  it('keeps its data over a restart, and begins anew when the directory is wiped', async () => {
    const path = await directory()
    const first = await startPostgres({ directory: path, durable: false })
    const url = await first.database('books')
    await ask(url, 'create table t (n int); insert into t values (7)')
    await first.stop()
    expect(await processesOf(path)).to.deep.equal([])

    const second = await startPostgres({ directory: path, durable: false })
    expect(await ask(await second.database('books'), 'select n from t')).to.deep.equal([7])
    await second.stop()

    await rm(path, { recursive: true })
    const third = await startPostgres({ directory: path, durable: false })
    expect(await ask(third.url(), `select count(*)::int from pg_database where datname = 'books'`)).to.deep.equal([0])
    await third.stop()
  })

  it('asks for the password', async () => {
    const path = await directory()
    const postgres = await startPostgres({ directory: path, durable: false })
    const wrong = postgres.url().replace(/:[^:@]+@/, ':guess@')
    const refusal = await ask(wrong, 'select 1').catch((error: Error) => error.message)
    expect(refusal).to.contain('password authentication failed')
    await postgres.stop()
  })

  it('refuses a second start while the first one lives, naming it', async () => {
    const path = await directory()
    const { child } = await startHolder(path)
    const refusal = await startPostgres({ directory: path }).catch((error: Error) => error)
    expect(refusal).to.have.property('name', 'PostgresRunningError')
    expect(String(refusal)).to.contain(String(child.pid))
    child.kill('SIGKILL')
    await until(async () => (await processesOf(path)).length === 0)
  })

  it('leaves no orphan when its owner is killed, and the next start finds what was committed', async () => {
    const path = await directory()
    const { child, url } = await startHolder(path)
    await ask(url, 'create table t (n int); insert into t values (1)')
    child.kill('SIGKILL')
    // At once: the server may still be ending.
    const next = await startPostgres({ directory: path, durable: false })
    expect(await ask(next.url(), 'select n from t')).to.deep.equal([1])
    await next.stop()
    await until(async () => (await processesOf(path)).length === 0)
  })

  it('starts again after the server itself was killed, with everything that was committed', async () => {
    const path = await directory()
    const { child, url } = await startHolder(path, { durable: true })
    await ask(url, 'create table t (n int); insert into t values (1)')
    const pid = Number((await readFile(join(path, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
    process.kill(pid, 'SIGKILL')
    child.kill('SIGKILL')
    const next = await startPostgres({ directory: path, durable: false })
    expect(await ask(next.url(), 'select n from t')).to.deep.equal([1])
    await next.stop()
  })

  it('makes the directory again when the first start was killed half-way', async () => {
    const path = await directory()
    const child = spawn(process.execPath, [holder, path], { stdio: ['pipe', 'ignore', 'ignore'] })
    await until(async () => (await readdir(path)).some((name) => name.startsWith('data.new.')))
    child.kill('SIGKILL')
    const next = await startPostgres({ directory: path, durable: false })
    expect(await ask(next.url(), 'select 1')).to.deep.equal([1])
    await next.stop()
  })

  it('given root, runs the server as a user without rights, wherever the programs lie', async function () {
    if (!isRoot) return skip(this, 'only root can become another user')
    const path = await directory()
    const postgres = await startPostgres({ directory: path, durable: false })
    const pid = (await readFile(join(path, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]
    expect(await readFile(`/proc/${pid}/status`, 'utf8')).to.match(/^Uid:\t[1-9]/m)
    await postgres.stop()
  })

  it('given an ordinary user, runs as that user and leaves no orphan either', async function () {
    const uid = Number(spawnSync('id', ['-u', 'nobody']).stdout)
    const gid = Number(spawnSync('id', ['-g', 'nobody']).stdout)
    if (!isRoot || !uid) return skip(this, 'only root can become another user')
    const path = `${await directory()}-nobody`
    directories.push(path)
    const { child, url } = await startHolder(path, { uid, gid })
    expect(await ask(url, 'select 1')).to.deep.equal([1])
    child.kill('SIGKILL')
    await until(async () => (await processesOf(path)).length === 0)
  })
})

function skip(test: Mocha.Context, reason: string): never {
  console.log(`      skipped: ${reason}`)
  return test.skip()
}
