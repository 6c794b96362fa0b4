// Whoever sees a transaction before it is mined, and is faster.
import { expect } from 'chai'
import {
  type Assets,
  CLOSE,
  contributeArguments,
  contributionTo,
  createdAssets,
  DEPOSIT,
  datasetPrice,
  ethers,
  finalArguments,
  fundedAccounts,
  initializedTask,
  loadFixture,
  makeDeal,
  matchedDeal,
  operationOn,
  price,
  RLC,
  SIGN,
  settleArguments,
  settlementOf,
  signedOrders,
  signOrders,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../fixtures.ts'

const workerReward = (workerpoolPrice * 99n) / 100n

describe('initialize, before datasets are attached', () => {
  /** Orders of a request that wants its dataset attached, signed off chain or not at all. */
  async function bulkOrders(signed: boolean) {
    const assets = await loadFixture(createdAssets)
    const [app, none, workerpool, request] = await signOrders(assets, { dataset: null })
    const [, grant] = await signOrders(assets)
    const orders = [app, none, workerpool, signed ? request : { ...request, sign: '0x' }] as const
    const { interface: abi } = assets.hub
    const match = abi.encodeFunctionData('matchOrders', [...orders])
    const sign = abi.encodeFunctionData('manageRequestOrder', [operationOn(orders[3], SIGN)])
    const dealId = await assets.hub.matchOrders.staticCall(app, none, workerpool, request)
    const attach = abi.encodeFunctionData('attachDatasets', [dealId, 0n, [grant], datasetPrice])
    const initialize = abi.encodeFunctionData('initialize', [dealId, 0n])
    return { ...assets, orders, grant, dealId, match, sign, attach, initialize }
  }

  it('keeps them from being attached, by name; nothing of their price is locked', async () => {
    const { hub, requester, anyone, orders, grant, dealId } = await bulkOrders(true)
    await hub.matchOrders(...orders)
    await hub.connect(anyone).initialize(dealId, 0n)
    await expect(hub.connect(requester).attachDatasets(dealId, 0n, [grant], datasetPrice))
      .to.be.revertedWithCustomError(hub, 'WrongStatus')
      .withArgs(taskIdOf(dealId, 0n), 1n)
    expect(await hub.frozenOf(requester)).to.equal(price - datasetPrice)
  })

  it('comes too late where match and attachment are one multicall', async () => {
    const { hub, requester, anyone, match, attach, dealId } = await bulkOrders(true)
    await hub.connect(requester).multicall([match, attach])
    await hub.connect(anyone).initialize(dealId, 0n)
    expect((await hub.viewDatasets(taskIdOf(dealId, 0n))).length).to.equal(1)
  })

  it('still comes first where the request was signed before: who saw it matches and initializes at once', async () => {
    const { hub, requester, anyone, match, attach, initialize } = await bulkOrders(true)
    await hub.connect(anyone).multicall([match, initialize])
    await expect(hub.connect(requester).multicall([match, attach])).to.be.revertedWithCustomError(hub, 'CallFailed')
    // The price of the work is at stake, not that of the data; without a result it is refunded.
    expect(await hub.frozenOf(requester)).to.equal(price - datasetPrice)
  })

  it('cannot come first where the request is signed in the same multicall', async () => {
    const { hub, requester, anyone, sign, match, attach, initialize, dealId } = await bulkOrders(false)
    await expect(hub.connect(anyone).multicall([match, initialize])).to.be.revertedWithCustomError(hub, 'CallFailed')
    await expect(hub.connect(anyone).multicall([sign, match, initialize])).to.be.revertedWithCustomError(
      hub,
      'CallFailed',
    )
    await hub.connect(requester).multicall([sign, match, attach])
    expect((await hub.viewDatasets(taskIdOf(dealId, 0n))).length).to.equal(1)
  })

  it('of a sponsored deal is avoided in the same way: the sponsor matches and attaches at once', async () => {
    const { hub, sponsor, orders, attach, dealId } = await bulkOrders(true)
    const match = hub.interface.encodeFunctionData('sponsorMatchOrders', [...orders])
    await hub.connect(sponsor).multicall([match, attach])
    expect((await hub.viewDatasets(taskIdOf(dealId, 0n))).length).to.equal(1)
    expect(await hub.frozenOf(sponsor)).to.equal(price)
  })
})

describe('a permit that somebody else carries to the token first', () => {
  it('still serves the deposit that it was made for', async () => {
    const { hub, token, requester, anyone, chainId } = await loadFixture(fundedAccounts)
    const permit = {
      owner: requester.address,
      spender: await hub.getAddress(),
      value: RLC,
      nonce: await token.nonces(requester),
      deadline: ethers.MaxUint256,
    }
    const types = {
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    }
    const domain = { name: 'Local RLC', version: '1', chainId, verifyingContract: await token.getAddress() }
    const { v, r, s } = ethers.Signature.from(await requester.signTypedData(domain, types, permit))
    await token.connect(anyone).permit(requester, hub, RLC, permit.deadline, v, r, s)
    // It lets nobody deposit for the thief: the Hub asks for the permit of its caller.
    await expect(hub.connect(anyone).depositWithPermit(RLC, permit.deadline, v, r, s))
      .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
      .withArgs(anyone.address, hub.target, RLC)
    await hub.connect(requester).depositWithPermit(RLC, permit.deadline, v, r, s)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + RLC)
  })
})

describe('what a worker hands in, copied by somebody else', () => {
  it('pays the worker, whoever sends it first', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, worker, anyone, dealId } = deal
    const call = settleArguments(await settlementOf(deal, { dealId, worker }))
    await hub.connect(anyone).settle(...call)
    expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + workerReward)
    expect(await hub.balanceOf(anyone)).to.equal(0n)
    await expect(hub.connect(worker).settle(...call)).to.be.revertedWithCustomError(hub, 'WrongStatus')
  })

  it('is refused where the sender is the worker: contributeAndFinalize and contribute', async () => {
    const task = await loadFixture(initializedTask)
    const { hub, worker, worker2, scheduler, taskId } = task
    const result = await contributionTo(task, { taskId, worker })
    const refused = [
      hub.connect(worker2).contributeAndFinalize(...finalArguments(taskId, result)),
      hub.connect(worker2).contribute(...contributeArguments(taskId, result)),
    ]
    for (const sending of refused) {
      await expect(sending)
        .to.be.revertedWithCustomError(hub, 'NotAuthorized')
        .withArgs(taskId, worker2.address, result.enclaveChallenge, scheduler.address)
    }
  })

  it('of a replicated task is worth nothing: a hash can be copied, a seal cannot', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, worker, worker2 } = assets
    const none = { tag: ethers.ZeroHash }
    const { dealId } = await makeDeal(assets, {
      app: none,
      dataset: none,
      workerpool: { trust: 3n },
      request: { ...none, trust: 3n },
    })
    await hub.initialize(dealId, 0n)
    const taskId = taskIdOf(dealId, 0n)
    const honest = await contributionTo(assets, { taskId, worker, enclave: null })
    await hub.connect(worker).contribute(...contributeArguments(taskId, honest))
    // The thief is a worker of the pool as well, and copies what it sees: the hash, and the seal.
    const own = await contributionTo(assets, { taskId, worker: worker2, enclave: null })
    const copied = { ...own, resultHash: honest.resultHash, resultSeal: honest.resultSeal }
    await hub.connect(worker2).contribute(...contributeArguments(taskId, copied))
    await hub.connect(worker).reveal(taskId, honest.resultDigest)
    await expect(hub.connect(worker2).reveal(taskId, honest.resultDigest))
      .to.be.revertedWithCustomError(hub, 'WrongDigest')
      .withArgs(taskId, worker2.address, honest.resultDigest)
    await time.increase(601)
    await hub.connect(assets.scheduler).finalize(taskId, '0x', '0x')
    const stake = (workerpoolPrice * 30n) / 100n
    expect(await hub.balanceOf(worker2)).to.equal(DEPOSIT - stake)
    expect(await hub.balanceOf(worker)).to.equal(DEPOSIT + ((workerpoolPrice + stake) * 99n) / 100n)
  })
})

describe('a grant that is revoked while somebody hurries to use it', () => {
  /** Both transactions are in one block, in this order. */
  async function inOneBlock(first: () => Promise<unknown>, second: () => Promise<unknown>) {
    await ethers.provider.send('evm_setAutomine', [false])
    try {
      await first()
      await second()
      await ethers.provider.send('evm_mine', [])
    } finally {
      await ethers.provider.send('evm_setAutomine', [true])
    }
  }

  function both({ hub, datasetOwner, anyone }: Assets, orders: Awaited<ReturnType<typeof signOrders>>) {
    const gasLimit = 2_000_000n
    return {
      revoke: () => hub.connect(datasetOwner).manageDatasetOrder(operationOn(orders[1], CLOSE), { gasLimit }),
      use: () => hub.connect(anyone).matchOrders(...orders, { gasLimit }),
    }
  }

  it('is used if the use is mined first, and its owner is paid; it is dead from then on', async () => {
    const assets = await loadFixture(signedOrders)
    const { revoke, use } = both(assets, assets.orders)
    await inOneBlock(use, revoke)
    expect(await assets.hub.frozenOf(assets.requester)).to.equal(price)
    await expect(assets.hub.matchOrders(...assets.orders)).to.be.revertedWithCustomError(assets.hub, 'NothingLeft')
  })

  it('is dead if the revocation is mined first, in the same block', async () => {
    const assets = await loadFixture(signedOrders)
    const { revoke, use } = both(assets, assets.orders)
    await inOneBlock(revoke, use)
    expect(await assets.hub.frozenOf(assets.requester)).to.equal(0n)
  })
})
