import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Contracts, Deal, type Hex, Order, Params, zeroAddress, zeroHash } from '@sealdeal/protocol'
import {
  type Client,
  type GrantedAccess,
  getPayouts,
  grantAccess,
  matchOrders,
  protectData,
  type RunReturnType,
  run,
  waitForTask,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { programs, type Stack } from '../stack.ts'
import { echoApp, type Received } from '../testing/echo.ts'
import { escrow, finished, limits, newcomer, offerApp, prices, quadruple, resultKey, textOf } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'
import { scanWorld, type World } from '../testing/world.ts'

const cost = prices.app + prices.data + prices.pool

describe('C26 run without protected data', () => {
  it('completes a deal whose dataset is nobody, and pays app and pool alone', async () => {
    const stack = await sharedStack()
    const company = await newcomer(stack)
    const user = await newcomer(stack, { staked: prices.app + prices.pool })
    const { app } = await offerApp(company)
    const made = await run(user, { app, args: 'nobody', ...limits, resultKey: await resultKey() })
    expect(made.cost).to.equal(prices.app + prices.pool)

    const { files, encrypted, verified } = await finished(user, made)
    expect({ encrypted, verified }).to.deep.equal({ encrypted: true, verified: true })
    expect(textOf(files, 'result.txt')).to.equal('Hello, nobody!\n')
    const deal = Deal.fromChain(await user.contracts.hub.viewDeal(made.dealId))
    expect(deal.dataset).to.deep.equal({ pointer: zeroAddress, owner: zeroAddress, price: 0n })
    expect(deal.app.pointer).to.equal(app)
    expect(await escrow(user, user.account)).to.include({ free: 0n, locked: 0n })
    expect(await escrow(user, company.account)).to.include({ free: prices.app, locked: 0n })
    const { payouts } = await getPayouts(user, { taskId: made.taskId })
    expect(payouts.flatMap(({ roles }) => roles)).to.not.include('dataset owner')
  })
})

describe('C28 pass arguments, an input file and secrets', () => {
  const canary = randomUUID()
  const secrets = { 1: `secret-${canary}`, 3: `ünd ${canary}` }
  // What anybody may read, and the scan must therefore find.
  const publicWord = `public-${randomUUID()}`
  const text = `first line\n${randomUUID()}\n`
  let stack: Stack
  let since: Date
  let asked: string[]
  let received: Received
  let made: RunReturnType
  let user: Client

  before(async () => {
    stack = await sharedStack()
    since = new Date(Date.now() - 5_000)
    asked = []
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.end(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const { app } = await offerApp(await newcomer(stack), { bundle: echoApp })
      user = await newcomer(stack, { staked: prices.app + prices.pool })
      made = await run(user, {
        app,
        args: `--word ${publicWord} 'two words' "it's"`,
        inputFiles: [`${origin}/input.txt`],
        secrets,
        ...limits,
        resultKey: await resultKey(),
      })
      const { files } = await finished(user, made)
      received = JSON.parse(textOf(files, 'received.json'))
    } finally {
      server.close()
    }
  })

  it('hands the words of the command line to the app', () => {
    expect(received.argv).to.deep.equal(['--word', publicWord, 'two words', "it's"])
  })

  it('hands the input file to the app, fetched once by its URL', () => {
    expect(received.files).to.deep.equal([text])
    expect(asked).to.deep.equal(['GET /input.txt'])
  })

  it('hands the secrets to the app, each under its number', () => {
    expect(received.secrets).to.deep.equal(secrets)
    expect(received.dataset).to.equal(null)
  })

  it('leaves the secrets nowhere: not on chain, in a market, a database, a store, a log or a process', async () => {
    const world: World = {
      directory: stack.directory,
      chainUrl: stack.endpoints.chain,
      databaseUrls: ['market', 'sms', 'scheduler', 'matcher'].map(stack.databaseUrl),
      pids: programs.map((name) => stack.process(name).pid),
      since,
    }
    expect(await scanWorld(world, canary)).to.deep.equal([])

    // The same scan finds what was public all along: on chain, in the market, and with the pool.
    const found = (await scanWorld(world, publicWord)).map(({ where }) => where)
    expect(found.filter((where) => where.startsWith('input of transaction'))).to.have.lengthOf(1)
    expect(found.filter((where) => where.startsWith('table ') && where.endsWith('/sealdeal_market'))).to.not.be.empty
    // What the request names on chain is not the secret but where it is kept.
    const { params } = await user.contracts.hub.viewDeal(made.dealId)
    expect(Object.keys(Params.parse(params).secrets ?? {})).to.deep.equal(['1', '3'])
  })
})

describe('C29 match four orders into a deal in one transaction', () => {
  let stack: Stack
  let user: Client
  let hospital: Client
  let company: Client
  let app: Awaited<ReturnType<typeof offerApp>>
  let grant: GrantedAccess
  let taskIds: Hex[] = []

  before(async () => {
    stack = await sharedStack()
    hospital = await newcomer(stack)
    user = await newcomer(stack, { staked: 3n * cost })
    company = await newcomer(stack)
    app = await offerApp(company)
    const { address } = await protectData(hospital, { name: 'C29', data: { records: 'one' } })
    grant = await grantAccess(hospital, {
      protectedData: address,
      authorizedApp: app.app,
      authorizedUser: user.account,
      pricePerAccess: prices.data,
      numberOfAccess: 3n,
    })
  })

  // Whoever counts the pool's money next must not meet these tasks.
  after(async () => {
    for (const taskId of taskIds) await waitForTask(user, { taskId, timeout: 40_000 })
  })

  /** The Hub's events of the transaction that made a deal, and who sent it. */
  async function matchOf(dealId: Hex) {
    const { hub } = user.contracts
    const all = await hub.queryFilter(hub.filters.OrdersMatched())
    const own = all.filter(({ args }) => args.dealid === dealId)
    expect(own, 'one event OrdersMatched for the deal').to.have.lengthOf(1)
    const receipt = await own[0]?.getTransactionReceipt()
    if (!receipt) throw new Error('The event has no receipt.')
    const transaction = await receipt.getTransaction()
    const events = receipt.logs.flatMap((log) => Contracts.parseLog(log) ?? [])
    const call = hub.interface.parseTransaction(transaction)
    return { receipt, events, call, args: own[0]?.args }
  }

  it('records app, data, pool and request exactly as their orders say, all in that transaction or not at all', async () => {
    const { hub } = user.contracts
    const orders = await quadruple(user, { app: app.order, dataset: grant.order, request: { volume: 2n } })
    const hashes = {
      app: app.orderHash,
      dataset: grant.orderHash,
      workerpool: Order.hash('workerpool', orders.workerpool, user.domain),
      request: Order.hash('request', orders.request, user.domain),
    }
    const { dealId } = await matchOrders(user, orders)
    expect(dealId).to.equal(Deal.id(hashes.request, 0n))
    taskIds = Deal.tasks(dealId, { botFirst: 0n, botSize: 2n }).map(({ taskId }) => taskId)
    const { receipt, events, args } = await matchOf(dealId)

    expect(Array.from(args ?? [])).to.deep.equal([
      dealId,
      hashes.app,
      hashes.dataset,
      hashes.workerpool,
      hashes.request,
      2n,
    ])
    expect(events.filter(({ name }) => name === 'SchedulerNotice').map(({ args }) => args.toArray())).to.deep.equal([
      [stack.deployment.workerpool, dealId],
    ])

    const timestamp = (await user.provider.getBlock(receipt.blockNumber))?.timestamp
    expect(Deal.fromChain(await hub.viewDeal(dealId, { blockTag: receipt.blockNumber }))).to.deep.equal({
      app: { pointer: app.app, owner: company.account, price: prices.app },
      dataset: { pointer: grant.order.dataset, owner: hospital.account, price: prices.data },
      workerpool: {
        pointer: stack.deployment.workerpool,
        owner: stack.wallets.poolOwner.address,
        price: prices.pool,
      },
      // A request that leaves the trust open means one worker.
      trust: 1n,
      category: orders.request.category,
      tag: orders.request.tag,
      requester: user.account,
      beneficiary: user.account,
      callback: zeroAddress,
      params: orders.request.params,
      startTime: BigInt(timestamp ?? 0),
      botFirst: 0n,
      botSize: 2n,
      // The policy with which a workerpool begins: 30 % and 1 %.
      workerStake: (prices.pool * 30n) / 100n,
      schedulerRewardRatio: 1n,
      sponsor: user.account,
    })

    // One block before, there was nothing of it; in the block of the transaction, all of it.
    const before = { blockTag: receipt.blockNumber - 1 }
    const at = { blockTag: receipt.blockNumber }
    expect((await hub.viewDeal(dealId, before)).app.pointer).to.equal(zeroAddress)
    for (const [kind, hash] of Object.entries(hashes)) {
      const used = (await hub.viewConsumed(hash, at)) - (await hub.viewConsumed(hash, before))
      expect(used, `volume used of the ${kind} order`).to.equal(2n)
    }
    expect((await hub.viewAccount(user.account, before)).locked).to.equal(0n)
    expect((await hub.viewAccount(user.account, at)).locked).to.equal(2n * cost)
  })

  it('is what a matcher sends for a published request', async () => {
    const request = { app: app.app, dataset: grant.order.dataset, ...limits, resultKey: await resultKey() }
    const made = await run(user, request)
    const { receipt, call, events, args } = await matchOf(made.dealId)
    expect(receipt.from).to.equal(stack.wallets.matcher.address)
    expect(call?.name).to.equal('matchOrders')
    expect([args?.appHash, args?.datasetHash, args?.requestHash]).to.deep.equal([
      app.orderHash,
      grant.orderHash,
      made.requestHash,
    ])
    expect(args?.workerpoolHash).to.not.equal(zeroHash)
    expect(events.filter(({ name }) => name === 'OrdersMatched')).to.have.lengthOf(1)
    const { files } = await finished(user, made)
    expect(textOf(files, 'result.txt')).to.contain('Hello, world!')
  })
})
