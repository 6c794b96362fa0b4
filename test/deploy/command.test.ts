// `npm run deploy` as its user runs it: a process of its own, keys from the environment or from the encrypted keystore.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { artifacts } from 'hardhat'
import { deployToNetwork } from '../../deploy/network.ts'
import { readParameters } from '../../deploy/parameters.ts'
import { root } from '../../scripts/run.ts'
import { type Anvil, connect, deployer, skipWithoutAnvil, startAnvil } from './anvil.ts'
import { matchOnce } from './market.ts'
import { startProxy } from './proxy.ts'

type Answer = { prompt: RegExp; text: string }
type Ended = { code: number | null; signal: string | null; output: string }

const PASSWORD = 'correct horse battery staple'

describe('npm run deploy', function () {
  this.timeout(60_000)
  let anvil: Anvil
  let home: string
  let directory: string
  const children: ChildProcess[] = []
  /** How this process looks at what the other one did. */
  const here = { artifacts, directory: '', dryRun: true }

  before(async function () {
    skipWithoutAnvil(this)
    anvil = await startAnvil()
  })
  after(() => anvil?.stop())
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'sealdeal-home-'))
    directory = join(home, 'deployments')
  })
  afterEach(async () => {
    // One that still waits for an answer would keep this process waiting.
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await rm(home, { recursive: true })
  })

  /** Nothing of this test's own environment that has to do with keys or with how Hardhat behaves. */
  function environment(given: Record<string, string>): Record<string, string> {
    const NODE_COMPILE_CACHE = join(root, '.data', 'compiled')
    return { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE, HOME: home, XDG_CONFIG_HOME: home, ...given }
  }

  function start(args: string[], given: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, args, { cwd: root, env: environment(given), stdio: ['pipe', 'pipe', 'pipe'] })
    children.push(child)
    return child
  }

  /** Types each answer when it is asked for. */
  async function ended(child: ChildProcess, answers: Answer[] = []): Promise<Ended> {
    const waiting = [...answers]
    let output = ''
    let read = 0
    const hear = (chunk: string) => {
      output += chunk
      const [next] = waiting
      const asked = next?.prompt.exec(output.slice(read))
      if (next === undefined || !asked) return
      read += asked.index + asked[0].length
      waiting.shift()
      child.stdin?.write(`${next.text}\n`)
      // A pipe that stays open would keep the program from ending.
      if (waiting.length === 0) child.stdin?.end()
    }
    if (answers.length === 0) child.stdin?.end()
    child.stdout?.setEncoding('utf8').on('data', hear)
    child.stderr?.setEncoding('utf8').on('data', hear)
    const [code, signal] = await once(child, 'close')
    return { code, signal, output }
  }

  const deploy = (args: string[], given: Record<string, string>, answers: Answer[] = []) =>
    ended(
      start(['scripts/deploy.ts', '--network', 'arbitrumSepolia', '--directory', directory, ...args], given),
      answers,
    )

  it('takes the key from the encrypted keystore, and shows it nowhere', async () => {
    const hardhat = join(
      dirname(createRequire(import.meta.url).resolve('hardhat/package.json')),
      'dist',
      'src',
      'cli.js',
    )
    const stored = await ended(start([hardhat, 'keystore', 'set', 'DEPLOYER_KEY'], {}), [
      { prompt: /Enter the password: /, text: PASSWORD },
      { prompt: /confirm your password: /, text: PASSWORD },
      { prompt: /Enter secret[^:]*: /, text: deployer.privateKey },
    ])
    expect(stored.output).to.include('DEPLOYER_KEY')
    const [file = ''] = (await readdir(home, { recursive: true })).filter((name) => name.endsWith('keystore.json'))
    expect(await readFile(join(home, file), 'utf8')).to.not.include(deployer.privateKey.slice(2))

    const { code, output } = await deploy(['--dry-run'], { ARBITRUM_SEPOLIA_URL: anvil.url }, [
      { prompt: /Enter the password: /, text: PASSWORD },
    ])
    expect(code, output).to.equal(0)
    expect(output)
      .to.match(/^Hub +0x[0-9a-fA-F]{40}$/m)
      .and.not.include(deployer.privateKey.slice(2))
    // The deployer is among the parameters, as the timelock's proposer: so it was that key.
    const parameters = await readParameters(undefined, deployer.address)
    const { contracts } = await deployToNetwork({ ...here, connection: await connect(anvil.url), parameters })
    for (const { contract, address } of contracts) expect(output).to.match(new RegExp(`${contract} +${address}`))
  })

  it('says which key is missing, which network is unknown, and what is wrong with the parameters', async () => {
    const given = { ARBITRUM_SEPOLIA_URL: anvil.url }
    const without = await deploy([], given)
    expect(without).to.include({ code: 1 })
    expect(without.output).to.include('"DEPLOYER_KEY" not found').and.not.include('    at ')
    const unknown = await ended(start(['scripts/deploy.ts', '--network', 'mainnet'], given))
    expect(unknown).to.include({ code: 1 })
    expect(unknown.output).to.include('"mainnet" is no network to deploy on').and.include('arbitrumSepolia')
    const path = join(home, 'parameters.json')
    await writeFile(path, '{ "tokn": "0x1" }')
    const wrong = await deploy(['--parameters', path], { ...given, DEPLOYER_KEY: deployer.privateKey })
    expect(wrong.output).to.include('"tokn" is unknown').and.not.include('    at ')
  })

  it('goes on after kill -9 between two blocks, with transactions in the pool', async () => {
    const slow = await startAnvil({ args: ['--block-time', '1'] })
    const path = join(home, 'parameters.json')
    await writeFile(
      path,
      JSON.stringify({ timelock: { proposers: [deployer.address] }, tokenHolder: deployer.address }),
    )
    const given = { DEPLOYER_KEY: deployer.privateKey, ARBITRUM_SEPOLIA_URL: slow.url }
    let child: ChildProcess | undefined
    const strike = () => child?.kill('SIGKILL')
    const proxy = await startProxy({ target: slow.url, strikeAt: 5, moment: 'after', strike })
    try {
      const args = ['scripts/deploy.ts', '--network', 'arbitrumSepolia', '--directory', directory, '--parameters', path]
      child = start(args, { ...given, ARBITRUM_SEPOLIA_URL: proxy.url })
      expect(await ended(child)).to.include({ code: null, signal: 'SIGKILL' })
      const { code, output } = await deploy(['--parameters', path], given)
      expect(code, output).to.equal(0)
      const connection = await connect(slow.url)
      const nonce = () => connection.ethers.provider.getTransactionCount(deployer.address)
      expect(await nonce()).to.equal(11)
      const parameters = await readParameters(path, deployer.address)
      const { contracts } = await deployToNetwork({ ...here, dryRun: false, directory, connection, parameters })
      for (const { contract, address } of contracts)
        expect(output).to.match(new RegExp(`^${contract} +${address}`, 'm'))
      expect(await nonce()).to.equal(11)
      await matchOnce(connection, contracts)
    } finally {
      await proxy.stop()
      await slow.stop()
    }
  })
})
