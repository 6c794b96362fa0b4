import { type Address, Order } from '@sealdeal/protocol'
import {
  type Client,
  closeOrder,
  type GrantedAccess,
  getGrantedAccess,
  grantAccess,
  protectData,
  publishOrder,
  run,
  unpublishOrder,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
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
} from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

const cost = prices.app + prices.pool

describe('C16 list grants', () => {
  let owner: Client
  let apps: Address[]
  let users: Client[]
  let data: Address[]
  const made: (GrantedAccess & { app: Address; user: Address | undefined })[] = []

  before(async () => {
    const stack = await sharedStack()
    owner = await newcomer(stack)
    users = [await newcomer(stack), await newcomer(stack)]
    apps = [(await offerApp(await newcomer(stack))).app, (await offerApp(await newcomer(stack))).app]
    data = []
    for (const name of ['C16 first', 'C16 second']) {
      data.push((await protectData(owner, { name, data: { name } })).address)
    }
    // Every pair of data and app, for each of the users and for anyone.
    for (const protectedData of data) {
      for (const app of apps) {
        for (const user of [...users.map(({ account }) => account), undefined]) {
          const grant = await grantAccess(owner, {
            protectedData,
            authorizedApp: app,
            ...(user && { authorizedUser: user }),
            pricePerAccess: BigInt(made.length),
          })
          made.push({ ...grant, app, user })
        }
      }
    }
  })

  const hashes = (grants: { orderHash: string }[]) => grants.map(({ orderHash }) => orderHash).sort()
  const listed = async (filter: Parameters<typeof getGrantedAccess>[1]) => {
    const { grantedAccess, count } = await getGrantedAccess(owner, filter)
    expect(count).to.equal(grantedAccess.length)
    return hashes(grantedAccess)
  }

  it('by data, by app, and by user with or without those for anyone: exactly those that were made', async () => {
    for (const protectedData of data) {
      const ofData = made.filter(({ order }) => order.dataset === protectedData)
      expect(await listed({ protectedData })).to.deep.equal(hashes(ofData))
      for (const app of apps) {
        const ofApp = ofData.filter((grant) => grant.app === app)
        expect(await listed({ protectedData, authorizedApp: app })).to.deep.equal(hashes(ofApp))
        for (const { account } of users) {
          const filter = { protectedData, authorizedApp: app, authorizedUser: account }
          const strict = ofApp.filter(({ user }) => user === account)
          const usable = ofApp.filter(({ user }) => user === account || user === undefined)
          expect(await listed({ ...filter, isUserStrict: true })).to.deep.equal(hashes(strict))
          expect(await listed(filter)).to.deep.equal(hashes(usable))
        }
      }
    }
    const [user] = users
    const strict = made.filter(({ user: named }) => named === user?.account)
    expect(await listed({ authorizedUser: user?.account ?? 'any', isUserStrict: true })).to.deep.equal(hashes(strict))
  })

  it('in pages, none twice and none left out, the cheapest first', async () => {
    const stack = await sharedStack()
    const { address: many } = await protectData(owner, { name: 'C16 many', data: { a: 1 } })
    const all: string[] = []
    for (let price = 12n; price > 0n; price--) {
      const user = await newcomer(stack)
      const grant = { protectedData: many, authorizedApp: apps[0] as Address, authorizedUser: user.account }
      all.unshift((await grantAccess(owner, { ...grant, pricePerAccess: price })).orderHash)
    }
    const pages = []
    for (const page of [0, 1]) pages.push(await getGrantedAccess(owner, { protectedData: many, page, pageSize: 10 }))
    expect(pages.map(({ count, hasMore }) => ({ count, hasMore }))).to.deep.equal([
      { count: 12, hasMore: true },
      { count: 12, hasMore: false },
    ])
    const seen = pages.flatMap(({ grantedAccess }) => grantedAccess.map(({ orderHash }) => orderHash))
    expect(seen).to.deep.equal(all)
  })
})

describe('C19 be stopped from granting the same twice', () => {
  it('names the grant that exists, and signs and publishes nothing', async () => {
    const stack = await sharedStack()
    const owner = await newcomer(stack)
    const { app } = await offerApp(await newcomer(stack))
    const { address } = await protectData(owner, { name: 'C19', data: { a: 1 } })
    const user = await newcomer(stack)
    const wanted = { protectedData: address, authorizedApp: app, authorizedUser: user.account }
    const first = await grantAccess(owner, { ...wanted, pricePerAccess: 1n })
    const steps: string[] = []
    // Another price or number makes another order, but the same grant.
    const again = grantAccess(owner, {
      ...wanted,
      pricePerAccess: 2n,
      numberOfAccess: 3n,
      onStatus: ({ title }) => steps.push(title),
    })
    const error = await refusal(again)
    expect([error.name, error.orderHash]).to.deep.equal(['AccessAlreadyGrantedError', first.orderHash])
    expect(error.message).to.contain(first.orderHash).and.contain('revoke it first')
    expect(steps).to.deep.equal([])
    const { grantedAccess } = await getGrantedAccess(owner, { protectedData: address })
    expect(grantedAccess.map(({ orderHash }) => orderHash)).to.deep.equal([first.orderHash])

    const anyone = await grantAccess(owner, { protectedData: address, authorizedApp: app })
    expect((await getGrantedAccess(owner, { protectedData: address })).count, 'for anyone is another').to.equal(2)
    expect(anyone.orderHash).not.to.equal(first.orderHash)
  })
})

describe('C25 offer an app to others, and end the offer', () => {
  let stack: Stack
  let developer: Client
  let user: Client
  let offer: Awaited<ReturnType<typeof offerApp>>
  const request = async () => ({ app: offer.app, ...limits, resultKey: await resultKey() })

  before(async () => {
    stack = await sharedStack()
    developer = await newcomer(stack)
    user = await newcomer(stack, { staked: 2n * cost })
    offer = await offerApp(developer)
  })

  it('lets another wallet run it at the price, which its owner gets', async () => {
    const made = await run(user, await request())
    const { verified } = await finished(user, made)
    expect(verified).to.equal(true)
    expect(await escrow(developer, developer.account)).to.include({ free: prices.app, locked: 0n })
  })

  it('ends for whoever looks at the market when it is unpublished, and not for who kept a copy', async () => {
    await unpublishOrder(developer, { kind: 'app', orderHash: offer.orderHash })
    const error = await refusal(run(user, await request()))
    expect([error.name, error.kind]).to.deep.equal(['OrderNotFoundError', 'app'])
    const orders = await quadruple(user, { app: offer.order })
    await user.contracts.hub.matchOrders.staticCall(...Order.quadruple(orders))
  })

  it('admits only whom it names', async () => {
    const friend = await newcomer(stack, { staked: cost })
    await publishOrder(developer, {
      kind: 'app',
      order: { app: offer.app, appprice: prices.app, requesterrestrict: friend.account },
    })
    const error = await refusal(run(user, await request()))
    expect(error.message).to.contain(`admits only ${friend.account} as requester, not ${user.account}`)
    const { verified } = await finished(friend, await run(friend, await request()))
    expect(verified).to.equal(true)
  })

  it('ends for everybody when it is cancelled', async () => {
    const orders = await quadruple(user, { app: offer.order })
    await closeOrder(developer, { kind: 'app', order: offer.order })
    const error = await refusal(sendMatch(user, orders))
    expect([error.errorName, error.values]).to.deep.equal([
      'NothingLeft',
      { kind: 'app', orderHash: offer.orderHash, volume: offer.order.volume },
    ])
    expect(await escrow(user, user.account)).to.include({ free: cost, locked: 0n })
  })
})
