// Rows of docs/checklist.md about what is refused at the match: one test per clause, and nothing changes.
import { expect } from 'chai'
import {
  appPrice,
  CLOSE,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  dealIdOf,
  ethers,
  hashOrder,
  loadFixture,
  makeDeal,
  operationOn,
  type Quadruple,
  SCONE,
  schedulerStake,
  signedOrders,
  signOrders,
  TDX,
  TEE,
  tag,
  teeTag,
  type Wishes,
  workerpoolPrice,
} from '../fixtures.ts'

const stranger = '0x00000000000000000000000000000000DeaDBeef'
const kinds = ['app', 'dataset', 'workerpool', 'request'] as const
const numberOf = { app: 0n, dataset: 1n, workerpool: 2n, request: 3n }

type Market = Awaited<ReturnType<typeof createdAssets>>

/** No deal, nothing locked, nothing used of any order. */
async function expectNothingChanged({ hub, domain, requester, scheduler }: Market, orders: Quadruple) {
  expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT, 0n])
  for (const [index, kind] of kinds.entries()) {
    expect(await hub.viewConsumed(hashOrder(kind, orders[index] as never, domain))).to.equal(0n)
  }
  const deal = await hub.viewDeal(dealIdOf(hashOrder('request', orders[3], domain), 0n))
  expect(deal.app.pointer).to.equal(ethers.ZeroAddress)
}

describe('C30 have every invalid match refused', () => {
  type Clause = [string, (market: Market) => Wishes, string, (market: Market) => unknown[]]
  const clauses: Clause[] = [
    ['the category is another', () => ({ request: { category: 1n } }), 'CategoryMismatch', () => [1n, 0n]],
    [
      'the category does not exist',
      () => ({ request: { category: 9n }, workerpool: { category: 9n } }),
      'UnknownCategory',
      () => [9n],
    ],
    ['the pool accepts less trust', () => ({ request: { trust: 2n } }), 'TrustTooHigh', () => [2n, 0n]],
    [
      'the price of the app is above the maximum',
      () => ({ request: { appmaxprice: appPrice - 1n } }),
      'Overpriced',
      () => [0n, appPrice, appPrice - 1n],
    ],
    [
      'the price of the data is above the maximum',
      () => ({ request: { datasetmaxprice: datasetPrice - 1n } }),
      'Overpriced',
      () => [1n, datasetPrice, datasetPrice - 1n],
    ],
    [
      'the price of the work is above the maximum',
      () => ({ request: { workerpoolmaxprice: workerpoolPrice - 1n } }),
      'Overpriced',
      () => [2n, workerpoolPrice, workerpoolPrice - 1n],
    ],
    ['the tag is not covered', () => ({ workerpool: { tag: tag(TEE) } }), 'TagNotCovered', () => [teeTag, tag(TEE)]],
    [
      'an enclave is wanted and the app has none',
      () => ({ app: { tag: tag(TDX) } }),
      'EnclaveMismatch',
      () => [teeTag, tag(TDX)],
    ],
    ['the app is another', () => ({ request: { app: stranger } }), 'AppMismatch', ({ app }) => [stranger, app.target]],
    [
      'the data is another',
      () => ({ request: { dataset: stranger } }),
      'DatasetMismatch',
      ({ dataset }) => [stranger, dataset.target],
    ],
    ...restrictions(),
    ...(['app', 'dataset', 'workerpool'] as const).map((kind): Clause => {
      const foreign = { [kind]: stranger }
      const request = kind === 'workerpool' ? {} : foreign
      return [
        `the ${kind} is not registered`,
        () => ({ [kind]: foreign, request }),
        'NotRegistered',
        () => [numberOf[kind], stranger],
      ]
    }),
  ]

  function restrictions(): Clause[] {
    const targets = { app: 'app', dataset: 'dataset', workerpool: 'workerpool', request: 'requester' } as const
    const members: [keyof typeof targets, keyof typeof targets, string][] = [
      ['request', 'workerpool', 'workerpool'],
      ['app', 'dataset', 'datasetrestrict'],
      ['app', 'workerpool', 'workerpoolrestrict'],
      ['app', 'request', 'requesterrestrict'],
      ['dataset', 'app', 'apprestrict'],
      ['dataset', 'workerpool', 'workerpoolrestrict'],
      ['dataset', 'request', 'requesterrestrict'],
      ['workerpool', 'app', 'apprestrict'],
      ['workerpool', 'dataset', 'datasetrestrict'],
      ['workerpool', 'request', 'requesterrestrict'],
    ]
    return members.map(([by, what, member]) => [
      `the ${by} order is restricted to another ${what}`,
      () => ({ [by]: { [member]: stranger } }),
      'Restricted',
      (market) => {
        const candidate = market[targets[what]]
        const address = 'target' in candidate ? candidate.target : candidate.address
        return [numberOf[by], numberOf[what], stranger, address]
      },
    ])
  }

  for (const [name, wishes, error, values] of clauses) {
    it(`refuses when ${name}`, async () => {
      const market = await loadFixture(createdAssets)
      const orders = await signOrders(market, wishes(market))
      await expect(market.hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(market.hub, error)
        .withArgs(...values(market))
      await expectNothingChanged(market, orders)
    })
  }

  for (const [index, kind] of kinds.entries()) {
    it(`refuses when the ${kind} order is signed by somebody else`, async () => {
      const market = await loadFixture(createdAssets)
      const { hub, anyone, domain, appOwner, datasetOwner, scheduler, requester } = market
      const orders = await signOrders(market, { signers: { [kind]: anyone } })
      const owners = [appOwner, datasetOwner, scheduler, requester]
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'NotAuthentic')
        .withArgs(numberOf[kind], hashOrder(kind, orders[index] as never, domain), owners[index]?.address)
      await expectNothingChanged(market, orders)
    })

    it(`refuses when the ${kind} order is used up`, async () => {
      const market = await loadFixture(createdAssets)
      const { hub, domain, requester } = market
      const { orders } = await makeDeal(market)
      const locked = await hub.frozenOf(requester)
      const fresh = await signOrders(market)
      const mixed = fresh.map((order, at) => (at === index ? orders[at] : order)) as Quadruple
      await expect(hub.matchOrders(...mixed))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(numberOf[kind], hashOrder(kind, orders[index] as never, domain), 1n)
      expect(await hub.frozenOf(requester)).to.equal(locked)
    })

    it(`refuses when the ${kind} order was cancelled`, async () => {
      const market = await loadFixture(signedOrders)
      const { hub, orders, domain, appOwner, datasetOwner, scheduler, requester } = market
      const [app, dataset, workerpool, request] = orders
      await [
        () => hub.connect(appOwner).manageAppOrder(operationOn(app, CLOSE)),
        () => hub.connect(datasetOwner).manageDatasetOrder(operationOn(dataset, CLOSE)),
        () => hub.connect(scheduler).manageWorkerpoolOrder(operationOn(workerpool, CLOSE)),
        () => hub.connect(requester).manageRequestOrder(operationOn(request, CLOSE)),
      ][index]?.()
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(numberOf[kind], hashOrder(kind, orders[index] as never, domain), 1n)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    })
  }

  it('refuses when the requester has too little', async () => {
    const market = await loadFixture(signedOrders)
    const { hub, orders, requester } = market
    await hub.connect(requester).withdraw(DEPOSIT)
    await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
    expect(await hub.viewAccount(requester)).to.deep.equal([0n, 0n])
  })

  it('refuses when the pool has too little to stake', async () => {
    const market = await loadFixture(signedOrders)
    const { hub, orders, requester, scheduler } = market
    await hub.connect(scheduler).withdraw(DEPOSIT - schedulerStake + 1n)
    await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  })
})

describe('C31 rely on the rule of tags', () => {
  const free = 1n << 200n
  const rules: [string, { app: bigint; dataset: bigint; workerpool: bigint; request: bigint }, string | bigint][] = [
    ['a pool with enclaves of any kind for a request of TDX', tags(9n, 0n, 1n, 9n), 'TagNotCovered'],
    ['a pool with TDX for a request of TDX', tags(9n, 1n, 9n, 9n), 9n],
    ['a pool without enclaves for an app with one', tags(9n, 0n, 0n, 0n), 'TagNotCovered'],
    ['a pool with more than is asked for', tags(1n, 1n, 9n | free, 1n), 1n],
    ['a pool without what the data asks for', tags(1n, 1n | free, 1n, 1n), 'TagNotCovered'],
    ['data that names a kind of enclave: that is not its choice', tags(9n, TEE | SCONE, 9n, 9n), 9n],
    ['a request of an enclave and an app without', tags(0n, 0n, 9n, 1n), 'EnclaveMismatch'],
    ['data that asks for an enclave and an app without', tags(0n, 1n, 9n, 0n), 'EnclaveMismatch'],
    ['nobody who asks for an enclave', tags(0n, 0n, 0n, 0n), 0n],
  ]

  function tags(app: bigint, dataset: bigint, workerpool: bigint, request: bigint) {
    return { app, dataset, workerpool, request }
  }

  for (const [name, bits, outcome] of rules) {
    it(`${typeof outcome === 'bigint' ? 'accepts' : 'refuses'} ${name}`, async () => {
      const market = await loadFixture(createdAssets)
      const wishes = Object.fromEntries(kinds.map((kind) => [kind, { tag: tag(bits[kind]) }])) as Wishes
      const orders = await signOrders(market, wishes)
      if (typeof outcome === 'string') {
        await expect(market.hub.matchOrders(...orders)).to.be.revertedWithCustomError(market.hub, outcome)
        await expectNothingChanged(market, orders)
      } else {
        const dealId = await market.hub.matchOrders.staticCall(...orders)
        await market.hub.matchOrders(...orders)
        expect((await market.hub.viewDeal(dealId)).tag).to.equal(tag(outcome))
      }
    })
  }
})
