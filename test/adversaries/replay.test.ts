import { expect } from 'chai'
import { categories } from '../../deploy/categories.ts'
import { failureOf } from '../failures.ts'
import {
  type Assets,
  CLOSE,
  createdAssets,
  DEPOSIT,
  deployHub,
  domain as domainOf,
  ethers,
  hashOrder,
  loadFixture,
  makeDeal,
  matchDeal,
  operationOn,
  SIGN,
  settleArguments,
  settlementOf,
  signOperation,
  signOrders,
  taskIdOf,
} from '../fixtures.ts'

/** Two Hubs over the same token and the same registries, with the same accounts. */
async function twoHubs() {
  const assets = await loadFixture(createdAssets)
  const { addresses, owner, token, chainId, requester, scheduler } = assets
  const { target } = await deployHub('Hub', { ...addresses, owner: owner.address }, categories)
  const other = await ethers.getContractAt('IHub', target)
  await token.connect(owner).approve(other, 2n * DEPOSIT)
  await other.connect(owner).depositForArray([DEPOSIT, DEPOSIT], [requester, scheduler])
  const elsewhere: Assets = { ...assets, hub: other, domain: domainOf({ chainId, hub: target }) }
  return { ...assets, other, elsewhere }
}

describe('what was signed for one Hub', () => {
  it('is no order of another', async () => {
    const { hub, other, elsewhere, ...assets } = await loadFixture(twoHubs)
    const orders = await signOrders({ ...assets, hub })
    await expect(other.matchOrders(...orders))
      .to.be.revertedWithCustomError(other, 'NotAuthentic')
      .withArgs(0n, hashOrder('app', orders[0], elsewhere.domain), assets.appOwner.address)
    await expect(hub.matchOrders(...orders)).to.emit(hub, 'OrdersMatched')
    for (const index of [0, 1, 2, 3]) {
      const rightly = await signOrders(elsewhere)
      const wrongly = await signOrders({ ...assets, hub })
      const mixed = rightly.map((order, at) => (at === index ? wrongly[at] : order)) as unknown as typeof rightly
      await expect(other.matchOrders(...mixed)).to.be.revertedWithCustomError(other, 'NotAuthentic')
    }
  })

  it('is no operation of another, and presigns nothing there', async () => {
    const { hub, other, ...assets } = await loadFixture(twoHubs)
    const { domain, appOwner, anyone } = assets
    const [order, ...others] = await signOrders({ ...assets, hub })
    for (const operation of [SIGN, CLOSE]) {
      const signed = await signOperation('app', { order, operation }, { signer: appOwner, domain })
      await expect(other.connect(anyone).manageAppOrder(signed)).to.be.revertedWithCustomError(
        other,
        'OperationNotAuthorized',
      )
    }
    await hub.connect(appOwner).manageAppOrder(operationOn(order, SIGN))
    await expect(other.matchOrders({ ...order, sign: '0x' }, ...others)).to.be.revertedWithCustomError(
      other,
      'NotAuthentic',
    )
  })

  it('ends no task of another, not even of a deal with the same terms', async () => {
    const { hub, other, elsewhere, ...assets } = await loadFixture(twoHubs)
    const { worker, scheduler } = assets
    const salts = { app: salted, dataset: salted, workerpool: salted, request: salted }
    const here = await makeDeal({ ...assets, hub }, salts)
    const there = await makeDeal(elsewhere, salts)
    expect(there.dealId).to.not.equal(here.dealId)
    const settled = await settlementOf(assets, { dealId: here.dealId, worker })
    const stolen = { ...settled, dealId: there.dealId }
    await expect(other.settle(...settleArguments(stolen)))
      .to.be.revertedWithCustomError(other, 'NotAuthorized')
      .withArgs(taskIdOf(there.dealId, 0n), worker.address, settled.enclaveChallenge, scheduler.address)
    const [, ...failure] = await failureOf(assets, { dealId: here.dealId, worker, cause: 1n })
    await expect(other.settleFailure(there.dealId, ...failure)).to.be.revertedWithCustomError(
      other,
      'NotSignedByEnclave',
    )
    await expect(other.settle(...settleArguments(settled)))
      .to.be.revertedWithCustomError(other, 'UnknownDeal')
      .withArgs(here.dealId)
    await hub.settle(...settleArguments(settled))
  })
})

const salted = { salt: ethers.id('the same on both') }

describe('what was signed for one task', () => {
  /** A deal of two tasks, and what would settle the first. */
  async function twoTasks() {
    const assets = await loadFixture(createdAssets)
    const two = { volume: 2n }
    const deal = await makeDeal(assets, { app: two, dataset: two, workerpool: two, request: two })
    const enclave = ethers.Wallet.createRandom()
    const settled = await settlementOf(assets, { dealId: deal.dealId, worker: assets.worker, enclave })
    return { ...assets, ...deal, enclave, settled }
  }

  it('ends no other task of the deal', async () => {
    const { hub, settled, dealId, scheduler, worker } = await loadFixture(twoTasks)
    await expect(hub.settle(...settleArguments({ ...settled, idx: 1n })))
      .to.be.revertedWithCustomError(hub, 'NotAuthorized')
      .withArgs(taskIdOf(dealId, 1n), worker.address, settled.enclaveChallenge, scheduler.address)
  })

  it('ends no other task although the pool authorized worker and enclave for that one too', async () => {
    const task = await loadFixture(twoTasks)
    const { hub, settled, dealId, worker, enclave } = task
    const second = await settlementOf(task, { dealId, index: 1n, worker, enclave })
    const mixed = { ...second, enclaveSign: settled.enclaveSign }
    await expect(hub.settle(...settleArguments(mixed)))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(second.taskId, enclave.address)
  })

  it('pays no other worker, with or without an authorization of its own', async () => {
    const task = await loadFixture(twoTasks)
    const { hub, settled, dealId, worker2, scheduler, enclave } = task
    await expect(hub.connect(worker2).settle(...settleArguments({ ...settled, worker: worker2.address })))
      .to.be.revertedWithCustomError(hub, 'NotAuthorized')
      .withArgs(settled.taskId, worker2.address, enclave.address, scheduler.address)
    const own = await settlementOf(task, { dealId, worker: worker2, enclave })
    await expect(hub.connect(worker2).settle(...settleArguments({ ...own, enclaveSign: settled.enclaveSign })))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(settled.taskId, enclave.address)
  })

  it('as its failure is not its result, nor the reverse, nor another cause', async () => {
    const task = await loadFixture(twoTasks)
    const { hub, settled, dealId, worker, enclave } = task
    const failure = await failureOf(task, { dealId, worker, cause: 1n, enclave })
    const [, , , , , failureSign, authorizationSign] = failure
    await expect(hub.settle(...settleArguments({ ...settled, enclaveSign: failureSign })))
      .to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      .withArgs(settled.taskId, enclave.address)
    for (const [cause, sign] of [
      [1n, settled.enclaveSign],
      [2n, failureSign],
    ] as const) {
      await expect(
        hub.settleFailure(dealId, 0n, worker.address, cause, enclave.address, sign, authorizationSign),
      ).to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
    }
  })

  it('is used once', async () => {
    const { hub, settled } = await loadFixture(twoTasks)
    await hub.settle(...settleArguments(settled))
    await expect(hub.settle(...settleArguments(settled)))
      .to.be.revertedWithCustomError(hub, 'WrongStatus')
      .withArgs(settled.taskId, 3n)
  })
})

describe('a signed operation', () => {
  it('brings no closed order back, however often it is carried to the Hub', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, domain, datasetOwner, anyone } = assets
    const orders = await signOrders(assets)
    const order = orders[1]
    const signing = await signOperation('dataset', { order, operation: SIGN }, { signer: datasetOwner, domain })
    const closing = await signOperation('dataset', { order, operation: CLOSE }, { signer: datasetOwner, domain })
    for (const operation of [signing, closing, signing]) await hub.connect(anyone).manageDatasetOrder(operation)
    for (const sign of ['0x', order.sign]) {
      await expect(hub.matchOrders(orders[0], { ...order, sign }, orders[2], orders[3]))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(1n, hashOrder('dataset', order, domain), 1n)
    }
  })

  it('is neither an order nor another operation', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, domain, datasetOwner, anyone } = assets
    const orders = await signOrders(assets)
    const order = orders[1]
    const signing = await signOperation('dataset', { order, operation: SIGN }, { signer: datasetOwner, domain })
    await expect(hub.matchOrders(orders[0], { ...order, sign: signing.sign }, orders[2], orders[3]))
      .to.be.revertedWithCustomError(hub, 'NotAuthentic')
      .withArgs(1n, hashOrder('dataset', order, domain), datasetOwner.address)
    for (const sign of [signing.sign, order.sign]) {
      await expect(
        hub.connect(anyone).manageDatasetOrder({ order, operation: CLOSE, sign }),
      ).to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
    }
  })

  it('of an owner who sold the asset moves nothing of the next owner', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, domain, dataset, datasetRegistry, datasetOwner, anyone, sponsor } = assets
    const [, order] = await signOrders(assets)
    const operations = [SIGN, CLOSE].map((operation) =>
      signOperation('dataset', { order, operation }, { signer: datasetOwner, domain }),
    )
    await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, await dataset.getAddress())
    for (const operation of await Promise.all(operations)) {
      await expect(hub.connect(sponsor).manageDatasetOrder(operation))
        .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
        .withArgs(hashOrder('dataset', order, domain), anyone.address, sponsor.address)
    }
  })
})

describe('a deal that was settled', () => {
  it('is not made again by the same orders', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, worker } = assets
    const orders = await signOrders(assets)
    const { dealId } = await matchDeal(assets, orders)
    await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
    await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NothingLeft')
  })
})
