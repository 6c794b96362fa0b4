import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { keccak256, parseEther, Wallet, ZeroAddress, ZeroHash } from 'ethers'
import { artifacts, network } from 'hardhat'
import { createX } from '../../deploy/createx.ts'
import { type DeployToNetworkOptions, deployToNetwork } from '../../deploy/network.ts'
import { parseParameters } from '../../deploy/parameters.ts'
import { untilMined } from '../../deploy/pending.ts'
import { type Anvil, type Connection, connect, deployer, richKey, skipWithoutAnvil, startAnvil } from './anvil.ts'
import { matchOnce } from './market.ts'
import { startProxy } from './proxy.ts'

const council = '0x00000000000000000000000000000000000c0de1'
const broker = Wallet.createRandom().address

/** The parameters of most tests: they name nobody who deploys. */
const file = {
  tokenHolder: deployer.address,
  teeBroker: broker,
  timelock: { delay: 3_600, proposers: [council], executors: [ZeroAddress] },
}

function parameters(fields: object = file) {
  return parseParameters(fields, { source: 'The parameters', deployer: deployer.address })
}

describe('deployToNetwork', function () {
  this.timeout(60_000)
  let anvil: Anvil
  let connection: Connection
  let directory: string
  let snapshot: unknown

  before(async function () {
    skipWithoutAnvil(this)
    anvil = await startAnvil()
    connection = await connect(anvil.url)
  })
  after(() => anvil?.stop())
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sealdeal-deployments-'))
    snapshot = await ask('evm_snapshot')
  })
  afterEach(async () => {
    await ask('evm_revert', [snapshot])
    await rm(directory, { recursive: true })
  })

  const ask = (method: string, params: unknown[] = []) => connection.provider.request({ method, params })
  const run = (options: Partial<DeployToNetworkOptions> = {}) =>
    deployToNetwork({ connection, artifacts, directory, parameters: parameters(), ...options })
  const failure = (running: Promise<unknown>): Promise<Error> =>
    running.then(
      () => expect.fail('It was expected to fail.'),
      (error: Error) => error,
    )
  const nonce = (address = deployer.address) => connection.ethers.provider.getTransactionCount(address)
  const recorded = async () => JSON.parse(await readFile(join(directory, '421614.json'), 'utf8'))

  describe('given a chain without anything', () => {
    it('makes CreateX first, then every contract where it was predicted, and nothing else', async () => {
      const { contracts: predicted } = await run({ dryRun: true })
      expect(await nonce()).to.equal(0)
      const { contracts } = await run()
      expect(contracts).to.deep.equal(predicted)
      for (const { contract, address } of contracts) {
        expect(await connection.ethers.provider.getCode(address), contract).to.not.equal('0x')
      }
      expect(keccak256(await connection.ethers.provider.getCode(createX))).to.equal(
        '0xbd8a7ea8cfca7b4e5f5041d7d4b17bc317c5ce42cfbc42066a00cf26b43eb53f',
      )
      // One transaction pays CreateX's authors; theirs is not ours.
      expect(await nonce()).to.equal(contracts.length + 1)
    })

    it('gives Hub and registries to a timelock that nobody administers', async () => {
      const { contracts } = await run()
      const at = (name: string) => contracts.find(({ contract }) => contract === name)?.address ?? ''
      for (const name of ['Hub', 'AppRegistry', 'DatasetRegistry', 'WorkerpoolRegistry']) {
        const owned = await connection.ethers.getContractAt('AppRegistry', at(name))
        expect(await owned.owner(), name).to.equal(at('Timelock'))
      }
      const timelock = await connection.ethers.getContractAt('Timelock', at('Timelock'))
      expect(await timelock.getMinDelay()).to.equal(3_600n)
      expect(await timelock.hasRole(await timelock.PROPOSER_ROLE(), council)).to.equal(true)
      expect(await timelock.hasRole(await timelock.PROPOSER_ROLE(), deployer)).to.equal(false)
      expect(await timelock.hasRole(await timelock.EXECUTOR_ROLE(), ZeroAddress)).to.equal(true)
      for (const stranger of [deployer.address, council, createX]) {
        expect(await timelock.hasRole(ZeroHash, stranger)).to.equal(false)
      }
      const hub = await connection.ethers.getContractAt('IHub', at('Hub'))
      expect(await hub.teebroker()).to.equal(broker)
    })

    it('leaves a Hub that matches orders', async () => {
      const { contracts } = await run()
      expect(await matchOnce(connection, contracts)).to.match(/^0x[0-9a-f]{64}$/)
    })

    it('leaves a Hub of the native currency that matches orders', async () => {
      const { contracts, record } = await run({ parameters: parameters({ escrow: 'native' }) })
      expect(contracts.map(({ contract }) => contract))
        .to.include('HubNative')
        .and.not.include('LocalToken')
      expect(record?.contracts.hub?.abi).to.equal('IHubNative')
      expect(record?.contracts).to.not.have.property('token')
      expect(await matchOnce(connection, contracts)).to.match(/^0x[0-9a-f]{64}$/)
    })

    it('uses the token that the chain has, and refuses an address without one', async () => {
      const refusal = await failure(run({ parameters: parameters({ token: council }) }))
      expect(refusal.message).to.include(`no contract at the token's address`)
      const [signer] = await connection.ethers.getSigners()
      const token = await connection.ethers.deployContract('LocalToken', [deployer.address, 5n], signer)
      await token.waitForDeployment()
      const { record } = await run({ parameters: parameters({ token: token.target }) })
      expect(record?.contracts.token?.address).to.equal(token.target)
      const hub = await connection.ethers.getContractAt('IHub', record?.contracts.hub?.address ?? '')
      expect(await hub.token()).to.equal(token.target)
    })

    it('writes down all that a stranger needs', async () => {
      const { contracts } = await run()
      const { chainId, network: name, escrow, compiler, contracts: written, abis, block } = await recorded()
      expect({ chainId, name, escrow }).to.deep.equal({ chainId: 421_614, name: 'arbitrumSepolia', escrow: 'token' })
      expect(compiler.version).to.match(/^0\.8\.37\+commit/)
      expect(compiler.settings).to.deep.include({ viaIR: true, evmVersion: 'cancun' })
      expect(Object.keys(written)).to.have.length(contracts.length)
      expect(abis[written.hub.abi].map(({ name }: { name: string }) => name)).to.include.members([
        'matchOrders',
        'viewDeal',
      ])
      const { provider } = connection.ethers
      const made = await provider.getTransactionReceipt(written.hub.transaction)
      expect(made?.blockNumber).to.equal(written.hub.block).and.to.be.at.least(block)
      expect(await provider.getCode(written.timelock.address, block - 1)).to.equal('0x')
      const [hub] = contracts.filter(({ contract }) => contract === 'Hub')
      expect(hub?.initCode.endsWith(written.hub.constructorArguments.slice(2))).to.equal(true)
    })
  })

  it('gives the same addresses on another chain, to another deployer', async () => {
    const other = await startAnvil({ id: 99_999n })
    try {
      const there = await connect(other.url, { key: richKey, id: 99_999n })
      const { contracts } = await run({ connection: there })
      expect(contracts).to.deep.equal((await run()).contracts)
    } finally {
      await other.stop()
    }
  })

  describe('given a marketplace', () => {
    it('sends nothing and writes nothing when it is run again', async () => {
      await run()
      const before = { nonce: await nonce(), record: await recorded(), block: await ask('eth_blockNumber') }
      await run()
      expect({ nonce: await nonce(), record: await recorded(), block: await ask('eth_blockNumber') }).to.deep.equal(
        before,
      )
    })

    it('sends nothing and writes the same on a machine without the record', async () => {
      await run()
      const before = { nonce: await nonce(), record: await recorded() }
      await rm(join(directory, '421614.json'))
      const poor = await connect(anvil.url, { key: Wallet.createRandom().privateKey })
      await run({ connection: poor })
      expect({ nonce: await nonce(), record: await recorded() }).to.deep.equal(before)
    })

    it('refuses other parameters, and names them', async () => {
      await run()
      const before = await nonce()
      const changed = parameters({ ...file, teeBroker: council, timelock: { ...file.timelock, delay: 60 } })
      const { name, message } = await failure(run({ parameters: changed }))
      expect(name).to.equal('OtherDeploymentError')
      expect(message).to.include(`"teeBroker" is recorded as "${broker}", and is`)
      expect(message).to.include('"timelock.delay" is recorded as 3600, and is 60 now.')
      expect(await nonce()).to.equal(before)
    })

    it('refuses other code, and names the contracts', async () => {
      await run()
      const path = join(directory, '421614.json')
      const { contracts } = await recorded()
      await writeFile(path, (await readFile(path, 'utf8')).replaceAll(contracts.hub.address, council))
      const { message } = await failure(run())
      expect(message).to.include('the contracts or the compiler have changed')
      expect(message).to.include(`Hub is recorded at ${council}, and would be at ${contracts.hub.address}`)
    })

    it('makes another one beside it when told to', async () => {
      const first = await run()
      const second = await run({ parameters: parameters({ ...file, teeBroker: council }), replace: true })
      const hubOf = ({ record }: typeof first) => record?.contracts.hub?.address
      expect(hubOf(second)).to.not.equal(hubOf(first))
      expect((await recorded()).contracts.hub.address).to.equal(hubOf(second))
    })
  })

  it('completes what a stranger began, to be the first, with the same parameters', async () => {
    const stranger = await connect(anvil.url, { key: richKey })
    const proxy = await startProxy({ target: anvil.url, strikeAt: 7, moment: 'before' })
    await failure(run({ connection: await connect(proxy.url, { key: richKey }), directory: join(directory, 'theirs') }))
    await proxy.stop()
    const theirs = await stranger.ethers.provider.getTransactionCount(new Wallet(richKey))
    const { contracts, record } = await run()
    expect(theirs).to.equal(5)
    expect(await nonce()).to.equal(contracts.length - (theirs - 1))
    expect(record?.contracts.timelock?.address).to.equal(contracts[0]?.address)
  })

  for (const strikeAt of [1, 2, 5, 11]) {
    for (const moment of ['before', 'after'] as const) {
      it(`goes on when the node was lost ${moment} transaction ${strikeAt}`, async () => {
        const proxy = await startProxy({ target: anvil.url, strikeAt, moment })
        await failure(run({ connection: await connect(proxy.url) }))
        await proxy.stop()
        const { contracts } = await run()
        // None was sent twice: the money for CreateX, and each contract.
        expect(await nonce()).to.equal(contracts.length + 1)
        expect(await nonce('0xeD456e05CaAb11d66C4c797dD6c1D6f9A7F352b5')).to.equal(1)
        const { contracts: again } = await run()
        expect(again).to.deep.equal(contracts)
      })
    }
  }

  it('refuses other parameters than those of a run that did not end', async () => {
    const proxy = await startProxy({ target: anvil.url, strikeAt: 6, moment: 'before' })
    await failure(run({ connection: await connect(proxy.url) }))
    await proxy.stop()
    const { message } = await failure(run({ parameters: parameters({ ...file, tokenHolder: council }) }))
    expect(message).to.include('"tokenHolder" is recorded as').and.include('.begun')
  })

  describe('given too little money', () => {
    const fund = async (key: string, amount: bigint) => {
      await ask('anvil_setBalance', [new Wallet(key).address, `0x${amount.toString(16)}`])
      return connect(anvil.url, { key })
    }

    /** One gwei, whatever the blocks of the tests before have made of it. */
    const setGasPrice = async () => {
      await ask('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
      await ask('evm_mine')
    }

    it('says what CreateX takes, and sends nothing', async () => {
      const poor = await fund(richKey, parseEther('0.1'))
      const { name, message } = await failure(run({ connection: poor }))
      expect(name).to.equal('InsufficientFundsError')
      expect(message).to.include('CreateX').and.include('0.3 ETH').and.include('0.2 ETH or more')
      expect(await nonce(new Wallet(richKey).address)).to.equal(0)
    })

    it('says what the contracts take at least, and sends none of them', async () => {
      await setGasPrice()
      const poor = await fund(richKey, parseEther('0.3005'))
      const { name, message } = await failure(run({ connection: poor }))
      expect(name).to.equal('InsufficientFundsError')
      expect(message).to.include('what is missing (Timelock, LocalToken, ')
      expect(await nonce(new Wallet(richKey).address)).to.equal(1)
    })

    it('says so in the middle as well, and goes on when there is more', async () => {
      await run({ directory: join(directory, 'other'), parameters: parameters({ ...file, salt: 'other' }) })
      await setGasPrice()
      const poor = await fund(richKey, parseEther('0.0265'))
      const { name, message } = await failure(run({ connection: poor }))
      expect(name).to.equal('InsufficientFundsError')
      expect(message).to.include('what is missing (').and.not.include('Timelock')
      await fund(richKey, parseEther('10'))
      expect((await run({ connection: poor })).record?.contracts).to.have.property('hub')
    })
  })

  describe('given something wrong with CreateX', () => {
    it('refuses other code at its address', async () => {
      await ask('anvil_setCode', [createX, '0x60006000f3'])
      const { name, message } = await failure(run())
      expect(name).to.equal('FactoryError')
      expect(message).to.include('is not its own')
      expect(await nonce()).to.equal(0)
    })

    it('refuses when its only transaction can never be sent', async () => {
      await ask('anvil_setNonce', ['0xeD456e05CaAb11d66C4c797dD6c1D6f9A7F352b5', '0x1'])
      const { name, message } = await failure(run())
      expect(name).to.equal('FactoryError')
      expect(message).to.include('has used its first nonce')
      expect(await nonce()).to.equal(0)
    })
  })

  it('waits for transactions that are not mined, but not for ever', async () => {
    const { ethers } = connection
    await ask('evm_setAutomine', [false])
    try {
      const [signer] = await ethers.getSigners()
      await signer?.sendTransaction({ to: council, value: 1n })
      const waiting = { ethers, deployer: deployer.address, confirmations: 1 }
      const { name, message } = await failure(untilMined({ ...waiting, patience: 0 }))
      expect(name).to.equal('PendingTransactionsError')
      expect(message).to.include('with nonces 0 to 0')
      const mined = untilMined(waiting)
      await ask('evm_mine')
      await mined
    } finally {
      await ask('evm_setAutomine', [true])
    }
  })

  it('makes a plainly owned marketplace on a local chain, and records nothing', async () => {
    const local = await network.create()
    const { contracts, record } = await run({ connection: local })
    const [signer] = await local.ethers.getSigners()
    const hub = await local.ethers.getContractAt(
      'IHub',
      contracts.find(({ contract }) => contract === 'Hub')?.address ?? '',
    )
    expect(await hub.owner()).to.equal(signer?.address)
    expect(contracts.map(({ contract }) => contract)).to.not.include('Timelock')
    expect(record).to.equal(undefined)
    expect(await readdir(directory)).to.deep.equal([])
  })
})
