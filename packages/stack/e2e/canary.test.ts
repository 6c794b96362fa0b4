import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Bytes } from '@sealdeal/protocol'
import {
  type Client,
  grantAccess,
  type ProtectDataReturnType,
  protectData,
  type RunReturnType,
  run,
} from '@sealdeal/sdk'
import { openDatabase, readKeyFile } from '@sealdeal/server'
import { createSecrets, masterKeys } from '@sealdeal/sms'
import { expect } from 'chai'
import { type Process, startProcess } from '../processes.ts'
import { type ProgramName, programs, type Stack } from '../stack.ts'
import { untilGivenUp } from '../testing/attacks.ts'
import { type Finding, needles, scanBytes } from '../testing/canary.ts'
import { scanMemory } from '../testing/memory.ts'
import { finished, limits, newcomer, offerApp, prices, RLC, resultKey } from '../testing/scene.ts'
import { temporaryStack } from '../testing/shared.ts'
import { descendants, scanWorld, type World } from '../testing/world.ts'

const isRoot = process.getuid?.() === 0

/** Found where it should not be; and where it is no secret, to see that the scan looks there. */
const canary = `canary-${randomUUID()}`
const marker = `marker-${randomUUID()}`

/** Prints the data, fails with it as its message if told so, else returns it. */
const chatterbox = {
  'iapp.json': Bytes.fromUtf8('{ "entrypoint": ["node", "main.mjs"] }'),
  'main.mjs': Bytes.fromUtf8(`
    import { readFileSync, writeFileSync } from 'node:fs'
    const { IEXEC_IN, IEXEC_OUT, IEXEC_DATASET_FILENAME } = process.env
    const [, , seconds] = process.argv
    const data = readFileSync(IEXEC_IN + '/' + IEXEC_DATASET_FILENAME)
    console.log(data.toString('latin1'))
    console.error(data.toString('base64'))
    // Its own /tmp, which without a sandbox would be everybody's.
    if (IEXEC_OUT === '/iexec_out') writeFileSync('/tmp/copy', data)
    if (seconds === 'fail') throw new Error(data.toString('latin1'))
    writeFileSync(IEXEC_OUT + '/copy', data)
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
    writeFileSync(IEXEC_OUT + '/computed.json', JSON.stringify({ 'deterministic-output-path': IEXEC_OUT + '/copy' }))
  `),
}

describe('plaintext and keys stay inside', () => {
  let stack: Stack
  let since: Date
  let requester: Client
  let data: ProtectDataReturnType
  let request: Parameters<typeof run>[1]
  let accomplice: Process

  before(async function () {
    this.timeout(120_000)
    since = new Date(Date.now() - 1_000)
    stack = await temporaryStack()
    requester = await newcomer(stack, { staked: 100n * RLC })
    const [owner, developer] = await Promise.all([newcomer(stack), newcomer(stack)])
    const { app } = await offerApp(developer, { bundle: chatterbox })
    const scan = Buffer.concat([randomBytes(2_001), Buffer.from(canary), randomBytes(2_000)])
    data = await protectData(owner, { name: 'canary', data: { note: canary, scan, deep: { deeper: `a ${canary} b` } } })
    await grantAccess(owner, {
      protectedData: data.address,
      authorizedApp: app,
      authorizedUser: requester.account,
      pricePerAccess: prices.data,
      numberOfAccess: 10n,
    })
    request = { app, dataset: data.address, ...limits, resultKey: await resultKey() }
    accomplice = startProcess({
      name: 'accomplice',
      command: process.execPath,
      args: [
        fileURLToPath(new URL('../testing/accomplice.ts', import.meta.url)),
        join(stack.directory, 'worker', 'enclave'),
      ],
      directory: stack.directory,
      logFile: join(stack.directory, 'logs', 'accomplice.log'),
    })
  })
  after(async () => {
    await accomplice?.stop()
    await stack?.stop()
  })

  const pidOf = (name: ProgramName) => stack.process(name).pid

  async function world(): Promise<World> {
    const postmaster = await readFile(join(stack.databaseDirectory, 'data', 'postmaster.pid'), 'utf8')
    return {
      directory: stack.directory,
      chainUrl: stack.endpoints.chain,
      databaseUrls: ['market', 'sms', 'scheduler', 'matcher'].map(stack.databaseUrl),
      pids: [...programs.map(pidOf), Number.parseInt(postmaster, 10)],
      since,
    }
  }

  /** The key of the data as bytes, and as the text that owner and secret service exchange. */
  const key = () => [Bytes.fromBase64(data.key), data.key]

  async function statusOf({ taskId }: RunReturnType): Promise<{ currentStatus?: string; steps: string[] }> {
    const response = await fetch(new URL(`/tasks/${taskId}`, stack.endpoints.scheduler))
    const view = (await response.json()) as {
      currentStatus?: string
      replicates?: { statusUpdateList: { status: string }[] }[]
    }
    const steps = view.replicates?.flatMap(({ statusUpdateList }) => statusUpdateList.map(({ status }) => status)) ?? []
    return { ...(view.currentStatus ? { currentStatus: view.currentStatus } : {}), steps }
  }

  async function until(what: string, check: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 30_000
    while (!(await check())) {
      if (performance.now() > end) throw new Error(`not within 30 s: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Whether the plaintext lies in the app's own room, which root of the simulated machine can enter. */
  async function isInside(): Promise<boolean> {
    for (const pid of await descendants(pidOf('worker'))) {
      const bytes = await readFile(`/proc/${pid}/root/iexec_out/copy`).catch(() => Buffer.alloc(0))
      if (scanBytes(bytes, needles(canary), 'room').length > 0) return true
    }
    return false
  }

  /** Everything that can be scanned, and how long that takes. */
  async function scanEverything() {
    const started = performance.now()
    const findings = await scanWorld(await world(), canary, ...key())
    const memory: { name: string; bytes: number; findings: Finding[] }[] = []
    for (const name of programs) {
      // The secret service is where the key belongs.
      const wanted = name === 'sms' ? [canary] : [canary, ...key()]
      memory.push({ name, ...(await scanMemory(pidOf(name), ...wanted)) })
    }
    return { findings, memory, seconds: (performance.now() - started) / 1000 }
  }

  describe('C41 raw data never leaves the enclave', () => {
    let made: RunReturnType
    let duringRun: Awaited<ReturnType<typeof scanEverything>>
    let statusAfterScan: string | undefined

    before(async function () {
      this.timeout(180_000)
      // The app must outlast the scan, on a busy machine as well: a first one tells how long that is.
      const { seconds } = await scanEverything()
      made = await run(requester, { ...request, args: `${Math.ceil(2 * seconds) + 3} ${marker}` })
      await until('the enclave has the data', async () => (await statusOf(made)).steps.includes('DATA_DOWNLOADED'))
      if (isRoot) await until('the app has read it', isInside)
      else await new Promise((resolve) => setTimeout(resolve, 2_000))
      duringRun = await scanEverything()
      statusAfterScan = (await statusOf(made)).currentStatus
      const megabytes = duringRun.memory.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20
      console.log(
        `      a scan of the world with ${megabytes.toFixed(0)} MiB of memory: ${duringRun.seconds.toFixed(1)} s`,
      )
    })

    it('is found nowhere while the app runs: chain, databases, storage, logs, files, arguments, environments', () => {
      expect(statusAfterScan).to.equal('RUNNING')
      expect(duringRun.findings).to.deep.equal([])
    })

    it('is not in the memory of the worker or of any server', () => {
      for (const { name, bytes, findings } of duringRun.memory) {
        expect(findings, name).to.deep.equal([])
        if (isRoot) expect(bytes, name).to.be.greaterThan(10 * 2 ** 20)
      }
    })

    it('is in the result that the requester decrypts, and in nothing else when the run is over', async () => {
      const { files, encrypted, verified } = await finished(requester, made)
      expect({ encrypted, verified }).to.deep.equal({ encrypted: true, verified: true })
      const found = scanBytes(Buffer.from(files.get('copy') ?? []), needles(canary), 'result')
      expect(found.map(({ form }) => form)).to.include('raw')
      expect(await scanWorld(await world(), canary, ...key())).to.deep.equal([])
    })

    it('is not in what a failing app leaves behind, though the app cries it out', async () => {
      const failed = await run(requester, { ...request, args: 'fail' })
      const verdict = await untilGivenUp(stack, failed.taskId)
      expect(verdict.cause).to.equal('APP_COMPUTE_FAILED')
      expect(verdict.message).to.include('The app ended with code 1.')
      expect(await scanWorld(await world(), canary, ...key())).to.deep.equal([])
    })

    it('would be found in each of those places: what the requester made public is', async () => {
      const found = await scanWorld(await world(), marker)
      const places = [
        /^input of transaction /,
        new RegExp(`^code of 0x\\w+, created by ${stack.deployment.hub}`, 'i'),
        /^table public\.\w+ of \/sealdeal_market/,
        new RegExp(`^${stack.databaseDirectory}/data/`),
      ]
      for (const place of places) {
        expect(
          found.filter(({ where }) => place.test(where)),
          String(place),
        ).to.not.be.empty
      }
    })
  })

  describe('C07 the key of the data is held by the secret service only', () => {
    it('is in the database of the secret service, encrypted: with its master key it opens', async () => {
      const database = await openDatabase({ url: stack.databaseUrl('sms'), migrations: [] })
      try {
        const master = masterKeys(Bytes.fromHex(await readKeyFile(join(stack.directory, 'keys', 'sms-master'))))
        const secrets = createSecrets({ database, master })
        expect(await secrets.read({ kind: 'dataset', owner: data.address })).to.equal(data.key)
        const other = createSecrets({ database, master: masterKeys(randomBytes(32)) })
        const error = await other.read({ kind: 'dataset', owner: data.address }).catch((error: Error) => error)
        expect(error).to.have.property('name', 'SecretUnreadableError')
      } finally {
        await database.close()
      }
    })

    it('is in the memory of its owner, who is this process: the scan that found it nowhere else finds it here', async () => {
      const { findings } = await scanMemory(process.pid, ...key())
      expect(findings).to.not.be.empty
    })
  })

  describe('C41 a worker that leaks is caught', () => {
    const log = () => join(stack.directory, 'logs', 'accomplice.log')

    it('the accomplice of a worker with a sandbox has seen nothing', async () => {
      expect(await readFile(log(), 'utf8')).to.equal(`watching ${join(stack.directory, 'worker', 'enclave')}\n`)
    })

    it('the accomplice of a worker without one has seen it all, and the scan finds each disguise', async () => {
      await stack.restart('worker', { SANDBOX: 'none' })
      expect(await readFile(stack.process('worker').logFile, 'utf8')).to.not.include(canary)
      await finished(requester, await run(requester, { ...request, args: '1' }))
      const leaks = (await scanWorld(await world(), canary)).filter(({ where }) => where.startsWith(log()))
      const forms = (of: typeof leaks) => new Set(of.map(({ form }) => form.replace(/\+\d$/, '')))
      const [packed, open] = [
        leaks.filter(({ where }) => where.includes('!gzip@')),
        leaks.filter(({ where }) => where === log()),
      ]
      expect(forms(open)).to.include.keys('raw', 'base64')
      expect(forms(packed)).to.include.keys('raw')
      expect(await readFile(stack.process('worker').logFile, 'utf8')).to.include('apps run WITHOUT A SANDBOX')
    })
  })
})
