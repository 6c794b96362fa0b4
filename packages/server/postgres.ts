import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BaseError } from '@sealdeal/protocol'
import pg from 'pg'
import { giveTo, openPostgresHome, type PostgresHome } from './postgresHome.ts'
import { isRunning, type ProcessMark, processMark } from './processMark.ts'

/** The embedded PostgreSQL did not start or stopped; the last lines of its log say why. */
export class PostgresFailedError extends BaseError {
  override name = 'PostgresFailedError'
  constructor({ step, output }: { step: string; output: string }) {
    const lines = output.trim().split('\n').slice(-8)
    super(`The embedded PostgreSQL failed: ${step}.`, { metaMessages: lines, docsPath: '/operate#database' })
  }
}

/** Another process of ours serves from this directory. */
export class PostgresRunningError extends BaseError {
  override name = 'PostgresRunningError'
  constructor({ directory, pid }: { directory: string; pid: number }) {
    super(`The database in "${directory}" is in use by process ${pid}.`, {
      metaMessages: ['Stop that process first, or use another directory.'],
      docsPath: '/operate#database',
    })
  }
}

export type Postgres = {
  port: number
  directory: string
  /** The connection URL of a database; it holds the password: not for logs. */
  url: (database?: string) => string
  /** Creates the database when it is not there, and returns its URL. */
  database: (name: string) => Promise<string>
  stop: () => Promise<void>
}

/**
 * Starts an embedded PostgreSQL on a free local port, keeping its data in `directory`. Works for root (the server then
 * runs as an account without rights) and for ordinary users.
 *
 * The server ends with this process however that one ends: the kernel tells it (`setpriv --pdeathsig`, Linux), and a
 * guard that waits for the end of a pipe does (everywhere). The next start on the same directory waits for a server
 * that is still ending, and refuses when its owner lives.
 *
 * @param durable `false` does not wait for the disk: for tests, which lose nothing when the machine loses power.
 * @throws {PostgresRunningError | PostgresFailedError}
 */
export async function startPostgres({
  directory,
  durable = true,
}: {
  directory: string
  durable?: boolean
}): Promise<Postgres> {
  const home = await openPostgresHome(directory)
  await takeOver(home)
  try {
    const password = await initialise(home)
    const { child, port } = await launch({ home, durable, password })
    return running({ home, child, port, password })
  } catch (error) {
    await rm(join(directory, 'owner.json'), { force: true })
    throw error
  }
}

/** Marks the directory as ours. A mark whose process is gone is stale: its server is ending, or is made to end. */
async function takeOver(home: PostgresHome): Promise<void> {
  const path = join(home.directory, 'owner.json')
  const mine = JSON.stringify(await processMark(process.pid))
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(path, mine, { flag: 'wx', mode: 0o600 })
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const owner = await readMark(path)
      if (owner === undefined || !(await isRunning(owner))) await rm(path, { force: true })
      // Whoever was killed just now may take a moment to be gone.
      else if (attempt < 10) await sleep(50)
      else throw new PostgresRunningError({ directory: home.directory, pid: owner.pid })
    }
  }
  await endStaleServer(home)
}

async function readMark(path: string): Promise<ProcessMark | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessMark
  } catch {
    return undefined
  }
}

async function endStaleServer({ data }: PostgresHome): Promise<void> {
  const lock = join(data, 'postmaster.pid')
  const server = async () => {
    const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0])
    return pid > 0 && (await isServerOf({ pid, data })) ? pid : undefined
  }
  for (let waited = 0; waited < 100; waited++) {
    const pid = await server()
    // The lock of a killed server stays; the kernel may since have given its number to somebody else.
    if (pid === undefined) return rm(lock, { force: true })
    if (waited === 50) process.kill(pid, 'SIGQUIT')
    await sleep(100)
  }
  throw new PostgresFailedError({ step: 'an earlier server does not end', output: `See ${lock}.` })
}

/** On Linux the command line tells; elsewhere a living process of that number is taken for the server. */
async function isServerOf({ pid, data }: { pid: number; data: string }): Promise<boolean> {
  if (process.platform === 'linux') {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return command.split('\0').includes(data)
  }
  return isRunning({ pid })
}

/** Creates the data directory once; half-made ones (killed in the middle) are made again. Returns the password. */
async function initialise(home: PostgresHome): Promise<string> {
  const { data, directory, owner, binaries } = home
  const passwordFile = join(directory, 'password')
  if (existsSync(join(data, 'PG_VERSION'))) return readFile(passwordFile, 'utf8')

  const password = randomBytes(24).toString('base64url')
  // A name of its own: the programs of a start that was killed half-way may still be writing into theirs.
  const fresh = `${data}.new.${randomBytes(4).toString('hex')}`
  const handed = join(directory, 'password.initdb')
  const stale = (await readdir(directory)).filter((name) => name.startsWith('data.new.'))
  for (const path of [...stale.map((name) => join(directory, name)), data, handed, passwordFile]) {
    await rm(path, { recursive: true, force: true, maxRetries: 5 })
  }
  await mkdir(fresh, { mode: 0o700 })
  await giveTo(fresh, owner)
  await writeFile(handed, password, { mode: 0o600 })
  await giveTo(handed, owner)
  await writeFile(passwordFile, password, { mode: 0o600 })

  const format = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--username=postgres', '--no-instructions']
  const command = [binaries.initdb, '-D', fresh, ...format, '--no-sync', `--pwfile=${handed}`]
  const [program = '', ...rest] = endingWithUs(command, 'KILL')
  const child = spawn(program, rest, {
    ...owner,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collect(child)
  const [code] = await once(child, 'close')
  await rm(handed, { force: true })
  if (code !== 0) throw new PostgresFailedError({ step: 'the data directory could not be made', output: output() })
  await rename(fresh, data)
  return password
}

/** Nothing of our environment is the database's business; PG* variables would even change what it does. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

async function launch({
  home,
  durable,
  password,
}: {
  home: PostgresHome
  durable: boolean
  password: string
}): Promise<{ child: ChildProcess; port: number }> {
  let output = ''
  // Between choosing a free port and taking it, somebody else may: then another one is tried.
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort()
    const child = spawnServer({ home, durable, port })
    const read = collect(child)
    guard({ home, child })
    if (await answers({ child, port, password })) return { child, port }
    output = read()
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGQUIT')
    if (!/could not (bind|create any TCP)/.test(output)) break
  }
  throw new PostgresFailedError({ step: 'the server did not start', output })
}

function spawnServer({ home, durable, port }: { home: PostgresHome; durable: boolean; port: number }): ChildProcess {
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=64MB',
    'timezone=UTC',
    'log_min_messages=warning',
    // Statements may carry ciphertext and parameters: they have no place in a log.
    'log_min_error_statement=panic',
    ...(durable ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']),
  ].flatMap((setting) => ['-c', setting])
  const command = [home.binaries.postgres, '-D', home.data, ...settings]
  // Its own session: Ctrl-C in the terminal is for us, who stop the database last.
  const options = { ...home.owner, cwd: '/', env: serverEnvironment(), detached: true } as const
  const [program = '', ...rest] = endingWithUs(command, 'INT')
  return spawn(program, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Has the kernel send the signal to a program when we die, where it can. */
function endingWithUs(command: string[], signal: 'INT' | 'KILL'): string[] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path))
  return setpriv ? [setpriv, '--pdeathsig', signal, '--', ...command] : command
}

/** A shell that waits for the end of a pipe only we hold, and then ends the server. */
function guard({ home, child }: { home: PostgresHome; child: ChildProcess }): void {
  const script = [
    'trap "" INT TERM HUP',
    'read -r line',
    '[ "$line" = stopped ] && exit 0',
    'kill -INT "$1" 2>/dev/null',
    'i=0; while [ $i -lt 50 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; i=$((i+1)); done',
    'kill -QUIT "$1" 2>/dev/null',
  ].join('\n')
  const shell = spawn('/bin/sh', ['-c', script, 'guard', String(child.pid)], {
    ...home.owner,
    cwd: '/',
    env: serverEnvironment(),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.stdin?.on('error', () => {})
  shell.on('error', () => {})
  child.once('exit', () => shell.stdin?.end('stopped\n'))
  shell.unref()
  const pipe = shell.stdin as unknown as { unref?: () => void } | null
  pipe?.unref?.()
}

async function answers({ child, port, password }: { child: ChildProcess; port: number; password: string }) {
  const deadline = Date.now() + 60_000
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return true
    } catch {
      await sleep(50)
    }
  }
  return false
}

function running({
  home,
  child,
  port,
  password,
}: {
  home: PostgresHome
  child: ChildProcess
  port: number
  password: string
}): Postgres {
  const url = (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
  async function database(name: string): Promise<string> {
    const client = new pg.Client({ connectionString: url() })
    await client.connect()
    try {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
      if (!rowCount) await client.query(`create database ${client.escapeIdentifier(name)}`)
    } catch (error) {
      // 42P04, 23505: another process created it at the same moment.
      if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error
    } finally {
      await client.end()
    }
    return url(name)
  }
  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      // While it ran it kept nobody from ending. Now its end is waited for, which may take longer than the timer below.
      child.ref()
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      const hurry = setTimeout(() => child.kill('SIGQUIT'), 4_000)
      await ended
      clearTimeout(hurry)
    }
    await rm(join(home.directory, 'owner.json'), { force: true })
  }
  child.unref()
  return { port, directory: home.directory, url, database, stop }
}

/** Keeps the last lines of what a program prints. */
function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-8_000)
    })
  }
  child.on('error', (error) => {
    text += `\n${error.message}`
  })
  return () => text
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
