import { expect } from 'chai'
import {
  type Assets,
  contributeArguments,
  contributionTo,
  createdAssets,
  ethers,
  loadFixture,
  matchDeal,
  operationOn,
  RLC,
  SIGN,
  settleArguments,
  settlementOf,
  signOrders,
  taskIdOf,
  time,
  type Wishes,
} from '../fixtures.ts'

const MAGIC = ethers.zeroPadBytes('0x1626ba7e', 32)
const TRUE = ethers.toBeHex(1n, 32)
const gasLimit = 16_000_000n

/** An answerer that says what is hoped for only if all it tried meanwhile failed. It owns money that it could move. */
async function answererSaying(assets: Assets, word: string, withView = false) {
  const { hub, token, owner, requester } = assets
  const answerer = await ethers.deployContract('MeddlingAnswerer', [word])
  await token.connect(owner).approve(hub, 10n * RLC)
  await hub.connect(owner).depositFor(10n * RLC, answerer)
  const overdue = await matchDeal(assets, await signOrders(assets))
  await time.increase(3000)
  const orders = await signOrders(assets)
  const old = await matchDeal(assets, await signOrders(assets))
  const settled = await settlementOf(assets, { dealId: old.dealId, worker: assets.worker })
  const { interface: abi } = hub
  const single = [
    abi.encodeFunctionData('deposit', [0n]),
    abi.encodeFunctionData('withdraw', [1n]),
    abi.encodeFunctionData('transfer', [requester.address, 1n]),
    abi.encodeFunctionData('approve', [requester.address, 1n]),
    abi.encodeFunctionData('matchOrders', orders),
    abi.encodeFunctionData('sponsorMatchOrders', orders),
    abi.encodeFunctionData('initialize', [old.dealId, 0n]),
    abi.encodeFunctionData('settle', [...settleArguments(settled)]),
    abi.encodeFunctionData('initializeAndClaimArray', [[overdue.dealId], [0n]]),
    abi.encodeFunctionData('manageRequestOrder', [
      operationOn({ ...orders[3], requester: await answerer.getAddress() }, SIGN),
    ]),
  ]
  const view = abi.encodeFunctionData('totalSupply')
  const attempts = [...single, ...single.slice(0, 3).map((data) => abi.encodeFunctionData('multicall', [[data]]))]
  const tried = withView ? [...attempts, view] : attempts
  await answerer.prepare(tried.map((data) => ({ target: hub, data })))
  return answerer
}

describe('an owner that meddles while it is asked for its signature (ERC-1271)', () => {
  const assetKinds = ['app', 'dataset', 'workerpool'] as const

  async function ownedByAnswerer(kind: (typeof assetKinds)[number], withView = false) {
    const assets = await loadFixture(createdAssets)
    const answerer = await answererSaying(assets, MAGIC, withView)
    const owners = { app: assets.appOwner, dataset: assets.datasetOwner, workerpool: assets.scheduler }
    const registry = assets[`${kind}Registry`]
    await registry.connect(owners[kind]).transferFrom(owners[kind], answerer, await assets[kind].getAddress())
    return { ...assets, answerer }
  }

  for (const kind of assetKinds) {
    it(`moves nothing as the owner of the ${kind}`, async () => {
      const assets = await ownedByAnswerer(kind)
      const { hub, answerer } = assets
      const supply = await hub.totalSupply()
      await expect(hub.matchOrders(...(await signOrders(assets)), { gasLimit })).to.emit(hub, 'OrdersMatched')
      expect(await hub.totalSupply()).to.equal(supply)
      const staked = kind === 'workerpool' ? (3n * RLC) / 10n : 0n
      expect(await hub.viewAccount(answerer)).to.deep.equal([10n * RLC - staked, staked])
    })
  }

  it('would be found out: one thing that succeeds, a view, and it does not approve', async () => {
    const assets = await ownedByAnswerer('app', true)
    const { hub } = assets
    await expect(hub.matchOrders(...(await signOrders(assets)), { gasLimit })).to.be.revertedWithCustomError(
      hub,
      'NotAuthentic',
    )
  })

  it('moves nothing as the requester', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub } = assets
    const answerer = await answererSaying(assets, MAGIC)
    const orders = await signOrders(assets, { request: { requester: await answerer.getAddress() } })
    await expect(hub.matchOrders(...orders, { gasLimit })).to.emit(hub, 'OrdersMatched')
  })

  it('moves nothing when an operation on its order is carried to the Hub', async () => {
    const assets = await ownedByAnswerer('app')
    const { hub } = assets
    const [order] = await signOrders(assets)
    await expect(hub.manageAppOrder({ order, operation: SIGN, sign: '0x00' }, { gasLimit })).to.emit(
      hub,
      'SignedAppOrder',
    )
  })

  it('moves nothing as pool, TEE broker or enclave of a task', async () => {
    const assets = await ownedByAnswerer('workerpool')
    const { hub, owner, worker, answerer } = assets
    const volume = 3n
    const ofVolume = { app: { volume }, dataset: { volume }, workerpool: { volume }, request: { volume } }
    const orders = await signOrders(assets, ofVolume)
    const dealId = await hub.matchOrders.staticCall(...orders, { gasLimit })
    await hub.matchOrders(...orders, { gasLimit })
    const byPool = await settlementOf(assets, { dealId, worker })
    await hub.settle(...settleArguments({ ...byPool, authorizationSign: '0x' }), { gasLimit })

    await hub.connect(owner).setTeeBroker(answerer)
    const byBroker = await settlementOf(assets, { dealId, index: 1n, worker })
    await hub.settle(...settleArguments({ ...byBroker, authorizationSign: '0x' }), { gasLimit })

    const self = await answerer.getAddress()
    const enclave = { address: self, signMessage: async () => '0x' }
    const byEnclave = await settlementOf(assets, { dealId, index: 2n, worker, enclave })
    await hub.settle(...settleArguments(byEnclave), { gasLimit })
    for (const index of [0n, 1n, 2n]) expect((await hub.viewTask(taskIdOf(dealId, index))).status).to.equal(3n)
    expect(await hub.frozenOf(answerer)).to.equal(0n)
  })

  it('moves nothing while a worker contributes to a replicated task', async () => {
    const assets = await ownedByAnswerer('workerpool')
    const { hub, worker, answerer } = assets
    const orders = await signOrders(assets, { workerpool: { trust: 5n }, request: { trust: 5n } })
    const dealId = await hub.matchOrders.staticCall(...orders, { gasLimit })
    await hub.matchOrders(...orders, { gasLimit })
    await hub.initialize(dealId, 0n)
    const taskId = taskIdOf(dealId, 0n)
    const contribution = { ...(await contributionTo(assets, { taskId, worker })), authorizationSign: '0x' }
    await expect(hub.connect(worker).contribute(...contributeArguments(taskId, contribution), { gasLimit }))
      .to.emit(hub, 'TaskContribute')
      .withArgs(taskId, worker.address, contribution.resultHash)
    expect(await hub.balanceOf(answerer)).to.equal(10n * RLC - (3n * RLC) / 10n)
  })
})

describe('a group that meddles while it is asked for its members (ERC-734)', () => {
  const restrictions: [string, (group: string) => Wishes][] = [
    ['the request: pool', (workerpool) => ({ request: { workerpool } })],
    ['the app: dataset', (datasetrestrict) => ({ app: { datasetrestrict } })],
    ['the app: pool', (workerpoolrestrict) => ({ app: { workerpoolrestrict } })],
    ['the app: requester', (requesterrestrict) => ({ app: { requesterrestrict } })],
    ['the dataset: app', (apprestrict) => ({ dataset: { apprestrict } })],
    ['the dataset: pool', (workerpoolrestrict) => ({ dataset: { workerpoolrestrict } })],
    ['the dataset: requester', (requesterrestrict) => ({ dataset: { requesterrestrict } })],
    ['the pool: app', (apprestrict) => ({ workerpool: { apprestrict } })],
    ['the pool: dataset', (datasetrestrict) => ({ workerpool: { datasetrestrict } })],
    ['the pool: requester', (requesterrestrict) => ({ workerpool: { requesterrestrict } })],
  ]
  for (const [name, wishes] of restrictions) {
    it(`moves nothing as a restriction of ${name}`, async () => {
      const assets = await loadFixture(createdAssets)
      const { hub } = assets
      const group = await answererSaying(assets, TRUE)
      const orders = await signOrders(assets, wishes(await group.getAddress()))
      await expect(hub.matchOrders(...orders, { gasLimit })).to.emit(hub, 'OrdersMatched')
      expect(await hub.balanceOf(group)).to.equal(10n * RLC)
    })
  }

  it('moves nothing while datasets are attached', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, requester } = assets
    const group = await answererSaying(assets, TRUE)
    const { dealId } = await matchDeal(assets, await signOrders(assets, { dataset: null }))
    const restricted = { apprestrict: await group.getAddress(), requesterrestrict: await group.getAddress() }
    const [, grant] = await signOrders(assets, { dataset: restricted })
    await expect(hub.connect(requester).attachDatasets(dealId, 0n, [grant], grant.datasetprice, { gasLimit })).to.emit(
      hub,
      'DatasetAttached',
    )
    expect(await hub.balanceOf(group)).to.equal(10n * RLC)
  })

  it('would be found out: one thing that succeeds, a view, and it admits nobody', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, requester } = assets
    const group = await answererSaying(assets, TRUE, true)
    const orders = await signOrders(assets, { app: { requesterrestrict: await group.getAddress() } })
    await expect(hub.matchOrders(...orders, { gasLimit }))
      .to.be.revertedWithCustomError(hub, 'Restricted')
      .withArgs(0n, 3n, await group.getAddress(), requester.address)
  })
})
