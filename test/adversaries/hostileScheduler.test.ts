// The owner of a pool that wants money or mischief. It authorizes whom it likes, itself above all.
import { expect } from 'chai'
import { failureOf } from '../failures.ts'
import {
  contributeArguments,
  contributionTo,
  createdAssets,
  DEPOSIT,
  ethers,
  finalArguments,
  loadFixture,
  makeDeal,
  matchDeal,
  price,
  schedulerStake,
  setBalance,
  settleArguments,
  settlementOf,
  signOrders,
  taskIdOf,
  time,
  workerpoolPrice,
} from '../fixtures.ts'
import { everybody, expectSound } from './ledger.ts'

const gasLimit = 2n ** 24n
const plain = { tag: ethers.ZeroHash }
const withoutEnclave = { app: plain, dataset: plain, request: plain }

/** An active task without enclave, of any trust. */
async function taskOf(trust: bigint) {
  const assets = await loadFixture(createdAssets)
  const { dealId } = await makeDeal(assets, {
    ...withoutEnclave,
    workerpool: { trust },
    request: { ...plain, trust },
  })
  await assets.hub.initialize(dealId, 0n)
  return { ...assets, dealId, taskId: taskIdOf(dealId, 0n) }
}

type Task = Awaited<ReturnType<typeof taskOf>>

/** The requester is as it was before the match, and the pool has lost its stake to the kitty. */
async function expectRefunded({ hub, requester, scheduler, ...others }: Task, accounts: string[] = []) {
  expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT - schedulerStake, 0n])
  expect(await hub.frozenOf(await hub.kitty_address())).to.equal(schedulerStake)
  await expectSound(hub, [...everybody({ hub, requester, scheduler, ...others }), ...accounts])
}

describe('a scheduler that never does its work', () => {
  it('and authorizes nobody: the requester is refunded, the stake is lost', async () => {
    const task = await taskOf(1n)
    await time.increase(3000)
    await task.hub.claim(task.taskId)
    await expectRefunded(task)
  })

  it('and never finalizes what its workers agreed on: they lose nothing, the requester is refunded', async () => {
    const task = await taskOf(3n)
    const { hub, taskId, worker, worker2 } = task
    for (const by of [worker, worker2]) {
      const contribution = await contributionTo(task, { taskId, worker: by, enclave: null })
      await hub.connect(by).contribute(...contributeArguments(taskId, contribution))
    }
    for (const by of [worker, worker2]) await hub.connect(by).reveal(taskId, ethers.id(`result of ${taskId}`))
    await time.increase(3000)
    await hub.claim(taskId)
    for (const by of [worker, worker2]) expect(await hub.viewAccount(by)).to.deep.equal([DEPOSIT, 0n])
    await expectRefunded(task)
  })

  it('and finalizes a second too late: the deadline holds for it too', async () => {
    const task = await taskOf(2n)
    const { hub, taskId, worker, scheduler } = task
    const contribution = await contributionTo(task, { taskId, worker, enclave: null })
    await hub.connect(worker).contribute(...contributeArguments(taskId, contribution))
    await hub.connect(worker).reveal(taskId, contribution.resultDigest)
    const { finalDeadline } = await hub.viewTask(taskId)
    await time.setNextBlockTimestamp(finalDeadline)
    await expect(hub.connect(scheduler).finalize(taskId, '0x', '0x'))
      .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
      .withArgs(taskId, finalDeadline)
    await hub.claim(taskId)
    await expectRefunded(task)
  })

  it('and reopens for ever: that ends with the final deadline', async () => {
    const task = await taskOf(2n)
    const { hub, taskId, scheduler, worker, worker2, sponsor } = task
    for (const by of [worker, worker2, sponsor]) {
      const lie = await contributionTo(task, { taskId, worker: by, enclave: null, resultDigest: ethers.id(by.address) })
      await hub.connect(by).contribute(...contributeArguments(taskId, lie))
      if (by !== sponsor) {
        await time.increase(601)
        await hub.connect(scheduler).reopen(taskId)
      }
    }
    const { finalDeadline } = await hub.viewTask(taskId)
    await time.setNextBlockTimestamp(finalDeadline)
    await expect(hub.connect(scheduler).reopen(taskId))
      .to.be.revertedWithCustomError(hub, 'DeadlinePassed')
      .withArgs(taskId, finalDeadline)
    await hub.claim(taskId)
    for (const by of [worker, worker2, sponsor]) expect(await hub.viewAccount(by)).to.deep.equal([DEPOSIT, 0n])
    await expectRefunded(task)
  })

  it('and fills the task with as many accomplices as there may be: a claim still fits one transaction', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, requester } = assets
    const free = { workerpoolprice: 0n, trust: 2n ** 255n }
    const { dealId } = await makeDeal(assets, {
      ...withoutEnclave,
      workerpool: free,
      request: { ...plain, trust: 2n ** 255n },
    })
    await hub.initialize(dealId, 0n)
    const taskId = taskIdOf(dealId, 0n)
    const digest = (index: number) => ethers.id(`result ${index}`)
    for (let index = 0; index < 64; ++index) {
      const worker = ethers.Wallet.createRandom().connect(ethers.provider)
      await setBalance(worker.address, 10n ** 18n)
      const lie = await contributionTo(assets, { taskId, worker, enclave: null, resultDigest: digest(index) })
      await hub.connect(worker).contribute(...contributeArguments(taskId, lie), { gasLimit: 2_000_000n })
    }
    expect((await hub.viewTask(taskId)).contributors.length).to.equal(64)
    await time.increase(3000)
    const receipt = await (await hub.claim(taskId, { gasLimit })).wait()
    expect(receipt?.gasUsed).to.be.below(1_000_000n)
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  }).timeout(60_000)
})

describe('a scheduler that authorizes itself', () => {
  it('as the worker earns the price of work without enclave: that is what its pool was trusted with', async () => {
    const task = await taskOf(1n)
    const { hub, taskId, scheduler, requester } = task
    const made = await contributionTo(task, { taskId, worker: scheduler, enclave: null })
    await hub.connect(scheduler).contributeAndFinalize(...finalArguments(taskId, made))
    expect(await hub.balanceOf(scheduler)).to.equal(DEPOSIT + workerpoolPrice)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT - price)
  })

  it('with a key of its own for an enclave, is refused where there is a TEE broker', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, owner, broker, scheduler, requester } = assets
    await hub.connect(owner).setTeeBroker(broker)
    const { dealId } = await makeDeal(assets)
    const taskId = taskIdOf(dealId, 0n)
    const forged = await settlementOf(assets, { dealId, worker: scheduler })
    await expect(hub.connect(scheduler).settle(...settleArguments(forged)))
      .to.be.revertedWithCustomError(hub, 'NotAuthorized')
      .withArgs(taskId, scheduler.address, forged.enclaveChallenge, broker.address)
    const failed = await failureOf(assets, { dealId, worker: scheduler, cause: 1n })
    await expect(hub.connect(scheduler).settleFailure(...failed)).to.be.revertedWithCustomError(hub, 'NotAuthorized')
    await time.increase(3000)
    await hub.initializeAndClaimArray([dealId], [0n])
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
  })

  it('without any enclave, is refused where the deal needs one', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, scheduler } = assets
    const { dealId } = await makeDeal(assets)
    const forged = await settlementOf(assets, { dealId, worker: scheduler, enclave: null })
    await expect(hub.connect(scheduler).settle(...settleArguments(forged)))
      .to.be.revertedWithCustomError(hub, 'EnclaveRequired')
      .withArgs(taskIdOf(dealId, 0n))
  })

  it('to declare the task failed, refunds the requester and earns nothing', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, scheduler, requester } = assets
    const { dealId } = await makeDeal(assets)
    await hub.connect(scheduler).settleFailure(...(await failureOf(assets, { dealId, worker: scheduler, cause: 1n })))
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT, 0n])
    expect(await hub.viewAccount(scheduler)).to.deep.equal([DEPOSIT, 0n])
    await expectSound(hub, everybody(assets))
  })
})

describe('a scheduler that wants to get rid of what it owes', () => {
  it('cannot withdraw its stake while the task is open', async () => {
    const { hub, scheduler } = await taskOf(1n)
    await expect(hub.connect(scheduler).withdraw(DEPOSIT))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(scheduler.address, DEPOSIT - schedulerStake, DEPOSIT)
  })

  it('loses it although it sold the pool since', async () => {
    const task = await taskOf(1n)
    const { hub, taskId, workerpool, workerpoolRegistry, scheduler, anyone } = task
    await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, anyone, await workerpool.getAddress())
    await time.increase(3000)
    await hub.claim(taskId)
    await expectRefunded(task)
    expect(await hub.viewAccount(anyone)).to.deep.equal([0n, 0n])
  })

  it('cannot change stake or share of a deal that was made', async () => {
    const task = await taskOf(1n)
    const { hub, dealId, workerpool, scheduler } = task
    const before = await hub.viewDeal(dealId)
    await workerpool.connect(scheduler).changePolicy(0n, 100n)
    expect(await hub.viewDeal(dealId)).to.deep.equal(before)
  })

  it('cannot make deals beyond its means', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, scheduler } = assets
    await hub.connect(scheduler).withdraw(DEPOSIT - schedulerStake)
    await matchDeal(assets, await signOrders(assets))
    await expect(hub.matchOrders(...(await signOrders(assets))))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(scheduler.address, 0n, schedulerStake)
  })
})
