// Rows of docs/checklist.md about who may use what, as the contracts alone enforce them.
import { expect } from 'chai'
import { accountKinds } from '../accounts.ts'
import {
  CLOSE,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  dealIdOf,
  ethers,
  hashOrder,
  loadFixture,
  matchDeal,
  operationOn,
  price,
  type Quadruple,
  SIGN,
  settleArguments,
  settlementOf,
  signedOrders,
  signOrders,
} from '../fixtures.ts'

describe('C11 transfer data: grants of the owner before end', () => {
  it('gives the data to somebody else, whose grants count from then on', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, dataset, datasetRegistry, datasetOwner, anyone, orders, domain, worker } = assets
    await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, await dataset.getAddress())
    expect(await datasetRegistry.ownerOf(await dataset.getAddress())).to.equal(anyone.address)
    expect(await dataset.owner()).to.equal(anyone.address)
    await expect(hub.matchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'NotAuthentic')
      .withArgs(1n, hashOrder('dataset', orders[1], domain), anyone.address)

    const { dealId } = await matchDeal(assets, await signOrders(assets, { signers: { dataset: anyone } }))
    await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
    expect([await hub.balanceOf(anyone), await hub.balanceOf(datasetOwner)]).to.deep.equal([datasetPrice, 0n])
  })

  it('ends what the owner before had signed by a transaction as well', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, dataset, datasetRegistry, datasetOwner, anyone, orders } = assets
    await hub.connect(datasetOwner).manageDatasetOrder(operationOn(orders[1], SIGN))
    await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, await dataset.getAddress())
    await expect(
      hub.matchOrders(orders[0], { ...orders[1], sign: '0x' }, orders[2], orders[3]),
    ).to.be.revertedWithCustomError(hub, 'NotAuthentic')
  })
})

describe('C12 authorize exactly one app and one user', () => {
  async function oneGrant() {
    const assets = await loadFixture(createdAssets)
    const { app, requester, appRegistry, appOwner } = assets
    const fields = [appOwner.address, 'another', 'BUNDLE', '0x', ethers.id('another'), '0x'] as const
    await appRegistry.createApp(...fields)
    const grant = { apprestrict: await app.getAddress(), requesterrestrict: requester.address }
    const otherApp = await appRegistry.predictApp(...fields)
    return { ...assets, otherApp, grant, orders: await signOrders(assets, { dataset: grant }) }
  }

  it('lets that user run that app', async () => {
    const { hub, orders } = await loadFixture(oneGrant)
    await expect(hub.matchOrders(...orders)).to.emit(hub, 'OrdersMatched')
  })

  it('refuses another user', async () => {
    const assets = await loadFixture(oneGrant)
    const { hub, sponsor, requester, grant } = assets
    const others = { request: { requester: sponsor.address }, signers: { request: sponsor } }
    await expect(hub.matchOrders(...(await signOrders(assets, { dataset: grant, ...others }))))
      .to.be.revertedWithCustomError(hub, 'Restricted')
      .withArgs(1n, 3n, requester.address, sponsor.address)
  })

  it('refuses another app', async () => {
    const assets = await loadFixture(oneGrant)
    const { hub, app, otherApp, grant } = assets
    const orders = await signOrders(assets, { dataset: grant, app: { app: otherApp }, request: { app: otherApp } })
    await expect(hub.matchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'Restricted')
      .withArgs(1n, 0n, await app.getAddress(), otherApp)
  })
})

describe('C15 set a price and a number of uses', () => {
  it('pays the owner each of n times, and refuses the n+1st as used up', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, datasetOwner, worker, domain } = assets
    const uses = 3n
    const [, grant] = await signOrders(assets, { dataset: { volume: uses } })
    for (let use = 1n; use <= uses; ++use) {
      const [app, , workerpool, request] = await signOrders(assets)
      const { dealId } = await matchDeal(assets, [app, grant, workerpool, request])
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
      expect(await hub.balanceOf(datasetOwner)).to.equal(use * datasetPrice)
    }
    const [app, , workerpool, request] = await signOrders(assets)
    await expect(hub.matchOrders(app, grant, workerpool, request))
      .to.be.revertedWithCustomError(hub, 'NothingLeft')
      .withArgs(1n, hashOrder('dataset', grant, domain), uses)
  })
})

describe('C17 revoke a grant at once, for those with a copy too', () => {
  it('refuses the copy from the next transaction on, and every other grant stays', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders, datasetOwner, domain } = assets
    const copy = structuredClone(orders) as Quadruple
    const other = await signOrders(assets)
    await expect(hub.connect(datasetOwner).manageDatasetOrder(operationOn(orders[1], CLOSE)))
      .to.emit(hub, 'ClosedDatasetOrder')
      .withArgs(hashOrder('dataset', orders[1], domain))
    await expect(hub.matchOrders(...copy))
      .to.be.revertedWithCustomError(hub, 'NothingLeft')
      .withArgs(1n, hashOrder('dataset', orders[1], domain), 1n)
    await expect(hub.matchOrders(...other)).to.emit(hub, 'OrdersMatched')
  })

  it('revokes many in one transaction', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, datasetOwner } = assets
    const all = [await signOrders(assets), await signOrders(assets), await signOrders(assets)]
    const closings = all.map(([, grant]) =>
      hub.interface.encodeFunctionData('manageDatasetOrder', [operationOn(grant, CLOSE)]),
    )
    await hub.connect(datasetOwner).multicall(closings)
    for (const orders of all) {
      await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NothingLeft')
    }
  })
})

describe('C29 match four orders in one transaction', () => {
  it('makes one deal of app, data, pool and request, and says so', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders, domain, app, dataset, workerpool, requester } = assets
    const hashes = (['app', 'dataset', 'workerpool', 'request'] as const).map((kind, index) =>
      hashOrder(kind, orders[index] as never, domain),
    )
    const dealId = dealIdOf(hashes[3] ?? '', 0n)
    await expect(hub.matchOrders(...orders))
      .to.emit(hub, 'OrdersMatched')
      .withArgs(dealId, ...hashes, 1n)
    const deal = await hub.viewDeal(dealId)
    expect([deal.app.pointer, deal.dataset.pointer, deal.workerpool.pointer, deal.requester]).to.deep.equal([
      app.target,
      dataset.target,
      workerpool.target,
      requester.address,
    ])
  })
})

describe('C32 sign by contract, presign, delegate', () => {
  for (const [kind, makeParty] of accountKinds.slice(0, 2)) {
    it(`lets ${kind} request and pay`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, token, owner } = assets
      const party = await makeParty()
      await token.connect(owner).approve(hub, DEPOSIT)
      await hub.connect(owner).depositFor(DEPOSIT, party.address)
      const wishes = { request: { requester: party.address }, signers: { request: party.signer } }
      await expect(hub.matchOrders(...(await signOrders(assets, wishes)))).to.emit(hub, 'OrdersMatched')
      expect(await hub.frozenOf(party.address)).to.equal(price)
    })
  }

  it('takes four orders that were signed by transactions alone', async () => {
    const { hub, orders, appOwner, datasetOwner, scheduler, requester, anyone } = await loadFixture(signedOrders)
    const [app, dataset, workerpool, request] = orders.map((order) => ({ ...order, sign: '0x' })) as Quadruple
    await hub.connect(appOwner).manageAppOrder(operationOn(app, SIGN))
    await hub.connect(datasetOwner).manageDatasetOrder(operationOn(dataset, SIGN))
    await hub.connect(scheduler).manageWorkerpoolOrder(operationOn(workerpool, SIGN))
    await hub.connect(requester).manageRequestOrder(operationOn(request, SIGN))
    await expect(hub.connect(anyone).matchOrders(app, dataset, workerpool, request)).to.emit(hub, 'OrdersMatched')
  })

  it('lets another account send, and another account pay, what a requester signed', async () => {
    const { hub, orders, sponsor, requester } = await loadFixture(signedOrders)
    await expect(hub.connect(sponsor).sponsorMatchOrders(...orders)).to.emit(hub, 'DealSponsored')
    expect([await hub.frozenOf(sponsor), await hub.frozenOf(requester)]).to.deep.equal([price, 0n])
  })
})
