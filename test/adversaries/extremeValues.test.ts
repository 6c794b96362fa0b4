// Numbers at the end of what a word holds: refused clearly or kept whole, and no money is ever out of reach.
import { expect } from 'chai'
import {
  type Assets,
  contributeArguments,
  contributionTo,
  createdAssets,
  DEPOSIT,
  datasetOrder,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  price,
  settleArguments,
  settlementOf,
  signOrder,
  signOrders,
  taskIdOf,
  teeTag,
  time,
  type Wishes,
} from '../fixtures.ts'
import { everybody, expectSound } from './ledger.ts'

const MAX = 2n ** 256n - 1n
const extremes = [2n ** 96n - 1n, 2n ** 96n, 2n ** 128n, 2n ** 255n, MAX]

function named(value: bigint): string {
  const bits = value.toString(2).length
  return value === 2n ** BigInt(bits) - 1n ? `2^${bits} - 1` : `2^${bits - 1}`
}

async function expectUnmoved(assets: Assets) {
  const { hub, requester, scheduler } = assets
  for (const account of [requester, scheduler]) {
    expect(await hub.viewAccount(account)).to.deep.equal([DEPOSIT, 0n])
  }
  await expectSound(hub, everybody(assets))
}

/** A deal of any volume in which everything is free. */
function freeOf(volume: bigint): Wishes {
  return {
    app: { volume, appprice: 0n },
    dataset: { volume, datasetprice: 0n },
    workerpool: { volume, workerpoolprice: 0n },
    request: { volume },
  }
}

describe('a price past every fortune', () => {
  const prices: [string, (value: bigint) => Wishes][] = [
    ['app', (value) => ({ app: { appprice: value }, request: { appmaxprice: value } })],
    ['dataset', (value) => ({ dataset: { datasetprice: value }, request: { datasetmaxprice: value } })],
    ['pool', (value) => ({ workerpool: { workerpoolprice: value }, request: { workerpoolmaxprice: value } })],
  ]
  for (const [kind, wishes] of prices) {
    for (const value of extremes) {
      it(`of the ${kind}, ${named(value)}: no match, nothing moves`, async () => {
        const assets = await loadFixture(createdAssets)
        const orders = await signOrders(assets, wishes(value))
        // What cannot even be added or multiplied is an overflow; what can is too much for the requester.
        const sending = assets.hub.matchOrders(...orders)
        const cost = value + price
        const overflows = cost > MAX || (kind === 'pool' && value * 30n > MAX)
        if (overflows) await expect(sending).to.be.revertedWithPanic(0x11)
        else await expect(sending).to.be.revertedWithCustomError(assets.hub, 'ERC20InsufficientBalance')
        await expectUnmoved(assets)
      })
    }
  }

  for (const value of extremes) {
    it(`of a maximum, ${named(value)}, costs no more than what is asked for`, async () => {
      const assets = await loadFixture(createdAssets)
      const limits = { appmaxprice: value, datasetmaxprice: value, workerpoolmaxprice: value }
      await makeDeal(assets, { request: limits })
      expect(await assets.hub.frozenOf(assets.requester)).to.equal(price)
    })

    it(`of attached datasets, ${named(value)} each: nothing is attached`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, requester, dataset, datasetOwner, domain } = assets
      const { dealId } = await makeDeal(assets, { dataset: null })
      const locked = await hub.frozenOf(requester)
      const order = () => datasetOrder({ dataset: `${dataset.target}`, datasetprice: value, tag: teeTag })
      const by = { signer: datasetOwner, domain }
      const orders = [await signOrder('dataset', order(), by), await signOrder('dataset', order(), by)]
      const sending = hub.connect(requester).attachDatasets(dealId, 0n, orders, MAX)
      if (2n * value > MAX) await expect(sending).to.be.revertedWithPanic(0x11)
      else {
        await expect(sending)
          .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
          .withArgs(requester.address, DEPOSIT - locked, 2n * value)
      }
      expect(await hub.frozenOf(requester)).to.equal(locked)
      expect(await hub.viewDatasets(taskIdOf(dealId, 0n))).to.deep.equal([])
    })
  }
})

describe('a volume past every number of tasks', () => {
  for (const volume of extremes) {
    it(`${named(volume)}, at a price: no match, nothing moves`, async () => {
      const assets = await loadFixture(createdAssets)
      const orders = await signOrders(assets, { ...freeOf(volume), app: { volume, appprice: 2n } })
      const sending = assets.hub.matchOrders(...orders)
      if (2n * volume > MAX) await expect(sending).to.be.revertedWithPanic(0x11)
      else await expect(sending).to.be.revertedWithCustomError(assets.hub, 'ERC20InsufficientBalance')
      await expectUnmoved(assets)
    })

    it(`${named(volume)}, for free: its last task is settled, its first is claimed, and none after the last is`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, worker } = assets
      const { dealId } = await makeDeal(assets, freeOf(volume))
      const last = await settlementOf(assets, { dealId, index: volume - 1n, worker })
      await hub.settle(...settleArguments(last))
      const task = await hub.viewTask(last.taskId)
      expect([task.status, task.idx, task.dealid]).to.deep.equal([3n, volume - 1n, dealId])
      await expect(hub.initialize(dealId, volume))
        .to.be.revertedWithCustomError(hub, 'IndexOutOfDeal')
        .withArgs(dealId, volume, 0n, volume)
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      await expectUnmoved(assets)
    })
  }
})

describe('a trust past every crowd', () => {
  for (const trust of extremes) {
    it(`${named(trust)}: no worker is enough, and everybody is refunded in the end`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, worker, worker2 } = assets
      const { dealId } = await makeDeal(assets, { workerpool: { trust }, request: { trust } })
      const taskId = taskIdOf(dealId, 0n)
      await expect(hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker }))))
        .to.be.revertedWithCustomError(hub, 'TrustNotOne')
        .withArgs(taskId, trust)
      await hub.initialize(dealId, 0n)
      const final = finalArguments(taskId, await contributionTo(assets, { taskId, worker }))
      await expect(hub.connect(worker).contributeAndFinalize(...final))
        .to.be.revertedWithCustomError(hub, 'TrustNotOne')
        .withArgs(taskId, trust)
      for (const by of [worker, worker2]) {
        const contribution = await contributionTo(assets, { taskId, worker: by })
        await hub.connect(by).contribute(...contributeArguments(taskId, contribution))
      }
      expect((await hub.viewTask(taskId)).status).to.equal(1n)
      await time.increase(3000)
      await hub.claim(taskId)
      for (const by of [worker, worker2]) expect(await hub.viewAccount(by)).to.deep.equal([DEPOSIT, 0n])
      expect(await hub.viewAccount(assets.requester)).to.deep.equal([DEPOSIT, 0n])
      await expectSound(hub, everybody(assets))
    })
  }
})

describe('a stake of workers past every fortune', () => {
  it('keeps them from contributing, and the requester is refunded', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, worker, workerpool, scheduler, requester } = assets
    await workerpool.connect(scheduler).changePolicy(MAX, 0n)
    const one = { workerpool: { workerpoolprice: 1n, trust: 2n }, request: { trust: 2n } }
    const { dealId } = await makeDeal(assets, one)
    const stake = MAX / 100n
    expect((await hub.viewDeal(dealId)).workerStake).to.equal(stake)
    await hub.initialize(dealId, 0n)
    const taskId = taskIdOf(dealId, 0n)
    const contribution = await contributionTo(assets, { taskId, worker })
    await expect(hub.connect(worker).contribute(...contributeArguments(taskId, contribution)))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(worker.address, DEPOSIT, stake)
    await time.increase(3000)
    await hub.claim(taskId)
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  })
})

describe('an allowance past every fortune', () => {
  it('is kept whole, and is not raised past the end', async () => {
    const { hub, requester, anyone } = await loadFixture(createdAssets)
    await hub.connect(requester).approve(anyone, MAX)
    await expect(hub.connect(requester).increaseAllowance(anyone, 1n)).to.be.revertedWithPanic(0x11)
    expect(await hub.allowance(requester, anyone)).to.equal(MAX)
    for (const amount of extremes) {
      await expect(hub.connect(anyone).transferFrom(requester, anyone, amount))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(requester.address, DEPOSIT, amount)
    }
    expect(await hub.allowance(requester, ethers.ZeroAddress)).to.equal(0n)
  })
})
