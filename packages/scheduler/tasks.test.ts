import { type Hex, Task } from '@sealdeal/protocol'
import { type Database, openTestDatabase } from '@sealdeal/server'
import { expect } from 'chai'
import { migrations } from './index.ts'
import { forgetBlocks, noteInitialized, refillTasks, settle, TASKS_AHEAD } from './tasks.ts'
import { grant, matchedDeal, randomHex, registeredWorker } from './testing/rows.ts'
import { viewTask } from './view.ts'

describe('tasks', function () {
  this.timeout(30_000)
  let database: Database
  let close: () => Promise<void>
  before(async () => {
    ;({ database, close } = await openTestDatabase({ migrations }))
  })
  after(() => close?.())
  afterEach(() => database.query('truncate worker, deal cascade'))

  const finish = (taskId: Hex, settlement: 'finalized' | 'claimed', blockNumber = 20n) =>
    database.transaction((transaction) =>
      settle(transaction, { taskId, settlement, transaction: randomHex(32), blockNumber }),
    )

  describe('given a deal of three tasks', () => {
    it('stores one row for each index from the first', async () => {
      const { dealId, taskIds } = await matchedDeal(database, { first: 5n, size: 3n })
      expect(taskIds).to.deep.equal([5n, 6n, 7n].map((index) => Task.id(dealId, index)))
      const view = await viewTask(database, taskIds[1] as Hex)
      expect(view).to.deep.include({ chainDealId: dealId, taskIndex: '6', currentStatus: 'RECEIVED', trust: '1' })
      expect(view.dateStatusList).to.have.length(1)
    })
  })

  describe('given a deal with more tasks than are stored ahead', () => {
    it('stores the next ones as the first are settled, and every one in the end', async () => {
      const { dealId, taskIds } = await matchedDeal(database, { size: TASKS_AHEAD + 10n })
      expect(taskIds).to.have.length(Number(TASKS_AHEAD))
      expect(await refillTasks(database)).to.equal(0)
      for (const taskId of taskIds.slice(0, 4)) await finish(taskId, 'finalized')
      expect(await refillTasks(database)).to.equal(4)
      for (const taskId of taskIds.slice(4, 14)) await finish(taskId, 'finalized')
      expect(await refillTasks(database)).to.equal(6)
      const last = Task.id(dealId, TASKS_AHEAD + 9n)
      expect((await viewTask(database, last)).currentStatus).to.equal('RECEIVED')
    })
  })

  describe('given a deal of trust above 1', () => {
    it('is never leased, and says why', async () => {
      const { taskIds } = await matchedDeal(database, { trust: 3n })
      expect(await grant(database, await registeredWorker(database))).to.equal(undefined)
      const view = await viewTask(database, taskIds[0] as Hex)
      expect(view).to.deep.include({ currentStatus: 'FAILED', cause: 'TRUST_NOT_SUPPORTED' })
    })
  })

  describe('when the chain settles a task', () => {
    it('follows the chain whatever the pool believed', async () => {
      const { taskIds } = await matchedDeal(database)
      const taskId = taskIds[0] as Hex
      await grant(database, await registeredWorker(database))
      await database.transaction((transaction) =>
        noteInitialized(transaction, { taskId, transaction: randomHex(32), blockNumber: 11n }),
      )
      expect(await finish(taskId, 'finalized')).to.equal(true)
      expect(await finish(taskId, 'finalized')).to.equal(false)
      const view = await viewTask(database, taskId)
      expect(view).to.deep.include({ currentStatus: 'COMPLETED', settlement: 'finalized' })
      expect(view.dateStatusList.map(({ status }) => status)).to.deep.equal([
        'RECEIVED',
        'LEASED',
        'INITIALIZED',
        'FINALIZED',
        'COMPLETED',
      ])
      expect(view.replicates[0]?.currentStatus).to.equal('COMPLETED')
    })

    it('ignores tasks of other pools', async () => {
      expect(await finish(randomHex(32), 'finalized')).to.equal(false)
    })
  })

  describe('when blocks are replaced', () => {
    it('forgets their deals and opens again what they settled', async () => {
      const old = await matchedDeal(database, { blockNumber: 10n })
      const young = await matchedDeal(database, { blockNumber: 15n })
      const taskId = old.taskIds[0] as Hex
      await finish(taskId, 'finalized', 16n)
      await database.transaction((transaction) => forgetBlocks(transaction, 15n))
      expect(await viewTask(database, young.taskIds[0] as Hex).catch((error) => error.name)).to.equal(
        'TaskNotFoundError',
      )
      const view = await viewTask(database, taskId)
      expect(view.currentStatus).to.equal('RECEIVED')
      expect(view).not.to.have.any.keys('settlement', 'transactionHash')
      expect(view.dateStatusList.map(({ status }) => status)).to.deep.equal(['RECEIVED'])
      expect(await grant(database, await registeredWorker(database))).to.deep.include({ taskId })
    })
  })
})
