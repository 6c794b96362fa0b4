import { expect } from 'chai'
import {
  type Assets,
  CLOSE,
  createdAssets,
  DEPOSIT,
  ethers,
  hashOrder,
  loadFixture,
  matchDeal,
  operationOn,
  price,
  type Quadruple,
  salt,
  schedulerStake,
  signedOrders,
  signOrders,
  TDX,
  TEE,
  tag,
  workerpoolPrice,
} from '../fixtures.ts'
import { everybody, expectSound } from './ledger.ts'

const kinds = ['app', 'dataset', 'workerpool', 'request'] as const

async function expectUntouched(assets: Assets) {
  const { hub, requester, scheduler } = assets
  expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT, 0n])
  await expectSound(hub, everybody(assets))
}

describe('a forged order: signed, then changed', () => {
  /** Changes that break no rule of matching, so that nothing but the signature stands against them. */
  const changes: { [kind in (typeof kinds)[number]]: [string, (assets: Assets) => Record<string, unknown>][] } = {
    app: [
      ['is cheaper', () => ({ appprice: 0n })],
      ['serves more tasks', () => ({ volume: 2n })],
      ['asks for less', () => ({ tag: tag(TEE) })],
      ['names a dataset', ({ dataset }) => ({ datasetrestrict: dataset.target })],
      ['names a pool', ({ workerpool }) => ({ workerpoolrestrict: workerpool.target })],
      ['names a requester', ({ requester }) => ({ requesterrestrict: requester.address })],
      ['is salted anew', () => ({ salt: salt() })],
    ],
    dataset: [
      ['is cheaper', () => ({ datasetprice: 0n })],
      ['serves more tasks', () => ({ volume: 2n })],
      ['asks for less', () => ({ tag: tag(0n) })],
      ['names an app', ({ app }) => ({ apprestrict: app.target })],
      ['names a pool', ({ workerpool }) => ({ workerpoolrestrict: workerpool.target })],
      ['names a requester', ({ requester }) => ({ requesterrestrict: requester.address })],
      ['is salted anew', () => ({ salt: salt() })],
    ],
    workerpool: [
      ['is cheaper', () => ({ workerpoolprice: 0n })],
      ['serves more tasks', () => ({ volume: 2n })],
      ['offers more', () => ({ tag: tag(TEE | TDX | 16n) })],
      ['accepts more trust', () => ({ trust: 9n })],
      ['names an app', ({ app }) => ({ apprestrict: app.target })],
      ['names a dataset', ({ dataset }) => ({ datasetrestrict: dataset.target })],
      ['names a requester', ({ requester }) => ({ requesterrestrict: requester.address })],
      ['is salted anew', () => ({ salt: salt() })],
    ],
    request: [
      ['pays more for the app', () => ({ appmaxprice: price })],
      ['pays more for the dataset', () => ({ datasetmaxprice: price })],
      ['pays more for the work', () => ({ workerpoolmaxprice: price })],
      ['wants more tasks', () => ({ volume: 2n })],
      ['names a pool', ({ workerpool }) => ({ workerpool: workerpool.target })],
      ['asks for less', () => ({ tag: tag(TEE) })],
      ['benefits somebody else', ({ anyone }) => ({ beneficiary: anyone.address })],
      ['calls somebody else', ({ anyone }) => ({ callback: anyone.address })],
      ['computes something else', () => ({ params: '{"iexec_args":"--all"}' })],
      ['is paid by somebody else', ({ sponsor }) => ({ requester: sponsor.address })],
      ['is salted anew', () => ({ salt: salt() })],
    ],
  }
  for (const [index, kind] of kinds.entries()) {
    for (const [name, change] of changes[kind]) {
      it(`is refused where the ${kind} order ${name}`, async () => {
        const assets = await loadFixture(signedOrders)
        const { hub, orders, domain } = assets
        const forged = orders.map((order, at) => (at === index ? { ...order, ...change(assets) } : order)) as Quadruple
        const owners = [assets.appOwner, assets.datasetOwner, assets.scheduler]
        const owner = owners[index]?.address ?? forged[3].requester
        await expect(hub.matchOrders(...forged))
          .to.be.revertedWithCustomError(hub, 'NotAuthentic')
          .withArgs(BigInt(index), hashOrder(kind, forged[index] as never, domain), owner)
        await expectUntouched(assets)
      })
    }
  }
})

describe('a stale order: kept by somebody although it ended', () => {
  for (const [index, kind] of kinds.entries()) {
    it(`is refused once the ${kind} order was closed, however it is signed`, async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, orders, domain, appOwner, datasetOwner, scheduler, requester } = assets
      const [app, dataset, workerpool, request] = orders
      const closings = [
        () => hub.connect(appOwner).manageAppOrder(operationOn(app, CLOSE)),
        () => hub.connect(datasetOwner).manageDatasetOrder(operationOn(dataset, CLOSE)),
        () => hub.connect(scheduler).manageWorkerpoolOrder(operationOn(workerpool, CLOSE)),
        () => hub.connect(requester).manageRequestOrder(operationOn(request, CLOSE)),
      ]
      await closings[index]?.()
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(BigInt(index), hashOrder(kind, orders[index] as never, domain), 1n)
      await expectUntouched(assets)
    })
  }

  for (const kind of ['app', 'dataset', 'workerpool'] as const) {
    it(`is refused once the ${kind} was sold, and valid again if it comes back`, async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, orders, anyone } = assets
      const owner = { app: assets.appOwner, dataset: assets.datasetOwner, workerpool: assets.scheduler }[kind]
      const registry = assets[`${kind}Registry`]
      const asset = await assets[kind].getAddress()
      await registry.connect(owner).transferFrom(owner, anyone, asset)
      await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NotAuthentic')
      await expectUntouched(assets)
      await registry.connect(anyone).transferFrom(anyone, owner, asset)
      await expect(hub.matchOrders(...orders)).to.emit(hub, 'OrdersMatched')
    })
  }
})

describe('orders that a third party matches', () => {
  it('become the deal that was signed: it earns nothing and directs nothing', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders, anyone, requester } = assets
    const dealId = await hub.matchOrders.staticCall(...orders)
    await hub.connect(anyone).matchOrders(...orders)
    const deal = await hub.viewDeal(dealId)
    expect([deal.requester, deal.beneficiary, deal.callback, deal.sponsor]).to.deep.equal([
      requester.address,
      orders[3].beneficiary,
      orders[3].callback,
      requester.address,
    ])
    expect(await hub.viewAccount(anyone)).to.deep.equal([0n, 0n])
  })

  it('cost the requester its limits at most, whichever pool is chosen', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, anyone, requester } = assets
    const limits = { workerpoolmaxprice: 2n * workerpoolPrice }
    const [app, dataset, , request] = await signOrders(assets, { request: limits })
    const poolAt = async (workerpoolprice: bigint) => (await signOrders(assets, { workerpool: { workerpoolprice } }))[2]
    const dearer = await poolAt(2n * workerpoolPrice + 1n)
    await expect(hub.connect(anyone).matchOrders(app, dataset, dearer, request)).to.be.revertedWithCustomError(
      hub,
      'Overpriced',
    )
    await hub.connect(anyone).matchOrders(app, dataset, await poolAt(2n * workerpoolPrice), request)
    expect(await hub.frozenOf(requester)).to.equal(price + workerpoolPrice)
  })
})

describe('a request that somebody wants to sponsor, matched by somebody else first', () => {
  it('is paid by the requester, who signed for it and has the funds; the sponsor pays nothing', async () => {
    const { hub, orders, sponsor, requester, anyone, domain, ...assets } = await loadFixture(signedOrders)
    await hub.connect(anyone).matchOrders(...orders)
    await expect(hub.connect(sponsor).sponsorMatchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'NothingLeft')
      .withArgs(0n, hashOrder('app', orders[0], domain), 1n)
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, price])
    expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT, 0n])
    await expectSound(hub, everybody({ hub, orders, sponsor, requester, anyone, domain, ...assets } as Assets))
  })

  it('is not matched at all if the requester has no funds; then the sponsor can', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders, sponsor, requester, anyone } = assets
    await hub.connect(requester).withdraw(DEPOSIT)
    await expect(hub.connect(anyone).matchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(requester.address, 0n, price)
    await hub.connect(sponsor).sponsorMatchOrders(...orders)
    expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT - price, price])
    expect(await hub.viewAccount(requester)).to.deep.equal([0n, 0n])
  })

  it('costs a requester nothing that it did not sign for: limits of zero leave all to the sponsor', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, anyone, sponsor, requester } = assets
    const free = { appmaxprice: 0n, datasetmaxprice: 0n, workerpoolmaxprice: 0n }
    const orders = await signOrders(assets, { request: free })
    for (const calling of [
      hub.connect(anyone).matchOrders(...orders),
      hub.connect(sponsor).sponsorMatchOrders(...orders),
    ]) {
      await expect(calling).to.be.revertedWithCustomError(hub, 'Overpriced')
    }
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  })

  it('in part, leaves the rest to the sponsor, who pays for that alone and is refunded for that alone', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, anyone, sponsor, requester } = assets
    const [app, dataset, , request] = await signOrders(assets, {
      app: { volume: 5n },
      dataset: { volume: 5n },
      request: { volume: 5n },
    })
    const poolOf = async (volume: bigint) => (await signOrders(assets, { workerpool: { volume } }))[2]
    await matchDeal({ hub: hub.connect(anyone) }, [app, dataset, await poolOf(2n), request])
    await hub.connect(sponsor).sponsorMatchOrders(app, dataset, await poolOf(9n), request)
    expect(await hub.frozenOf(requester)).to.equal(2n * price)
    expect(await hub.frozenOf(sponsor)).to.equal(3n * price)
    expect(await hub.frozenOf(assets.scheduler)).to.equal(5n * schedulerStake)
  })

  it('twice in one block, by sponsor and requester, is one deal', async () => {
    const { hub, orders, sponsor, requester, anyone } = await loadFixture(signedOrders)
    const gasLimit = 2_000_000n
    await ethers.provider.send('evm_setAutomine', [false])
    try {
      await hub.connect(sponsor).sponsorMatchOrders(...orders, { gasLimit })
      await hub.connect(anyone).matchOrders(...orders, { gasLimit })
      await ethers.provider.send('evm_mine', [])
    } finally {
      await ethers.provider.send('evm_setAutomine', [true])
    }
    const locked = (await hub.frozenOf(sponsor)) + (await hub.frozenOf(requester))
    expect(locked).to.equal(price)
  })
})
