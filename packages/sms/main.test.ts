import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPlatform, createPolicy, createRoot } from '@sealdeal/attestation'
import { openTestDatabase, writeKeyFile } from '@sealdeal/server'
import { expect } from 'chai'

describe('the sms process', function () {
  this.timeout(60_000)
  let directory: string
  let node: Server
  let env: Record<string, string>
  let closeDatabase: () => Promise<void>
  const started: ChildProcess[] = []

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sms-main-'))
    const at = new Date()
    const root = await createRoot({ at })
    const policy = await createPolicy(root, [{ tee: 'tdx', mrTd: `0x${'11'.repeat(48)}` }])
    const { collateral } = await createPlatform(root, { at })
    await writeFile(join(directory, 'policy.json'), JSON.stringify(policy))
    await writeFile(join(directory, 'collateral.json'), JSON.stringify(collateral))
    await writeKeyFile({ path: join(directory, 'master') })
    await writeKeyFile({ path: join(directory, 'signer') })
    // All that starting needs of a node is the id of its chain.
    node = createServer((_request, response) => response.end('{"jsonrpc":"2.0","id":1,"result":"0x66eee"}'))
    node.listen(0, '127.0.0.1')
    await once(node, 'listening')
    const database = await openTestDatabase({ migrations: [] })
    closeDatabase = database.close
    env = {
      PATH: process.env.PATH ?? '',
      CHAIN_URL: `http://127.0.0.1:${(node.address() as AddressInfo).port}`,
      HUB_ADDRESS: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
      DATABASE_URL: database.url,
      SMS_MASTER_KEY_FILE: join(directory, 'master'),
      SMS_SIGNER_KEY_FILE: join(directory, 'signer'),
      SMS_POLICY_FILE: join(directory, 'policy.json'),
      SMS_COLLATERAL_FILE: join(directory, 'collateral.json'),
    }
  })
  after(async () => {
    for (const child of started) child.kill('SIGKILL')
    node.close()
    await closeDatabase()
    await rm(directory, { recursive: true, force: true })
  })

  function start(more: Record<string, string>) {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url))
    const child = spawn(process.execPath, [main], { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
    started.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
    return { child, exited: once(child, 'exit'), output: () => output }
  }

  it('does not start where a simulator would decide over secrets of a real chain', async () => {
    const { exited, output } = start({})
    const [code] = await exited
    expect(code).to.equal(1)
    expect(output()).to.contain('chain 421614 is not a local one')
  })

  it('does not start with a master key that others can read', async () => {
    const open = join(directory, 'open')
    await writeFile(open, `0x${'12'.repeat(32)}`, { mode: 0o644 })
    const { exited, output } = start({ LOCAL_CHAIN: '1', SMS_MASTER_KEY_FILE: open })
    const [code] = await exited
    expect(code).to.equal(1)
    expect(output()).to.contain('is readable by others')
    expect(output()).to.not.contain('1212')
  })

  it('takes collateral from a file or from a provisioning service, and not from both', async () => {
    const service = { LOCAL_CHAIN: '1', SMS_PCCS_URL: 'http://127.0.0.1:1' }
    const both = start(service)
    const [code] = await both.exited
    expect(code).to.equal(1)
    expect(both.output()).to.contain('is set beside SMS_COLLATERAL_FILE: one of the two')
    const { SMS_COLLATERAL_FILE: _, ...others } = env
    env = others
    const { child, exited, output } = start(service)
    while (!output().includes('"listening"')) {
      expect(child.exitCode, output()).to.equal(null)
      await once(child.stdout ?? child, 'data')
    }
    child.kill('SIGTERM')
    await exited
    env = { ...others, SMS_COLLATERAL_FILE: join(directory, 'collateral.json') }
  })

  it('starts on a chain that is said to be local, warns of the simulator, and ends when asked', async () => {
    const { child, exited, output } = start({ LOCAL_CHAIN: '1' })
    while (!output().includes('"listening"')) {
      expect(child.exitCode, output()).to.equal(null)
      await once(child.stdout ?? child, 'data')
    }
    expect(output()).to.contain('simulated enclaves are trusted here')
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0]
    expect((await fetch(`${url}/health`)).status).to.equal(200)
    const absent = await fetch(`${url}/apps/${env.HUB_ADDRESS}/secrets`, { method: 'HEAD' })
    expect(absent.status).to.equal(404)
    child.kill('SIGTERM')
    const [code] = await exited
    expect(code).to.equal(0)
  })
})
