import { type Address, type Hex, Order, Tag, zeroAddress } from '@sealdeal/protocol'
import { signRequest } from '@sealdeal/server'
import { expect } from 'chai'
import { ContractFactory, type Wallet } from 'ethers'
import hre from 'hardhat'
import { createWorld, type World } from './testing/world.ts'

describe('publishing', function () {
  this.timeout(60_000)
  let world: World
  let owner: Wallet
  let stranger: Wallet
  let app: Address
  before(async () => {
    world = await createWorld({ maxOpenOrders: 4 })
    owner = await world.wallet()
    stranger = await world.wallet()
    app = await world.createApp(owner)
  })
  after(() => world.close())

  it('puts a signed order on the book, as published clients expect it back', async () => {
    const { status, json, order, hash } = await world.publish('app', owner, { app, appprice: 7n, volume: 9n })
    expect(status).to.equal(200)
    expect(json.ok).to.equal(true)
    expect(json.published).to.deep.include({ orderHash: hash, chainId: 31337, remaining: 9, status: 'open' })
    expect(json.published.signer).to.equal(owner.address)
    expect(json.published.publicationTimestamp).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(json.published.order).to.deep.equal({ ...order, appprice: 7, volume: 9 })
    const again = await world.post('app', owner, order)
    expect([again.status, again.json.error]).to.deep.equal([403, 'order already published'])
    const one = await world.get(`/apporders/${hash}`)
    expect(one.json).to.deep.equal({ ok: true, ...json.published })
    expect((await world.get(`/datasetorders/${hash}`)).json).to.include({ ok: false, error: 'datasetorder not found' })
  })

  it('takes an order presigned on chain, and one signed in the short form', async () => {
    const presigned = { ...Order.create('app', { app, volume: 2n }), sign: '0x' as const }
    await (
      await world.contracts.hub.connect(owner).manageAppOrder({ order: presigned, operation: 0, sign: '0x' })
    ).wait()
    expect((await world.post('app', owner, presigned)).status).to.equal(200)
  })

  it('takes the order of a contract, which logs in by ERC-1271', async () => {
    const artifact = await hre.artifacts.readArtifact('contracts/mocks/ContractWallet.sol:ContractWallet')
    const deployer = await world.provider.getSigner(0)
    const wallet = await new ContractFactory(artifact.abi, artifact.bytecode, deployer).deploy(owner.address)
    await wallet.waitForDeployment()
    const account = wallet.target as Address
    const fields = [account, 'of a contract', 'BUNDLE', '0x', `0x${'00'.repeat(32)}`, '0x'] as const
    const owned = (await world.contracts.appRegistry.predictApp(...fields)) as Address
    await (await world.contracts.appRegistry.createApp(...fields)).wait()

    const order = await world.sign('app', owner, { app: owned })
    const answer = await world.send(
      'POST',
      '/apporders',
      { order: Order.toJson('app', order) },
      await world.login(owner, account),
    )
    expect(answer.json).to.deep.include({ ok: true })
    expect(answer.json.published.signer).to.equal(account)
  })

  it('takes a request signed in one go', async () => {
    const order = await world.sign('app', owner, { app })
    const body = JSON.stringify({ order: Order.toJson('app', order) })
    const path = '/apporders?chainId=31337'
    const authorization = await signRequest({
      signer: owner,
      domain: { chainId: 31337n, hub: world.hub, service: 'market' },
      method: 'POST',
      path,
      body,
    })
    const headers = { authorization, 'content-type': 'application/json' }
    expect((await world.call(path, { method: 'POST', body, headers })).status).to.equal(200)
    const replay = await world.call(path, { method: 'POST', body, headers })
    expect([replay.status, replay.json.error]).to.deep.equal([403, 'invalid authorization'])
  })

  it('lets one wallet publish in parallel, but no more than its share', async () => {
    const pool = await world.createWorkerpool(stranger)
    const answers = await Promise.all(
      Array.from({ length: 7 }, () => world.publish('workerpool', stranger, { workerpool: pool })),
    )
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused).to.have.length(3)
    expect(refused[0]?.json.error).to.equal(
      `maximum of 4 published open workerpoolorder has been reached for wallet ${stranger.address}`,
    )
  })

  describe('refuses, with the texts that published clients know,', () => {
    const refusal = async ({ status, json }: { status: number; json: { ok: boolean; error: string } }) => {
      expect(json.ok).to.equal(false)
      return [status, json.error]
    }

    it('who is not logged in, before looking at anything else', async () => {
      expect(await refusal(await world.send('POST', '/apporders', { order: 'nonsense' }))).to.deep.equal([
        403,
        'invalid authorization',
      ])
    })
    it('a login that was used', async () => {
      const order = await world.sign('app', owner, { app: stranger.address as Address })
      const authorization = await world.login(owner)
      const first = await world.send('POST', '/apporders', { order: Order.toJson('app', order) }, authorization)
      expect(await refusal(first)).to.deep.equal([403, 'Resource not deployed'])
      const second = await world.send('POST', '/apporders', { order: Order.toJson('app', order) }, authorization)
      expect(await refusal(second)).to.deep.equal([403, 'invalid authorization'])
    })
    it('another chain', async () => {
      const answer = await world.call('/apporders?chainId=5&app=any')
      expect(await refusal(answer)).to.deep.equal([400, 'chainId 5 is not supported'])
    })
    it('an order that is not whole, naming the field', async () => {
      const order = { ...Order.toJson('app', await world.sign('app', owner, { app })), tag: '0x12' }
      const [status, error] = await refusal(await world.send('POST', '/apporders', { order }, await world.login(owner)))
      expect(status).to.equal(400)
      expect(error).to.equal('order.tag: must be 32 bytes in hex')
    })
    it('numbers that clients could not read, and no volume', async () => {
      const large = await world.sign('app', owner, { app, appprice: 2n ** 53n })
      expect(await refusal(await world.post('app', owner, large))).to.deep.equal([
        400,
        'appprice must be at most 9007199254740991',
      ])
      const none = await world.sign('app', owner, { app, volume: 0n })
      expect(await refusal(await world.post('app', owner, none))).to.deep.equal([400, 'volume must be at least 1'])
    })
    it('somebody else’s order', async () => {
      const order = await world.sign('app', owner, { app })
      expect(await refusal(await world.post('app', stranger, order))).to.deep.equal([
        403,
        `only order signer ${owner.address} can publish an order`,
      ])
    })
    it('a signature of another key, of another order, and none', async () => {
      const order = await world.sign('app', stranger, { app })
      expect(await refusal(await world.post('app', owner, order))).to.deep.equal([403, 'invalid sign'])
      const other = { ...(await world.sign('app', owner, { app })), appprice: 1n }
      expect(await refusal(await world.post('app', owner, other))).to.deep.equal([403, 'invalid sign'])
      expect(await refusal(await world.post('app', owner, { ...order, sign: '0x' }))).to.deep.equal([
        403,
        'invalid sign',
      ])
    })
    it('a signature that libraries read and the Hub does not', async () => {
      const order = await world.sign('app', owner, { app })
      const v = order.sign.endsWith('1b') ? '00' : '01'
      expect(
        await refusal(await world.post('app', owner, { ...order, sign: `${order.sign.slice(0, -2)}${v}` as Hex })),
      ).to.deep.equal([403, 'invalid sign'])
    })
    it('a closed order', async () => {
      const order = await world.sign('app', owner, { app })
      await (await world.contracts.hub.connect(owner).manageAppOrder({ order, operation: 1, sign: '0x' })).wait()
      expect(await refusal(await world.post('app', owner, order))).to.deep.equal([403, 'order already consumed'])
    })
    it('a workerpool whose owner’s stake does not cover the lock', async () => {
      const poor = await world.wallet({ stake: 299n })
      const workerpool = await world.createWorkerpool(poor)
      const answer = await world.publish('workerpool', poor, { workerpool, workerpoolprice: 100n, volume: 10n })
      expect(await refusal(answer)).to.deep.equal([
        403,
        "workerpool owner's stake is too low to cover required workerpool lock",
      ])
      const enough = await world.publish('workerpool', poor, { workerpool, workerpoolprice: 100n, volume: 9n })
      expect(enough.status).to.equal(200)
    })
    it('orders that share one stake, until one of them leaves', async () => {
      const owner = await world.wallet({ stake: 100n })
      const workerpool = await world.createWorkerpool(owner)
      const terms = { workerpool, workerpoolprice: 100n }
      const first = await world.publish('workerpool', owner, { ...terms, volume: 2n })
      expect(first.status).to.equal(200)
      const second = await world.publish('workerpool', owner, { ...terms, volume: 2n })
      expect(await refusal(second)).to.deep.equal([
        403,
        "workerpool owner's stake is too low to cover required workerpool lock",
      ])
      expect(second.json.remedies).to.deep.equal([
        '60 nRLC stand behind other open orders. Deposit 20 nRLC more, or ask for less volume.',
      ])
      const request = await world.publish('request', owner, {
        app,
        requester: owner.address as Address,
        workerpoolmaxprice: 41n,
      })
      expect(request.json.error).to.equal(
        'requester stake is too low to cover requestorder payment, minimum stake required is 101 nRLC',
      )
      await world.put('workerpool', owner, { target: 'unpublish_orderHash', orderHash: first.hash })
      expect((await world.post('workerpool', owner, second.order)).status).to.equal(200)
    })
    it('a category that does not exist, and tags that nobody can fulfil', async () => {
      const pool = await world.createWorkerpool(owner)
      const error = async (kind: Order.Kind, input: object) =>
        (await world.publish(kind, owner, input as Order.Input<typeof kind>)).json.error
      expect(await error('workerpool', { workerpool: pool, category: 99n })).to.equal('category 99 does not exist')
      const tag = (...bits: number[]) =>
        `0x${bits
          .reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n)
          .toString(16)
          .padStart(64, '0')}`
      expect(await error('app', { app, tag: tag(0, 3, 200) })).to.equal('tag has the unknown bit200')
      expect(await error('app', { app, tag: tag(3) })).to.equal('tag names tdx without tee')
      expect(await error('app', { app, tag: tag(0, 1, 3) })).to.equal('tag names scone and tdx together')
    })
    it('with every rule that is broken, in the order that clients know', async () => {
      const poor = await world.wallet({ stake: 1n })
      const workerpool = await world.createWorkerpool(poor)
      const order = await world.sign('workerpool', stranger, {
        workerpool,
        workerpoolprice: 10n,
        volume: 1n,
        category: 77n,
      })
      const { status, json } = await world.post('workerpool', owner, order)
      expect([status, json.error]).to.deep.equal([403, `only order signer ${poor.address} can publish an order`])
      expect(json.failures.map(({ rule }: { rule: string }) => rule)).to.deep.equal([
        'owner',
        'signature',
        'stake',
        'category',
      ])
      expect(json.failures[2]).to.deep.equal({
        rule: 'stake',
        reason: "workerpool owner's stake is too low to cover required workerpool lock",
        remedy: 'Deposit 2 nRLC more, or ask for less volume.',
      })
    })
    it('a request that its requester could not pay', async () => {
      const requester = await world.wallet({ stake: 19n })
      const answer = await world.publish('request', requester, {
        app,
        requester: requester.address as Address,
        appmaxprice: 8n,
        workerpoolmaxprice: 2n,
        volume: 2n,
      })
      expect(await refusal(answer)).to.deep.equal([
        403,
        'requester stake is too low to cover requestorder payment, minimum stake required is 20 nRLC',
      ])
    })
    it('a request for what nobody offers at its price', async () => {
      const requester = await world.wallet({ stake: 1_000n })
      const developer = await world.wallet()
      const wanted = await world.createApp(developer)
      const dataset = await world.createDataset(developer)
      const base = { app: wanted, requester: requester.address as Address, appmaxprice: 3n, datasetmaxprice: 1n }
      const ask = async (more: object = {}) => refusal(await world.publish('request', requester, { ...base, ...more }))
      expect(await ask()).to.deep.equal([403, `No tee enabled apporder published for app ${wanted}`])
      await world.publish('app', developer, { app: wanted, tag: Tag.none, volume: 9n })
      expect(await ask()).to.deep.equal([403, `No tee enabled apporder published for app ${wanted}`])
      await world.publish('app', developer, { app: wanted, appprice: 4n, volume: 9n })
      expect(await ask()).to.deep.equal([403, `appmaxprice for app ${wanted} is too low, actual best price is 4 nRLC`])
      await world.publish('app', developer, { app: wanted, appprice: 3n, volume: 9n })
      expect((await world.publish('request', requester, base)).status).to.equal(200)

      expect(await ask({ dataset })).to.deep.equal([403, `No datasetorder published for dataset ${dataset}`])
      await world.publish('dataset', developer, { dataset, apprestrict: app })
      expect(await ask({ dataset })).to.deep.equal([403, `No datasetorder published for dataset ${dataset}`])
      await world.publish('dataset', developer, { dataset, apprestrict: wanted, datasetprice: 2n })
      expect(await ask({ dataset })).to.deep.equal([
        403,
        `datasetmaxprice for dataset ${dataset} is too low, actual best price is 2 nRLC`,
      ])
      const paid = await world.publish('request', requester, { ...base, dataset, datasetmaxprice: 2n })
      expect(paid.json.published?.order.workerpool).to.equal(zeroAddress)
    })
  })
})
