// Money and assets that come to the Hub by force or by mistake: they confuse nobody's account.
import { expect } from 'chai'
import {
  DEPOSIT,
  ethers,
  loadFixture,
  matchedDeal,
  RLC,
  setBalance,
  settleArguments,
  settlementOf,
  signedOrders,
  time,
} from '../fixtures.ts'
import { nativeOrders, UNIT, weiOf } from '../native.ts'
import { everybody, expectSound } from './ledger.ts'

/** Creation code of a contract that destroys itself for the benefit of `target`. */
function selfDestructFor(target: string): string {
  return ethers.concat(['0x73', target, '0xff'])
}

describe('ether that is forced on a Hub over a token', () => {
  it('changes no account and no flow of money; it is lost to whoever forced it', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, owner, anyone, dealId, worker } = deal
    await anyone.sendTransaction({ data: selfDestructFor(await hub.getAddress()), value: 5n })
    expect(await weiOf(hub)).to.equal(5n)
    expect(await hub.connect(owner).recover.staticCall()).to.equal(0n)
    await hub.settle(...settleArguments(await settlementOf(deal, { dealId, worker })))
    await expectSound(hub, everybody(deal))
    expect(await weiOf(hub)).to.equal(5n)
  })

  it('does not let anybody pay a call with it', async () => {
    const { hub, anyone } = await loadFixture(matchedDeal)
    await setBalance(await hub.getAddress(), 10n ** 18n)
    await expect(hub.connect(anyone).multicall([], { value: 1n }))
      .to.be.revertedWithCustomError(hub, 'NativeNotAccepted')
      .withArgs(1n)
    expect(await weiOf(hub)).to.equal(10n ** 18n)
  })
})

describe('ether that is forced on a Hub over native currency', () => {
  it('is the owner of the Hub’s, in whole units; deposits stay those of who made them', async () => {
    const { hub, native, owner, anyone, orders } = await loadFixture(nativeOrders)
    await anyone.sendTransaction({ data: selfDestructFor(await hub.getAddress()), value: 7n * UNIT - 1n })
    await hub.matchOrders(...orders)
    const supply = await hub.totalSupply()
    expect(await native.connect(owner).recover.staticCall()).to.equal(6n)
    await native.connect(owner).recover()
    expect(await hub.totalSupply()).to.equal(supply + 6n)
    expect(await weiOf(hub)).to.equal((supply + 7n) * UNIT - 1n)
  })
})

describe('tokens that are sent to the Hub by mistake', () => {
  it('are the owner of the Hub’s, once; deposits stay those of who made them', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, token, owner, requester, dealId, worker } = deal
    await token.connect(requester).transfer(hub, 5n * RLC)
    await expectSound(hub, everybody(deal), 5n * RLC)
    await hub.settle(...settleArguments(await settlementOf(deal, { dealId, worker })))
    for (const credited of [5n * RLC, 0n]) {
      expect(await hub.connect(owner).recover.staticCall()).to.equal(credited)
      await hub.connect(owner).recover()
    }
    expect(await hub.balanceOf(owner)).to.equal(5n * RLC)
    await expectSound(hub, everybody(deal))
  })
})

describe('staked tokens that are sent to the Hub by mistake', () => {
  it('stay there: they are nobody’s, neither locked nor in the kitty', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, owner, sponsor, requester, scheduler, dealId } = deal
    const held = await hub.balanceOf(hub)
    await hub.connect(sponsor).transfer(hub, 3n * RLC)
    expect(await hub.balanceOf(hub)).to.equal(held + 3n * RLC)
    expect(await hub.connect(owner).recover.staticCall()).to.equal(0n)
    await time.increase(3000)
    await hub.initializeAndClaimArray([dealId], [0n])
    const kitty = await hub.frozenOf(await hub.kitty_address())
    expect(await hub.balanceOf(hub)).to.equal(kitty + 3n * RLC)
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - kitty, 0n])
  })

  it('to the kitty stay there too: the kitty pays out what was seized for it and nothing else', async () => {
    const { hub, sponsor } = await loadFixture(matchedDeal)
    const kitty = await hub.kitty_address()
    await hub.connect(sponsor).transfer(kitty, 3n * RLC)
    expect(await hub.viewAccount(kitty)).to.deep.equal([3n * RLC, 0n])
  })
})

describe('an asset that is given to the Hub by mistake', () => {
  it('can be used by nobody any more: the Hub signs nothing, and answers no question about signatures', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, dataset, datasetRegistry, datasetOwner, anyone, orders } = assets
    await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, hub, await dataset.getAddress())
    await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NotAuthentic')
    const order = orders[1]
    const operation = { order, operation: 0n, sign: '0x' }
    const direct = hub.connect(anyone).manageDatasetOrder(operation)
    await expect(direct).to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
    // Not even by a call that the Hub makes to itself.
    const data = hub.interface.encodeFunctionData('manageDatasetOrder', [operation])
    await expect(hub.connect(anyone).multicall([data])).to.be.revertedWithCustomError(hub, 'CallFailed')
  })
})
