import { Bytes, Secret, Task, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import { JsonRpcProvider, Wallet } from 'ethers'
import { openChain } from './index.ts'
import { fullParams, randomAddress, randomHash } from './testing/chain.ts'
import { describeClauses } from './testing/clauses.ts'
import { type HardhatChain, hardhatChain } from './testing/hardhat.ts'
import { attempt, openWorld, pushEverything, type World } from './testing/world.ts'

describe('over a real chain', function () {
  this.timeout(120_000)
  let world: World
  let hardhat: HardhatChain
  before(async () => {
    hardhat = await hardhatChain()
    world = await openWorld(async () => hardhat)
  })
  after(() => world.close())

  describeClauses(() => world)

  it('gives what the contracts say', async () => {
    const standing = await hardhat.matchDeal({ params: fullParams })
    await pushEverything(world, standing)
    const content = await (await attempt(world, standing)).open()
    const { deal, checksum } = standing
    expect(content.app).to.deep.equal({ address: deal.app.pointer, type: 'BUNDLE', multiaddr: '0xa503', checksum })
    expect(content.dataset).to.deep.equal({
      address: deal.dataset.pointer,
      multiaddr: '0xa503',
      checksum,
      key: 'the dataset key',
    })
    expect(content.params).to.equal(fullParams)
    expect(content.requester).to.equal(deal.requester)
    expect(content.maxSeconds).to.equal(300)
  })

  it('signs an authorization that the Hub takes', async () => {
    await hardhat.setTeeBroker(world.signer.address as `0x${string}`)
    const standing = await hardhat.matchDeal()
    const worker = new Wallet(Bytes.toHex(Bytes.random(32)), hardhat.provider)
    await hardhat.provider.send('hardhat_setBalance', [worker.address, '0x56bc75e2d63100000'])
    const outcome = await attempt(world, standing, { worker: worker.address as `0x${string}` })
    const hub = hardhat.market.hub.connect(worker)
    await (await hub.initialize(standing.dealId, standing.deal.botFirst)).wait()
    const digest = randomHash()
    const { taskId, enclaveAddress, body } = outcome
    const hash = Task.enclaveHash(worker.address as `0x${string}`, taskId, digest)
    const enclaveSign = await outcome.enclave.signMessage(Bytes.fromHex(hash))
    const send = (authorization: string) =>
      hub.contributeAndFinalize(taskId, digest, '0x', '0x', enclaveAddress, enclaveSign, authorization)
    const stranger = await Wallet.createRandom().signMessage('x')
    expect(
      await send(stranger).then(
        () => 'taken',
        () => 'refused',
      ),
    ).to.equal('refused')
    await (await send(body.authorization ?? '')).wait()
    expect(await world.chain.viewTask(taskId)).to.deep.equal({ status: 'COMPLETED' })
    await hardhat.setTeeBroker(zeroAddress)
  })

  it("asks for the owner at the time of the match: the pool's sale changes no lease", async () => {
    const standing = await hardhat.matchDeal()
    const { pointer } = standing.deal.workerpool
    const buyer = new Wallet(Bytes.toHex(Bytes.random(32)))
    const registry = hardhat.market.workerpoolRegistry.connect(hardhat.owners.pool)
    const { owners } = hardhat
    const snapshot = await hardhat.provider.send('evm_snapshot', [])
    await (await registry.transferFrom(owners.pool.address, buyer.address, BigInt(pointer))).wait()
    expect(await world.chain.ownerOf(pointer)).to.equal(buyer.address)
    const refused = await attempt(world, standing, { leaseSigner: buyer })
    expect(refused.body.name).to.equal('LeaseRefusedError')
    expect((await attempt(world, standing)).status).to.equal(200)
    await hardhat.provider.send('evm_revert', [snapshot])
  })

  describe('who owns an address', () => {
    it('is asked of the contract there', async () => {
      const { deal } = await hardhat.matchDeal()
      expect(await world.chain.ownerOf(deal.app.pointer)).to.equal(hardhat.owners.app.address)
      expect(await world.chain.ownerOf(deal.dataset.pointer)).to.equal(hardhat.owners.dataset.address)
    })

    it('is nobody where there is no contract, or one without an owner', async () => {
      expect(await world.chain.ownerOf(randomAddress())).to.equal(undefined)
      expect(await world.chain.ownerOf((await hardhat.market.token.getAddress()) as `0x${string}`)).to.equal(undefined)
    })
  })

  it('lets contract accounts store secrets, by the signature of their holder (ERC-1271)', async () => {
    const holder = new Wallet(Bytes.toHex(Bytes.random(32)))
    const account = await hardhat.deployContractWallet(holder.address as `0x${string}`)
    const post = async (by: Wallet) => {
      const authorization = await Secret.authorize({ address: account, name: 'n', value: 'v' }, by)
      const url = `${world.url}/requesters/${account}/secrets/n`
      return (await fetch(url, { method: 'POST', body: 'v', headers: { authorization } })).status
    }
    expect(await post(new Wallet(Bytes.toHex(Bytes.random(32))))).to.equal(401)
    expect(await post(holder)).to.equal(204)
  })

  it('takes a dataset key from the owner that the registry names', async () => {
    const { deal } = await hardhat.matchDeal()
    const address = deal.dataset.pointer
    await world.database.query('delete from secret')
    const post = async (by: Wallet) => {
      const authorization = await Secret.authorize({ address, value: 'v' }, by)
      const url = `${world.url}/secrets/web3?secretAddress=${address}`
      return (await fetch(url, { method: 'POST', body: 'v', headers: { authorization } })).status
    }
    expect(await post(hardhat.owners.app)).to.equal(401)
    expect(await post(hardhat.owners.dataset)).to.equal(204)
  })

  it('says that the chain does not answer (ChainUnavailableError), and refuses nobody for it', async () => {
    const provider = new JsonRpcProvider('http://127.0.0.1:9', 31_337, { staticNetwork: true })
    const chain = openChain({ provider, chainId: 31_337n, hub: world.chain.hub })
    const errors = await Promise.all(
      [
        chain.viewDeal(randomHash()),
        chain.ownerOf(randomAddress()),
        chain.now(),
        chain.isSignedBy({ account: randomAddress(), digest: randomHash(), signature: randomHash() }),
      ].map((asked) =>
        asked.then(
          () => 'answered',
          (error: Error) => error.name,
        ),
      ),
    )
    provider.destroy()
    expect(errors).to.deep.equal(Array.from({ length: 4 }, () => 'ChainUnavailableError'))
  })
})
