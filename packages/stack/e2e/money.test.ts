import { setTimeout as sleep } from 'node:timers/promises'
import { Deal, type Hex, Params } from '@sealdeal/protocol'
import {
  balance,
  type Client,
  claimTask,
  getPayouts,
  grantAccess,
  matchOrders,
  protectData,
  readTask,
  waitForTask,
  withdraw,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import type { Stack } from '../stack.ts'
import { escrow, newcomer, offerApp, prices, quadruple, refusal } from '../testing/scene.ts'
import { sharedStack, temporaryStack } from '../testing/shared.ts'

const cost = prices.app + prices.data + prices.pool
/** Twice of every price: what is above it must never be touched. */
const maxima = { appmaxprice: 2n * prices.app, datasetmaxprice: 2n * prices.data, workerpoolmaxprice: 2n * prices.pool }
const staked = 6n * cost

/** A requester who has money, and two orders whose owners have none. */
async function arrange(stack: Stack, { accesses = 3n }: { accesses?: bigint } = {}) {
  const company = await newcomer(stack)
  const hospital = await newcomer(stack)
  const user = await newcomer(stack, { staked })
  const app = await offerApp(company)
  const { address } = await protectData(hospital, { name: 'C35', data: { records: 'one' } })
  const grant = await grantAccess(hospital, {
    protectedData: address,
    authorizedApp: app.app,
    authorizedUser: user.account,
    pricePerAccess: prices.data,
    numberOfAccess: accesses,
  })
  return { company, hospital, user, orders: { app: app.order, dataset: grant.order } }
}

/** The tasks of a deal as the chain knows them. */
async function tasksOf(client: Client, dealId: Hex) {
  const deal = Deal.fromChain(await client.contracts.hub.viewDeal(dealId))
  return Promise.all(Deal.tasks(dealId, deal).map(({ taskId }) => readTask(client, { taskId })))
}

/** Long enough for the test to act before the next task is done, in seconds. */
const slow = Params.build({ args: '--sleep 3', encryptResult: true })

/** Waits until nothing of an account is locked any more: the pool claims overdue tasks by itself. */
async function untilUnlocked(client: Client): Promise<void> {
  for (const end = Date.now() + 20_000; (await balance(client)).locked > 0n; await sleep(100)) {
    if (Date.now() > end) throw new Error('The money of the overdue tasks was not given back in 20 s.')
  }
}

describe('C35 have funds locked at the match and what is unspent refunded', () => {
  it('locks the prices of three tasks, not the highest that was allowed, and spends exactly that', async () => {
    const stack = await sharedStack()
    const { company, hospital, user, orders } = await arrange(stack)
    const request = { volume: 3n, ...maxima }
    const { dealId, volume, transactionHash } = await matchOrders(user, await quadruple(user, { ...orders, request }))
    expect(volume).to.equal(3n)
    const blockTag = (await user.provider.getTransactionReceipt(transactionHash))?.blockNumber ?? 0
    const { stake: free, locked } = await user.contracts.hub.viewAccount(user.account, { blockTag })
    expect({ free, locked }).to.deep.equal({ free: staked - 3n * cost, locked: 3n * cost })
    // Above what the three tasks cost, all is free to go: not a unit more.
    const tooMuch = await refusal(withdraw(user, { amount: free + 1n }))
    expect(tooMuch.errorName).to.equal('ERC20InsufficientBalance')
    await withdraw(user, { amount: free })
    expect(await balance(user)).to.include({ free: 0n, wallet: staked - 3n * cost })

    for (const { taskId } of await tasksOf(user, dealId)) {
      await waitForTask(user, { taskId, timeout: 40_000 })
      const { outcome, payouts } = await getPayouts(user, { taskId })
      expect(outcome).to.equal('finalized')
      expect(
        payouts.filter(({ movement }) => movement === 'paid').map(({ account, amount }) => [account, amount]),
      ).to.deep.equal([[user.account, cost]])
    }
    expect(await balance(user)).to.deep.equal({ free: 0n, locked: 0n, wallet: staked - 3n * cost })
    expect(await escrow(user, company.account)).to.include({ free: 3n * prices.app, locked: 0n })
    expect(await escrow(user, hospital.account)).to.include({ free: 3n * prices.data, locked: 0n })
  })

  it('locks for two tasks when three are asked for and the grant has two left', async () => {
    const stack = await sharedStack()
    const { hospital, user, orders } = await arrange(stack, { accesses: 2n })
    const request = { volume: 3n, ...maxima }
    const { dealId, volume } = await matchOrders(user, await quadruple(user, { ...orders, request }))
    expect(volume).to.equal(2n)
    expect((await escrow(user, user.account)).free).to.equal(staked - 2n * cost)
    const tasks = await tasksOf(user, dealId)
    expect(tasks).to.have.lengthOf(2)
    for (const { taskId } of tasks) await waitForTask(user, { taskId, timeout: 40_000 })
    expect(await escrow(user, user.account)).to.include({ free: staked - 2n * cost, locked: 0n })
    expect(await escrow(user, hospital.account)).to.include({ free: 2n * prices.data })
  })

  describe('given a pool that loses its only worker', function () {
    this.timeout(90_000)
    let stack: Stack
    before(async () => {
      stack = await temporaryStack()
    })
    after(() => stack?.stop())

    it('pays for the tasks that were done, and gives back the rest after the deadline', async () => {
      const { company, hospital, user, orders } = await arrange(stack)
      const { hub } = user.contracts
      const parameters = { ...orders, request: { volume: 3n, ...maxima, params: slow } }
      const { dealId } = await matchOrders(user, await quadruple(user, parameters))
      const [first] = await tasksOf(user, dealId)
      await waitForTask(user, { taskId: first?.taskId ?? '0x', timeout: 40_000 })
      await stack.process('worker').stop()

      const open = (await tasksOf(user, dealId)).filter(({ status }) => status !== 'COMPLETED')
      const done = 3n - BigInt(open.length)
      expect(open.length).to.be.within(1, 2)
      const left = BigInt(open.length) * cost
      expect(await escrow(user, user.account)).to.include({ free: staked - 3n * cost, locked: left })
      const early = await refusal(claimTask(user, { dealId, index: 2n }))
      expect(early.errorName).to.equal('DeadlineNotReached')

      const { workClockTimeRef } = await hub.viewCategory(0n)
      await stack.provider.send('evm_increaseTime', [Number(workClockTimeRef * Deal.finalRatio) + 1])
      await stack.provider.send('evm_mine', [])
      await untilUnlocked(user)

      expect(await escrow(user, user.account)).to.include({ free: staked - done * cost, locked: 0n })
      expect(await escrow(user, company.account)).to.include({ free: done * prices.app })
      expect(await escrow(user, hospital.account)).to.include({ free: done * prices.data })
      for (const { taskId } of open) {
        expect((await readTask(user, { taskId })).status).to.equal('FAILED')
        const { outcome, payouts } = await getPayouts(user, { taskId })
        expect(outcome).to.equal('claimed')
        expect(payouts.map(({ movement, account, amount }) => [movement, account, amount])).to.deep.include.members([
          ['unlocked', user.account, cost],
          ['lost', stack.wallets.poolOwner.address, (prices.pool * 30n) / 100n],
        ])
      }
    })
  })
})
