import { expect } from 'chai'
import { checkSolvency, dealOf, forFree, moneyOf, ofVolume } from '../../deals.ts'
import {
  contributionTo,
  DEPOSIT,
  datasetPrice,
  ethers,
  finalArguments,
  hashOrder,
  loadFixture,
  matchedDeal,
  price,
  settleArguments,
  settlementOf,
  signedOrders,
  signOrders,
  taskIdOf,
  time,
} from '../../fixtures.ts'
import { attach, attachedTask, bulkDeal, bulkPrice, grantOf, prices } from './grants.ts'

/** What the payer has locked for the two tasks of a deal without dataset. */
const locked = 2n * (price - datasetPrice)

/** A deal, and an order for each dataset at the three prices. */
async function grantedDeal() {
  const deal = await loadFixture(bulkDeal)
  const orders = await Promise.all(deal.owned.map((each, i) => grantOf(deal, each, { datasetprice: prices[i] ?? 0n })))
  return { ...deal, orders, taskId: taskIdOf(deal.dealId, 0n) }
}

describe('attachDatasets', () => {
  describe('given a new task of a deal without dataset', () => {
    it('attaches each dataset and says at which price', async () => {
      const { hub, requester, dealId, orders, taskId, domain } = await loadFixture(grantedDeal)
      const sending = hub.connect(requester).attachDatasets(dealId, 0n, orders, bulkPrice)
      for (const order of orders) {
        await expect(sending)
          .to.emit(hub, 'DatasetAttached')
          .withArgs(taskId, order.dataset, hashOrder('dataset', order, domain), order.datasetprice)
      }
      const names = (await (await sending).wait())?.logs.map((log) => hub.interface.parseLog(log)?.name)
      expect(names).to.deep.equal(['DatasetAttached', 'DatasetAttached', 'DatasetAttached', 'Transfer', 'Lock'])
    })

    it('locks what they cost together, and no more than that', async () => {
      const deal = await loadFixture(grantedDeal)
      const { hub, requester, dealId, orders } = deal
      const sending = hub.connect(requester).attachDatasets(dealId, 0n, orders, ethers.MaxUint256)
      await expect(sending).to.emit(hub, 'Lock').withArgs(requester.address, bulkPrice)
      await expect(sending).to.emit(hub, 'Transfer').withArgs(requester.address, hub.target, bulkPrice)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - locked - bulkPrice, locked + bulkPrice])
      await checkSolvency(deal)
    })

    it('uses one of the volume of each order, and leaves the task new', async () => {
      const { hub, requester, dealId, orders, taskId, domain } = await loadFixture(grantedDeal)
      await hub.connect(requester).attachDatasets(dealId, 0n, orders, bulkPrice)
      for (const order of orders) expect(await hub.viewConsumed(hashOrder('dataset', order, domain))).to.equal(1n)
      expect((await hub.viewTask(taskId)).status).to.equal(0n)
      expect((await hub.viewDeal(dealId)).dataset.pointer).to.equal(ethers.ZeroAddress)
      await hub.initialize(dealId, 0n)
      expect((await hub.viewTask(taskId)).status).to.equal(1n)
    })

    it('attaches to each task its own, until the volume of an order is used', async () => {
      const deal = await loadFixture(bulkDeal)
      const { hub, requester, dealId, owned, domain } = deal
      const [first] = owned
      if (first === undefined) throw new Error('There are three datasets.')
      const order = await grantOf(deal, first, { volume: 2n })
      const orderHash = hashOrder('dataset', order, domain)
      for (const index of [0n, 1n]) {
        await hub.connect(requester).attachDatasets(dealId, index, [order], datasetPrice)
        expect(await hub.viewConsumed(orderHash)).to.equal(index + 1n)
        expect((await hub.viewDatasets(taskIdOf(dealId, index))).length).to.equal(1)
      }
    })

    it('takes an order twice if it has volume for it, and locks its price twice', async () => {
      const deal = await loadFixture(bulkDeal)
      const { hub, requester, dealId, owned, domain } = deal
      const [first] = owned
      if (first === undefined) throw new Error('There are three datasets.')
      const order = await grantOf(deal, first, { volume: 3n })
      await hub.connect(requester).attachDatasets(dealId, 0n, [order, order], 2n * datasetPrice)
      expect(await hub.viewConsumed(hashOrder('dataset', order, domain))).to.equal(2n)
      expect(await hub.frozenOf(requester)).to.equal(locked + 2n * datasetPrice)
      const once = await grantOf(deal, first)
      const orderHash = hashOrder('dataset', once, domain)
      await expect(hub.connect(requester).attachDatasets(dealId, 1n, [once, once], 2n * datasetPrice))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(1n, orderHash, 1n)
      expect(await hub.viewConsumed(orderHash)).to.equal(0n)
    })

    it('costs nothing where the datasets are free', async () => {
      const deal = await loadFixture(bulkDeal)
      const { hub, requester, dealId, owned } = deal
      const orders = await Promise.all(owned.map((each) => grantOf(deal, each, { datasetprice: 0n })))
      const before = [...(await moneyOf(deal))]
      await expect(hub.connect(requester).attachDatasets(dealId, 0n, orders, 0n))
        .to.emit(hub, 'DatasetAttached')
        .to.emit(hub, 'Lock')
        .withArgs(requester.address, 0n)
      expect([...(await moneyOf(deal))]).to.deep.equal(before)
    })

    it('attaches to a task past every place for an index', async () => {
      const deal = await dealOf(ofVolume(ethers.MaxUint256, forFree({ dataset: null })))
      const { hub, requester, dealId, dataset, datasetOwner } = deal
      const order = await grantOf(deal, { dataset: dataset.target.toString(), owner: datasetOwner })
      const index = 2n ** 32n
      await hub.connect(requester).attachDatasets(dealId, index, [order], datasetPrice)
      await hub.settle(...settleArguments(await settlementOf(deal, { ...deal, index })))
      expect(await hub.balanceOf(datasetOwner)).to.equal(datasetPrice)
      expect((await hub.viewTask(taskIdOf(dealId, index))).idx).to.equal(index)
    })
  })

  describe('when it is given no order', () => {
    it('does nothing: the task can be given its datasets later', async () => {
      const deal = await loadFixture(grantedDeal)
      const { hub, requester, dealId, orders, taskId } = deal
      const receipt = await (await hub.connect(requester).attachDatasets(dealId, 0n, [], 0n)).wait()
      expect(receipt?.logs).to.deep.equal([])
      await hub.connect(requester).attachDatasets(dealId, 0n, orders, bulkPrice)
      expect((await hub.viewDatasets(taskId)).length).to.equal(3)
    })

    it('is refused all the same where nothing could be attached', async () => {
      const { hub, anyone, dealId } = await loadFixture(grantedDeal)
      await expect(hub.connect(anyone).attachDatasets(dealId, 0n, [], 0n)).to.be.revertedWithCustomError(
        hub,
        'NotPayer',
      )
    })
  })

  describe('when somebody else than the payer calls', () => {
    it('reverts with NotPayer', async () => {
      const { hub, requester, dealId, orders, ...others } = await loadFixture(grantedDeal)
      for (const caller of [others.anyone, others.scheduler, others.sponsor, others.owner, others.appOwner]) {
        await expect(hub.connect(caller).attachDatasets(dealId, 0n, orders, bulkPrice))
          .to.be.revertedWithCustomError(hub, 'NotPayer')
          .withArgs(dealId, caller.address, requester.address)
      }
    })

    it('is the sponsor where there is one, who pays for the datasets too, not the requester', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, sponsor, requester, dataset, datasetOwner } = assets
      const orders = await signOrders(assets, { dataset: null })
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      const grant = await grantOf(assets, { dataset: dataset.target.toString(), owner: datasetOwner })
      await expect(hub.connect(requester).attachDatasets(dealId, 0n, [grant], datasetPrice))
        .to.be.revertedWithCustomError(hub, 'NotPayer')
        .withArgs(dealId, requester.address, sponsor.address)
      await hub.connect(sponsor).attachDatasets(dealId, 0n, [grant], datasetPrice)
      expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT - price, price])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    })
  })

  describe('given a task that takes no datasets', () => {
    it('reverts with UnknownDeal when there is no deal', async () => {
      const { hub, requester, orders } = await loadFixture(grantedDeal)
      const dealId = ethers.id('nothing')
      await expect(hub.connect(requester).attachDatasets(dealId, 0n, orders, bulkPrice))
        .to.be.revertedWithCustomError(hub, 'UnknownDeal')
        .withArgs(dealId)
    })

    it('reverts with DealHasDataset when the deal has one of its own', async () => {
      const deal = await loadFixture(matchedDeal)
      const { hub, requester, dealId, dataset, datasetOwner } = deal
      const grant = await grantOf(deal, { dataset: dataset.target.toString(), owner: datasetOwner })
      await expect(hub.connect(requester).attachDatasets(dealId, 0n, [grant], datasetPrice))
        .to.be.revertedWithCustomError(hub, 'DealHasDataset')
        .withArgs(dealId, dataset.target)
    })

    it('reverts with IndexOutOfDeal when the deal has no such task', async () => {
      const { hub, requester, dealId, orders } = await loadFixture(grantedDeal)
      for (const index of [2n, ethers.MaxUint256]) {
        await expect(hub.connect(requester).attachDatasets(dealId, index, orders, bulkPrice))
          .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
          .withArgs(dealId, index, 0n, 2n)
      }
    })

    it('reverts with AlreadyAttached the second time, whoever would be attached', async () => {
      const deal = await loadFixture(attachedTask)
      const { hub, requester, dealId } = deal
      const fresh = await Promise.all(deal.owned.map((each) => grantOf(deal, each)))
      for (const orders of [fresh, fresh.slice(0, 1), []]) {
        await expect(hub.connect(requester).attachDatasets(dealId, 0n, orders, ethers.MaxUint256))
          .to.be.revertedWithCustomError(hub, 'AlreadyAttached')
          .withArgs(taskIdOf(dealId, 0n))
      }
      await attach(deal, 1n)
      expect((await hub.viewDatasets(taskIdOf(dealId, 1n))).length).to.equal(3)
    })

    it('reverts with WrongStatus from when it is open on', async () => {
      const deal = await loadFixture(grantedDeal)
      const { hub, requester, worker, dealId, orders, taskId } = deal
      const attempt = () => hub.connect(requester).attachDatasets(dealId, 0n, orders, bulkPrice)
      await hub.initialize(dealId, 0n)
      await expect(attempt()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 1n)
      const result = await contributionTo(deal, { taskId, worker })
      await hub.connect(worker).contributeAndFinalize(...finalArguments(taskId, result))
      await expect(attempt()).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 3n)
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [1n])
      await expect(hub.connect(requester).attachDatasets(dealId, 1n, orders, bulkPrice))
        .to.be.revertedWithCustomError(hub, 'WrongStatus')
        .withArgs(taskIdOf(dealId, 1n), 4n)
    })
  })
})
