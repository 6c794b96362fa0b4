import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Address, Bytes } from '@sealdeal/protocol'
import { openTestDatabase, readConfig, writeKeyFile } from '@sealdeal/server'
import { expect } from 'chai'
import { z } from 'zod'
import { checkMasterKeys, masterKeyVariables } from './config.ts'
import { createSecrets, localKey, masterKeys, migrations, rotate, type SecretId } from './index.ts'
import { openMasterKeys } from './masterKeys.ts'
import { startTransit, type TestTransit } from './testing/transit.ts'
import { vaultKey } from './vault.ts'

const ownerOf = (at: number) => `0x${at.toString(16).padStart(40, '0')}` as Address
const secretOf = (at: number): SecretId => ({ kind: 'requester', owner: ownerOf(at), name: 'token' })
const transitKey = 'transit/sealdeal'

describe('master keys', function () {
  this.timeout(60_000)
  let directory: string
  let test: Awaited<ReturnType<typeof openTestDatabase>>
  let transit: TestTransit
  let tokenFile: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sms-keys-'))
    tokenFile = join(directory, 'token')
    await writeFile(tokenFile, 'the-token\n', { mode: 0o600 })
    transit = await startTransit({ token: 'the-token', keys: [transitKey, 'kms/other'] })
    test = await openTestDatabase({ migrations })
  })
  beforeEach(() => test.database.query('delete from secret'))
  after(async () => {
    await test.close()
    await transit.close()
    await rm(directory, { recursive: true, force: true })
  })

  const inVault = (key = transitKey) => vaultKey({ url: transit.url, key, tokenFile })
  async function store(master: ReturnType<typeof masterKeys>, from: number, to: number): Promise<void> {
    const secrets = createSecrets({ database: test.database, master })
    const numbers = Array.from({ length: to - from }, (_, at) => from + at)
    await Promise.all(numbers.map((at) => secrets.create(secretOf(at), `value ${at}`)))
  }
  async function keysInUse(): Promise<string[]> {
    const rows = await test.database.query<{ master_key: string }>('select distinct master_key from secret order by 1')
    return rows.map(({ master_key }) => master_key)
  }
  async function failureOf(work: Promise<unknown>): Promise<Error> {
    return work.then(
      () => new Error('nothing failed'),
      (error: Error) => error,
    )
  }

  describe('in a KMS', () => {
    it('wrap and open, bound to the secret, under each version of the key', async () => {
      const key = inVault()
      const [dataKey, bind] = [Bytes.random(32), Bytes.fromUtf8('this one')]
      const first = await key.wrap(dataKey, bind)
      transit.rotate(transitKey)
      const second = await key.wrap(dataKey, bind)
      expect([first, second].map((each) => Buffer.from(each).toString().slice(0, 9))).to.deep.equal([
        'vault:v1:',
        'vault:v2:',
      ])
      for (const wrapped of [first, second]) expect(await key.unwrap(wrapped, bind)).to.deep.equal(dataKey)
      const other = await failureOf(key.unwrap(first, Bytes.fromUtf8('another')))
      expect(other.message).to.contain('message authentication failed')
      expect(other.name).to.equal('Error')
      expect((await failureOf(inVault('kms/other').unwrap(first, bind))).message).to.contain('400')
    })

    it('are unavailable, which is said without the token, when the service is sealed, gone, or refuses the token', async () => {
      await store(masterKeys(inVault()), 0, 1)
      const secrets = createSecrets({ database: test.database, master: masterKeys(inVault()) })
      const expectUnavailable = async (reason: string) => {
        for (const work of [() => secrets.read(secretOf(0)), () => secrets.create(secretOf(1), 'x')]) {
          const error = await failureOf(work())
          expect(error.name, error.message).to.equal('MasterKeyUnavailableError')
          expect(error.message).to.contain(reason).and.not.contain('the-token')
        }
      }
      transit.state.isSealed = true
      await expectUnavailable('503: Vault is sealed')
      transit.state.isSealed = false
      await writeFile(tokenFile, 'an-older-one')
      await expectUnavailable('403: permission denied')
      // Whoever renews the token writes it into the file; nothing is started anew.
      await writeFile(tokenFile, 'the-token')
      expect(await secrets.read(secretOf(0))).to.equal('value 0')
      const away = vaultKey({ url: 'http://127.0.0.1:9', key: transitKey, tokenFile })
      const gone = await failureOf(away.wrap(Bytes.random(32), Bytes.random(1)))
      expect(gone.message).to.contain('http://127.0.0.1:9 does not answer')
      const unknown = await failureOf(inVault('transit/none').wrap(Bytes.random(32), Bytes.random(1)))
      expect(unknown.message).to.contain('encryption key not found')
    })
  })

  describe('by configuration', () => {
    const schema = z.object(masterKeyVariables).superRefine(checkMasterKeys)
    const opened = async (env: Record<string, string>) => openMasterKeys(readConfig({ schema, env }), env)

    it('are of a file, a variable and a KMS, the first of them current', async () => {
      const file = join(directory, 'master')
      const key = await writeKeyFile({ path: file })
      const inEnv = Bytes.toHex(Bytes.random(32))
      const env = { OTHER: inEnv, SMS_VAULT_URL: transit.url, SMS_VAULT_TOKEN_FILE: tokenFile }
      const master = await opened({ ...env, SMS_MASTER_KEYS: `env:OTHER, file:${file}, vault:${transitKey}` })
      const ids = [inEnv, key].map((each) => localKey(Bytes.fromHex(each)).id)
      expect([...master.keys.keys()]).to.deep.equal([...ids, `vault:${transitKey}`])
      expect(master.current.id).to.equal(ids[0])
      expect((await opened({ SMS_MASTER_KEY_FILE: file })).current.id).to.equal(ids[1])
    })

    for (const [what, env, said] of [
      ['no key', {}, 'SMS_MASTER_KEYS: is not set'],
      ['two ways', { SMS_MASTER_KEY_FILE: 'a', SMS_MASTER_KEYS: 'file:b' }, 'one of the two'],
      ['an unknown driver', { SMS_MASTER_KEYS: 'aws:key' }, 'must be file:PATH'],
      ['a key itself', { SMS_MASTER_KEYS: `0x${'ab'.repeat(32)}` }, 'must be file:PATH'],
      ['a KMS that is nowhere', { SMS_MASTER_KEYS: 'vault:transit/a' }, 'SMS_VAULT_URL: is not set'],
      ['a variable without a key', { SMS_MASTER_KEYS: 'env:OTHER', OTHER: `${'ab'.repeat(32)}9` }, 'OTHER: SMS_MASTER'],
    ] as const) {
      it(`are refused where it names ${what}, without repeating a value`, async () => {
        const error = await failureOf(opened(env))
        expect(error.message).to.contain(said).and.not.contain('abab')
      })
    }
  })

  describe('rotation', () => {
    it('wraps every data key anew, from a file to a KMS, while two generations of replicas read and write', async () => {
      const old = localKey(Bytes.random(32))
      await store(masterKeys(old), 0, 230)
      await createSecrets({ database: test.database, master: masterKeys(old) }).remove(secretOf(229))
      const before = createSecrets({ database: test.database, master: masterKeys(old, inVault()) })
      const master = masterKeys(inVault(), old)
      const after = createSecrets({ database: test.database, master })
      await after.create(secretOf(300), 'new')
      expect(await keysInUse()).to.include(`vault:${transitKey}`)
      const batches: number[] = []
      const outcome = await rotate({
        database: test.database,
        master,
        onBatch: async (rewrapped) => {
          batches.push(rewrapped)
          for (const at of [0, 150, 228]) {
            for (const replica of [before, after]) expect(await replica.read(secretOf(at))).to.equal(`value ${at}`)
          }
          expect(await before.read(secretOf(300))).to.equal('new')
        },
      })
      expect(batches).to.deep.equal([100, 200, 229])
      expect(outcome).to.deep.equal({ rewrapped: 229, left: 0, unreadable: [] })
      const alone = createSecrets({ database: test.database, master: masterKeys(inVault()) })
      expect(await alone.read(secretOf(0))).to.equal('value 0')
      expect(await keysInUse()).to.deep.equal([`vault:${transitKey}`])
    })

    it('leaves what it cannot open as it is, names it with its key, and moves the rest', async () => {
      const [lost, old, current] = [1, 2, 3].map(() => localKey(Bytes.random(32)))
      if (!lost || !old || !current) throw new Error('three keys were made')
      await store(masterKeys(lost), 0, 1)
      await store(masterKeys(old), 1, 3)
      await test.database.query(`update secret set wrapped_key = 'changed' where owner = $1`, [ownerOf(1)])
      const outcome = await rotate({ database: test.database, master: masterKeys(current, old) })
      expect(outcome).to.deep.include({ rewrapped: 1, left: 2 })
      expect(outcome.unreadable.join()).to.contain(`master key "${lost.id}" is not configured`).and.contain(ownerOf(1))
    })

    it('is a command that goes on where it was killed', async () => {
      const files = ['old', 'new'].map((name) => join(directory, name))
      const [old, current] = await Promise.all(files.map(async (path) => Bytes.fromHex(await writeKeyFile({ path }))))
      if (!old || !current) throw new Error('two keys were made')
      await store(masterKeys(old), 0, 150)
      const run = (keys: string) => {
        const command = fileURLToPath(new URL('./rotate.ts', import.meta.url))
        const env = { PATH: process.env.PATH, DATABASE_URL: test.url, SMS_MASTER_KEYS: keys }
        return spawn(process.execPath, [command], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      }
      // A row of the second batch is held, so that it is killed between the first and the end of the second.
      const holder = await test.database.pool.connect()
      await holder.query('begin')
      await holder.query('select 1 from secret where owner = $1 for update', [ownerOf(149)])
      const killed = run(`file:${files[1]},file:${files[0]}`)
      await once(killed.stdout, 'data')
      killed.kill('SIGKILL')
      await once(killed, 'exit')
      await holder.query('rollback')
      holder.release()
      expect(await keysInUse()).to.have.length(2)

      const again = run(`file:${files[1]},file:${files[0]}`)
      const [said] = await Promise.all([text(again.stdout), once(again, 'exit')])
      expect(JSON.parse(said.trim().split('\n').at(-1) ?? '')).to.deep.equal({
        current: localKey(current).id,
        rewrapped: 50,
        left: 0,
        unreadable: [],
      })
      expect(again.exitCode).to.equal(0)
      const secrets = createSecrets({ database: test.database, master: masterKeys(current) })
      for (const at of [0, 149]) expect(await secrets.read(secretOf(at))).to.equal(`value ${at}`)
    })
  })
})
