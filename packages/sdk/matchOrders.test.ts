import { type Address, Deal, Order, Params, Result, Task } from '@sealdeal/protocol'
import { expect } from 'chai'
import {
  balance,
  type Client,
  claimTask,
  closeOrder,
  createWorkerpool,
  deployApp,
  deposit,
  explainMatch,
  getPayouts,
  matchOrders,
  revokeAccess,
  transferOwnership,
  waitForTask,
  withdraw,
} from './index.ts'
import { type Chain, createChain, finish, signed } from './testing/world.ts'

describe('the verbs of the chain', function () {
  this.timeout(60_000)
  let chain: Chain
  let developer: Client
  let hospital: Client
  let pool: Client
  let worker: Client
  let researcher: Client
  let app: Address
  let dataset: Address
  let workerpool: Address

  before(async () => {
    chain = await createChain()
    developer = await chain.client()
    hospital = await chain.client()
    worker = await chain.client()
    pool = await chain.client({ staked: 1_000n })
    researcher = await chain.client({ tokens: 500n, staked: 1_000n })
    const checksum = `0x${'c5'.repeat(32)}` as const
    ;({ app } = await deployApp(developer, { name: 'training', image: 'registry.example/app:1', checksum }))
    ;({ workerpool } = await createWorkerpool(pool, { description: 'pool', schedulerRewardRatio: 20n }))
    const registry = hospital.contracts.datasetRegistry
    await registry.createDataset(hospital.account, 'records', '0x1234', checksum)
    dataset = (await registry.predictDataset(hospital.account, 'records', '0x1234', checksum)) as Address
  })

  /** Fresh orders that match. */
  async function orders({ volume = 1n }: { volume?: bigint } = {}) {
    const request = {
      app,
      dataset,
      requester: researcher.account,
      appmaxprice: 10n,
      datasetmaxprice: 20n,
      workerpoolmaxprice: 30n,
      volume,
      params: Params.build({ encryptResult: true }),
    }
    return {
      app: await signed(developer, 'app', { app, appprice: 10n, volume: 9n }),
      dataset: await signed(hospital, 'dataset', { dataset, datasetprice: 20n, volume: 9n, apprestrict: app }),
      workerpool: await signed(pool, 'workerpool', { workerpool, workerpoolprice: 30n, volume: 9n }),
      request: await signed(researcher, 'request', request),
    }
  }

  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.fail('it succeeded'),
      (error) => error,
    )

  it('registers assets as they were described', async () => {
    const info = await developer.contracts.hub.viewApp(app)
    expect([info.owner, info.m_appName, info.m_appType]).to.deep.equal([developer.account, 'training', 'DOCKER'])
    expect(info.m_appMREnclave).to.equal('0x')
    const policy = await pool.contracts.hub.viewWorkerpool(workerpool)
    expect([policy.owner, policy.m_schedulerRewardRatioPolicy]).to.deep.equal([pool.account, 20n])
  })

  it('deposits and withdraws, and says what is missing (C33)', async () => {
    const client = await chain.client({ tokens: 100n })
    await deposit(client, { amount: 60n })
    expect(await balance(client)).to.deep.equal({ free: 60n, locked: 0n, wallet: 40n })
    await withdraw(client, { amount: 10n })
    expect(await balance(client)).to.deep.equal({ free: 50n, locked: 0n, wallet: 50n })
    const error = await failure(withdraw(client, { amount: 51n }))
    expect(error.errorName).to.equal('ERC20InsufficientBalance')
    expect(error.message).to.contain('50').and.to.contain('51')
    expect((await failure(deposit(client, { amount: 51n }))).name).to.equal('ContractRevertError')
    expect((await failure(deposit(client, { amount: 0n }))).name).to.equal('InvalidValueError')
  })

  it('makes a deal, follows its task and tells who was paid what (C29, C48)', async () => {
    const four = await orders()
    expect(await explainMatch(researcher, four)).to.deep.equal([])
    const { free } = await balance(researcher)
    const { dealId, volume } = await matchOrders(researcher, four)
    expect(volume).to.equal(1n)
    expect(dealId).to.equal(Deal.id(Order.hash('request', four.request, researcher.domain), 0n))
    expect(await balance(researcher)).to.include({ free: free - 60n, locked: 60n })

    const taskId = Task.id(dealId, 0n)
    const seen: string[] = []
    const waiting = waitForTask(researcher, { taskId, timeout: 20_000, onStatus: ({ status }) => seen.push(status) })
    expect((await failure(getPayouts(researcher, { taskId }))).name).to.equal('ResultNotAvailableError')
    await worker.contracts.hub.initialize(dealId, 0n)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const location = { storage: 'ipfs', location: '/ipfs/QmX' }
    await finish({ worker, pool, taskId, results: Result.encodeLocation(location) })
    expect((await waiting).location).to.deep.equal(location)
    expect(seen).to.deep.equal(['UNSET', 'ACTIVE', 'COMPLETED'])

    const { payouts, outcome } = await getPayouts(researcher, { taskId })
    expect(outcome).to.equal('finalized')
    expect(payouts).to.deep.equal([
      { movement: 'paid', account: researcher.account, roles: ['payer', 'requester'], amount: 60n },
      { movement: 'earned', account: developer.account, roles: ['app owner'], amount: 10n },
      { movement: 'earned', account: hospital.account, roles: ['dataset owner'], amount: 20n },
      { movement: 'unlocked', account: pool.account, roles: ['scheduler'], amount: 9n },
      { movement: 'earned', account: worker.account, roles: ['worker'], amount: 24n },
      { movement: 'earned', account: pool.account, roles: ['scheduler'], amount: 6n },
    ])
  })

  it('refuses orders that would not match, with every reason, before anything is sent (C30, C78)', async () => {
    const four = await orders()
    const stranger = await chain.client()
    const bad = { ...four, app: await signed(stranger, 'app', { app, appprice: 11n }) }
    const sent = await researcher.provider.getTransactionCount(researcher.account)
    const error = await failure(matchOrders(researcher, bad))
    expect(error.name).to.equal('OrdersMismatchError')
    expect(error.mismatches.map(({ code }: { code: string }) => code)).to.deep.equal(['03', '21'])
    expect(await researcher.provider.getTransactionCount(researcher.account)).to.equal(sent)
    // The Hub itself reports the first of them.
    const call = researcher.contracts.hub.matchOrders.staticCall(...Order.quadruple(bad)).catch((error) => error)
    expect((await call).revert?.name).to.equal('Overpriced')
  })

  it('asks groups whom they admit', async () => {
    const four = await orders()
    const noGroup = { ...four, dataset: await signed(hospital, 'dataset', { dataset, apprestrict: pool.account }) }
    expect((await explainMatch(researcher, noGroup)).map(({ code }) => code)).to.deep.equal(['16'])
  })

  it('names the account whose balance is too small', async () => {
    const four = await orders()
    const poor = await chain.client({ staked: 59n })
    const request = await signed(poor, 'request', { ...four.request, requester: poor.account })
    const [mismatch] = await explainMatch(poor, { ...four, request })
    expect(mismatch).to.include({ code: '70', name: 'ERC20InsufficientBalance' })
    expect(mismatch?.remedy).to.contain('1 more')
    expect(await explainMatch(poor, { ...four, request }, { payer: researcher.account })).to.deep.equal([])
  })

  it('lets a sponsor pay', async () => {
    const four = await orders()
    const poor = await chain.client()
    const request = await signed(poor, 'request', { ...four.request, requester: poor.account })
    const { dealId } = await matchOrders(researcher, { ...four, request, sponsor: true })
    expect((await researcher.contracts.hub.viewDeal(dealId)).sponsor).to.equal(researcher.account)
    expect((await balance(poor)).locked).to.equal(0n)
  })

  it('revokes a grant for good, also for who kept the order (C17)', async () => {
    const four = await orders()
    const stranger = await chain.client()
    expect((await failure(revokeAccess(stranger, { order: four.dataset }))).errorName).to.equal(
      'OperationNotAuthorized',
    )
    await revokeAccess(hospital, { order: four.dataset })
    const error = await failure(matchOrders(researcher, four))
    expect(error.mismatches.map(({ code }: { code: string }) => code)).to.deep.equal(['60'])
    expect((await failure(revokeAccess(hospital, { order: four.dataset }))).name).to.equal('AccessNotActiveError')
  })

  for (const kind of Order.kinds) {
    it(`closes an order of the kind ${kind}`, async () => {
      const four = await orders()
      const signer = { app: developer, dataset: hospital, workerpool: pool, request: researcher }[kind]
      const { orderHash } = await closeOrder(signer, { kind, order: four[kind] as never })
      expect(await researcher.contracts.hub.viewConsumed(orderHash)).to.equal(four[kind].volume)
    })
  }

  it('gets the money back from a task that nobody finished (C37)', async () => {
    const { dealId } = await matchOrders(researcher, await orders({ volume: 2n }))
    const { free, locked } = await balance(researcher)
    const [first, second] = [Task.id(dealId, 0n), Task.id(dealId, 1n)]
    await worker.contracts.hub.initialize(dealId, 0n)
    expect((await failure(claimTask(researcher, { taskId: first }))).errorName).to.equal('DeadlineNotReached')
    expect((await failure(waitForTask(researcher, { taskId: first, timeout: 20 }))).name).to.equal('TimeoutError')
    await chain.travel(3_000n)
    expect((await failure(waitForTask(researcher, { taskId: first }))).name).to.equal('TaskOverdueError')
    await claimTask(researcher, { taskId: first })
    await claimTask(researcher, { dealId, index: 1n })
    expect(await balance(researcher)).to.include({ free: free + 120n, locked: locked - 120n })
    expect((await failure(waitForTask(researcher, { taskId: second }))).name).to.equal('TaskFailedError')
    const { outcome, payouts } = await getPayouts(researcher, { taskId: first })
    expect(outcome).to.equal('claimed')
    expect(payouts.slice(0, 2)).to.deep.equal([
      { movement: 'unlocked', account: researcher.account, roles: ['payer', 'requester'], amount: 60n },
      { movement: 'lost', account: pool.account, roles: ['scheduler'], amount: 9n },
    ])
  })

  it('ends the grants of who gives the data away (C11)', async () => {
    const four = await orders()
    const heir = await chain.client()
    await transferOwnership(hospital, { protectedData: dataset, newOwner: heir.account })
    const error = await failure(matchOrders(researcher, four))
    expect(error.mismatches.map(({ code }: { code: string }) => code)).to.deep.equal(['31'])
    expect(
      (await failure(transferOwnership(hospital, { protectedData: dataset, newOwner: heir.account }))).name,
    ).to.equal('ContractRevertError')
  })
})
