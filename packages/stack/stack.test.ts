// The stack as its user meets it: started at a terminal, interrupted, killed, started again.
import { spawnSync } from 'node:child_process'
import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { run } from '@sealdeal/sdk'
import { type Postgres, startPostgres } from '@sealdeal/server'
import { expect } from 'chai'
import pg from 'pg'
import { finished, offerApp, resultKey } from './testing/scene.ts'
import {
  clientOf,
  isFree,
  type Mark,
  openTerminal,
  portsOf,
  ready,
  type Terminal,
  untilGone,
} from './testing/terminal.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const npm = ['npm', '--silent', 'run', 'stack', '--']
const isRoot = process.getuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }

describe('npm run stack', function () {
  this.timeout(90_000)
  const folders: string[] = []
  const open = new Set<{ terminal: Terminal; temporary: string }>()

  /** A folder that the database's account may pass through when we are root. */
  async function freshFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'sealdeal-terminal-'))
    await chmod(folder, 0o755)
    folders.push(folder)
    return folder
  }
  function start(parameters: Parameters<typeof openTerminal>[0]): Terminal {
    const terminal = openTerminal(parameters)
    open.add({ terminal, temporary: parameters.temporary })
    return terminal
  }
  async function startReady(parameters: Parameters<typeof openTerminal>[0]): Promise<Terminal> {
    const terminal = start(parameters)
    await terminal.printed(ready)
    return terminal
  }
  /** Nothing runs any more, nothing listens any more. */
  async function expectNothingLeft(terminal: Terminal, family: Mark[], temporary: string): Promise<void> {
    await untilGone({ family, temporary })
    for (const port of portsOf(terminal.output(), family)) expect(await isFree(port), `port ${port}`).to.equal(true)
  }
  /** Has the stack run an app for a while: answers when the app is at work, with its process among the family. */
  async function keepBusy(terminal: Terminal, seconds = 60) {
    const { app } = await offerApp(await clientOf(terminal.output(), 'company'), { price: 0n })
    const researcher = await clientOf(terminal.output(), 'researcher')
    const price = { workerpoolMaxPrice: 1_000_000_000n }
    await run(researcher, { app, ...price, args: `--sleep ${seconds}`, resultKey: await resultKey() })
    return atWork(terminal)
  }
  const isApp = ({ command }: Mark) => command.includes('main.mjs --sleep')
  const isEnclave = ({ command }: Mark) => /node \S*enclave\/main\.ts/.test(command)
  async function atWork(terminal: Terminal, other: (mark: Mark) => boolean = () => true): Promise<Mark[]> {
    for (const end = Date.now() + 20_000; ; await sleep(50)) {
      const family = await terminal.family()
      if (family.some((mark) => isApp(mark) && other(mark))) return family
      if (Date.now() > end) throw new Error(`no app is at work:\n${family.map(({ command }) => command).join('\n')}`)
    }
  }

  afterEach(async () => {
    for (const each of open) {
      const family = await each.terminal.family()
      if (family.length > 0) each.terminal.press('SIGTERM')
      await untilGone({ family, temporary: each.temporary }, 15_000).catch((error: Error) => {
        for (const { pid } of family) killed(pid)
        console.error(error.message)
      })
      open.delete(each)
    }
  })
  after(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })

  describe('given one folder and one start after the other', () => {
    let temporary: string
    let directory: string
    before(async () => {
      temporary = await freshFolder()
      directory = join(temporary, 'stack')
    })

    it('says which program was lost, and ends cleanly at Ctrl-C', async () => {
      const terminal = await startReady({ command: npm, args: ['--directory', directory], temporary })
      const family = await terminal.family()
      const ports = portsOf(terminal.output(), family)
      expect(ports).to.have.length(8)
      for (const port of ports) expect(await isFree(port), `port ${port}`).to.equal(false)
      for (const name of ['market', 'indexer', 'sms', 'storage', 'scheduler', 'matcher', 'worker', 'callbacks'])
        expect(
          family.filter(({ command }) => command.includes(`packages/${name}/main.ts`)),
          name,
        ).to.have.length(1)

      killed(family.find(({ command }) => command.includes('packages/storage/main.ts'))?.pid ?? 0)
      await terminal.printed('"storage" has ended although nobody asked it to. Its log:')
      terminal.press('SIGINT')
      await terminal.ended
      expect(terminal.output()).to.match(/Stopping\.\.\.\nStopped\.\n$/)
      expect(terminal.output()).not.to.match(
        /"(market|indexer|sms|scheduler|matcher|worker|callbacks|chain)" has ended/,
      )
      await expectNothingLeft(terminal, family, temporary)
    })

    it('notices the database of the earlier chain; killed in the middle of a run, leaves nothing', async () => {
      const terminal = await startReady({ args: ['--directory', directory], temporary })
      expect(terminal.output()).to.match(/the database of an earlier run belongs to another chain \(it began with 0x/)
      const family = await keepBusy(terminal)
      expect(family.some(isEnclave), 'an enclave').to.equal(true)
      killed(terminal.pid)
      expect(await terminal.ended).to.equal('SIGKILL')
      await expectNothingLeft(terminal, family, temporary)
    })

    it('starts after that; refuses a second one beside it; ends when npm is killed', async () => {
      const terminal = await startReady({ command: npm, args: ['--directory', directory], temporary })
      const second = start({ args: ['--directory', directory], temporary })
      expect(await second.ended).to.equal(1)
      expect(second.output()).to.match(/is in use by process \d+/)
      // The first one has lost nothing by it.
      expect((await fetch(`${terminal.output().match(/scheduler +(\S+)/)?.[1]}/ready`)).status).to.equal(200)

      const family = await terminal.family()
      expect(family.length).to.be.greaterThan(10)
      killed(terminal.pid)
      await expectNothingLeft(terminal, family, temporary)
      expect(terminal.output()).to.match(/Stopped\.\n$/)
    })
  })

  for (const [moment, text] of [
    ['when it has printed nothing yet', ''],
    ['when chain and database run', 'a chain at'],
    ['when the contracts are deployed', 'contracts:'],
    ['when the servers run', 'servers:'],
  ] as const) {
    it(`stops at Ctrl-C ${moment}`, async () => {
      const temporary = await freshFolder()
      const terminal = start({ args: ['--directory', join(temporary, 'stack')], temporary })
      // Before it has loaded itself it does not listen to anybody, and has started nothing.
      if (text === '') await untilStarting(terminal)
      else await terminal.printed(text)
      const family = await terminal.family()
      terminal.press('SIGINT')
      expect(await terminal.ended).to.be.oneOf([0, 130])
      expect(terminal.output()).to.match(/Stopped( before it was ready)?\.\n$/)
      await expectNothingLeft(terminal, family, temporary)
    })
  }
  async function untilStarting(terminal: Terminal): Promise<void> {
    while (!(await terminal.family()).some(({ command }) => command.includes('stack/node.ts'))) await sleep(10)
  }

  describe('given apps without a sandbox', () => {
    it('takes the app along when the enclave is killed, and everything at SIGTERM in the middle of a run', async () => {
      const temporary = await freshFolder()
      const args = ['--directory', join(temporary, 'stack'), '--no-sandbox']
      const terminal = await startReady({ args, temporary })
      const first = await keepBusy(terminal)
      for (const { pid } of first.filter(isEnclave)) killed(pid)
      await untilGone({ family: first.filter(isApp), temporary: 'no folder' })
      // The pool leases the task again: another enclave, another app.
      const family = await atWork(terminal, ({ pid }) => first.every((mark) => mark.pid !== pid))
      process.kill(terminal.pid, 'SIGTERM')
      expect(await terminal.ended).to.equal(0)
      expect(terminal.output()).to.match(/Stopping\.\.\.\nStopped\.\n$/)
      await expectNothingLeft(terminal, [...first, ...family], temporary)
    })
  })

  describe('given a server in DATABASE_URL', () => {
    let server: Postgres
    let temporary: string
    before(async () => {
      temporary = await freshFolder()
      server = await startPostgres({ directory: join(await freshFolder(), 'postgres'), durable: false })
    })
    after(() => server?.stop())

    async function count(): Promise<number> {
      const client = new pg.Client({ connectionString: server.url('sealdeal_market') })
      await client.connect()
      try {
        return (await client.query('select 1 from follow_cursor')).rows.length
      } finally {
        await client.end()
      }
    }
    it('uses it; refuses it from the next chain on; empties it with --wipe; ends when its chain does', async () => {
      const env = { DATABASE_URL: server.url() }
      const args = ['--directory', join(temporary, 'stack')]
      const first = await startReady({ args, temporary, env })
      const family = await first.family()
      expect(family.filter(({ command }) => /postgres -D/.test(command))).to.deep.equal([])
      expect(await count()).to.be.greaterThan(0)
      first.press('SIGINT')
      expect(await first.ended).to.equal(0)
      await expectNothingLeft(first, family, temporary)

      const second = start({ args, temporary, env })
      expect(await second.ended).to.equal(1)
      expect(second.output()).to.match(/"sealdeal_\w+" was filled from a chain that began with block 0x/)
      expect(second.output()).to.match(/Start again with --wipe/)
      expect(await count(), 'rows after the refusal').to.be.greaterThan(0)

      const third = await startReady({ args: [...args, '--wipe'], temporary, env })
      expect(third.output()).to.match(/emptied, as asked/)
      const last = await third.family()
      killed(last.find(({ command }) => command.includes('stack/node.ts'))?.pid ?? 0)
      expect(await third.ended).to.equal(1)
      expect(third.output()).to.match(/"chain" has ended[\s\S]*Stopped\.\n$/)
      await expectNothingLeft(third, last, temporary)
      // The server is not ours: it lives on.
      expect(await count()).to.be.greaterThan(0)
    })

    it('says what is wrong with a server that cannot be used, without its password', async () => {
      for (const [url, reason] of [
        ['mysql://root:hunter2@localhost/db', 'this is not a postgres:// URL'],
        ['postgres://me:hunter2@127.0.0.1:1/db', '127.0.0.1:1: connect ECONNREFUSED'],
        [server.url().replace(/:[^:@/]+@/, ':hunter2@'), 'password authentication failed'],
      ]) {
        const env = { DATABASE_URL: url ?? '' }
        const terminal = start({ args: ['--directory', join(temporary, 'refused')], temporary, env })
        expect(await terminal.ended).to.equal(1)
        expect(terminal.output()).to.include(reason).and.to.include('DATABASE_URL').and.not.to.include('hunter2')
        await untilGone({ family: [], temporary })
      }
    })
  })

  describe('given arguments that mean nothing', () => {
    for (const [args, reason] of [
      [['--chain-id', '0'], '--chain-id must be a whole number above zero, not "0".'],
      [['--chain-id', '0x7a69'], 'not "0x7a69"'],
      [['--chain-id', '9999999999999999'], 'not "9999999999999999"'],
      [['--cahin-id', '5'], "Unknown option '--cahin-id'"],
      [['now'], "Unexpected argument 'now'"],
      [['--directory', ''], '--directory must name a folder.'],
      [['--directory', '/dev/null/stack'], "not a directory, mkdir '/dev/null/stack"],
    ] as const) {
      it(`says so of ${args.join(' ')}`, async () => {
        const temporary = await freshFolder()
        const terminal = start({ args: [...args], temporary })
        expect(await terminal.ended).to.equal(1)
        expect(terminal.output()).to.include(reason)
        // In words: nobody should read a stack trace because of a slip of the hand.
        expect(terminal.output()).not.to.match(/\n\s+at /)
      })
    }
    it('explains itself at --help', async () => {
      const terminal = start({ args: ['--help'], temporary: await freshFolder() })
      expect(await terminal.ended).to.equal(0)
      expect(terminal.output()).to.match(
        /--chain-id[\s\S]*--directory[\s\S]*--wipe[\s\S]*--no-sandbox[\s\S]*DATABASE_URL/,
      )
    })
  })

  describe('given a clone of its own', () => {
    let home: string
    let clone: string
    before(async function () {
      if (!isRoot) skip(this, 'only root can become somebody else and close a folder to others')
      home = await freshFolder()
      clone = join(home, 'clone')
      copyClone(this, clone)
    })

    async function expectRun(parameters: Omit<Parameters<typeof openTerminal>[0], 'command'>): Promise<void> {
      const terminal = await startReady({ ...parameters, command: npm, clone })
      const family = await terminal.family()
      expect(family.filter(({ command }) => command.includes(`${clone}/packages/`)).length).to.be.greaterThan(6)
      const { app } = await offerApp(await clientOf(terminal.output(), 'company'), { price: 0n })
      const researcher = await clientOf(terminal.output(), 'researcher')
      const price = { workerpoolMaxPrice: 1_000_000_000n }
      const deal = await run(researcher, { app, ...price, args: 'you', resultKey: await resultKey() })
      const { files } = await finished(researcher, deal)
      expect(Buffer.from(files.get('result.txt') ?? []).toString()).to.equal('Hello, you!\n')
      terminal.press('SIGINT')
      await terminal.ended
      expect(terminal.output(), terminal.output()).to.match(/Stopped\.\n$/)
      await expectNothingLeft(terminal, family, parameters.temporary)
    }

    it('runs as root where the clone lies in a folder that is closed to others', async () => {
      await chmod(home, 0o700)
      const probe = spawnSync('ls', [clone], nobody)
      expect(probe.status, 'nobody can enter').not.to.equal(0)
      await expectRun({ temporary: await freshFolder() })
    })

    it('runs as an ordinary user', async () => {
      const rooms = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true'], nobody)
      if (rooms.status !== 0) console.log(`      without a sandbox: ${rooms.stderr ?? rooms.error?.message}`)
      await chmod(home, 0o755)
      const entries = (await readdir(clone)).filter((name) => name !== 'node_modules')
      spawnSync('chown', ['-R', '65534:65534', ...entries.map((name) => join(clone, name))])
      await chown(clone, nobody.uid, nobody.gid)
      const temporary = await freshFolder()
      await chown(temporary, nobody.uid, nobody.gid)
      await expectRun({ temporary, user: nobody, args: rooms.status === 0 ? [] : ['--no-sandbox'] })
    })
  })
})

/** Kill -9. */
function killed(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL')
  } catch {
    // It was quicker.
  }
}

function skip(test: Mocha.Context, reason: string): never {
  console.log(`      not tested here: ${reason}`)
  return test.skip()
}

/** The clone as it is, compiled and installed; installed files are linked, which takes a second and no space. */
function copyClone(test: Mocha.Context, to: string): void {
  const linked = spawnSync('cp', ['-al', join(root, 'node_modules'), `${to}.modules`], { encoding: 'utf8' })
  if (linked.status !== 0) skip(test, `installed files cannot be linked into ${dirname(to)}: ${linked.stderr}`)
  const left = ['.git', '.data', 'node_modules', 'out', 'cache'].map((name) => `--exclude=./${name}`).join(' ')
  const copy = `mkdir "$2" && tar -c -C "$1" ${left} . | tar -x -C "$2" && mv "$2.modules" "$2/node_modules"`
  const copied = spawnSync('sh', ['-c', copy, 'sh', root, to], { encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(copied.stderr)
}
