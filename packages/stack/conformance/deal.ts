import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { prices, refusal } from '../testing/scene.ts'
import { onlooker } from './client.ts'
import { kinds, verbs } from './goods.ts'
import { follow, idleDeal, realRun } from './runs.ts'

export const dealTests = () =>
  describe('deal', () => {
    it('is shown with its prices, its tasks and its time', async () => {
      const { requester, dealid, taskid, orders } = await realRun()
      const shown = await requester.iexec.deal.show(dealid)
      expect(shown.tasks).to.deep.equal([taskid])
      expect(shown.app.price.toString()).to.equal(String(prices.app))
      expect([shown.app.pointer, shown.dataset.pointer]).to.deep.equal([
        orders.requestorder.app,
        orders.requestorder.dataset,
      ])
      expect(JSON.parse(shown.params)).to.include({ iexec_args: 'Ada Lovelace', iexec_result_encryption: true })
      expect(Number(shown.finalTime)).to.equal(Number(shown.startTime) + 3_000)
      expect(shown.deadlineReached).to.equal(false)
      const unknown = await refusal(requester.iexec.deal.show(`0x${'12'.repeat(32)}`))
      expect(unknown.message).to.match(/No deal found/)
    })
    it('is found by its requester and by each of its orders', async () => {
      const { requester, dealid, orders } = await realRun()
      const iexec = await onlooker()
      const { app: appAddress, dataset: datasetAddress, workerpool: workerpoolAddress } = orders.requestorder
      for (const filter of [{}, { appAddress }, { datasetAddress }, { workerpoolAddress }, { page: 0, pageSize: 10 }]) {
        const { count, deals } = await iexec.deal.fetchRequesterDeals(requester.address, filter)
        expect([count, deals.map((deal) => deal.dealid)]).to.deep.equal([1, [dealid]])
      }
      for (const kind of kinds) {
        const { hash, deals } = verbs(iexec, kind)
        const found = await deals(await hash(orders[`${kind}order`]))
        expect([found.count, found.deals[0].dealid]).to.deep.equal([1, dealid])
      }
    })
    it('is observed until its tasks are done', async () => {
      const { told } = await realRun()
      const { deal } = await told
      expect(deal.at(-1)).to.equal('DEAL_COMPLETED')
      expect(new Set(deal.slice(0, -1))).to.deep.equal(new Set(['DEAL_UPDATED']))
    })
    it('that nobody worked on is claimed by its requester', async () => {
      const { requester, dealid, tasks } = await idleDeal()
      const { deal, task, account } = requester.iexec
      while (!(await deal.show(dealid)).deadlineReached) await sleep(100)
      expect((await follow(await deal.obsDeal(dealid))).at(-1)).to.equal('DEAL_TIMEDOUT')
      expect((await follow(await task.obsTask(tasks[0] ?? '', { dealid }))).at(-1)).to.equal('TASK_TIMEDOUT')
      expect(await task.claim(tasks[0] ?? '')).to.match(/^0x/)
      expect((await task.show(tasks[0] ?? '')).statusName).to.equal('FAILED')
      const { claimed, transactions } = await deal.claim(dealid)
      expect(claimed).to.deep.equal({ 1: tasks[1], 2: tasks[2] })
      expect(transactions.map(({ type }) => type)).to.deep.equal(['claimArray', 'initializeAndClaimArray'])
      expect((await account.checkBalance(requester.address)).locked.toString()).to.equal('0')
    })
  })
