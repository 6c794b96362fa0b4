import { expect } from 'chai'
import { checkSolvency, completeTask, settlementsOf } from '../../deals.ts'
import {
  appPrice,
  contributeArguments,
  contributionTo,
  DEPOSIT,
  datasetPrice,
  dealIdOf,
  ethers,
  hashOrder,
  loadFixture,
  price,
  schedulerStake,
  settleArguments,
  settlementOf,
  signedOrders,
  signOrders,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../../fixtures.ts'
import { attestedFailure, failureArguments } from '../failures/failure.ts'
import { attach, attachedTask, bulkDealOf, bulkPrice, grantOf, prices } from './grants.ts'

type Attached = Awaited<ReturnType<typeof attachedTask>>

/** What a task of a deal without dataset costs. */
const bare = price - datasetPrice

/** The ways to complete a task of trust 1. */
const completions: [string, (deal: Attached) => Promise<unknown>][] = [
  ['settle', async (deal) => deal.hub.settle(...settleArguments(await settlementOf(deal, deal)))],
  ['settleBatch', async (deal) => deal.hub.settleBatch(deal.dealId, [await settlementOf(deal, deal)])],
  [
    'contributeAndFinalize',
    async (deal) => {
      await deal.hub.initialize(deal.dealId, 0n)
      return completeTask(deal, deal.dealId)
    },
  ],
]

/** The ways to end a task without a result. */
const failures: [string, bigint, (deal: Attached) => Promise<unknown>][] = [
  ['settleFailure', 0n, async (deal) => deal.hub.settleFailure(...failureArguments(await attestedFailure(deal, deal)))],
  [
    'claim',
    schedulerStake,
    async ({ hub, dealId }) => {
      await hub.initialize(dealId, 0n)
      await time.increase(3000)
      return hub.claim(taskIdOf(dealId, 0n))
    },
  ],
  [
    'initializeAndClaimArray',
    schedulerStake,
    async ({ hub, dealId }) => {
      await time.increase(3000)
      return hub.initializeAndClaimArray([dealId], [0n])
    },
  ],
]

describe('a task with attached datasets', () => {
  describe('when it is completed', () => {
    for (const [name, complete] of completions) {
      it(`pays each owner its price, by ${name}`, async () => {
        const deal = await loadFixture(attachedTask)
        const { hub, requester, appOwner, scheduler, worker, owners } = deal
        const sending = complete(deal)
        const taskId = taskIdOf(deal.dealId, 0n)
        await expect(sending)
          .to.emit(hub, 'Seize')
          .withArgs(requester.address, bare + bulkPrice, taskId)
        for (const [i, owner] of owners.entries()) {
          await expect(sending).to.emit(hub, 'Reward').withArgs(owner, prices[i], taskId)
          expect(await hub.viewAccount(owner)).to.deep.equal([prices[i], 0n])
        }
        expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 2n * bare - bulkPrice, bare])
        expect(await hub.balanceOf(appOwner)).to.equal(appPrice)
        expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + (workerpoolPrice * 99n) / 100n)
        expect(await hub.frozenOf(scheduler)).to.equal(schedulerStake)
        await checkSolvency(deal, owners)
      })
    }

    it('pays each owner its price, by the finalize of a replicated task', async () => {
      const trust = { trust: 3n }
      const deal = await bulkDealOf({ workerpool: trust, request: trust })
      await attach(deal)
      const { hub, dealId, worker, worker2, scheduler, requester, owners } = deal
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      for (const each of [worker, worker2]) {
        const contribution = await contributionTo(deal, { taskId, worker: each })
        await hub.connect(each).contribute(...contributeArguments(taskId, contribution))
      }
      for (const each of [worker, worker2]) await hub.connect(each).reveal(taskId, ethers.id(`result of ${taskId}`))
      const sending = hub.connect(scheduler).finalize(taskId, '0x12', '0x')
      for (const [i, owner] of owners.entries()) {
        await expect(sending).to.emit(hub, 'Reward').withArgs(owner, prices[i], taskId)
        expect(await hub.balanceOf(owner)).to.equal(prices[i])
      }
      expect(await hub.frozenOf(requester)).to.equal(bare)
      await checkSolvency(deal, owners)
    })

    it('pays each owner for each task of a batch, although one of them is the worker as well', async () => {
      const deal = await loadFixture(attachedTask)
      await attach(deal, 1n)
      const { hub, dealId, owners, requester } = deal
      const [first = ''] = owners
      const worker = { address: first }
      await hub.settleBatch(dealId, await settlementsOf({ ...deal, worker }, [{}, {}]))
      const reward = (workerpoolPrice * 99n) / 100n
      for (const [i, owner] of owners.entries()) {
        const earned = 2n * (prices[i] ?? 0n) + (i === 0 ? 2n * reward : 0n)
        expect(await hub.balanceOf(owner)).to.equal(earned)
      }
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 2n * (bare + bulkPrice), 0n])
      await checkSolvency(deal, owners)
    })

    it('pays nobody whose dataset is free, and one owner of several for each', async () => {
      const deal = await bulkDealOf({})
      const { hub, requester, dealId, owned } = deal
      const [first, second] = owned
      if (first === undefined || second === undefined) throw new Error('There are three datasets.')
      const free = await grantOf(deal, first, { datasetprice: 0n })
      const paid = await grantOf(deal, second, { datasetprice: 7n, volume: 2n })
      await hub.connect(requester).attachDatasets(dealId, 0n, [free, paid, paid], 14n)
      const sent = await hub.settle(...settleArguments(await settlementOf(deal, deal)))
      const rewards = await hub.queryFilter(hub.filters.Reward(), sent.blockNumber ?? 0)
      const paidTo = rewards.map(({ args }) => args[0])
      expect(paidTo).not.to.include(first.owner.address)
      expect(paidTo.filter((account) => account === second.owner.address).length).to.equal(2)
      expect(await hub.balanceOf(second.owner.address)).to.equal(14n)
    })

    it('pays who owned the datasets when they were attached, although they were sold since', async () => {
      const deal = await loadFixture(attachedTask)
      const { hub, datasetRegistry, owned, anyone, owner: rich } = deal
      const [first] = owned
      if (first === undefined) throw new Error('There are three datasets.')
      await rich.sendTransaction({ to: first.owner.address, value: ethers.parseEther('1') })
      const seller = new ethers.Wallet(ethers.id('the key of data owner 0'), ethers.provider)
      await datasetRegistry.connect(seller).transferFrom(seller, anyone, first.dataset)
      await hub.settle(...settleArguments(await settlementOf(deal, deal)))
      expect(await hub.balanceOf(seller.address)).to.equal(prices[0])
      expect(await hub.balanceOf(anyone)).to.equal(0n)
    })

    it('pays a payer whose own dataset is attached', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, requester, datasetRegistry, datasetOwner, dataset } = assets
      const orders = await signOrders(assets, { dataset: null })
      const dealId = await hub.matchOrders.staticCall(...orders)
      await hub.matchOrders(...orders)
      await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, requester, dataset.target.toString())
      const own = await grantOf(assets, { dataset: dataset.target.toString(), owner: requester })
      await hub.connect(requester).attachDatasets(dealId, 0n, [own], datasetPrice)
      await hub.settle(...settleArguments(await settlementOf(assets, { ...assets, dealId })))
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - bare, 0n])
    })
  })

  describe('when it fails', () => {
    for (const [name, fine, fail] of failures) {
      it(`refunds the payer to the unit, by ${name}`, async () => {
        const deal = await loadFixture(attachedTask)
        const { hub, requester, scheduler, owners } = deal
        await expect(fail(deal))
          .to.emit(hub, 'Unlock')
          .withArgs(requester.address, bare + bulkPrice)
        expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - bare, bare])
        expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - schedulerStake - fine, schedulerStake])
        for (const owner of owners) expect(await hub.balanceOf(owner)).to.equal(0n)
        await checkSolvency(deal, owners)
      })
    }

    it('refunds a sponsor, not the requester', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, sponsor, requester, dataset, datasetOwner } = assets
      const orders = await signOrders(assets, { dataset: null })
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      const grant = await grantOf(assets, { dataset: dataset.target.toString(), owner: datasetOwner })
      await hub.connect(sponsor).attachDatasets(dealId, 0n, [grant], datasetPrice)
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT, 0n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    })

    it('gives no volume of the orders back', async () => {
      const deal = await loadFixture(attachedTask)
      const { hub, requester, dealId, orders, domain } = deal
      await hub.settleFailure(...failureArguments(await attestedFailure(deal, deal)))
      for (const order of orders) expect(await hub.viewConsumed(hashOrder('dataset', order, domain))).to.equal(1n)
      await expect(hub.connect(requester).attachDatasets(dealId, 1n, orders, bulkPrice)).to.be.revertedWithCustomError(
        hub,
        'NothingLeft',
      )
    })
  })

  describe('when it is matched and given its datasets in one multicall', () => {
    it('cannot be opened by anybody in between', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, requester, dataset, datasetOwner, domain } = assets
      const orders = await signOrders(assets, { dataset: null })
      const grant = await grantOf(assets, { dataset: dataset.target.toString(), owner: datasetOwner })
      const dealId = dealIdOf(hashOrder('request', orders[3], domain), 0n)
      const match = hub.interface.encodeFunctionData('matchOrders', orders)
      const give = hub.interface.encodeFunctionData('attachDatasets', [dealId, 0n, [grant], datasetPrice])
      await expect(hub.connect(requester).multicall([match, give]))
        .to.emit(hub, 'OrdersMatched')
        .to.emit(hub, 'DatasetAttached')
      expect(await hub.frozenOf(requester)).to.equal(price)
      await hub.settle(...settleArguments(await settlementOf(assets, { ...assets, dealId })))
      expect(await hub.balanceOf(datasetOwner)).to.equal(datasetPrice)
    })

    it('is not matched where a dataset cannot be attached', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, requester, anyone, dataset, domain } = assets
      const orders = await signOrders(assets, { dataset: null })
      const forged = await grantOf(assets, { dataset: dataset.target.toString(), owner: anyone })
      const requestHash = hashOrder('request', orders[3], domain)
      const match = hub.interface.encodeFunctionData('matchOrders', orders)
      const dealId = dealIdOf(requestHash, 0n)
      const give = hub.interface.encodeFunctionData('attachDatasets', [dealId, 0n, [forged], datasetPrice])
      await expect(hub.connect(requester).multicall([match, give])).to.be.revertedWithCustomError(hub, 'CallFailed')
      expect(await hub.viewConsumed(requestHash)).to.equal(0n)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    })
  })
})
