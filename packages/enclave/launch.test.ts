import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Address, Bundle, Bytes, type Hex, Printed, Result, Session, Task } from '@sealdeal/protocol'
import { expect } from 'chai'
import { getBytes, keccak256, toUtf8String, verifyMessage, Wallet } from 'ethers'
import { detectSandbox, type LaunchReturnType, launch, SandboxUnavailableError, type Step } from './index.ts'
import { fallenPromises, type Sandbox } from './sandbox.ts'
import { createWorld, hasBubblewrap, type Meddle, seal, type Wish, type World } from './testing/world.ts'

const launcher = fileURLToPath(new URL('./testing/launcher.ts', import.meta.url))
const probe = readFileSync(new URL('./testing/probe.js', import.meta.url), 'utf8')
const nobody = 65534
const isRoot = process.getuid?.() === 0

/** An app that writes a result and then does something. */
const succeed = `
const fs = require('node:fs')
const write = (name, text) => fs.writeFileSync(process.env.IEXEC_OUT + '/' + name, text)
write('computed.json', JSON.stringify({ 'deterministic-output-path': '/iexec_out/result.txt' }))
write('result.txt', 'done')
`

/** The manifest of an app that is a shell script. */
const shell = JSON.stringify({ entrypoint: ['sh', 'main.sh'] })

/** Starts a worker in miniature as another user. */
function startLauncher({ user, parameters }: { user: number | undefined; parameters: unknown }): ChildProcess {
  const child = spawn(process.execPath, [launcher], {
    ...(user !== undefined && { uid: user, gid: user }),
    cwd: '/',
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' },
    stdio: 'pipe',
  })
  child.stdin?.end(JSON.stringify(parameters))
  return child
}

/** Whether an ordinary user can read this clone at all (not when it lies in root's home). */
function canRead(user: number): boolean {
  const { status } = spawnSync(process.execPath, ['-e', `require('fs').readFileSync(${JSON.stringify(launcher)})`], {
    ...{ uid: user, gid: user, cwd: '/' },
  })
  return status === 0
}

/** Process ids whose command line holds `mark`. */
function processesOf(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readOr(`/proc/${name}/cmdline`).includes(mark))
    .map(Number)
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

async function until(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const end = Date.now() + milliseconds
  while (!condition()) {
    if (Date.now() > end) return false
    await sleep(50)
  }
  return true
}

const people: { who: string; user: number | undefined }[] = [
  { who: isRoot ? 'root' : 'this user', user: undefined },
  ...(isRoot ? [{ who: 'an ordinary user', user: nobody }] : []),
]

for (const { who, user } of people) {
  for (const sandbox of ['unshare', 'bubblewrap'] as const) {
    describe(`an enclave in ${sandbox}, started by ${who}`, function () {
      this.timeout(90_000)
      let world: World
      before(async function () {
        const missing =
          sandbox === 'bubblewrap' && !hasBubblewrap()
            ? 'bubblewrap is not installed'
            : user !== undefined && !canRead(user)
              ? `user ${user} cannot read this clone`
              : undefined
        if (missing !== undefined) {
          console.log(`      skipped: ${missing}`)
          this.skip()
        }
        world = await createWorld(user === undefined ? {} : { user })
      })
      after(() => world?.close())

      const parametersOf = (task: unknown) => ({ launch: task, directory: world.directory, sandbox })

      it('gives the app its inputs, locks it away, and lets nothing of it out but encrypted: the result, and what it prints', async () => {
        const canary = `canary-${randomBytes(12).toString('hex')}`
        const secretFile = join(world.home, 'host-secret')
        writeFileSync(secretFile, 'of the host')
        const keys = await Result.generateKeyPair({ bits: 2048 })
        const port = new URL(world.storageUrl).port
        const { launch: task, content } = await world.createTask({
          app: { 'main.js': probe },
          dataset: Bytes.fromUtf8(canary),
          secrets: { app: 'app secret', requester: { 1: `${canary}-requester`, 7: 'seven' } },
          params: { iexec_args: `${port} ${secretFile} ${world.home} 'two words'`, iexec_result_encryption: true },
          resultKey: Result.encodePublicKey(keys.publicKey),
        })
        const child = startLauncher({ user, parameters: parametersOf(task) })
        const [said, complained] = await Promise.all([
          text(child.stdout ?? process.stdin),
          text(child.stderr ?? process.stdin),
        ])

        const lines = said
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
        const steps = lines.filter((line) => 'step' in line)
        expect(
          steps.map(({ step }) => step),
          said,
        ).to.deep.equal([...['measured', 'attested', 'fetched', 'computed', 'delivered']])
        expect(steps[0]).to.include({ sandbox }).and.to.have.property('fallen').that.is.empty
        expect(steps[1]).to.include({ simulated: true })
        const { outcome } = lines.at(-1)
        const { printed } = lines.find((line) => 'printed' in line)
        for (const [stream, sealed] of Object.entries<string>(printed)) {
          const opened = Bytes.toUtf8(await Printed.open(sealed, keys))
          expect(opened).to.equal(`${stream} ${canary} ${canary}-requester\n`)
        }

        // Nothing of it left: not on the pipes, not in any file of the worker, not in the stored result.
        expect(said + complained).to.not.include(canary)
        const { location } = Result.decodeLocation(outcome.results)
        const archive = await world.fetchStored(location)
        expect(Buffer.from(archive).includes(canary)).to.equal(false)
        expect(readdirSync(join(world.directory, 'enclave'))).to.deep.equal([])
        const leak = spawnSync('grep', ['-rl', canary, world.home], { encoding: 'utf8' })
        expect(leak.stdout).to.equal('')

        const files = await Result.files(await Result.decrypt({ archive, privateKey: keys.privateKey }))
        const found = JSON.parse(toUtf8String(files.get('found.json') ?? ''))

        // What it was given.
        const dataset = content.dataset?.address
        expect(found.data).to.equal(canary)
        expect(found.argv).to.deep.equal([port, secretFile, world.home, 'two words'])
        const { PWD, SHLVL, _, ...env } = found.env
        expect(PWD ?? '/app').to.equal('/app')
        expect(env).to.deep.equal({
          PATH: '/runtime:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
          ...{ HOME: '/tmp', TMPDIR: '/tmp', LANG: 'C.UTF-8', IEXEC_IN: '/iexec_in', IEXEC_OUT: '/iexec_out' },
          ...{ IEXEC_DEAL_ID: content.dealId, IEXEC_TASK_ID: content.taskId, IEXEC_TASK_INDEX: '3' },
          ...{ IEXEC_BOT_SIZE: '2', IEXEC_BOT_FIRST_INDEX: '3', IEXEC_BOT_TASK_INDEX: '3' },
          ...{ IEXEC_DATASET_ADDRESS: dataset, IEXEC_DATASET_FILENAME: dataset },
          ...{ IEXEC_INPUT_FILES_FOLDER: '/iexec_in', IEXEC_INPUT_FILES_NUMBER: '0' },
          ...{ IEXEC_APP_DEVELOPER_SECRET: 'app secret', IEXEC_APP_DEVELOPER_SECRET_1: 'app secret' },
          ...{ IEXEC_REQUESTER_SECRET_1: `${canary}-requester`, IEXEC_REQUESTER_SECRET_7: 'seven' },
        })
        expect(found.execPath).to.equal('/runtime/node')

        // What it could not do.
        expect(found.network[0]).to.equal('ECONNREFUSED')
        expect(found.network[1]).to.be.oneOf(['ENETUNREACH', 'EHOSTUNREACH'])
        expect(found.interfaces.filter((name: string) => name !== 'lo')).to.deep.equal([])
        for (const [path, read] of Object.entries(found.reads)) {
          expect(read, path).to.deep.include({ ok: false, code: 'ENOENT' })
        }
        const handles = found.handles.filter((handle: string | null) => handle?.startsWith('/'))
        expect(handles.filter((path: string) => !/^\/dev\/null$|^\/proc\//.test(path))).to.deep.equal([])
        expect(found.tmp).to.deep.equal(['scratch'])
        expect(found.root).to.not.include.members(['root', 'home', 'work', 'var'])
        for (const [path, write] of Object.entries(found.writes)) {
          expect(write, path).to.have.property('code').that.is.oneOf(['EROFS', 'EACCES', 'EPERM'])
        }
        expect(found.status).to.include({ NoNewPrivs: '1', CapEff: '0'.repeat(16), CapPrm: '0'.repeat(16) })
        if (user === undefined && isRoot) expect(found.user).to.deep.equal({ uid: nobody, name: 'nobody' })
        expect(found.processes).to.be.lessThan(6)
        expect(found.mount).to.not.equal(0)
        if (user !== undefined && sandbox === 'unshare') expect(found.namespace).to.not.equal(0)
      })

      it('leaves no process and no mount when the worker is killed', async () => {
        const mark = `mark-${randomBytes(8).toString('hex')}`
        const { launch: task } = await world.createTask({
          app: { 'main.js': `setInterval(() => {}, 1000); require('node:child_process').spawn('sleep', ['600'])` },
          params: { iexec_args: mark },
          maxSeconds: 600,
        })
        const child = startLauncher({ user, parameters: parametersOf(task) })
        const room = join(world.directory, 'enclave')
        expect(await until(() => processesOf(mark).length > 0, 40_000), 'the app runs').to.equal(true)
        expect(processesOf(room).length, 'the enclave runs').to.be.greaterThan(0)

        child.kill('SIGKILL')
        expect(await until(() => processesOf(mark).length + processesOf(room).length === 0, 20_000)).to.equal(true)
        const mounts = readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .filter((name) => readOr(`/proc/${name}/mountinfo`).includes(world.directory))
        expect(mounts).to.deep.equal([])
      })
    })
  }
}

describe('launch', function () {
  this.timeout(90_000)
  let world: World
  let sandbox: Sandbox
  const steps: Step[] = []

  before(async () => {
    world = await createWorld()
    sandbox = await detectSandbox({ preference: 'auto', directory: world.directory })
  })
  after(() => world.close())
  beforeEach(() => steps.splice(0))

  async function run(wish: Wish, options: Partial<Parameters<typeof launch>[0]> = {}) {
    const { launch: task, content, encrypted } = await world.createTask(wish)
    const onStep = (step: Step) => steps.push(step)
    const answer = await launch({ launch: task, directory: world.directory, sandbox, onStep, ...options })
    return { answer, content, task, encrypted }
  }

  function causeOf(answer: LaunchReturnType): string {
    return 'failure' in answer ? answer.failure.cause : 'none'
  }

  describe('given an app that keeps the contract', () => {
    it('returns what the chain checks: digest, signature by the attested key, authorization for it', async () => {
      const { answer, content } = await run({ app: { 'main.js': succeed } })
      if (!('outcome' in answer)) return expect.fail(JSON.stringify(answer))
      const { outcome } = answer
      const { taskId, worker } = content
      const signed = getBytes(Task.enclaveHash(worker, taskId, outcome.resultDigest))
      expect(verifyMessage(signed, outcome.enclaveSignature)).to.equal(outcome.enclaveAddress)
      const authorized = getBytes(Task.authorizationHash(worker, taskId, outcome.enclaveAddress))
      expect(verifyMessage(authorized, outcome.authorization)).to.equal(world.broker.address)
      expect(outcome.resultsCallback).to.equal('0x')

      const { storage, location } = Result.decodeLocation(outcome.results)
      expect(storage).to.equal('ipfs')
      const files = await Result.files(await world.fetchStored(location))
      expect(JSON.parse(toUtf8String(files.get('computed.json') ?? ''))).to.include({
        'result-digest': outcome.resultDigest,
      })
    })

    it('makes new keys at each boot', async () => {
      const first = await run({ app: { 'main.js': succeed } })
      const second = await run({ app: { 'main.js': succeed } })
      const addressOf = ({ answer }: typeof first) => ('outcome' in answer ? answer.outcome.enclaveAddress : '')
      expect(addressOf(first)).to.match(/^0x/).and.to.not.equal(addressOf(second))
    })

    it('hands over input files', async () => {
      const { url } = await world.store(Bytes.fromUtf8('input file'))
      const { answer } = await run({
        app: {
          'main.js': `${succeed}
          const { IEXEC_INPUT_FILES_FOLDER: folder, IEXEC_INPUT_FILE_NAME_1: name } = process.env
          write('result.txt', fs.readFileSync(folder + '/' + name, 'utf8'))`,
        },
        params: { iexec_input_files: [url] },
      })
      if (!('outcome' in answer)) return expect.fail(JSON.stringify(answer))
      const { location } = Result.decodeLocation(answer.outcome.results)
      const files = await Result.files(await world.fetchStored(location))
      expect(toUtf8String(files.get('result.txt') ?? '')).to.equal('input file')
    })

    it('returns the bytes of a callback, digested as the Hub does', async () => {
      const callback = `0x${'22'.repeat(20)}` as const
      const app = { 'main.js': `${succeed}write('computed.json', '{"callback-data": "0xc0ffee"}')` }
      const { answer } = await run({ app, callback })
      expect(answer).to.have.nested.property('outcome.resultsCallback', '0xc0ffee')
      expect(answer).to.have.nested.property('outcome.resultDigest', keccak256('0xc0ffee'))
      const results = 'outcome' in answer ? answer.outcome.results : '0x'
      expect(Result.decodeLocation(results)).to.deep.equal({ storage: 'ethereum', location: callback })
    })

    it('runs two enclaves at once over one folder', async () => {
      const answers = await Promise.all([run({ app: { 'main.js': succeed } }), run({ app: { 'main.js': succeed } })])
      expect(answers.map(({ answer }) => causeOf(answer))).to.deep.equal(['none', 'none'])
    })
  })

  describe('given an app that prints', () => {
    let keys: Result.KeyPair
    before(async () => {
      keys = await Result.generateKeyPair({ bits: 2048 })
    })
    async function printed(wish: Wish): Promise<{ cause: string; stdout: Uint8Array; stderr: Uint8Array } | undefined> {
      let streams: { stdout: string; stderr: string } | undefined
      const onPrinted = (found: { stdout: string; stderr: string }) => {
        expect(streams, 'said twice').to.equal(undefined)
        streams = found
      }
      const resultKey = Result.encodePublicKey(keys.publicKey)
      const { answer } = await run({ resultKey, ...wish }, { onPrinted })
      if (streams === undefined) return undefined
      const [stdout, stderr] = await Promise.all([
        Printed.open(streams.stdout, keys),
        Printed.open(streams.stderr, keys),
      ])
      return { cause: causeOf(answer), stdout, stderr }
    }

    it('seals it to the beneficiary, to the last word before a failure', async () => {
      const found = await printed({
        app: { 'iapp.json': shell, 'main.sh': `printf 'last words'; echo oh >&2; exit 3` },
      })
      expect(found?.cause).to.equal('APP_COMPUTE_FAILED')
      expect([found?.stdout, found?.stderr].map((bytes) => Buffer.from(bytes ?? []).toString())).to.deep.equal([
        'last words',
        'oh\n',
      ])
    })

    it('keeps the end of an endless stream that its time cuts off, whatever bytes it has', async () => {
      const found = await printed({
        app: { 'iapp.json': shell, 'main.sh': `head -c 3000000 /dev/zero; head -c 300000 /dev/urandom; yes ÿ\n` },
        maxSeconds: 2,
      })
      expect(found?.cause).to.equal('APP_COMPUTE_TIMEOUT')
      expect(found?.stdout).to.have.length(Printed.cap)
      expect(found?.stderr).to.have.length(0)
    })

    it('says nothing of it where the beneficiary has no key, or one that is none', async () => {
      const app = { 'main.js': `console.log('canary'); ${succeed}` }
      const lines: unknown[] = []
      const onPrinted = (found: unknown) => lines.push(found)
      for (const key of [{}, { resultKey: Result.encodePublicKey('no key') }]) await run({ app, ...key }, { onPrinted })
      expect(lines).to.deep.equal([])
    })
  })

  describe('given an app that fails', () => {
    it('names its exit code, and nothing that it printed', async () => {
      const { answer } = await run({
        app: { 'main.js': `console.log('canary-8'); console.error('canary-8'); process.exit(3)` },
      })
      expect(answer).to.have.nested.property('failure.cause', 'APP_COMPUTE_FAILED')
      expect(answer).to.have.nested.property('failure.retryable', false)
      expect(JSON.stringify(answer)).to.include('code 3').and.to.not.include('canary')
    })

    it('names the signal that killed it', async () => {
      const { answer } = await run({ app: { 'main.js': `process.kill(process.pid, 'SIGKILL')` } })
      expect(answer).to.have.nested.property('failure.cause', 'APP_COMPUTE_FAILED')
      expect(JSON.stringify(answer)).to.include('signal 9')
    })

    it('ends it, and all it started, when its time is over', async () => {
      const mark = `mark-${randomBytes(8).toString('hex')}`
      const app = {
        'main.js': `require('node:child_process').spawn(process.execPath, ['loop.js', '${mark}'], { detached: true })
          for (;;);`,
        'loop.js': 'for (;;);',
      }
      const { answer } = await run({ app, params: { iexec_args: mark }, maxSeconds: 1 })
      expect(answer).to.have.nested.property('failure.cause', 'APP_COMPUTE_TIMEOUT')
      expect(processesOf(mark)).to.deep.equal([])
    })

    it('says that it broke the output contract', async () => {
      const { answer } = await run({ app: { 'main.js': '' } })
      expect(causeOf(answer)).to.equal('POST_COMPUTE_COMPUTED_FILE_NOT_FOUND')
    })

    it('says for good that its files cannot be written, or its secrets not be passed', async () => {
      const { answer: bundle } = await run({ app: { 'main.js': succeed, a: 'a file', 'a/b': 'below a file' } })
      expect(bundle).to.have.nested.property('failure.cause', 'APP_IMAGE_MALFORMED')
      expect(bundle).to.have.nested.property('failure.retryable', false)
      const secrets = { requester: { 1: 'canary\0' } }
      const { answer: secret } = await run({ app: { 'main.js': succeed }, secrets })
      expect(secret).to.have.nested.property('failure.cause', 'APP_COMPUTE_FAILED')
      expect(JSON.stringify(secret)).to.include('"retryable":false').and.not.include('canary')
    })

    it('says that it does not start', async () => {
      const manifest = JSON.stringify({ entrypoint: ['no-such-program'] })
      const { answer } = await run({ app: { 'iapp.json': manifest } })
      expect(causeOf(answer)).to.equal('APP_COMPUTE_FAILED')
    })
  })

  describe('given something else than what the chain names', () => {
    it('refuses a data set with one flipped byte', async () => {
      const {
        launch: task,
        content,
        encrypted,
      } = await world.createTask({
        app: { 'main.js': succeed },
        dataset: Bytes.fromUtf8('records'),
      })
      encrypted[20] = (encrypted[20] ?? 0) ^ 1
      const { multiaddr } = await world.store(encrypted)
      if (content.dataset !== undefined) content.dataset.multiaddr = multiaddr
      const answer = await launch({ launch: task, directory: world.directory, sandbox })
      expect(causeOf(answer)).to.equal('PRE_COMPUTE_INVALID_DATASET_CHECKSUM')
    })

    it('refuses another app, before it asks for secrets', async () => {
      const { launch: task } = await world.createTask({ app: { 'main.js': succeed } })
      const other = await world.createTask({ app: { 'main.js': `${succeed}//` } })
      const before = world.requests.length
      const app = { ...task.app, multiaddr: other.launch.app.multiaddr }
      const answer = await launch({ launch: { ...task, app }, directory: world.directory, sandbox })
      expect(causeOf(answer)).to.equal('APP_IMAGE_CHECKSUM_INVALID')
      expect(world.requests.length).to.equal(before)
    })

    it('refuses an app that is no bundle, or of a type that it cannot run', async () => {
      const { launch: task } = await world.createTask({ app: { 'main.js': succeed } })
      const { multiaddr } = await world.store(Bytes.fromUtf8('no bundle'))
      const checksum = Bundle.checksum(Bytes.fromUtf8('no bundle'))
      const broken = { ...task, app: { ...task.app, multiaddr, checksum } }
      expect(causeOf(await launch({ launch: broken, directory: world.directory, sandbox }))).to.equal(
        'APP_IMAGE_MALFORMED',
      )
      const docker = { ...task, app: { ...task.app, type: 'DOCKER' } }
      expect(causeOf(await launch({ launch: docker, directory: world.directory, sandbox }))).to.equal(
        'APP_TYPE_UNSUPPORTED',
      )
    })
  })

  describe('given a secret service that refuses', () => {
    const refuse = async (status: number, body: unknown) => {
      world.refusals.push({ status, body })
      const { answer } = await run({ app: { 'main.js': succeed } })
      if ('outcome' in answer) return expect.fail('it did not refuse')
      return answer.failure
    }

    it('passes its reason on', async () => {
      const failure = await refuse(403, {
        ok: false,
        error: 'Lease refused.',
        name: 'LeaseRefusedError',
        remedies: ['Ask.'],
      })
      expect(failure).to.include({ cause: 'TEE_SESSION_REFUSED', retryable: false })
      expect(failure.message).to.include('Lease refused.').and.to.include('Ask.')
    })

    it('knows the refusals that the ecosystem names', async () => {
      const dataset = await refuse(404, { error: 'No key.', name: 'DatasetKeyNotFoundError' })
      expect(dataset.cause).to.equal('PRE_COMPUTE_GET_DATASET_SECRET_FAILED')
      const key = await refuse(404, { error: 'No key.', name: 'ResultKeyNotFoundError' })
      expect(key.cause).to.equal('POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY')
    })

    it('lets another attempt try when it is only away', async () => {
      expect(await refuse(503, {})).to.include({ cause: 'TEE_SESSION_GENERATION_FAILED', retryable: true })
    })

    it('refuses content that its worker sealed in place of the real one, and signed', async () => {
      const worker = Wallet.createRandom()
      const forge: Meddle = async ({ answer, content, enclaveKey, reportData }) => {
        const sealed = await seal({ content: { ...content, params: '{}' }, enclaveKey, reportData })
        const hash = Session.sealedHash({ reportData, sealed })
        return { ...answer, sealed, signature: (await worker.signMessage(getBytes(hash))) as Hex }
      }
      const unsigned: Meddle = async (seen) => ({ ...(await forge(seen)), signature: seen.answer.signature })
      for (const meddle of [forge, unsigned]) {
        world.meddling.push(meddle)
        const { answer } = await run({ app: { 'main.js': succeed }, params: { iexec_args: 'as signed' } })
        expect(causeOf(answer)).to.equal('TEE_SESSION_MALFORMED')
      }
    })

    it('refuses a nonce that names another signer than the one that made it', async () => {
      world.impostors.push(Wallet.createRandom().address as Address)
      const { answer } = await run({ app: { 'main.js': succeed } })
      expect(causeOf(answer)).to.equal('TEE_SESSION_MALFORMED')
    })

    it('refuses an answer about another task', async () => {
      const { launch: task, content } = await world.createTask({ app: { 'main.js': succeed } })
      content.index = '4'
      const answer = await launch({ launch: task, directory: world.directory, sandbox })
      expect(causeOf(answer)).to.equal('TEE_SESSION_MALFORMED')
    })
  })

  describe('given an enclave that ends early', () => {
    const endless = { app: { 'main.js': 'setInterval(() => {}, 1000)' }, maxSeconds: 600 }

    it('reports that it was killed, and leaves nothing of it', async () => {
      const mark = `mark-${randomBytes(8).toString('hex')}`
      const { launch: task } = await world.createTask({ ...endless, params: { iexec_args: mark } })
      const room = join(world.directory, 'enclave')
      const running = launch({ launch: task, directory: world.directory, sandbox })
      const outcome = running.catch((error: unknown) => error)
      expect(await until(() => processesOf(mark).length > 0, 40_000)).to.equal(true)
      const enclave = processesOf(room).find((pid) => readOr(`/proc/${pid}/cmdline`).startsWith(process.execPath))
      if (enclave === undefined) return expect.fail('the enclave process is not found')
      process.kill(enclave, 'SIGKILL')
      expect(await outcome).to.have.property('failure', 'TEE_LAUNCH_FAILED')
      expect(await until(() => processesOf(mark).length + processesOf(room).length === 0, 20_000)).to.equal(true)
    })

    it('kills it at once when the worker aborts', async () => {
      const mark = `mark-${randomBytes(8).toString('hex')}`
      const { launch: task } = await world.createTask({ ...endless, params: { iexec_args: mark } })
      const controller = new AbortController()
      const running = launch({ launch: task, directory: world.directory, sandbox, signal: controller.signal })
      const outcome = running.catch((error: unknown) => error)
      expect(await until(() => processesOf(mark).length > 0, 40_000)).to.equal(true)
      controller.abort()
      expect(await outcome).to.have.property('failure', 'TEE_LAUNCH_FAILED')
      expect(await until(() => processesOf(mark).length === 0, 20_000)).to.equal(true)
    })
  })

  describe('given no sandbox', () => {
    it('runs, says which promises fall, and removes the folder', async () => {
      const { answer } = await run({ app: { 'main.js': succeed } }, { sandbox: 'none' })
      expect(causeOf(answer)).to.equal('none')
      expect(steps[0]).to.deep.include({ step: 'measured', sandbox: 'none', fallen: [...fallenPromises] })
      expect(readdirSync(join(world.directory, 'enclave')).filter((name) => name.startsWith('bare'))).to.deep.equal([])
    })

    it('refuses where none works, unless told', async () => {
      // A file cannot be covered by a tmpfs, whoever tries.
      const directory = join(world.home, 'platform.json')
      const error = await detectSandbox({ preference: 'auto', directory }).catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(SandboxUnavailableError)
      expect(String(error)).to.include('--no-sandbox')
      expect(await detectSandbox({ preference: 'none', directory })).to.equal('none')
    })
  })
})
