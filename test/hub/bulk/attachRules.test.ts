import { expect } from 'chai'
import { ofVolume } from '../../deals.ts'
import {
  type Assets,
  CLOSE,
  createdAssets,
  type DatasetOrder,
  DEPOSIT,
  datasetPrice,
  ethers,
  GRAMINE,
  hashOrder,
  loadFixture,
  makeDeal,
  operationOn,
  price,
  RLC,
  SCONE,
  SIGN,
  signOperation,
  signOrder,
  signOrders,
  TDX,
  TEE,
  tag,
  taskIdOf,
  teeTag,
} from '../../fixtures.ts'
import { bulkDeal, grantOf, type Owned } from './grants.ts'

/** A deal without dataset for two tasks, and the dataset of an owner who has an account. */
async function dealAndDataset() {
  const assets = await loadFixture(createdAssets)
  const { dealId } = await makeDeal(assets, ofVolume(2n, { dataset: null }))
  return { ...assets, dealId, owned: { dataset: assets.dataset.target.toString(), owner: assets.datasetOwner } }
}

type Given = Awaited<ReturnType<typeof dealAndDataset>>

function attachOne({ hub, requester, dealId }: Given, order: DatasetOrder, maxPrice: bigint = ethers.MaxUint256) {
  return hub.connect(requester).attachDatasets(dealId, 0n, [order], maxPrice)
}

/** The order of an owner who signs by another way than its key. */
async function unsigned(given: Given, wishes: Partial<DatasetOrder> = {}): Promise<DatasetOrder> {
  return { ...(await grantOf(given, given.owned, wishes)), sign: '0x' }
}

describe('an order that is attached', () => {
  describe('is registered', () => {
    it('or reverts with NotRegistered: an account, an app, nobody', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, anyone, app, owned } = given
      for (const dataset of [anyone.address, app.target.toString(), ethers.ZeroAddress]) {
        await expect(attachOne(given, await grantOf(given, { ...owned, dataset })))
          .to.be.revertedWithCustomError(hub, 'NotRegistered')
          .withArgs(1n, dataset)
      }
    })
  })

  describe('is signed by who owns the dataset now', () => {
    it('or reverts with NotAuthentic: by nobody, by somebody else, for something else', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, anyone, domain, owned, datasetOwner } = given
      const order = await grantOf(given, owned)
      const byOther = await signOrder('dataset', order, { signer: anyone, domain })
      const elsewhere = await signOrder('dataset', order, {
        signer: datasetOwner,
        domain: { ...domain, chainId: 1n },
      })
      for (const forged of [{ ...order, sign: '0x' }, byOther, elsewhere, { ...order, datasetprice: 1n }]) {
        await expect(attachOne(given, forged))
          .to.be.revertedWithCustomError(hub, 'NotAuthentic')
          .withArgs(1n, hashOrder('dataset', forged, domain), datasetOwner.address)
      }
    })

    it('or reverts with NotAuthentic when the dataset was sold since', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, datasetRegistry, datasetOwner, anyone, domain, owned } = given
      const order = await grantOf(given, owned)
      await hub.connect(datasetOwner).manageDatasetOrder(operationOn(order, SIGN))
      await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, owned.dataset)
      await expect(attachOne(given, order))
        .to.be.revertedWithCustomError(hub, 'NotAuthentic')
        .withArgs(1n, hashOrder('dataset', order, domain), anyone.address)
      const byBuyer = await grantOf(given, { ...owned, owner: anyone })
      await expect(attachOne(given, byBuyer)).to.emit(hub, 'DatasetAttached')
    })

    it('or was signed on chain', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, datasetOwner } = given
      const order = await unsigned(given)
      await hub.connect(datasetOwner).manageDatasetOrder(operationOn(order, SIGN))
      await expect(attachOne(given, order)).to.emit(hub, 'DatasetAttached')
    })

    it('or by the contract that owns it (ERC-1271)', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, datasetRegistry, datasetOwner, anyone, owned, domain } = given
      const wallet = await ethers.deployContract('ContractWallet', [datasetOwner])
      await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, wallet, owned.dataset)
      const forged = await grantOf(given, { ...owned, owner: anyone })
      await expect(attachOne(given, forged))
        .to.be.revertedWithCustomError(hub, 'NotAuthentic')
        .withArgs(1n, hashOrder('dataset', forged, domain), wallet.target)
      await attachOne(given, await grantOf(given, owned))
      expect((await hub.viewDatasets(taskIdOf(given.dealId, 0n)))[0]?.owner).to.equal(wallet.target)
    })
  })

  describe('has volume left', () => {
    it('or reverts with NothingLeft: it had none, was closed, or was used', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, datasetOwner, requester, dealId, domain, owned } = given
      const empty = await grantOf(given, owned, { volume: 0n })
      const closed = await grantOf(given, owned, { volume: 5n })
      const used = await grantOf(given, owned, { volume: 1n })
      const closedByOther = await grantOf(given, owned, { volume: 7n })
      await hub.connect(datasetOwner).manageDatasetOrder(operationOn(closed, CLOSE))
      const operation = { order: closedByOther, operation: CLOSE }
      await hub.manageDatasetOrder(await signOperation('dataset', operation, { signer: datasetOwner, domain }))
      await hub.connect(requester).attachDatasets(dealId, 1n, [used], datasetPrice)
      for (const order of [empty, closed, used, closedByOther]) {
        await expect(attachOne(given, order))
          .to.be.revertedWithCustomError(hub, 'NothingLeft')
          .withArgs(1n, hashOrder('dataset', order, domain), order.volume)
      }
    })

    it('of the same volume that matches use', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, domain, owned } = given
      const wishes = { volume: 2n, salt: ethers.id('one order for both') }
      const order = await grantOf(given, owned, wishes)
      const orderHash = hashOrder('dataset', order, domain)
      await makeDeal(given, { dataset: wishes })
      expect(await hub.viewConsumed(orderHash)).to.equal(1n)
      await attachOne(given, order)
      expect(await hub.viewConsumed(orderHash)).to.equal(2n)
      await expect(makeDeal(given, { dataset: wishes })).to.be.revertedWithCustomError(hub, 'NothingLeft')
    })

    it('also where the volume is wider than its place', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, datasetOwner, domain, owned } = given
      const order = await grantOf(given, owned, { volume: ethers.MaxUint256 })
      await attachOne(given, order)
      expect(await hub.viewConsumed(hashOrder('dataset', order, domain))).to.equal(1n)
      await hub.connect(datasetOwner).manageDatasetOrder(operationOn(order, CLOSE))
      await expect(given.hub.connect(given.requester).attachDatasets(given.dealId, 1n, [order], datasetPrice))
        .to.be.revertedWithCustomError(hub, 'NothingLeft')
        .withArgs(1n, hashOrder('dataset', order, domain), ethers.MaxUint256)
    })
  })

  describe('admits app, pool and requester of the deal', () => {
    const restrictions = [
      ['apprestrict', 0n, ({ app }: Given) => app.target.toString()],
      ['workerpoolrestrict', 2n, ({ workerpool }: Given) => workerpool.target.toString()],
      ['requesterrestrict', 3n, ({ requester }: Given) => requester.address],
    ] as const
    for (const [field, kind, admitted] of restrictions) {
      it(`or reverts with Restricted: ${field}`, async () => {
        const given = await loadFixture(dealAndDataset)
        const { hub, anyone, owned } = given
        const [candidate, other] = [admitted(given), anyone.address]
        await expect(attachOne(given, await grantOf(given, owned, { [field]: other })))
          .to.be.revertedWithCustomError(hub, 'Restricted')
          .withArgs(1n, kind, other, candidate)
        await expect(attachOne(given, await grantOf(given, owned, { [field]: candidate }))).to.emit(
          hub,
          'DatasetAttached',
        )
      })

      it(`as the member of a group, or reverts with Restricted: ${field}`, async () => {
        const given = await loadFixture(dealAndDataset)
        const { hub, owned } = given
        const group = await ethers.deployContract('Group')
        const order = await grantOf(given, owned, { [field]: group.target.toString() })
        await expect(attachOne(given, order))
          .to.be.revertedWithCustomError(hub, 'Restricted')
          .withArgs(1n, kind, group.target, admitted(given))
        await group.add(admitted(given), 4n)
        await expect(attachOne(given, order)).to.emit(hub, 'DatasetAttached')
      })
    }

    it('whoever pays: a sponsor is not the requester', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, sponsor, requester } = assets
      const orders = await signOrders(assets, { dataset: null })
      const dealId = await hub.connect(sponsor).sponsorMatchOrders.staticCall(...orders)
      await hub.connect(sponsor).sponsorMatchOrders(...orders)
      const forSponsor = await grantOf(assets, ownedOf(assets), { requesterrestrict: sponsor.address })
      await expect(hub.connect(sponsor).attachDatasets(dealId, 0n, [forSponsor], datasetPrice))
        .to.be.revertedWithCustomError(hub, 'Restricted')
        .withArgs(1n, 3n, sponsor.address, requester.address)
      const forRequester = await grantOf(assets, ownedOf(assets), { requesterrestrict: requester.address })
      await hub.connect(sponsor).attachDatasets(dealId, 0n, [forRequester], datasetPrice)
    })

    it('and finds no deal of an app or a pool that admits some datasets only', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, dataset } = assets
      const datasetrestrict = dataset.target.toString()
      for (const wishes of [{ app: { datasetrestrict } }, { workerpool: { datasetrestrict } }]) {
        await expect(makeDeal(assets, { ...wishes, dataset: null })).to.be.revertedWithCustomError(hub, 'Restricted')
      }
    })
  })

  describe('asks for no tag that the deal lacks', () => {
    it('or reverts with TagNotCovered', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, owned } = given
      for (const bits of [1n << 4n, TEE | (1n << 255n)]) {
        await expect(attachOne(given, await grantOf(given, owned, { tag: tag(bits) })))
          .to.be.revertedWithCustomError(hub, 'TagNotCovered')
          .withArgs(tag(bits), teeTag)
      }
    })

    it('where kinds of enclave do not count', async () => {
      for (const bits of [0n, TEE, SCONE, TEE | SCONE | GRAMINE | TDX]) {
        const given = await loadFixture(dealAndDataset)
        const order = await grantOf(given, given.owned, { tag: tag(bits) })
        await expect(attachOne(given, order)).to.emit(given.hub, 'DatasetAttached')
      }
    })

    it('so that data for enclaves stays out of a deal without', async () => {
      const assets = await loadFixture(createdAssets)
      const noTag = { tag: ethers.ZeroHash }
      const { dealId } = await makeDeal(assets, { app: noTag, dataset: null, request: noTag })
      const order = await grantOf(assets, ownedOf(assets))
      await expect(assets.hub.connect(assets.requester).attachDatasets(dealId, 0n, [order], datasetPrice))
        .to.be.revertedWithCustomError(assets.hub, 'TagNotCovered')
        .withArgs(tag(TEE), ethers.ZeroHash)
    })
  })

  describe('costs, with the others', () => {
    it('at most the maximum, or reverts with Overpriced', async () => {
      const deal = await loadFixture(bulkDeal)
      const { hub, requester, dealId, owned } = deal
      const orders = await Promise.all(owned.map((each) => grantOf(deal, each, { datasetprice: 5n })))
      await expect(hub.connect(requester).attachDatasets(dealId, 0n, orders, 14n))
        .to.be.revertedWithCustomError(hub, 'Overpriced')
        .withArgs(1n, 15n, 14n)
      await expect(hub.connect(requester).attachDatasets(dealId, 0n, orders, 15n)).to.emit(hub, 'DatasetAttached')
    })

    it('at most what the payer has, or reverts with ERC20InsufficientBalance', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, requester, owned } = given
      const free = DEPOSIT - 2n * (price - datasetPrice)
      for (const datasetprice of [free + 1n, 1_000_000n * RLC, 2n ** 96n, ethers.MaxUint256]) {
        await expect(attachOne(given, await grantOf(given, owned, { datasetprice })))
          .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
          .withArgs(requester.address, free, datasetprice)
      }
      await attachOne(given, await grantOf(given, owned, { datasetprice: free }))
      expect(await hub.balanceOf(requester)).to.equal(0n)
    })

    it('at most what a number can hold', async () => {
      const given = await loadFixture(dealAndDataset)
      const { hub, requester, dealId, owned } = given
      const order = await grantOf(given, owned, { datasetprice: 2n ** 255n, volume: 2n })
      await expect(
        hub.connect(requester).attachDatasets(dealId, 0n, [order, order], ethers.MaxUint256),
      ).to.be.revertedWithPanic(0x11)
    })
  })

  it('spoils all when it breaks a rule, wherever in the list it is', async () => {
    const deal = await loadFixture(bulkDeal)
    const { hub, requester, dealId, owned, domain } = deal
    const good = await Promise.all(owned.map((each) => grantOf(deal, each)))
    for (const position of [0, 1, 2]) {
      const orders = good.map((order, i) => (i === position ? { ...order, sign: '0x' } : order))
      await expect(
        hub.connect(requester).attachDatasets(dealId, 0n, orders, ethers.MaxUint256),
      ).to.be.revertedWithCustomError(hub, 'NotAuthentic')
    }
    for (const order of good) expect(await hub.viewConsumed(hashOrder('dataset', order, domain))).to.equal(0n)
    expect(await hub.frozenOf(requester)).to.equal(2n * (price - datasetPrice))
  })
})

function ownedOf({ dataset, datasetOwner }: Assets): Owned {
  return { dataset: dataset.target.toString(), owner: datasetOwner }
}
