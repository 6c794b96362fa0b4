import { expect } from 'chai'
import {
  createdAssets,
  ethers,
  initializedTask,
  loadFixture,
  makeDeal,
  matchDeal,
  matchedDeal,
  signOrders,
  taskIdOf,
} from '../../fixtures.ts'

describe('initialize', () => {
  describe('given a deal', () => {
    it('opens the task that is named after deal and index, and tells the workerpool', async () => {
      const { hub, dealId, workerpool, anyone } = await loadFixture(matchedDeal)
      const taskId = taskIdOf(dealId, 0n)
      expect(await hub.connect(anyone).initialize.staticCall(dealId, 0n)).to.equal(taskId)
      await expect(hub.connect(anyone).initialize(dealId, 0n))
        .to.emit(hub, 'TaskInitialize')
        .withArgs(taskId, workerpool.target)
    })

    it('counts the deadlines from the match, not from the opening', async () => {
      const { hub, dealId, taskId } = await loadFixture(initializedTask)
      const { startTime } = await hub.viewDeal(dealId)
      const task = await hub.viewTask(taskId)
      expect(task.status).to.equal(1n)
      expect([task.dealid, task.idx, task.timeref]).to.deep.equal([dealId, 0n, 300n])
      expect(task.contributionDeadline).to.equal(startTime + 7n * 300n)
      expect(task.finalDeadline).to.equal(startTime + 10n * 300n)
      expect([task.revealDeadline, task.contributors.length, task.results]).to.deep.equal([0n, 0, '0x'])
    })

    it('reverts with WrongStatus when the task was opened before', async () => {
      const { hub, dealId, taskId } = await loadFixture(initializedTask)
      await expect(hub.initialize(dealId, 0n)).to.be.revertedWithCustomError(hub, 'WrongStatus').withArgs(taskId, 1n)
    })

    it('reverts with IndexOutOfDeal past the last task', async () => {
      const { hub, dealId } = await loadFixture(matchedDeal)
      for (const index of [1n, 2n ** 256n - 1n]) {
        await expect(hub.initialize(dealId, index))
          .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
          .withArgs(dealId, index, 0n, 1n)
      }
    })
  })

  describe('given the second deal of a request', () => {
    it('opens the tasks from where it begins, and no other', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const volume = 9n
      const { orders } = await makeDeal(assets, {
        app: { volume },
        dataset: { volume },
        workerpool: { volume: 2n },
        request: { volume: 5n },
      })
      const [, , largerPool] = await signOrders(assets, { workerpool: { volume } })
      const { dealId } = await matchDeal(assets, [orders[0], orders[1], largerPool, orders[3]])
      await expect(hub.initialize(dealId, 1n))
        .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
        .withArgs(dealId, 1n, 2n, 3n)
      await hub.initialize(dealId, 2n)
      await hub.initialize(dealId, 4n)
      expect((await hub.viewTask(taskIdOf(dealId, 4n))).idx).to.equal(4n)
      await expect(hub.initialize(dealId, 5n)).to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
    })
  })

  describe('given a deal of more tasks than the place for an index can name', () => {
    for (const index of [2n ** 32n - 2n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 256n - 2n]) {
      it(`opens task ${index}`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub } = assets
        const volume = 2n ** 256n - 1n
        const { dealId } = await makeDeal(assets, {
          app: { volume, appprice: 0n },
          dataset: { volume, datasetprice: 0n },
          workerpool: { volume, workerpoolprice: 0n },
          request: { volume },
        })
        await hub.initialize(dealId, index)
        const task = await hub.viewTask(taskIdOf(dealId, index))
        expect([task.dealid, task.idx, task.status]).to.deep.equal([dealId, index, 1n])
      })
    }
  })

  describe('given no deal', () => {
    it('reverts with UnknownDeal', async () => {
      const { hub } = await loadFixture(createdAssets)
      const dealId = ethers.id('nothing')
      await expect(hub.initialize(dealId, 0n)).to.be.revertedWithCustomError(hub, 'UnknownDeal').withArgs(dealId)
    })
  })
})
