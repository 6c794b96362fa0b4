// Rows of docs/checklist.md about money, over both currencies.
import { expect } from 'chai'
import { everybody, expectSound } from '../adversaries/ledger.ts'
import {
  type Assets,
  appPrice,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  ethers,
  loadFixture,
  makeDeal,
  price,
  RLC,
  schedulerStake,
  settleArguments,
  settlementOf,
  signOrders,
  taskIdOf,
  time,
  type Wishes,
  workerpoolPrice,
} from '../fixtures.ts'
import { escrows, UNIT } from '../native.ts'

function ofVolume(volume: bigint): Wishes {
  return { app: { volume }, dataset: { volume }, workerpool: { volume }, request: { volume } }
}

/** What every account owns in the Hub, free and locked together. */
async function wealth({ hub, ...assets }: Assets): Promise<Map<string, bigint>> {
  const owned = new Map<string, bigint>()
  for (const account of [...everybody({ hub, ...assets }), await hub.kitty_address()]) {
    const address = typeof account === 'string' ? account : await account.getAddress()
    const { stake, locked } = await hub.viewAccount(address)
    owned.set(address, stake + locked)
  }
  return owned
}

for (const { currency, assetsOf } of escrows) {
  const market = async () => (await loadFixture(assetsOf)) as Assets

  describe(`C33 deposit, withdraw, see free and locked, over ${currency}`, () => {
    it('credits a deposit, pays a withdrawal, and tells what is free and what is locked', async () => {
      const assets = await market()
      const { hub, token, requester, anyone } = assets
      if ((await hub.token()) === ethers.ZeroAddress) {
        const native = await ethers.getContractAt('IHubNative', await hub.getAddress())
        await native.connect(anyone).deposit({ value: 3n * RLC * UNIT })
      } else {
        await token.connect(requester).transfer(anyone, 3n * RLC)
        await token.connect(anyone).approve(hub, 3n * RLC)
        await hub.connect(anyone).deposit(3n * RLC)
      }
      expect(await hub.viewAccount(anyone)).to.deep.equal([3n * RLC, 0n])
      await hub.connect(anyone).withdraw(RLC)
      expect(await hub.viewAccount(anyone)).to.deep.equal([2n * RLC, 0n])
      await makeDeal(assets)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, price])
      expect([await hub.balanceOf(requester), await hub.frozenOf(requester)]).to.deep.equal([DEPOSIT - price, price])
      await expectSound(hub, everybody(assets))
    })

    it('pays nothing that is locked', async () => {
      const assets = await market()
      const { hub, requester } = assets
      await makeDeal(assets)
      await expect(hub.connect(requester).withdraw(DEPOSIT - price + 1n))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(requester.address, DEPOSIT - price, DEPOSIT - price + 1n)
      await hub.connect(requester).withdraw(DEPOSIT - price)
      expect(await hub.viewAccount(requester)).to.deep.equal([0n, price])
    })
  })

  describe(`C34 know the exact cost before confirming, over ${currency}`, () => {
    it('debits the prices of the orders times the volume that the Hub computes, to the unit', async () => {
      const assets = await market()
      const { hub, requester, worker } = assets
      const orders = await signOrders(assets, { ...ofVolume(7n), workerpool: { volume: 3n } })
      const volume = await hub.computeDealVolume(...orders)
      const estimate = volume * (orders[0].appprice + orders[1].datasetprice + orders[2].workerpoolprice)
      expect([volume, estimate]).to.deep.equal([3n, 3n * price])
      const dealId = await hub.matchOrders.staticCall(...orders)
      await hub.matchOrders(...orders)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - estimate, estimate])
      for (let index = 0n; index < volume; ++index) {
        await hub.settle(...settleArguments(await settlementOf(assets, { dealId, index, worker })))
      }
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - estimate, 0n])
    })

    it('asks nothing of anybody where all prices are zero, not even a deposit', async () => {
      const assets = await market()
      const { hub, requester, scheduler, worker } = assets
      for (const account of [requester, scheduler]) await hub.connect(account).withdraw(DEPOSIT)
      const { dealId } = await makeDeal(assets, {
        app: { appprice: 0n },
        dataset: { datasetprice: 0n },
        workerpool: { workerpoolprice: 0n },
      })
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
      expect((await hub.viewTask(taskIdOf(dealId, 0n))).status).to.equal(3n)
      for (const account of [requester, scheduler]) expect(await hub.viewAccount(account)).to.deep.equal([0n, 0n])
    })
  })

  describe(`C35 have funds locked at the match, the rest refunded, over ${currency}`, () => {
    it('locks what the deal takes, not what the request would allow', async () => {
      const assets = await market()
      const { hub, requester } = assets
      const limits = { appmaxprice: 9n * price, workerpoolmaxprice: 9n * price, volume: 9n }
      await makeDeal(assets, { ...ofVolume(9n), request: limits, workerpool: { volume: 4n } })
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 4n * price, 4n * price])
    })

    it('spends what was computed and gives back the rest, task by task', async () => {
      const assets = await market()
      const { hub, requester, worker } = assets
      const { dealId } = await makeDeal(assets, ofVolume(3n))
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, index: 1n, worker })))
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 3n * price, 2n * price])
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 2n * price, price])
      await hub.initializeAndClaimArray([dealId], [2n])
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, 0n])
    })
  })

  describe(`C37 claim an overdue task and be refunded, over ${currency}`, () => {
    it('refuses a second too early, refunds all on time, and the stake of the pool goes to the kitty', async () => {
      const assets = await market()
      const { hub, requester, scheduler, anyone } = assets
      const { dealId } = await makeDeal(assets)
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      const { finalDeadline } = await hub.viewTask(taskId)
      await time.setNextBlockTimestamp(finalDeadline - 1n)
      await expect(hub.connect(anyone).claim(taskId))
        .to.be.revertedWithCustomError(hub, 'DeadlineNotReached')
        .withArgs(taskId, finalDeadline)
      await time.setNextBlockTimestamp(finalDeadline)
      await hub.connect(anyone).claim(taskId)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - schedulerStake, 0n])
      expect(await hub.viewAccount(await hub.kitty_address())).to.deep.equal([0n, schedulerStake])
      expect((await hub.viewTask(taskId)).status).to.equal(4n)
    })
  })

  describe(`C48 see everyone paid by the deal, over ${currency}`, () => {
    it('pays app, data, pool and worker their prices; what they gain is what the requester loses', async () => {
      const assets = await market()
      const { hub, requester, appOwner, datasetOwner, scheduler, worker } = assets
      const before = await wealth(assets)
      const { dealId } = await makeDeal(assets)
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
      const gained = new Map([...(await wealth(assets))].map(([who, has]) => [who, has - (before.get(who) ?? 0n)]))
      const share = workerpoolPrice / 100n
      expect(gained.get(requester.address)).to.equal(-price)
      expect(gained.get(appOwner.address)).to.equal(appPrice)
      expect(gained.get(datasetOwner.address)).to.equal(datasetPrice)
      expect(gained.get(scheduler.address)).to.equal(share)
      expect(gained.get(worker.address)).to.equal(workerpoolPrice - share)
      expect([...gained.values()].filter((gain) => gain !== 0n)).to.have.lengthOf(5)
      expect([...gained.values()].reduce((sum, gain) => sum + gain, 0n)).to.equal(0n)
    })
  })
}

describe('C36 choose one of five durations', () => {
  const durations: [string, bigint][] = [
    ['XS', 300n],
    ['S', 1_200n],
    ['M', 3_600n],
    ['L', 10_800n],
    ['XL', 36_000n],
  ]
  for (const [catid, [name, seconds]] of durations.entries()) {
    it(`${name}: ${seconds} seconds, to be computed within 7 and over after 10 times that`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const category = BigInt(catid)
      expect(await hub.viewCategory(category)).to.deep.equal([name, '""', seconds])
      const { dealId } = await makeDeal(assets, { workerpool: { category }, request: { category } })
      await hub.initialize(dealId, 0n)
      const { startTime } = await hub.viewDeal(dealId)
      const task = await hub.viewTask(taskIdOf(dealId, 0n))
      expect([task.timeref, task.contributionDeadline, task.finalDeadline]).to.deep.equal([
        seconds,
        startTime + 7n * seconds,
        startTime + 10n * seconds,
      ])
    })
  }

  it('offers no sixth', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub } = assets
    expect(await hub.countCategory()).to.equal(5n)
    const orders = await signOrders(assets, { workerpool: { category: 5n }, request: { category: 5n } })
    await expect(hub.matchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'UnknownCategory')
      .withArgs(5n)
  })
})
