// What hostile code can make others pay. The figures are upper bounds, checked here and told in docs/security.md.
import { expect } from 'chai'
import type { ContractTransactionResponse } from 'ethers'
import { TROUBLE } from '../accounts.ts'
import {
  type Assets,
  createdAssets,
  ethers,
  loadFixture,
  makeDeal,
  matchDeal,
  settleArguments,
  settlementOf,
  signOrders,
  time,
} from '../fixtures.ts'

const troubles = Object.entries(TROUBLE)

async function troublemaker(kind: number): Promise<string> {
  return (await ethers.deployContract('Troublemaker', [kind])).getAddress()
}

async function gasOf(sending: Promise<ContractTransactionResponse>): Promise<bigint> {
  return (await (await sending).wait())?.gasUsed ?? 0n
}

/** Everybody was paid before, so that no settlement is dearer for being the first. */
async function settledOnce() {
  const assets = await loadFixture(createdAssets)
  await gasOfSettling(assets, ethers.ZeroAddress)
  return assets
}

/** Gas of a settlement whose callback is `callback`. */
async function gasOfSettling(assets: Assets, callback: string): Promise<bigint> {
  const { hub, worker } = assets
  const { dealId } = await makeDeal(assets, { request: { callback } })
  const settled = await settlementOf(assets, { dealId, worker, resultsCallback: '0x1234' })
  return gasOf(hub.settle(...settleArguments(settled)))
}

describe('a callback that wastes gas', () => {
  /** Beyond the gas that the callback gets: the call itself, its arguments, the cold account. */
  const OVERHEAD = 6_000n

  for (const [name, kind] of troubles) {
    it(`costs the sender at most the gas that callbacks get, and ${OVERHEAD}: it ${name}`, async () => {
      const assets = await loadFixture(settledOnce)
      const nobody = await gasOfSettling(assets, ethers.ZeroAddress)
      const cost = (await gasOfSettling(assets, await troublemaker(kind))) - nobody
      expect(cost).to.be.at.most((await assets.hub.callbackgas()) + OVERHEAD)
      if (name === 'burnsGas') expect(cost).to.be.above(await assets.hub.callbackgas())
      else expect(cost).to.be.below(60_000n)
    })
  }

  it('costs each task of a batch as much, and ends none of them', async () => {
    async function gasOfBatch(kind?: number): Promise<bigint> {
      const assets = await loadFixture(settledOnce)
      const callback = kind === undefined ? ethers.ZeroAddress : await troublemaker(kind)
      const { hub, worker } = assets
      const volume = { volume: 5n }
      const request = { ...volume, callback }
      const { dealId } = await makeDeal(assets, { app: volume, dataset: volume, workerpool: volume, request })
      const indexes = [0n, 1n, 2n, 3n, 4n]
      const settlements = await Promise.all(indexes.map((index) => settlementOf(assets, { dealId, index, worker })))
      const gas = await gasOf(hub.settleBatch(dealId, settlements))
      for (const { taskId } of settlements) expect((await hub.viewTask(taskId)).status).to.equal(3n)
      return gas
    }
    const cost = (await gasOfBatch(TROUBLE.burnsGas)) - (await gasOfBatch())
    expect(cost).to.be.within(5n * 200_000n, 5n * (200_000n + OVERHEAD))
  })

  it('costs what the owner of the Hub says at most, and nothing at all if that is nothing', async () => {
    const assets = await loadFixture(settledOnce)
    const burner = await troublemaker(TROUBLE.burnsGas)
    const nobody = await gasOfSettling(assets, ethers.ZeroAddress)
    await assets.hub.connect(assets.owner).setCallbackGas(0n)
    expect((await gasOfSettling(assets, burner)) - nobody).to.be.below(OVERHEAD)
  })
})

/** What is left to say no with once the one that was asked has burned 63 of 64 parts. */
const gasLimits = [1_000_000n, 4_000_000n, 16_000_000n]

describe('an owner or a group that wastes gas when it is asked', () => {
  /** Gas of a match that is sent although it may fail. */
  async function gasOfMatching(kind?: number): Promise<bigint> {
    const assets = await loadFixture(createdAssets)
    const { hub, anyone } = assets
    const wishes = kind === undefined ? {} : { app: { requesterrestrict: await troublemaker(kind) } }
    const data = hub.interface.encodeFunctionData('matchOrders', await signOrders(assets, wishes))
    const sending = anyone.sendTransaction({ to: hub, data, gasLimit: 4_000_000n })
    if (kind !== undefined) await expect(sending).to.be.revertedWithCustomError(hub, 'Restricted')
    else await sending
    const [hash = ''] = (await ethers.provider.getBlock('latest'))?.transactions ?? []
    return (await ethers.provider.getTransactionReceipt(hash))?.gasUsed ?? 0n
  }

  for (const [name, kind] of troubles.filter(([, kind]) => kind !== TROUBLE.burnsGas)) {
    it(`costs the sender of a match no more than a match that succeeds: it ${name}`, async () => {
      const good = await gasOfMatching()
      expect(await gasOfMatching(kind)).to.be.within(50_000n, good)
    })
  }

  for (const gasLimit of gasLimits) {
    it(`costs at most the ${gasLimit} that the sender allows, and the refusal is told by name`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, requester, appRegistry, appOwner, app } = assets
      const burner = await ethers.deployContract('Troublemaker', [TROUBLE.burnsGas])
      const orders = await signOrders(assets, { app: { requesterrestrict: await burner.getAddress() } })
      await expect(hub.matchOrders(...orders, { gasLimit }))
        .to.be.revertedWithCustomError(hub, 'Restricted')
        .withArgs(0n, 3n, burner.target, requester.address)
      await appRegistry.connect(appOwner).transferFrom(appOwner, burner, await app.getAddress())
      await expect(hub.matchOrders(...(await signOrders(assets)), { gasLimit })).to.be.revertedWithCustomError(
        hub,
        'NotAuthentic',
      )
    })
  }

  it('keeps nobody from being refunded: a claim asks nobody', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, requester, scheduler, workerpoolRegistry, workerpool } = assets
    const { dealId } = await matchDeal(assets, await signOrders(assets))
    const burner = await ethers.deployContract('Troublemaker', [TROUBLE.burnsGas])
    await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, burner, await workerpool.getAddress())
    await time.increase(3000)
    await hub.initializeAndClaimArray([dealId], [0n], { gasLimit: 300_000n })
    expect(await hub.frozenOf(requester)).to.equal(0n)
  })
})
