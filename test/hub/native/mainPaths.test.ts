// What the chapters' own tests show over a token, once more over both kinds of Hub: who pays, who earns, to the unit. In
// the end everybody leaves with what is theirs, and the Hub is left with the kitty alone.
import { expect } from 'chai'
import { failureOf } from '../../failures.ts'
import {
  type Assets,
  appOrder,
  appPrice,
  contributeArguments,
  contributionTo,
  DEPOSIT,
  datasetOrder,
  datasetPrice,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  matchDeal,
  operationOn,
  price,
  RLC,
  SIGN,
  schedulerStake,
  settleArguments,
  settlementOf,
  signOrder,
  signOrders,
  taskIdOf,
  teeTag,
  time,
  type Wishes,
  workerpoolPrice,
} from '../../fixtures.ts'
import { escrows, UNIT, weiOf } from '../../native.ts'

const workerReward = (workerpoolPrice * 99n) / 100n
const schedulerReward = workerpoolPrice - workerReward
const answer = ethers.AbiCoder.defaultAbiCoder().encode(['uint256'], [42n])

function ofVolume(volume: bigint): Wishes {
  return { app: { volume }, dataset: { volume }, workerpool: { volume }, request: { volume } }
}

type Role = 'requester' | 'sponsor' | 'scheduler' | 'appOwner' | 'datasetOwner' | 'worker' | 'worker2'
const roles: Role[] = ['requester', 'sponsor', 'scheduler', 'appOwner', 'datasetOwner', 'worker', 'worker2']
const depositors: Role[] = ['requester', 'sponsor', 'scheduler', 'worker', 'worker2']

/** Nothing is locked; each role owns what it deposited and `gains`, and can leave with it. */
async function expectGains(assets: Assets, gains: Partial<Record<Role, bigint>>, kitty = 0n) {
  const { hub } = assets
  const expected = (role: Role) => (depositors.includes(role) ? DEPOSIT : 0n) + (gains[role] ?? 0n)
  for (const role of roles) expect(await hub.viewAccount(assets[role]), role).to.deep.equal([expected(role), 0n])
  expect(await hub.balanceOf(hub)).to.equal(kitty)
  await expectDeparture(assets, kitty)
}

async function expectDeparture(assets: Assets, kitty: bigint) {
  const { hub, token } = assets
  const isNative = (await hub.token()) === ethers.ZeroAddress
  const fortune = (account: string) => (isNative ? ethers.provider.getBalance(account) : token.balanceOf(account))
  for (const role of roles) {
    const free = await hub.balanceOf(assets[role])
    const target = ethers.Wallet.createRandom().address
    await hub.connect(assets[role]).withdrawTo(free, target)
    expect(await fortune(target)).to.equal(isNative ? free * UNIT : free)
  }
  expect(await hub.totalSupply()).to.equal(kitty)
  expect(await fortune(await hub.getAddress())).to.equal(isNative ? kitty * UNIT : kitty)
  if (!isNative) expect(await weiOf(hub)).to.equal(0n)
}

function grantOf({ dataset, datasetOwner, domain }: Assets, datasetprice: bigint) {
  const order = datasetOrder({ dataset: dataset.target.toString(), datasetprice, tag: teeTag })
  return signOrder('dataset', order, { signer: datasetOwner, domain })
}

for (const { currency, assetsOf } of escrows) {
  describe(`over ${currency}`, () => {
    it('a match locks the price and the stake of every task', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, requester, scheduler } = assets
      const held = await weiOf(hub)
      await makeDeal(assets, ofVolume(3n))
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - 3n * price, 3n * price])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - 3n * schedulerStake, 3n * schedulerStake])
      expect(await hub.balanceOf(hub)).to.equal(3n * (price + schedulerStake))
      expect(await weiOf(hub)).to.equal(held)
      await expect(hub.connect(requester).withdraw(DEPOSIT)).to.be.revertedWithCustomError(
        hub,
        'ERC20InsufficientBalance',
      )
    })

    it('settle pays everybody', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker, anyone } = assets
      const { dealId } = await makeDeal(assets)
      const settled = await settlementOf(assets, { dealId, worker })
      await expect(hub.connect(anyone).settle(...settleArguments(settled)))
        .to.emit(hub, 'TaskFinalize')
        .withArgs(settled.taskId, settled.results)
      await expectGains(assets, {
        requester: -price,
        appOwner: appPrice,
        datasetOwner: datasetPrice,
        worker: workerReward,
        scheduler: schedulerReward,
      })
    })

    it('settleBatch pays everybody for each task', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker, worker2 } = assets
      const { dealId } = await makeDeal(assets, ofVolume(3n))
      const workers = [worker, worker, worker2]
      const settlements = await Promise.all(
        workers.map((by, index) => settlementOf(assets, { dealId, index: BigInt(index), worker: by })),
      )
      await hub.settleBatch(dealId, settlements)
      await expectGains(assets, {
        requester: -3n * price,
        appOwner: 3n * appPrice,
        datasetOwner: 3n * datasetPrice,
        worker: 2n * workerReward,
        worker2: workerReward,
        scheduler: 3n * schedulerReward,
      })
    })

    it('contributeAndFinalize pays everybody and calls back', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker } = assets
      const consumer = await ethers.deployContract('ResultConsumer')
      const { dealId } = await makeDeal(assets, { request: { callback: consumer.target.toString() } })
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      const call = finalArguments(taskId, await contributionTo(assets, { taskId, worker, resultsCallback: answer }))
      await hub.connect(worker).contributeAndFinalize(...call)
      expect([await consumer.sender(), await consumer.taskId(), await consumer.result()]).to.deep.equal([
        hub.target,
        taskId,
        answer,
      ])
      await expectGains(assets, {
        requester: -price,
        appOwner: appPrice,
        datasetOwner: datasetPrice,
        worker: workerReward,
        scheduler: schedulerReward,
      })
    })

    it('two workers that agree share the price of the work', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker, worker2, scheduler } = assets
      const { dealId } = await makeDeal(assets, { workerpool: { trust: 3n }, request: { trust: 3n } })
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      for (const by of [worker, worker2]) {
        const contribution = await contributionTo(assets, { taskId, worker: by })
        await hub.connect(by).contribute(...contributeArguments(taskId, contribution))
        expect(await hub.frozenOf(by)).to.equal(schedulerStake)
      }
      for (const by of [worker, worker2]) await hub.connect(by).reveal(taskId, ethers.id(`result of ${taskId}`))
      await hub.connect(scheduler).finalize(taskId, '0x', '0x')
      await expectGains(assets, {
        requester: -price,
        appOwner: appPrice,
        datasetOwner: datasetPrice,
        worker: workerReward / 2n,
        worker2: workerReward / 2n,
        scheduler: schedulerReward,
      })
    })

    it('a worker that is alone with its result loses its stake to the others', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker, worker2, scheduler } = assets
      const { dealId } = await makeDeal(assets, { workerpool: { trust: 2n }, request: { trust: 2n } })
      await hub.initialize(dealId, 0n)
      const taskId = taskIdOf(dealId, 0n)
      await time.increase(1)
      const liar = await contributionTo(assets, { taskId, worker: worker2, resultDigest: ethers.id('a lie') })
      await hub.connect(worker2).contribute(...contributeArguments(taskId, liar))
      // Nobody reveals what the liar alone agreed with; then the honest one is heard.
      await time.increase(601)
      await hub.connect(scheduler).reopen(taskId)
      const honest = await contributionTo(assets, { taskId, worker })
      await hub.connect(worker).contribute(...contributeArguments(taskId, honest))
      await hub.connect(worker).reveal(taskId, honest.resultDigest)
      await hub.connect(scheduler).finalize(taskId, '0x', '0x')
      const pot = workerpoolPrice + schedulerStake
      await expectGains(assets, {
        requester: -price,
        appOwner: appPrice,
        datasetOwner: datasetPrice,
        worker: (pot * 99n) / 100n,
        worker2: -schedulerStake,
        scheduler: pot - (pot * 99n) / 100n,
      })
    })

    it('a claim refunds the sponsor, and the stake of the pool fills the kitty', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, sponsor } = assets
      const orders = await signOrders(assets)
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      expect(await hub.viewAccount(sponsor)).to.deep.equal([DEPOSIT - price, price])
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId], [0n])
      expect(await hub.frozenOf(await hub.kitty_address())).to.equal(schedulerStake)
      await expectGains(assets, { scheduler: -schedulerStake }, schedulerStake)
    })

    it('the pool draws from the kitty what others lost', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker } = assets
      const { dealId } = await makeDeal(assets, ofVolume(2n))
      await time.increase(3000)
      await hub.initializeAndClaimArray([dealId, dealId], [0n, 1n])
      const next = await makeDeal(assets)
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId: next.dealId, worker })))
      // The kitty holds less than one token, so all of it is drawn.
      expect(2n * schedulerStake).to.be.below(RLC)
      await expectGains(assets, {
        requester: -price,
        appOwner: appPrice,
        datasetOwner: datasetPrice,
        worker: workerReward,
        scheduler: schedulerReward,
      })
    })

    it('an attested failure refunds at once and punishes nobody', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, worker } = assets
      const { dealId } = await makeDeal(assets)
      await hub.settleFailure(...(await failureOf(assets, { dealId, worker, cause: 7n })))
      await expectGains(assets, {})
    })

    it('datasets that are attached are paid each', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, requester, worker } = assets
      const { dealId } = await makeDeal(assets, { dataset: null })
      const grants = [await grantOf(assets, 5n), await grantOf(assets, 7n)]
      await hub.connect(requester).attachDatasets(dealId, 0n, grants, 12n)
      expect(await hub.frozenOf(requester)).to.equal(appPrice + workerpoolPrice + 12n)
      await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
      await expectGains(assets, {
        requester: -(appPrice + workerpoolPrice + 12n),
        appOwner: appPrice,
        datasetOwner: 12n,
        worker: workerReward,
        scheduler: schedulerReward,
      })
    })

    it('an order that was signed by a transaction is matched without a signature', async () => {
      const assets = (await loadFixture(assetsOf)) as Assets
      const { hub, appOwner, app } = assets
      const [, dataset, workerpool, request] = await signOrders(assets)
      const order = appOrder({ app: app.target.toString(), appprice: appPrice, tag: teeTag })
      await hub.connect(appOwner).manageAppOrder(operationOn(order, SIGN))
      await matchDeal(assets, [order, dataset, workerpool, request])
      expect(await hub.frozenOf(assets.requester)).to.equal(price)
    })
  })
}
