import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, Deal, type Hex, type Match, Order, ProtectedData, zeroAddress } from '@sealdeal/protocol'
import {
  type Client,
  deployApp,
  findOrders,
  type GrantedAccess,
  grantAccess,
  type ProtectDataReturnType,
  protectData,
  publishOrder,
  type RunParameters,
  revokeAccess,
  run,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { appFolder, bundleApp } from '../../../iapps/bundle.ts'
import type { Stack } from '../stack.ts'
import { askForKeysWithAnotherApp } from '../testing/attacks.ts'
import { echoApp, type Received } from '../testing/echo.ts'
import {
  escrow,
  finished,
  limits,
  newcomer,
  offerApp,
  prices,
  quadruple,
  refusal,
  resultKey,
  sendMatch,
  textOf,
} from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

type Offer = Awaited<ReturnType<typeof offerApp>>

/** What a deal costs, per task. */
const cost = prices.app + prices.data + prices.pool

/** Protected data of somebody new. */
async function protect(stack: Stack): Promise<{ owner: Client; records: ProtectDataReturnType }> {
  const owner = await newcomer(stack)
  return { owner, records: await protectData(owner, { name: 'records', data: { patient: 'Ada' } }) }
}

describe('C12 authorise exactly one app and one user', () => {
  let stack: Stack
  let user: Client
  let stranger: Client
  let app: Offer
  let otherApp: Offer
  let records: ProtectDataReturnType
  let grant: GrantedAccess

  before(async () => {
    stack = await sharedStack()
    const company = await newcomer(stack)
    user = await newcomer(stack, { staked: 3n * cost })
    stranger = await newcomer(stack, { staked: 3n * cost })
    const protectedData = await protect(stack)
    const { owner } = protectedData
    records = protectedData.records
    app = await offerApp(company, { bundle: echoApp })
    otherApp = await offerApp(company)
    grant = await grantAccess(owner, {
      protectedData: records.address,
      authorizedApp: app.app,
      authorizedUser: user.account,
      pricePerAccess: prices.data,
      numberOfAccess: 5n,
    })
  })

  /** Sends a match that must be refused; returns the Hub's error after checking that nothing came of it. */
  async function refusedMatch(client: Client, orders: Match.Orders) {
    const { hub } = client.contracts
    const error = await refusal(sendMatch(client, orders))
    const requestHash = Order.hash('request', orders.request, client.domain)
    expect(await hub.viewConsumed(grant.orderHash)).to.equal(0n)
    expect(await hub.viewConsumed(requestHash)).to.equal(0n)
    expect((await hub.viewDeal(Deal.id(requestHash, 0n))).app.pointer).to.equal(zeroAddress)
    expect(await escrow(client, client.account)).to.include({ free: 3n * cost, locked: 0n })
    return { error, dealId: Deal.id(requestHash, 0n) }
  }

  it('refuses another user: the client, the Hub, and the SMS', async () => {
    const request = { app: app.app, dataset: grant.order.dataset, ...limits }
    const early = await refusal(run(stranger, request))
    expect([early.name, early.kind]).to.deep.equal(['OrderNotFoundError', 'dataset'])
    expect(early.message).to.contain(`admits only ${user.account} as requester, not ${stranger.account}`)

    const orders = await quadruple(stranger, { app: app.order, dataset: grant.order })
    const { error, dealId } = await refusedMatch(stranger, orders)
    expect([error.name, error.errorName]).to.deep.equal(['ContractRevertError', 'Restricted'])
    expect(error.values).to.deep.equal({
      by: 'dataset',
      what: 'request',
      restriction: user.account,
      candidate: stranger.account,
    })
    const keys = await refusal(askForKeysWithAnotherApp(stack, { dealId, index: 0n }))
    expect(keys.name).to.equal('DealNotFoundError')
    expect(keys.message).to.contain(dealId)
  })

  it('refuses another app: the client, the Hub, and the SMS', async () => {
    const request = { app: otherApp.app, dataset: grant.order.dataset, ...limits }
    const early = await refusal(run(user, request))
    expect([early.name, early.kind]).to.deep.equal(['OrderNotFoundError', 'dataset'])

    const orders = await quadruple(user, { app: otherApp.order, dataset: grant.order })
    const { error, dealId } = await refusedMatch(user, orders)
    expect([error.name, error.errorName]).to.deep.equal(['ContractRevertError', 'Restricted'])
    expect(error.values).to.deep.equal({ by: 'dataset', what: 'app', restriction: app.app, candidate: otherApp.app })
    const keys = await refusal(askForKeysWithAnotherApp(stack, { dealId, index: 0n }))
    expect(keys.name).to.equal('DealNotFoundError')
  })

  it('refuses a request for the one app matched with the order of another', async () => {
    const orders = await quadruple(user, { app: app.order, dataset: grant.order })
    const { error } = await refusedMatch(user, { ...orders, app: otherApp.order })
    expect([error.errorName, error.values]).to.deep.equal([
      'AppMismatch',
      { requested: app.app, offered: otherApp.app },
    ])
  })

  it('refuses the keys of a genuine deal to any other app; the authorised one, run by the authorised user, gets them', async () => {
    const request = { app: app.app, dataset: grant.order.dataset, args: 'C12', ...limits, resultKey: await resultKey() }
    await stack.process('worker').stop()
    let made: Awaited<ReturnType<typeof run>>
    try {
      made = await run(user, { ...request, match: 'self' })
      const keys = await refusal(askForKeysWithAnotherApp(stack, { dealId: made.dealId, index: 0n }))
      expect(keys.name).to.equal('AppMeasurementMismatchError')
      expect(keys.message).to.contain(app.checksum)
    } finally {
      await stack.restart('worker')
    }
    const { files, verified } = await finished(user, made)
    expect(verified).to.equal(true)
    const { argv, dataset } = JSON.parse(textOf(files, 'received.json')) as Received
    expect(argv).to.deep.equal(['C12'])
    expect(ProtectedData.encryptedLength(dataset ?? 0)).to.equal(records.size)
    expect(await user.contracts.hub.viewConsumed(grant.orderHash)).to.equal(1n)
  })
})

describe('C17 revoke one grant on chain', () => {
  let owner: Client
  let user: Client
  let other: Client
  let app: Offer
  let records: ProtectDataReturnType
  const grantTo = (authorizedUser: Address) =>
    grantAccess(owner, {
      protectedData: records.address,
      authorizedApp: app.app,
      authorizedUser,
      pricePerAccess: prices.data,
      numberOfAccess: 5n,
    })

  it('ends it at once, also for somebody who kept a copy of the signed order, and no other grant', async () => {
    const stack = await sharedStack()
    ;({ owner, records } = await protect(stack))
    app = await offerApp(await newcomer(stack))
    user = await newcomer(stack, { staked: 2n * cost })
    other = await newcomer(stack, { staked: cost })
    const { hub } = user.contracts
    const grant = await grantTo(user.account)
    const otherGrant = await grantTo(other.account)
    // The copy: nothing of it is asked for again.
    const orders = await quadruple(user, { app: app.order, dataset: grant.order })
    const match = (blockTag: number) => hub.matchOrders.staticCall(...Order.quadruple(orders), { blockTag })
    const dealId = Deal.id(Order.hash('request', orders.request, user.domain), 0n)

    const { transactionHash, orderHash } = await revokeAccess(owner, { order: grant.order })
    expect(orderHash).to.equal(grant.orderHash)
    const block = (await user.provider.getTransactionReceipt(transactionHash))?.blockNumber ?? 0
    expect(await match(block - 1), 'the block before the revocation').to.equal(dealId)
    expect(await refusal(match(block)), 'the block of the revocation').to.include({ code: 'CALL_EXCEPTION' })

    const error = await refusal(sendMatch(user, orders))
    expect([error.name, error.errorName]).to.deep.equal(['ContractRevertError', 'NothingLeft'])
    expect(error.values).to.deep.equal({ kind: 'dataset', orderHash, volume: 5n })
    expect((await hub.viewDeal(dealId)).app.pointer).to.equal(zeroAddress)
    expect(await escrow(user, user.account)).to.include({ free: 2n * cost, locked: 0n })

    const others = await quadruple(other, { app: app.order, dataset: otherGrant.order })
    const matched = await other.contracts.hub.matchOrders.staticCall(...Order.quadruple(others))
    expect(matched).to.equal(Deal.id(Order.hash('request', others.request, other.domain), 0n))
  })

  it('lets a run fail before anything is signed or paid', async () => {
    // The market drops it once it has read the block; the refusal does not wait for that.
    const sent = await user.provider.getTransactionCount(user.account)
    const error = await refusal(run(user, { app: app.app, dataset: records.address, ...limits }))
    expect([error.name, error.kind]).to.deep.equal(['OrderNotFoundError', 'dataset'])
    expect(await user.provider.getTransactionCount(user.account)).to.equal(sent)
    expect(await escrow(user, user.account)).to.include({ free: 2n * cost, locked: 0n })
  })

  it('disappears from the market, and the other grant stays', async () => {
    const listed = async () => {
      const filter = { kind: 'dataset', dataset: records.address, app: app.app, requester: 'any' } as const
      return (await findOrders(owner, filter)).orders.map(({ order }) => order.requesterrestrict)
    }
    for (const end = Date.now() + 10_000; (await listed()).includes(user.account) && Date.now() < end; ) await sleep(50)
    expect(await listed()).to.deep.equal([other.account])
  })
})

describe('C27 be told plainly what a run with protected data lacks', () => {
  let stack: Stack
  let company: Client
  let owner: Client
  let user: Client
  let app: Address
  let request: RunParameters

  before(async () => {
    stack = await sharedStack()
    company = await newcomer(stack)
    user = await newcomer(stack, { staked: cost })
    const protectedData = await protect(stack)
    owner = protectedData.owner
    const bundle = await bundleApp(appFolder('hello-world'))
    app = (await deployApp(company, { name: `C27 ${user.account}`, bundle })).app
    request = { app, dataset: protectedData.records.address, args: 'C27', ...limits, resultKey: await resultKey() }
  })

  /** Tries to run, and checks that nothing was sent to chain, market or secret service, and nothing was locked. */
  async function refused() {
    const sent = await user.provider.getTransactionCount(user.account)
    const error = await refusal(run(user, request))
    expect(await user.provider.getTransactionCount(user.account)).to.equal(sent)
    expect(await escrow(user, user.account)).to.include({ free: cost, locked: 0n })
    expect((await findOrders(user, { kind: 'request', requester: user.account })).count).to.equal(0)
    const key = new URL(
      `/secrets/web2?ownerAddress=${user.account}&secretName=iexec-result-encryption-public-key`,
      stack.endpoints.sms,
    )
    expect((await fetch(key, { method: 'HEAD' })).status).to.equal(404)
    expect(error.name).to.equal('OrderNotFoundError')
    return {
      kind: error.kind,
      rejected: error.rejected as { orderHash: Hex; reasons: string[] }[],
      text: error.message,
    }
  }

  it('names the app order when the app is not offered', async () => {
    const { kind, rejected, text } = await refused()
    expect({ kind, rejected }).to.deep.equal({ kind: 'app', rejected: [] })
    expect(text).to.contain(`No app order of ${app} can be used.`).and.contain('Nothing was paid.')
  })

  it('names the dataset order when there is no grant', async () => {
    await publishOrder(company, { kind: 'app', order: { app, appprice: prices.app, volume: 10n } })
    const { kind, rejected, text } = await refused()
    expect({ kind, rejected }).to.deep.equal({ kind: 'dataset', rejected: [] })
    expect(text).to.contain(`No dataset order of ${request.dataset} can be used.`).and.contain('grant access')
  })

  it('says why the grants that exist do not do', async () => {
    const granted = { protectedData: request.dataset as Address, authorizedApp: app }
    const others = await grantAccess(owner, { ...granted, authorizedUser: company.account })
    const dear = await grantAccess(owner, {
      ...granted,
      authorizedUser: user.account,
      pricePerAccess: prices.data + 1n,
    })
    const { kind, rejected } = await refused()
    expect(kind).to.equal('dataset')
    expect(new Map(rejected.map(({ orderHash, reasons }) => [orderHash, reasons.join(' ')]))).to.deep.equal(
      new Map([
        [others.orderHash, `The dataset order admits only ${company.account} as requester, not ${user.account}.`],
        [dear.orderHash, `The dataset costs ${prices.data + 1n} per task, the request pays at most ${prices.data}.`],
      ]),
    )
    await revokeAccess(owner, { order: dear.order })
  })

  it('completes after the grant', async () => {
    await grantAccess(owner, {
      protectedData: request.dataset as Address,
      authorizedApp: app,
      authorizedUser: user.account,
      pricePerAccess: prices.data,
    })
    const made = await run(user, request)
    expect(made.cost).to.equal(cost)
    const { files, encrypted, verified } = await finished(user, made)
    expect({ encrypted, verified }).to.deep.equal({ encrypted: true, verified: true })
    expect(textOf(files, 'result.txt')).to.match(/^Hello, C27!\nThe dataset has \d+ bytes\.\n$/)
    expect(await escrow(user, user.account)).to.include({ free: 0n, locked: 0n })
    expect(await escrow(owner, owner.account)).to.include({ free: prices.data, locked: 0n })
  })
})
