import { expect } from 'chai'
import { createdAssets, ethers, loadFixture } from '../fixtures.ts'

describe('changePolicy', () => {
  it('sets both ratios and says what they were', async () => {
    const { workerpool, scheduler } = await loadFixture(createdAssets)
    await expect(workerpool.connect(scheduler).changePolicy(35n, 5n))
      .to.emit(workerpool, 'PolicyUpdate')
      .withArgs(30n, 35n, 1n, 5n)
    expect(await workerpool.m_workerStakeRatioPolicy()).to.equal(35n)
    expect(await workerpool.m_schedulerRewardRatioPolicy()).to.equal(5n)
    await expect(workerpool.connect(scheduler).changePolicy(0n, 0n))
      .to.emit(workerpool, 'PolicyUpdate')
      .withArgs(35n, 0n, 5n, 0n)
    expect(await workerpool.m_workerStakeRatioPolicy()).to.equal(0n)
    expect(await workerpool.m_schedulerRewardRatioPolicy()).to.equal(0n)
  })

  it('keeps stake ratios at and past the width of the packed field', async () => {
    const { workerpool, scheduler } = await loadFixture(createdAssets)
    const widest = 2n ** 48n - 2n
    for (const ratio of [widest, widest + 1n, widest + 2n, 2n ** 56n, ethers.MaxUint256, 3n]) {
      await workerpool.connect(scheduler).changePolicy(ratio, 100n)
      expect(await workerpool.m_workerStakeRatioPolicy()).to.equal(ratio)
      expect(await workerpool.m_schedulerRewardRatioPolicy()).to.equal(100n)
    }
  })

  it('survives a transfer of the pool', async () => {
    const { workerpool, workerpoolRegistry, scheduler, anyone } = await loadFixture(createdAssets)
    await workerpool.connect(scheduler).changePolicy(35n, 5n)
    await workerpoolRegistry.connect(scheduler).transferFrom(scheduler, anyone, workerpool.target.toString())
    expect(await workerpoolRegistry.termsOf(workerpool)).to.deep.equal([anyone.address, 35n, 5n])
  })

  it('touches no other pool', async () => {
    const { workerpool, workerpoolRegistry, scheduler } = await loadFixture(createdAssets)
    await workerpoolRegistry.createWorkerpool(scheduler, 'other')
    const other = await workerpoolRegistry.predictWorkerpool(scheduler, 'other')
    await workerpool.connect(scheduler).changePolicy(35n, 5n)
    expect(await workerpoolRegistry.termsOf(other)).to.deep.equal([scheduler.address, 30n, 1n])
  })

  it('refuses a reward ratio above 100 percent', async () => {
    const { workerpool, scheduler } = await loadFixture(createdAssets)
    await expect(workerpool.connect(scheduler).changePolicy(30n, 101n))
      .to.be.revertedWithCustomError(workerpool, 'RewardRatioTooHigh')
      .withArgs(101n, 100n)
  })

  it('refuses anyone but the owner', async () => {
    const { workerpool, scheduler, anyone } = await loadFixture(createdAssets)
    await expect(workerpool.connect(anyone).changePolicy(30n, 1n))
      .to.be.revertedWithCustomError(workerpool, 'CallerIsNotTheOwner')
      .withArgs(anyone.address, scheduler.address)
  })
})

describe('setPolicy', () => {
  it('refuses anyone but a workerpool of the registry, even its owner', async () => {
    const { workerpoolRegistry, scheduler } = await loadFixture(createdAssets)
    await expect(workerpoolRegistry.connect(scheduler).setPolicy(30n, 1n))
      .to.be.revertedWithCustomError(workerpoolRegistry, 'CallerIsNotAWorkerpool')
      .withArgs(scheduler.address)
  })
})
