import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import {
  ConfigError,
  chainVariables,
  commonVariables,
  databaseVariables,
  httpOptions,
  httpVariables,
  readConfig,
  readKeyFile,
  variable,
  writeKeyFile,
} from './config.ts'

const schema = z.object({
  ...commonVariables,
  ...chainVariables,
  ...databaseVariables,
  WALLET_KEY_FILE: variable.path,
})
const good = {
  CHAIN_URL: 'http://127.0.0.1:8545',
  HUB_ADDRESS: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
  WALLET_KEY_FILE: '/keys/wallet',
}

describe('the variables of every server', () => {
  const read = (env: Record<string, string>) => httpOptions(readConfig({ schema: z.object(httpVariables), env }))

  it('leave it open, unlimited and without proxies', () => {
    expect(read({})).to.deep.equal({ origins: '*', trustedProxies: [], bodyLimit: 1_048_576 })
  })
  it('are lists and limits', () => {
    const env = {
      CORS_ORIGINS: 'https://a.example, http://localhost:3000',
      TRUSTED_PROXIES: '10.0.0.0/8,::1',
      REQUESTS_PER_MINUTE: '100',
      BODY_LIMIT: '2048',
    }
    expect(read(env)).to.deep.equal({
      origins: ['https://a.example', 'http://localhost:3000'],
      trustedProxies: ['10.0.0.0/8', '::1'],
      requestsPerMinute: 100,
      bodyLimit: 2048,
    })
  })
  it('refuse what would let in nobody, or everybody', () => {
    for (const CORS_ORIGINS of ['https://a.example/', 'a.example', '*.example', ',']) {
      expect(() => read({ CORS_ORIGINS }), CORS_ORIGINS).to.throw(ConfigError, 'CORS_ORIGINS')
    }
    for (const TRUSTED_PROXIES of ['true', '10.0.0.0/33', '10.0.0/8', 'proxy.example']) {
      expect(() => read({ TRUSTED_PROXIES }), TRUSTED_PROXIES).to.throw(ConfigError, 'TRUSTED_PROXIES')
    }
  })
})

describe('readConfig', () => {
  it('gives typed values and defaults', () => {
    const config = readConfig({ schema, env: { ...good, PORT: '8080', EXIT_ON_STDIN_EOF: '1', DATABASE_URL: '' } })
    expect(config).to.deep.equal({
      ...good,
      HUB_ADDRESS: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
      HOST: '127.0.0.1',
      PORT: 8080,
      LOG_LEVEL: 'info',
      EXIT_ON_STDIN_EOF: true,
    })
  })

  it('lists every bad variable in one error, without values that may be secret', () => {
    const env = { HUB_ADDRESS: '0x12', PORT: '99999', CHAIN_URL: 'ftp://user:hush@x', DATABASE_URL: 'mysql://hush' }
    try {
      readConfig({ schema, env })
      expect.fail('accepted')
    } catch (error) {
      const text = String(error)
      for (const name of ['HUB_ADDRESS', 'PORT', 'CHAIN_URL', 'DATABASE_URL']) expect(text).to.contain(name)
      expect(text).to.contain('WALLET_KEY_FILE: is not set').and.to.contain('"0x12"').and.not.contain('hush')
    }
  })
})

describe('readKeyFile', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdeal-keys-'))
  })
  after(() => rm(folder, { recursive: true }))
  const refusal = (path: string) => readKeyFile(path).then(String, (error: Error) => error.message)

  it('reads what writeKeyFile wrote, and never overwrites a key', async () => {
    const path = join(folder, 'key')
    const key = await writeKeyFile({ path })
    expect(await readKeyFile(path)).to.equal(key)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect(await writeKeyFile({ path }).catch((error) => error.code)).to.equal('EEXIST')
  })

  it('refuses a file that others can read', async () => {
    const path = join(folder, 'open')
    await writeKeyFile({ path })
    for (const mode of [0o640, 0o604]) {
      await chmod(path, mode)
      expect(await refusal(path)).to.match(/readable by others.*\n.*chmod 600/)
    }
  })

  it('refuses what is not a key without showing it', async () => {
    const path = join(folder, 'text')
    await writeFile(path, 'hush', { mode: 0o600 })
    expect(await refusal(path))
      .to.contain('does not hold a key')
      .and.not.contain('hush')
    expect(await refusal(join(folder, 'absent'))).to.contain('does not exist')
  })
})
