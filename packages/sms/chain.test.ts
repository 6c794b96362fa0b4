import { type Address, Bytes, type Hex, Order, Params, Secret, Task, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import { JsonRpcProvider, toBeHex, Wallet } from 'ethers'
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

  describe('given many datasets', () => {
    const wish = (bulkCid?: string) => ({ withDataset: false, params: Params.build({ ...(bulkCid && { bulkCid }) }) })
    const keyOf = (dataset: Address) => `the key of ${dataset}`
    async function datasetWithKey(): Promise<Address> {
      const dataset = await hardhat.createDataset()
      await world.secrets.create({ kind: 'dataset', owner: dataset }, keyOf(dataset))
      return dataset
    }
    /** Stores the slices, matches a deal over them, and asks for the session of its second task. */
    async function sessionOver(orders: Order.Signed<'dataset'>[], others: Order.Signed<'dataset'>[] = []) {
      const slices = await Promise.all(
        [others, orders].map((each) => world.store(each.map((order) => Order.toJson('dataset', order)))),
      )
      const standing = await hardhat.matchDeal(wish(await world.store(slices)))
      return attempt(world, standing, { index: 1n })
    }

    it('gives those of the task’s slice, in their order, each once, and no others', async () => {
      const datasets = [await datasetWithKey(), await datasetWithKey(), await datasetWithKey()]
      const [first, second, third] = await Promise.all(datasets.map((dataset) => hardhat.grant({ dataset })))
      if (!first || !second || !third) return expect.fail('no grants')
      const again = await hardhat.grant({ dataset: first.dataset })
      const content = await (await sessionOver([second, first, again], [third])).open()
      expect(content.datasets?.map(({ address, key }) => [address, key])).to.deep.equal(
        [second, first].map(({ dataset }) => [dataset, keyOf(dataset)]),
      )
      expect(content.datasets?.[0]).to.include({ multiaddr: '0xa503' })
      expect(content.leftOut).to.deep.equal([])
      expect(content).to.not.have.property('dataset')
    })

    it('leaves out each that may not be read, with its reason', async () => {
      const stranger = new Wallet(Bytes.toHex(Bytes.random(32)))
      const [good, deleted] = [await datasetWithKey(), await datasetWithKey()]
      await world.secrets.remove({ kind: 'dataset', owner: deleted })
      const revoked = await hardhat.grant({ dataset: await datasetWithKey() })
      const closing = hardhat.market.hub.connect(hardhat.owners.dataset)
      await (await closing.manageDatasetOrder({ order: revoked, operation: 1n, sign: '0x' })).wait()
      const other = randomAddress()
      const bad: [Order.Signed<'dataset'>, RegExp][] = [
        [await hardhat.grant({ dataset: await datasetWithKey(), datasetprice: 1n }), /at 1 each, and not for bulks/],
        [await hardhat.grant({ dataset: await datasetWithKey(), volume: 2n ** 53n - 3n }), /not for bulks/],
        [await hardhat.grant({ dataset: await datasetWithKey() }, stranger), /Invalid dataset order signature/],
        [revoked, /revoked/],
        [await hardhat.grant({ dataset: await datasetWithKey(), apprestrict: other }), /App restriction/],
        [await hardhat.grant({ dataset: await datasetWithKey(), workerpoolrestrict: other }), /Workerpool restriction/],
        [await hardhat.grant({ dataset: await datasetWithKey(), requesterrestrict: other }), /Requester restriction/],
        [await hardhat.grant({ dataset: await datasetWithKey(), tag: toBeHex(0x101, 32) as Hex }), /Tag/],
        [await hardhat.grant({ dataset: await hardhat.createDataset() }), /No key is stored/],
        [await hardhat.grant({ dataset: deleted }), /deleted by its owner/],
        [await hardhat.grant({ dataset: randomAddress() }), /does not hold/],
      ]
      const orders = [...bad.map(([order]) => order), await hardhat.grant({ dataset: good })]
      const content = await (await sessionOver(orders)).open()
      expect(content.datasets?.map(({ address }) => address)).to.deep.equal([good])
      expect(content.leftOut?.map(({ address }) => address)).to.deep.equal(bad.map(([order]) => order.dataset))
      for (const [position, [, reason]] of bad.entries()) {
        expect(content.leftOut?.[position]?.reason).to.match(reason)
      }

      const none = await sessionOver(bad.map(([order]) => order))
      expect([none.status, none.body.name]).to.deep.equal([403, 'NoDatasetLeftError'])
    })

    it('takes any grant of a dataset that holds', async () => {
      const dataset = await datasetWithKey()
      const content = await (
        await sessionOver([await hardhat.grant({ dataset, datasetprice: 5n }), await hardhat.grant({ dataset })])
      ).open()
      expect(content.datasets?.map(({ address }) => address)).to.deep.equal([dataset])
      expect(content.leftOut).to.deep.equal([])
    })

    it('gives those that were attached on chain to this task, and names only what it gave in the audit log', async () => {
      const standing = await hardhat.matchDeal({ withDataset: false })
      const [first, keyless] = [await datasetWithKey(), await hardhat.createDataset()]
      const paying = hardhat.market.hub.connect(hardhat.owners.requester)
      const orders = [await hardhat.grant({ dataset: first, volume: 1n }), await hardhat.grant({ dataset: keyless })]
      await (await paying.attachDatasets(standing.dealId, standing.deal.botFirst, orders, 0n)).wait()
      const outcome = await attempt(world, standing)
      const content = await outcome.open()
      expect(content.datasets?.map(({ address, key }) => [address, key])).to.deep.equal([[first, keyOf(first)]])
      expect(content.leftOut?.map(({ address }) => address)).to.deep.equal([keyless])
      const [entry] = await world.database.query<{ secrets: string[][] }>(
        'select secrets from audit_entry where task_id = $1',
        [outcome.taskId],
      )
      expect(entry?.secrets).to.deep.include(['dataset', first.toLowerCase(), ''])
      expect(JSON.stringify(entry?.secrets)).to.not.include(keyless.toLowerCase())

      const other = await attempt(world, standing, { index: standing.deal.botFirst + 1n })
      expect(await other.open()).to.not.have.any.keys('dataset', 'datasets', 'leftOut')
    })
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
