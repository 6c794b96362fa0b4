import { type Address, Order, Params, Result, Tag, Task, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import {
  balance,
  type Client,
  createWorkerpool,
  deployApp,
  estimateRun,
  fetchResult,
  findOrders,
  getGrantedAccess,
  grantAccess,
  matchOrders,
  prepareBulk,
  protectData,
  publishOrder,
  pushAppSecret,
  revokeAccess,
  run,
  signOrder,
  unpublishOrder,
  upload,
} from './index.ts'
import { type Chain, createChain, finish, openServices } from './testing/world.ts'

describe('from a grant to a result, with real services', function () {
  this.timeout(60_000)
  let chain: Chain
  let services: Awaited<ReturnType<typeof openServices>>
  let developer: Client
  let hospital: Client
  let pool: Client
  let worker: Client
  let researcher: Client
  let app: Address
  let dataset: Address
  let workerpool: Address
  let resultKey: Result.KeyPair

  before(async () => {
    chain = await createChain()
    services = await openServices(chain)
    const { endpoints } = services
    developer = await chain.client({ endpoints })
    hospital = await chain.client({ endpoints })
    worker = await chain.client({ endpoints })
    pool = await chain.client({ endpoints, staked: 1_000n })
    researcher = await chain.client({ endpoints, staked: 100n })
    resultKey = await Result.generateKeyPair({ bits: 2048 })
    ;({ workerpool } = await createWorkerpool(pool, { description: 'pool' }))
    ;({ address: dataset } = await protectData(hospital, { data: { email: 'a@b.c' } }))
  })
  after(() => services?.close())

  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error) => error,
    )
  const terms = () => ({ app, dataset, datasetMaxPrice: 20n, appMaxPrice: 10n, workerpoolMaxPrice: 30n, resultKey })

  it('deploys a bundle whose checksum is on chain, and stores the app’s secret once (C24)', async () => {
    const files = {
      'iapp.json': Buffer.from('{"entrypoint":["node","main.js"]}'),
      'main.js': Buffer.from('console.log(1)'),
    }
    const deployed = await deployApp(developer, { name: 'training', bundle: files })
    app = deployed.app
    const info = await developer.contracts.hub.viewApp(app)
    expect([info.m_appType, info.m_appChecksum, info.m_appMultiaddr]).to.deep.equal([
      'BUNDLE',
      deployed.checksum,
      deployed.multiaddr,
    ])
    await pushAppSecret(developer, { app, secret: 'token' })
    expect((await failure(pushAppSecret(developer, { app, secret: 'other' }))).name).to.equal('SecretExistsError')
    expect((await failure(pushAppSecret(hospital, { app, secret: 'other' }))).status).to.equal(401)
    expect((await failure(deployApp(developer, { name: 'bad', bundle: { 'main.js': Buffer.of() } }))).path).to.contain(
      'iapp.json',
    )
  })

  it('names the order that is missing, before anything is paid (C27)', async () => {
    const missing = async () => {
      const error = await failure(run(researcher, terms()))
      expect(error.name).to.equal('OrderNotFoundError')
      return error.kind
    }
    const sent = await researcher.provider.getTransactionCount(researcher.account)
    expect(await missing()).to.equal('app')
    await publishOrder(developer, { kind: 'app', order: { app, appprice: 10n, volume: 100n } })
    expect(await missing()).to.equal('dataset')
    const granted = { protectedData: dataset, authorizedApp: app, pricePerAccess: 20n }
    await grantAccess(hospital, { ...granted, authorizedUser: researcher.account, numberOfAccess: 2n })
    expect(await missing()).to.equal('workerpool')
    await publishOrder(pool, { kind: 'workerpool', order: { workerpool, workerpoolprice: 30n, volume: 100n } })
    expect(await researcher.provider.getTransactionCount(researcher.account)).to.equal(sent)
    expect(await balance(researcher)).to.deep.include({ free: 100n, locked: 0n })
  })

  it('refuses a grant for any app, for no app, by another, and the same grant twice (C13, C19)', async () => {
    const grant = (changes: object) => grantAccess(hospital, { protectedData: dataset, authorizedApp: app, ...changes })
    expect((await failure(grant({ authorizedApp: zeroAddress }))).name).to.equal('InvalidAppError')
    expect((await failure(grant({ authorizedApp: pool.account }))).message).to.contain('no contract is deployed')
    expect((await failure(grant({ authorizedApp: dataset }))).message).to.contain('neither')
    expect((await failure(grant({ numberOfAccess: 0n }))).path).to.equal('numberOfAccess')
    expect((await failure(grant({ pricePerAccess: -1n }))).path).to.equal('pricePerAccess')
    expect((await failure(grant({ authorizedUser: 'anyone' }))).path).to.equal('authorizedUser')
    const mine = { protectedData: dataset, authorizedApp: app }
    expect((await failure(grantAccess(researcher, mine))).name).to.equal('NotTheOwnerError')
    const { grantedAccess } = await getGrantedAccess(hospital, { protectedData: dataset })
    const error = await failure(grant({ authorizedUser: researcher.account }))
    expect(error.name).to.equal('AccessAlreadyGrantedError')
    expect(error.orderHash).to.equal(grantedAccess[0]?.orderHash)
    expect(error.message).to.contain(error.orderHash)
  })

  it('lists grants by data, app and user (C16)', async () => {
    const list = async (filter: Parameters<typeof getGrantedAccess>[1]) => (await getGrantedAccess(pool, filter)).count
    expect(await list({ protectedData: dataset })).to.equal(1)
    expect(await list({ authorizedApp: app, authorizedUser: researcher.account, isUserStrict: true })).to.equal(1)
    expect(await list({ authorizedApp: dataset })).to.equal(0)
    expect(await list({ protectedData: dataset, authorizedUser: pool.account })).to.equal(0)
  })

  it('tells whom a grant does not cover', async () => {
    const stranger = await chain.client({ endpoints: services.endpoints, staked: 100n })
    const error = await failure(run(stranger, terms()))
    expect([error.name, error.kind]).to.deep.equal(['OrderNotFoundError', 'dataset'])
    expect(error.message).to.contain(`admits only ${researcher.account} as requester`)
  })

  it('knows the cost before anything is signed, and locks exactly that (C34, C35)', async () => {
    const { cost } = await estimateRun(researcher, terms())
    expect(cost).to.equal(60n)
    const poor = await failure(run(researcher, { ...terms(), volume: 2n }))
    expect([poor.name, poor.missing]).to.deep.equal(['InsufficientFundsError', 20n])
    const cheap = await failure(run(researcher, { ...terms(), datasetMaxPrice: 19n }))
    expect([cheap.kind, cheap.message]).to.deep.equal(['dataset', cheap.message])
    expect(cheap.message).to.contain('costs 20 per task')
    expect((await balance(researcher)).locked).to.equal(0n)
  })

  it('runs, and only the requester reads the result (C28, C45, C46, C47)', async () => {
    const made = await run(researcher, { ...terms(), args: '--epochs 3', secrets: { 1: 's3cret' }, match: 'self' })
    expect(made.cost).to.equal(60n)
    expect(await balance(researcher)).to.deep.include({ free: 40n, locked: 60n })
    const deal = await researcher.contracts.hub.viewDeal(made.dealId)
    const params = Params.parse(deal.params)
    expect(params).to.deep.include({ args: '--epochs 3', encryptResult: true })
    expect(deal.params).to.not.contain('s3cret')
    const name = params.secrets?.[1] ?? ''
    const owner = researcher.account
    expect(await services.secrets.read({ kind: 'requester', owner, name })).to.equal('s3cret')
    const storedKey = await services.secrets.read({
      kind: 'account',
      owner,
      name: 'iexec-result-encryption-public-key',
    })
    expect(Buffer.from(storedKey ?? '', 'base64').toString()).to.equal(resultKey.publicKey)

    const { taskId } = made
    expect((await failure(fetchResult(researcher, { taskId }))).name).to.equal('ResultNotAvailableError')
    // As an enclave does: what is digested is computed.json without its last two members.
    const declared = { 'deterministic-output-path': '/iexec_out/model.json', 'task-id': taskId }
    const salt = `0x${'5a'.repeat(32)}` as const
    const model = Buffer.from('{}')
    const bound = { 'model.json': model, 'computed.json': Buffer.from(JSON.stringify(declared)) }
    const digest = Result.digest({ files: bound, salt })
    const computed = Buffer.from(JSON.stringify({ ...declared, 'result-digest': digest, 'result-salt': salt }))
    const archive = await Result.pack({ 'model.json': model, 'computed.json': computed })
    const sealed = await Result.encrypt({ archive, publicKey: storedKey ?? '' })
    const cid = await upload(worker, new Blob([sealed]))
    await worker.contracts.hub.initialize(made.dealId, 0n)
    const results = Result.encodeLocation({ storage: 'ipfs', location: `/ipfs/${cid}` })
    await finish({ worker, pool, taskId, results, digest })

    const result = await fetchResult(researcher, { taskId, privateKey: resultKey.privateKey })
    expect(Buffer.from(result.files.get('model.json') ?? '').toString()).to.equal('{}')
    expect(result).to.include({ encrypted: true, cid, verified: true })
    expect((await failure(fetchResult(researcher, { taskId }))).message).to.contain('encrypted')
    const other = await Result.generateKeyPair({ bits: 2048 })
    expect((await failure(fetchResult(pool, { taskId, privateKey: other.privateKey }))).name).to.equal('ResultKeyError')
  })

  it('tells a result that is not what the enclave signed', async () => {
    const payer = await chain.client({ endpoints: services.endpoints, staked: 60n })
    const grant = { protectedData: dataset, authorizedApp: app, authorizedUser: payer.account, pricePerAccess: 20n }
    await grantAccess(hospital, grant)
    const { dealId, taskId } = await run(payer, { ...terms(), match: 'self' })
    const salt = `0x${'5a'.repeat(32)}`
    const forged = await Result.pack({ 'computed.json': Buffer.from(JSON.stringify({ 'result-salt': salt })) })
    const cid = await upload(worker, new Blob([forged]))
    await worker.contracts.hub.initialize(dealId, 0n)
    const results = Result.encodeLocation({ storage: 'ipfs', location: `/ipfs/${cid}` })
    await finish({ worker, pool, taskId, results })
    expect(await fetchResult(payer, { taskId })).to.include({ encrypted: false, verified: false })
  })

  it('publishes the request and waits for whoever matches it', async () => {
    const payer = await chain.client({ endpoints: services.endpoints, staked: 60n })
    await grantAccess(hospital, {
      protectedData: dataset,
      authorizedApp: app,
      authorizedUser: payer.account,
      pricePerAccess: 20n,
    })
    const running = run(payer, terms())
    const matching = (async () => {
      for (;;) {
        const { orders } = await findOrders(worker, { kind: 'request', requester: payer.account })
        const request = orders[0]?.order
        if (request) {
          const [apps, grants, pools] = await Promise.all([
            findOrders(worker, { kind: 'app', app }),
            getGrantedAccess(worker, { protectedData: dataset, authorizedUser: payer.account }),
            findOrders(worker, { kind: 'workerpool' }),
          ])
          const [first, grant, offer] = [apps.orders[0], grants.grantedAccess[0], pools.orders[0]]
          if (!first || !grant || !offer) return expect.fail('an order is missing')
          return matchOrders(worker, { app: first.order, dataset: grant.order, workerpool: offer.order, request })
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    const [made, { dealId }] = await Promise.all([running, matching])
    expect(made.dealId).to.equal(dealId)
    expect(made.taskId).to.equal(Task.id(dealId, 0n))
  })

  it('gives up waiting for a match in the time it was given', async () => {
    const payer = await chain.client({ endpoints: services.endpoints, staked: 60n })
    await grantAccess(hospital, {
      protectedData: dataset,
      authorizedApp: app,
      authorizedUser: payer.account,
      pricePerAccess: 20n,
    })
    const error = await failure(run(payer, { ...terms(), timeout: 50 }))
    expect(error.name).to.equal('TimeoutError')
    expect((await balance(payer)).locked).to.equal(0n)
  })

  it('refuses to run after a revocation, before anything is paid, by hash too (C17)', async () => {
    const { grantedAccess } = await getGrantedAccess(hospital, {
      authorizedUser: researcher.account,
      isUserStrict: true,
    })
    const [grant] = grantedAccess
    await revokeAccess(hospital, { orderHash: grant?.orderHash ?? '0x' })
    const { free } = await balance(researcher)
    const error = await failure(run(researcher, { ...terms(), match: 'self' }))
    expect([error.name, error.kind]).to.deep.equal(['OrderNotFoundError', 'dataset'])
    expect((await balance(researcher)).free).to.equal(free)
    await services.caughtUp()
    expect(
      (await getGrantedAccess(hospital, { authorizedUser: researcher.account, isUserStrict: true })).count,
    ).to.equal(0)
  })

  it('takes an order off the book (C25)', async () => {
    const { orderHash } = await publishOrder(developer, { kind: 'app', order: { app, appprice: 1n } })
    await unpublishOrder(developer, { kind: 'app', orderHash })
    const { orders } = await findOrders(researcher, { kind: 'app', app })
    expect(orders.map((found) => found.orderHash)).to.not.include(orderHash)
    expect(Order.hash('app', orders[0]?.order ?? Order.none('app'), developer.domain)).to.equal(orders[0]?.orderHash)
  })

  it('refuses bad arguments before anything is sent', async () => {
    const bad: [object, string][] = [
      [{ app: 'nobody' }, 'requestorder.app'],
      [{ volume: 0n }, 'volume'],
      [{ args: '"open' }, 'iexec_args'],
      [{ inputFiles: ['ftp://x'] }, 'params.iexec_input_files[0]'],
      [{ secrets: { 1: '' } }, 'secrets.1'],
      [{ secrets: { 0: 'x' } }, 'params.iexec_secrets'],
      [{ secrets: { 1: 'x'.repeat(4097) } }, 'secrets.1'],
      [{ workerpoolMaxPrice: -1n }, 'requestorder.workerpoolmaxprice'],
    ]
    for (const [changes, path] of bad) {
      const error = await failure(run(researcher, { ...terms(), ...changes }))
      expect([error.name, error.path]).to.deep.equal(['InvalidValueError', path])
    }
    const bulk = { bulkCid: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG', volume: 3n }
    const { dataset: _, ...free } = terms()
    expect((await failure(run(researcher, { ...terms(), bulk }))).path).to.equal('dataset')
    expect((await failure(run(researcher, { ...free, bulk, volume: 2n }))).path).to.equal('volume')
  })

  it('prepares bulks of grants that are for bulks, a slice for each task', async () => {
    const tag = Tag.none
    const grant = (volume: bigint, datasetprice = 0n) =>
      signOrder(hospital, { kind: 'dataset', order: { dataset, datasetprice, volume, apprestrict: app, tag } })
    const good = await grant(Order.bulkVolume)
    const { bulkCid, volume } = await prepareBulk(researcher, { grants: [good, good, good], perTask: 2 })
    expect(volume).to.equal(2n)
    const read = async (cid: string) =>
      (await fetch(new URL(`/ipfs/${cid}`, researcher.endpoints.storage))).json() as Promise<string[]>
    const slices = await read(bulkCid)
    expect((await Promise.all(slices.map(read))).map((orders) => orders.length)).to.deep.equal([2, 1])

    for (const bad of [await grant(Order.bulkVolume - 1n), await grant(Order.bulkVolume, 1n)]) {
      expect((await failure(prepareBulk(researcher, { grants: [good, bad] }))).path).to.equal('grants[1]')
    }
    expect((await failure(prepareBulk(researcher, { grants: [] }))).path).to.equal('grants')
    for (const perTask of [0, 101, 1.5]) {
      expect((await failure(prepareBulk(researcher, { grants: [good], perTask }))).path).to.equal('perTask')
    }
    const who = { protectedData: dataset, authorizedApp: app, allowBulk: true }
    expect((await failure(grantAccess(hospital, { ...who, pricePerAccess: 1n }))).path).to.equal('pricePerAccess')
    expect((await failure(grantAccess(hospital, { ...who, numberOfAccess: 5n }))).path).to.equal('numberOfAccess')
  })
})
