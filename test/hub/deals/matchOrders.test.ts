import { expect } from 'chai'
import {
  appPrice,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  dealIdOf,
  ethers,
  GRAMINE,
  getStorageAt,
  hashOrder,
  loadFixture,
  makeDeal,
  matchDeal,
  networkHelpers,
  price,
  SCONE,
  schedulerStake,
  setStorageAt,
  signedOrders,
  signOrders,
  TDX,
  TEE,
  tag,
  teeTag,
  type Wishes,
  workerpoolPrice,
} from '../../fixtures.ts'

/** As if the Hub had made contracts up to this nonce. Its own count of them is a 40-bit number in its first slot. */
async function skipNonces(hub: string, nonce: bigint) {
  const shift = 192n
  const vault = BigInt(await getStorageAt(hub, 0))
  const others = vault & ~((2n ** 40n - 1n) << shift)
  await setStorageAt(hub, 0, others | (nonce << shift))
  await networkHelpers.setNonce(hub, nonce)
}

/** The order that an error speaks of. */
const kinds = { app: 0n, dataset: 1n, workerpool: 2n, request: 3n }

const stranger = '0x00000000000000000000000000000000DeaDBeef'

describe('matchOrders', () => {
  describe('given four compatible orders', () => {
    it('opens a deal with the terms and the owners of the moment', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, app, dataset, workerpool, appOwner, datasetOwner, scheduler, requester } = assets
      const { dealId, receipt } = await matchDeal(assets, assets.orders)
      const block = await ethers.provider.getBlock(receipt?.blockNumber ?? 0)
      expect(await hub.viewDeal(dealId)).to.deep.equal([
        [app.target, appOwner.address, appPrice],
        [dataset.target, datasetOwner.address, datasetPrice],
        [workerpool.target, scheduler.address, workerpoolPrice],
        1n,
        0n,
        teeTag,
        requester.address,
        requester.address,
        ethers.ZeroAddress,
        '',
        BigInt(block?.timestamp ?? 0),
        0n,
        1n,
        (workerpoolPrice * 30n) / 100n,
        1n,
        requester.address,
      ])
    })

    it('names the deal after the request and what of it was used before', async () => {
      const { orders, hub, domain } = await loadFixture(signedOrders)
      const dealId = await hub.matchOrders.staticCall(...orders)
      expect(dealId).to.equal(dealIdOf(hashOrder('request', orders[3], domain), 0n))
    })

    it('tells the workerpool, and everybody with the digests of the orders', async () => {
      const { orders, hub, domain, workerpool } = await loadFixture(signedOrders)
      const [app, dataset, pool, request] = orders
      const requestHash = hashOrder('request', request, domain)
      const dealId = dealIdOf(requestHash, 0n)
      await expect(hub.matchOrders(...orders))
        .to.emit(hub, 'OrdersMatched')
        .withArgs(
          dealId,
          hashOrder('app', app, domain),
          hashOrder('dataset', dataset, domain),
          hashOrder('workerpool', pool, domain),
          requestHash,
          1n,
        )
        .to.emit(hub, 'SchedulerNotice')
        .withArgs(workerpool.target, dealId)
    })

    it('locks the price from the requester and 30 percent of the work from the pool, and nothing else moves', async () => {
      const { orders, hub, requester, scheduler, anyone } = await loadFixture(signedOrders)
      const matching = hub.connect(anyone).matchOrders(...orders)
      await expect(matching).to.emit(hub, 'Lock').withArgs(requester.address, price)
      await expect(matching).to.emit(hub, 'Transfer').withArgs(requester.address, hub.target, price)
      await expect(matching).to.emit(hub, 'Lock').withArgs(scheduler.address, schedulerStake)
      await expect(matching).to.emit(hub, 'Transfer').withArgs(scheduler.address, hub.target, schedulerStake)
      expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, price])
      expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - schedulerStake, schedulerStake])
      expect(await hub.balanceOf(hub)).to.equal(price + schedulerStake)
    })

    it('rounds the stake down per task, not per deal', async () => {
      const assets = await loadFixture(createdAssets)
      const odd = 33n // 30 percent of it is 9.9
      await makeDeal(assets, {
        app: { volume: 10n, appprice: 0n },
        dataset: { volume: 10n, datasetprice: 0n },
        workerpool: { volume: 10n, workerpoolprice: odd },
        request: { volume: 10n },
      })
      expect(await assets.hub.frozenOf(assets.scheduler)).to.equal(90n)
      expect(await assets.hub.frozenOf(assets.requester)).to.equal(330n)
    })

    it('takes nothing where everything is free, and still says so', async () => {
      const assets = await loadFixture(createdAssets)
      const orders = await signOrders(assets, {
        app: { appprice: 0n },
        dataset: { datasetprice: 0n },
        workerpool: { workerpoolprice: 0n },
      })
      await expect(assets.hub.matchOrders(...orders))
        .to.emit(assets.hub, 'Lock')
        .withArgs(assets.requester.address, 0n)
      expect(await assets.hub.frozenOf(assets.requester)).to.equal(0n)
    })

    it('keeps the deal when assets are sold and policies change', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, app, appRegistry, appOwner, workerpool, scheduler, anyone } = assets
      const { dealId } = await matchDeal(assets, assets.orders)
      const before = await hub.viewDeal(dealId)
      await appRegistry.connect(appOwner).transferFrom(appOwner, anyone, app.target.toString())
      await workerpool.connect(scheduler).changePolicy(50n, 50n)
      expect(await hub.viewDeal(dealId)).to.deep.equal(before)
    })

    it('takes stake and reward ratio from the policy of the pool', async () => {
      const assets = await loadFixture(signedOrders)
      await assets.workerpool.connect(assets.scheduler).changePolicy(35n, 7n)
      const { dealId } = await matchDeal(assets, assets.orders)
      const deal = await assets.hub.viewDeal(dealId)
      expect([deal.workerStake, deal.schedulerRewardRatio]).to.deep.equal([(workerpoolPrice * 35n) / 100n, 7n])
    })

    it('records beneficiary, callback and params, whoever they are', async () => {
      const assets = await loadFixture(createdAssets)
      const params = JSON.stringify({ iexec_args: 'ž'.repeat(300) })
      for (const beneficiary of [ethers.ZeroAddress, assets.requester.address, stranger]) {
        for (const callback of [ethers.ZeroAddress, stranger]) {
          const { dealId } = await makeDeal(assets, { request: { beneficiary, callback, params } })
          const deal = await assets.hub.viewDeal(dealId)
          expect([deal.beneficiary, deal.callback, deal.params]).to.deep.equal([beneficiary, callback, params])
        }
      }
    })

    it('records a tag of any width', async () => {
      const assets = await loadFixture(createdAssets)
      for (const bits of [0n, 1n << 7n, 1n << 8n, 1n << 255n, (1n << 256n) - 2n]) {
        const tags = { tag: tag(bits & ~1n) }
        const { dealId } = await makeDeal(assets, { app: tags, dataset: tags, workerpool: tags, request: tags })
        expect((await assets.hub.viewDeal(dealId)).tag).to.equal(tag(bits & ~1n))
      }
    })

    it('takes a trust of zero for one', async () => {
      const assets = await loadFixture(createdAssets)
      const { dealId } = await makeDeal(assets, { workerpool: { trust: 3n }, request: { trust: 0n } })
      expect((await assets.hub.viewDeal(dealId)).trust).to.equal(1n)
      const trusting = await makeDeal(assets, { workerpool: { trust: 3n }, request: { trust: 3n } })
      expect((await assets.hub.viewDeal(trusting.dealId)).trust).to.equal(3n)
    })
  })

  describe('given orders of several tasks', () => {
    const volumes: [keyof Wishes & keyof typeof kinds, Wishes][] = [
      ['app', { app: { volume: 2n }, dataset: { volume: 5n }, workerpool: { volume: 5n }, request: { volume: 5n } }],
      [
        'dataset',
        { app: { volume: 5n }, dataset: { volume: 2n }, workerpool: { volume: 5n }, request: { volume: 5n } },
      ],
      [
        'workerpool',
        { app: { volume: 5n }, dataset: { volume: 5n }, workerpool: { volume: 2n }, request: { volume: 5n } },
      ],
      [
        'request',
        { app: { volume: 5n }, dataset: { volume: 5n }, workerpool: { volume: 5n }, request: { volume: 2n } },
      ],
    ]
    for (const [kind, wishes] of volumes) {
      it(`makes a deal as large as what is left of the ${kind} order, and uses that up of all`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, domain, requester, scheduler } = assets
        const { dealId, orders } = await makeDeal(assets, wishes)
        expect((await hub.viewDeal(dealId)).botSize).to.equal(2n)
        for (const [i, name] of (['app', 'dataset', 'workerpool', 'request'] as const).entries()) {
          expect(await hub.viewConsumed(hashOrder(name, orders[i] as never, domain))).to.equal(2n)
        }
        expect(await hub.frozenOf(requester)).to.equal(price * 2n)
        expect(await hub.frozenOf(scheduler)).to.equal(schedulerStake * 2n)
      })
    }

    it('splits one request over several deals, each beginning where the last ended', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, domain } = assets
      const wishes = { app: { volume: 9n }, dataset: { volume: 9n }, request: { volume: 7n } }
      const [app, dataset, firstPool, request] = await signOrders(assets, { ...wishes, workerpool: { volume: 4n } })
      const [, , secondPool] = await signOrders(assets, { ...wishes, workerpool: { volume: 9n } })
      const first = await matchDeal(assets, [app, dataset, firstPool, request])
      const second = await matchDeal(assets, [app, dataset, secondPool, request])
      const requestHash = hashOrder('request', request, domain)
      expect([first.dealId, second.dealId]).to.deep.equal([dealIdOf(requestHash, 0n), dealIdOf(requestHash, 4n)])
      const deals = [await hub.viewDeal(first.dealId), await hub.viewDeal(second.dealId)]
      expect(deals.map(({ botFirst, botSize }) => [botFirst, botSize])).to.deep.equal([
        [0n, 4n],
        [4n, 3n],
      ])
      expect(await hub.viewConsumed(requestHash)).to.equal(7n)
      expect(await hub.viewConsumed(hashOrder('app', app, domain))).to.equal(7n)
      await expect(hub.matchOrders(app, dataset, secondPool, request)).to.be.revertedWithCustomError(hub, 'NothingLeft')
    })
  })

  describe('given a request without dataset', () => {
    it('opens a deal without one and reports a zero dataset digest', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, requester } = assets
      const orders = await signOrders(assets, { dataset: null })
      const dealId = await hub.matchOrders.staticCall(...orders)
      const matching = hub.matchOrders(...orders)
      await expect(matching).to.emit(hub, 'OrdersMatched')
      const log = (await (await matching).wait())?.logs.at(-1)
      expect(ethers.dataSlice(log?.data ?? '0x', 64, 96)).to.equal(ethers.ZeroHash)
      expect((await hub.viewDeal(dealId)).dataset).to.deep.equal([ethers.ZeroAddress, ethers.ZeroAddress, 0n])
      expect(await hub.frozenOf(requester)).to.equal(price - datasetPrice)
    })

    it('ignores the rest of the dataset order: price, tag, volume, restrictions and signature', async () => {
      const assets = await loadFixture(createdAssets)
      const [app, , workerpool, request] = await signOrders(assets, { dataset: null })
      const trap = await ethers.deployContract('Troublemaker', [0])
      const body = {
        dataset: ethers.ZeroAddress,
        datasetprice: 10n ** 30n,
        volume: 0n,
        tag: tag(1n << 200n),
        apprestrict: trap.target.toString(),
        workerpoolrestrict: stranger,
        requesterrestrict: stranger,
        salt: ethers.ZeroHash,
        sign: '0x1234',
      }
      const { dealId } = await matchDeal(assets, [app, body, workerpool, request])
      const deal = await assets.hub.viewDeal(dealId)
      expect([deal.tag, deal.dataset.price]).to.deep.equal([teeTag, 0n])
    })
  })

  describe('given orders that break one rule', () => {
    type Assets = Awaited<ReturnType<typeof createdAssets>>
    type Rule = [string, (assets: Assets) => Wishes, string, (assets: Assets) => unknown[]]
    const rules: Rule[] = [
      ['the categories differ', () => ({ request: { category: 1n } }), 'CategoryMismatch', () => [1n, 0n]],
      [
        'the category does not exist',
        () => ({ request: { category: 5n }, workerpool: { category: 5n } }),
        'UnknownCategory',
        () => [5n],
      ],
      ['the pool accepts less trust', () => ({ request: { trust: 1n } }), 'TrustTooHigh', () => [1n, 0n]],
      [
        'the app costs too much',
        () => ({ request: { appmaxprice: appPrice - 1n } }),
        'Overpriced',
        () => [kinds.app, appPrice, appPrice - 1n],
      ],
      [
        'the dataset costs too much',
        () => ({ request: { datasetmaxprice: datasetPrice - 1n } }),
        'Overpriced',
        () => [kinds.dataset, datasetPrice, datasetPrice - 1n],
      ],
      [
        'the pool costs too much',
        () => ({ request: { workerpoolmaxprice: workerpoolPrice - 1n } }),
        'Overpriced',
        () => [kinds.workerpool, workerpoolPrice, workerpoolPrice - 1n],
      ],
      [
        'the pool lacks a bit that the app wants',
        () => ({ app: { tag: tag(TEE | TDX | 16n) } }),
        'TagNotCovered',
        () => [tag(TEE | TDX | 16n), teeTag],
      ],
      [
        'the pool lacks a bit that the dataset wants',
        () => ({ dataset: { tag: tag(32n) } }),
        'TagNotCovered',
        () => [tag(TEE | TDX | 32n), teeTag],
      ],
      ['the pool has no TDX', () => ({ workerpool: { tag: tag(TEE) } }), 'TagNotCovered', () => [teeTag, tag(TEE)]],
      [
        'an enclave is wanted and the app has none',
        () => ({ app: { tag: ethers.ZeroHash } }),
        'EnclaveMismatch',
        () => [teeTag, ethers.ZeroHash],
      ],
      [
        'the request is for another app',
        () => ({ request: { app: stranger } }),
        'AppMismatch',
        ({ app }) => [stranger, app.target],
      ],
      [
        'the request is for another dataset',
        () => ({ request: { dataset: stranger } }),
        'DatasetMismatch',
        ({ dataset }) => [stranger, dataset.target],
      ],
      [
        'the request wants another pool',
        () => ({ request: { workerpool: stranger } }),
        'Restricted',
        ({ workerpool }) => [kinds.request, kinds.workerpool, stranger, workerpool.target],
      ],
      [
        'the app excludes the dataset',
        () => ({ app: { datasetrestrict: stranger } }),
        'Restricted',
        ({ dataset }) => [kinds.app, kinds.dataset, stranger, dataset.target],
      ],
      [
        'the app excludes the pool',
        () => ({ app: { workerpoolrestrict: stranger } }),
        'Restricted',
        ({ workerpool }) => [kinds.app, kinds.workerpool, stranger, workerpool.target],
      ],
      [
        'the app excludes the requester',
        () => ({ app: { requesterrestrict: stranger } }),
        'Restricted',
        ({ requester }) => [kinds.app, kinds.request, stranger, requester.address],
      ],
      [
        'the dataset excludes the app',
        () => ({ dataset: { apprestrict: stranger } }),
        'Restricted',
        ({ app }) => [kinds.dataset, kinds.app, stranger, app.target],
      ],
      [
        'the dataset excludes the pool',
        () => ({ dataset: { workerpoolrestrict: stranger } }),
        'Restricted',
        ({ workerpool }) => [kinds.dataset, kinds.workerpool, stranger, workerpool.target],
      ],
      [
        'the dataset excludes the requester',
        () => ({ dataset: { requesterrestrict: stranger } }),
        'Restricted',
        ({ requester }) => [kinds.dataset, kinds.request, stranger, requester.address],
      ],
      [
        'the pool excludes the app',
        () => ({ workerpool: { apprestrict: stranger } }),
        'Restricted',
        ({ app }) => [kinds.workerpool, kinds.app, stranger, app.target],
      ],
      [
        'the pool excludes the dataset',
        () => ({ workerpool: { datasetrestrict: stranger } }),
        'Restricted',
        ({ dataset }) => [kinds.workerpool, kinds.dataset, stranger, dataset.target],
      ],
      [
        'the pool excludes the requester',
        () => ({ workerpool: { requesterrestrict: stranger } }),
        'Restricted',
        ({ requester }) => [kinds.workerpool, kinds.request, stranger, requester.address],
      ],
      [
        'the app is not registered',
        () => ({ app: { app: stranger }, request: { app: stranger } }),
        'NotRegistered',
        () => [kinds.app, stranger],
      ],
      [
        'the dataset is not registered',
        () => ({ dataset: { dataset: stranger }, request: { dataset: stranger } }),
        'NotRegistered',
        () => [kinds.dataset, stranger],
      ],
      [
        'the pool is not registered',
        () => ({ workerpool: { workerpool: stranger } }),
        'NotRegistered',
        () => [kinds.workerpool, stranger],
      ],
    ]
    for (const [name, wishes, error, values] of rules) {
      it(`reverts with ${error} when ${name}`, async () => {
        const assets = await loadFixture(createdAssets)
        await expect(assets.hub.matchOrders(...(await signOrders(assets, wishes(assets)))))
          .to.be.revertedWithCustomError(assets.hub, error)
          .withArgs(...values(assets))
        expect(await assets.hub.frozenOf(assets.requester)).to.equal(0n)
      })
    }

    for (const [index, kind] of (['app', 'dataset', 'workerpool', 'request'] as const).entries()) {
      it(`reverts with NotAuthentic when somebody else signed the ${kind} order`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, domain, anyone } = assets
        const owners = {
          app: assets.appOwner,
          dataset: assets.datasetOwner,
          workerpool: assets.scheduler,
          request: assets.requester,
        }
        const orders = await signOrders(assets, { signers: { [kind]: anyone } })
        await expect(hub.matchOrders(...orders))
          .to.be.revertedWithCustomError(hub, 'NotAuthentic')
          .withArgs(kinds[kind], hashOrder(kind, orders[index] as never, domain), owners[kind].address)
      })

      it(`reverts with NothingLeft when the ${kind} order offers nothing`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, domain } = assets
        const orders = await signOrders(assets, { [kind]: { volume: 0n } })
        await expect(hub.matchOrders(...orders))
          .to.be.revertedWithCustomError(hub, 'NothingLeft')
          .withArgs(kinds[kind], hashOrder(kind, orders[index] as never, domain), 0n)
      })

      it(`reverts with NothingLeft when the ${kind} order is used up`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, domain } = assets
        const orders = await signOrders(assets)
        await hub.matchOrders(...orders)
        const fresh = await signOrders(assets)
        const mixed = fresh.map((order, i) => (i === index ? orders[i] : order)) as unknown as typeof orders
        await expect(hub.matchOrders(...mixed))
          .to.be.revertedWithCustomError(hub, 'NothingLeft')
          .withArgs(kinds[kind], hashOrder(kind, orders[index] as never, domain), 1n)
      })
    }

    it('does not let the dataset choose the kind of enclave', async () => {
      const assets = await loadFixture(createdAssets)
      const { dealId } = await makeDeal(assets, { dataset: { tag: tag(TEE | SCONE | GRAMINE) } })
      expect((await assets.hub.viewDeal(dealId)).tag).to.equal(teeTag)
    })

    it('reverts with EnclaveMismatch when only the dataset wants an enclave', async () => {
      const assets = await loadFixture(createdAssets)
      const none = { tag: ethers.ZeroHash }
      const orders = await signOrders(assets, { app: none, request: none, dataset: { tag: tag(TEE) } })
      await expect(assets.hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(assets.hub, 'EnclaveMismatch')
        .withArgs(tag(TEE), ethers.ZeroHash)
    })

    it('kills the old orders of an asset that was sold', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, orders, domain, dataset, datasetRegistry, datasetOwner, anyone } = assets
      await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, dataset.target.toString())
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'NotAuthentic')
        .withArgs(kinds.dataset, hashOrder('dataset', orders[1], domain), anyone.address)
    })
  })

  describe('given too little money', () => {
    it('reverts with what the requester has and what it needs', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, orders, requester } = assets
      await hub.connect(requester).withdraw(DEPOSIT - price + 1n)
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(requester.address, price - 1n, price)
    })

    it('reverts with what the pool has and what it must stake', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, orders, scheduler } = assets
      await hub.connect(scheduler).withdraw(DEPOSIT - schedulerStake + 1n)
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(scheduler.address, schedulerStake - 1n, schedulerStake)
    })

    it('counts price and stake together where the pool requests its own work', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, scheduler } = assets
      const wishes = { request: { requester: scheduler.address }, signers: { request: scheduler } }
      await hub.connect(scheduler).withdraw(DEPOSIT - price - schedulerStake + 1n)
      const orders = await signOrders(assets, wishes)
      await expect(hub.matchOrders(...orders))
        .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
        .withArgs(scheduler.address, schedulerStake - 1n, schedulerStake)
      await assets.token.connect(scheduler).approve(hub, 1n)
      await hub.connect(scheduler).deposit(1n)
      await hub.matchOrders(...orders)
      expect(await hub.viewAccount(scheduler)).to.deep.equal([0n, price + schedulerStake])
    })

    it('does not wrap around at prices and volumes of any size', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const max = 2n ** 256n - 1n
      const huge = await signOrders(assets, { app: { appprice: max }, request: { appmaxprice: max } })
      await expect(hub.matchOrders(...huge)).to.be.revertedWithPanic(0x11)
      const half = 2n ** 255n
      const volumes = {
        app: { volume: max, appprice: 2n },
        dataset: { volume: max },
        workerpool: { volume: max },
        request: { volume: half },
      }
      await expect(hub.matchOrders(...(await signOrders(assets, volumes)))).to.be.revertedWithPanic(0x11)
      const wide = await signOrders(assets, { app: { appprice: 2n ** 64n }, request: { appmaxprice: 2n ** 64n } })
      await expect(hub.matchOrders(...wide)).to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
    })
  })

  describe('given values at and past the width of their place', () => {
    const widths: [string, bigint][] = [
      ['volume of a deal', 2n ** 24n],
      ['consumed volume of a request', 2n ** 32n],
      ['consumed volume of an order', 2n ** 96n],
    ]
    for (const [name, limit] of widths) {
      for (const volume of [limit - 2n, limit - 1n, limit, limit + 1n, 2n ** 256n - 1n]) {
        it(`keeps a ${name} of ${volume}`, async () => {
          const assets = await loadFixture(createdAssets)
          const { hub, domain } = assets
          const wishes = {
            app: { volume, appprice: 0n },
            dataset: { volume, datasetprice: 0n },
            workerpool: { volume, workerpoolprice: 0n },
            request: { volume },
          }
          const { dealId, orders } = await makeDeal(assets, wishes)
          const deal = await hub.viewDeal(dealId)
          expect([deal.botFirst, deal.botSize]).to.deep.equal([0n, volume])
          for (const [i, kind] of (['app', 'dataset', 'workerpool', 'request'] as const).entries()) {
            expect(await hub.viewConsumed(hashOrder(kind, orders[i] as never, domain))).to.equal(volume)
          }
          await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NothingLeft')
        })
      }
    }

    for (const first of [2n ** 32n - 2n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 255n]) {
      it(`begins a second deal of a request at ${first}`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, domain } = assets
        const free = { app: { volume: 2n ** 256n - 1n, appprice: 0n } }
        const request = { volume: first + 3n }
        const wishes = {
          ...free,
          dataset: { volume: 2n ** 256n - 1n, datasetprice: 0n },
          workerpool: { volume: first, workerpoolprice: 0n },
          request,
        }
        const orders = await signOrders(assets, wishes)
        await hub.matchOrders(...orders)
        const [, , rest] = await signOrders(assets, { ...wishes, workerpool: { volume: 9n, workerpoolprice: 0n } })
        const second = await matchDeal(assets, [orders[0], orders[1], rest, orders[3]])
        const deal = await hub.viewDeal(second.dealId)
        expect([deal.botFirst, deal.botSize]).to.deep.equal([first, 3n])
        const requestHash = hashOrder('request', orders[3], domain)
        expect(second.dealId).to.equal(dealIdOf(requestHash, first))
        expect(await hub.viewConsumed(requestHash)).to.equal(first + 3n)
        const firstDeal = await hub.viewDeal(dealIdOf(requestHash, 0n))
        expect([firstDeal.botFirst, firstDeal.botSize]).to.deep.equal([0n, first])
      })
    }

    for (const trust of [2n ** 16n - 1n, 2n ** 16n, 2n ** 256n - 1n]) {
      it(`keeps a trust of ${trust}`, async () => {
        const assets = await loadFixture(createdAssets)
        const { dealId } = await makeDeal(assets, { workerpool: { trust }, request: { trust, params: 'p' } })
        const deal = await assets.hub.viewDeal(dealId)
        expect([deal.trust, deal.botSize, deal.params]).to.deep.equal([trust, 1n, 'p'])
      })
    }

    for (const ratio of [2n ** 16n - 1n, 2n ** 16n]) {
      it(`keeps a stake ratio of ${ratio} percent`, async () => {
        const assets = await loadFixture(createdAssets)
        await assets.workerpool.connect(assets.scheduler).changePolicy(ratio, 100n)
        const { dealId } = await makeDeal(assets)
        const deal = await assets.hub.viewDeal(dealId)
        expect(deal.workerStake).to.equal((workerpoolPrice * ratio) / 100n)
        expect(deal.schedulerRewardRatio).to.equal(100n)
      })
    }

    it('reverts when the stake ratio is past what a stake can be', async () => {
      const assets = await loadFixture(createdAssets)
      await assets.workerpool.connect(assets.scheduler).changePolicy(2n ** 256n - 1n, 1n)
      await expect(assets.hub.matchOrders(...(await signOrders(assets)))).to.be.revertedWithPanic(0x11)
    })

    for (const clock of [0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 60n]) {
      it(`keeps a category's time of ${clock} seconds`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, owner } = assets
        await hub.connect(owner).createCategory('odd', '', clock)
        const { dealId } = await makeDeal(assets, { workerpool: { category: 5n }, request: { category: 5n } })
        const taskId = await hub.initialize.staticCall(dealId, 0n)
        await hub.initialize(dealId, 0n)
        const deal = await hub.viewDeal(dealId)
        const task = await hub.viewTask(taskId)
        expect([deal.category, task.timeref]).to.deep.equal([5n, clock])
        expect(task.finalDeadline).to.equal(deal.startTime + 10n * clock)
        expect(task.contributionDeadline).to.equal(deal.startTime + 7n * clock)
      })
    }

    it('keeps the 257th category apart from the first', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, owner } = assets
      for (let catid = 5n; catid <= 256n; ++catid) await hub.connect(owner).createCategory('', '', catid)
      for (const category of [255n, 256n]) {
        const { dealId } = await makeDeal(assets, { workerpool: { category }, request: { category } })
        expect((await hub.viewDeal(dealId)).category).to.equal(category)
      }
    }).timeout(30_000)

    for (const appprice of [255n, 256n, 2n ** 32n, 2n ** 56n]) {
      it(`keeps a price of ${appprice}`, async () => {
        const assets = await loadFixture(createdAssets)
        const { hub, token, owner, requester } = assets
        await token.connect(owner).approve(hub, appprice)
        await hub.connect(owner).depositFor(appprice, requester)
        const { dealId } = await makeDeal(assets, { app: { appprice }, request: { appmaxprice: appprice } })
        expect((await hub.viewDeal(dealId)).app.price).to.equal(appprice)
        expect(await hub.frozenOf(requester)).to.equal(appprice + datasetPrice + workerpoolPrice)
      })
    }

    it('keeps params up to what a contract can hold, and refuses more with the limit', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const [app, dataset, workerpool, request] = await signOrders(assets, { request: { params: 'a'.repeat(24_300) } })
      const { dealId } = await matchDeal(assets, [app, dataset, workerpool, request])
      expect((await hub.viewDeal(dealId)).params).to.equal('a'.repeat(24_300))
      for (const length of [24_576, 90_000]) {
        const orders = await signOrders(assets, { request: { params: 'a'.repeat(length) } })
        await expect(hub.matchOrders.staticCall(...orders))
          .to.be.revertedWithCustomError(hub, 'BlobNotWritten')
          .withArgs(186 + length, 24_576)
      }
    })

    it('loses no params for want of gas: with the least that is enough they are there, with one less there is no deal', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, anyone } = assets
      const params = 'a'.repeat(24_300)
      const orders = await signOrders(assets, { request: { params } })
      const attempt = (gasLimit: bigint) => hub.connect(anyone).matchOrders.staticCall(...orders, { gasLimit })
      let [few, enough] = [4_000_000n, 8_000_000n]
      while (enough - few > 1n) {
        const middle = (few + enough) / 2n
        const done = await attempt(middle).then(
          () => true,
          () => false,
        )
        if (done) enough = middle
        else few = middle
      }
      await expect(attempt(few))
        .to.be.revertedWithCustomError(hub, 'BlobNotWritten')
        .withArgs(186 + params.length, 24_576)
      const dealId = await attempt(enough)
      await hub.connect(anyone).matchOrders(...orders, { gasLimit: enough })
      expect((await hub.viewDeal(dealId)).params).to.equal(params)
    })
  })

  describe('given many deals', () => {
    it('finds each again when the nonce of its blob grows by a byte', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const deals: [string, string][] = []
      for (const nonce of [0x80n, 0x100n, 0x10000n, 0x1000000n, 0x100000000n]) {
        await skipNonces(hub.target.toString(), nonce - 1n)
        for (const params of [`before ${nonce}`, `at ${nonce}`, `after ${nonce}`]) {
          const { dealId } = await makeDeal(assets, { request: { params } })
          deals.push([dealId, params])
        }
      }
      for (const [dealId, params] of deals) expect((await hub.viewDeal(dealId)).params).to.equal(params)
    })
  })
})
