import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { artifacts } from 'hardhat'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import { deployToNetwork } from '../../deploy/network.ts'
import { parseParameters } from '../../deploy/parameters.ts'
import type { PlannedContract } from '../../deploy/predict.ts'
import { verifySources } from '../../deploy/verify.ts'
import config from '../../hardhat.config.ts'
import { root } from '../../scripts/run.ts'
import { type Anvil, chainId, connect, deployer, skipWithoutAnvil, startAnvil } from './anvil.ts'
import { type Explorer, type Submission, startExplorer } from './explorer.ts'

const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string; version(): string }

/** Creation code and constructor arguments, as an explorer gets them out of a submission. */
function creationCode({ sourceCode, contractname, constructorArguments }: Submission): string {
  const [file = '', name = ''] = contractname.split(':')
  const input = JSON.parse(sourceCode)
  input.settings.outputSelection = { [file]: { [name]: ['evm.bytecode.object'] } }
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input)))
  return `0x${contracts[file][name].evm.bytecode.object}${constructorArguments}`
}

/** What the compiler was given when it made the contract that was deployed. */
async function inputOf(contract: string): Promise<{ settings: object; sources: Record<string, unknown> }> {
  const id = await artifacts.getBuildInfoId(contract)
  const path = id === undefined ? undefined : await artifacts.getBuildInfoPath(id)
  return JSON.parse(await readFile(path ?? '', 'utf8')).input
}

/** Without what depends on which other contracts were compiled along with it. */
function plain({ libraries: _, ...settings }: Record<string, unknown>) {
  return { ...settings, outputSelection: {}, remappings: [] }
}

describe('verifySources', function () {
  this.timeout(600_000)
  let anvil: Anvil
  let contracts: PlannedContract[]
  const explorers: Explorer[] = []

  before(async function () {
    skipWithoutAnvil(this)
    anvil = await startAnvil()
    const parameters = parseParameters({}, { source: 'The parameters', deployer: deployer.address })
    const directory = await mkdtemp(join(tmpdir(), 'sealdeal-deployments-'))
    const connection = await connect(anvil.url)
    contracts = (await deployToNetwork({ connection, artifacts, directory, parameters })).contracts
    await rm(directory, { recursive: true })
  })
  after(() => anvil?.stop())
  afterEach(async () => {
    for (const explorer of explorers.splice(0)) await explorer.stop()
  })

  async function explorer(options?: Parameters<typeof startExplorer>[0]) {
    const started = await startExplorer(options)
    explorers.push(started)
    return started
  }

  /** Hardhat, for the testnet with these explorers. */
  async function hardhatWith({ blockscout, etherscan }: Record<'blockscout' | 'etherscan', Explorer>, apiKey = 'key') {
    const at = ({ url }: Explorer) => ({ url, apiUrl: `${url}/api` })
    const blockExplorers = { blockscout: at(blockscout), etherscan: at(etherscan) }
    return createHardhatRuntimeEnvironment(
      {
        ...config,
        chainDescriptors: { [String(chainId)]: { name: 'testnet', blockExplorers } },
        verify: { etherscan: { apiKey } },
        networks: {
          arbitrumSepolia: { type: 'http', chainId: Number(chainId), url: anvil.url, accounts: [deployer.privateKey] },
        },
      },
      { network: 'arbitrumSepolia', buildProfile: 'default' },
      root,
    )
  }

  const named = (...names: string[]) => contracts.filter(({ contract }) => names.includes(contract))

  it('hands in every contract, with what it was compiled from and nothing else', async () => {
    const blockscout = await explorer()
    const lines: string[] = []
    const hre = await hardhatWith({ blockscout, etherscan: blockscout }, '')
    const unverified = await verifySources({ hre, contracts, onProgress: (line) => lines.push(line) })
    expect(unverified).to.deep.equal([])
    expect(lines.join('\n')).to.include('etherscan           skipped: it takes a key')
    expect(blockscout.submissions).to.have.length(contracts.length)
    for (const [index, { contract, address, initCode }] of contracts.entries()) {
      const submission = blockscout.submissions[index]
      if (submission === undefined) throw new Error(`${contract} was not handed in.`)
      expect(submission.contractaddress).to.equal(address)
      expect(submission.contractname).to.match(new RegExp(`:${contract}$`))
      expect(submission.codeformat).to.equal('solidity-standard-json-input')
      expect(solc.version()).to.include(submission.compilerversion.slice(1))
      expect(initCode.endsWith(submission.constructorArguments), contract).to.equal(true)
      const { settings, sources } = JSON.parse(submission.sourceCode)
      const built = await inputOf(contract)
      expect({ ...built.settings, outputSelection: {}, remappings: [] }).to.deep.equal(plain(settings))
      expect(sources).to.deep.equal(Object.fromEntries(Object.keys(sources).map((path) => [path, built.sources[path]])))
      expect(Object.keys(sources).filter((path) => path.includes('/mocks/'))).to.deep.equal([])
    }
  })

  // The others take two minutes: `VERIFY_ALL=1` compiles them as well.
  const compiled = process.env.VERIFY_ALL === '1' ? undefined : ['DataProtector']

  it(`convinces explorers that compile it themselves (${compiled?.join(', ') ?? 'all'})`, async () => {
    const chosen = compiled === undefined ? contracts : named(...compiled)
    const verdict = (submission: Submission) => {
      const [planned] = chosen.filter(({ address }) => address === submission.contractaddress)
      return creationCode(submission) === planned?.initCode ? 'Pass - Verified' : 'Fail - Unable to verify'
    }
    const blockscout = await explorer({ verdict })
    const etherscan = await explorer()
    const hre = await hardhatWith({ blockscout, etherscan })
    expect(await verifySources({ hre, contracts: chosen })).to.deep.equal([])
    expect(etherscan.submissions).to.deep.equal(blockscout.submissions)
    expect(etherscan.asked.every(({ searchParams }) => searchParams.get('apikey') === 'key')).to.equal(true)
    expect(etherscan.asked.every(({ searchParams }) => searchParams.get('chainid') === String(chainId))).to.equal(true)
  })

  it('hands in nothing a second time', async () => {
    const blockscout = await explorer()
    const hre = await hardhatWith({ blockscout, etherscan: blockscout })
    expect(await verifySources({ hre, contracts: named('DataProtector') })).to.deep.equal([])
    expect(await verifySources({ hre, contracts: named('DataProtector') })).to.deep.equal([])
    expect(blockscout.submissions).to.have.length(1)
  })

  it('names what an explorer does not believe, and goes on with the rest', async () => {
    const verdict = ({ contractname }: Submission) =>
      contractname.endsWith(':DataProtector') ? 'Fail - Unable to verify' : 'Pass - Verified'
    const blockscout = await explorer({ verdict })
    const hre = await hardhatWith({ blockscout, etherscan: blockscout }, '')
    const unverified = await verifySources({ hre, contracts: named('DataProtector', 'Timelock').reverse() })
    expect(unverified).to.have.length(1)
    expect(unverified[0]).to.include({ explorer: 'blockscout', contract: 'DataProtector' })
    expect(unverified[0]?.reason).to.include('Unable to verify')
    expect(blockscout.submissions.map(({ contractname }) => contractname.split(':')[1])).to.include('Timelock')
  })
})
