import { expect } from 'chai'
import { network } from 'hardhat'
import { deployMarketplace } from '../../deploy/marketplace.ts'

const DELAY = 3_600n

/** A marketplace that a timelock owns, as on real networks. */
async function governedMarketplace() {
  const connection = await network.create()
  const { ethers } = connection
  const [deployer, proposer, executor, stranger] = await ethers.getSigners()
  if (!(deployer && proposer && executor && stranger)) throw new Error('The chain has too few accounts.')
  const timelock = await ethers.deployContract('Timelock', [DELAY, [proposer.address], [executor.address]])
  const owner = timelock.target.toString()
  const { hub: address } = await deployMarketplace({ connection, parameters: { owner } })
  const hub = await ethers.getContractAt('IHub', address)
  const { data } = await hub.setTeeBroker.populateTransaction(stranger.address)
  const change = [address, 0n, data, ethers.ZeroHash, ethers.ZeroHash] as const
  return { ...connection, timelock, hub, change, deployer, proposer, executor, stranger }
}

describe('Timelock', () => {
  it('is administered by itself alone', async () => {
    const { ethers, timelock, deployer, proposer } = await governedMarketplace()
    const admin = await timelock.DEFAULT_ADMIN_ROLE()
    expect(await timelock.hasRole(admin, timelock.target)).to.equal(true)
    for (const account of [deployer.address, proposer.address, ethers.ZeroAddress]) {
      expect(await timelock.hasRole(admin, account)).to.equal(false)
    }
  })

  it('changes a setting of the Hub, but only what was announced, and not before the delay is over', async () => {
    const { timelock, hub, change, proposer, executor, stranger, networkHelpers } = await governedMarketplace()
    await timelock.connect(proposer).schedule(...change, DELAY)
    await expect(timelock.connect(executor).execute(...change)).to.be.revertedWithCustomError(
      timelock,
      'TimelockUnexpectedOperationState',
    )
    await networkHelpers.time.increase(DELAY)
    await timelock.connect(executor).execute(...change)
    expect(await hub.teebroker()).to.equal(stranger.address)
  })

  it('lets nobody else announce, shorten or go around it', async () => {
    const { timelock, hub, change, deployer, proposer, stranger } = await governedMarketplace()
    await expect(timelock.connect(stranger).schedule(...change, DELAY)).to.be.revertedWithCustomError(
      timelock,
      'AccessControlUnauthorizedAccount',
    )
    await expect(timelock.connect(proposer).schedule(...change, DELAY - 1n)).to.be.revertedWithCustomError(
      timelock,
      'TimelockInsufficientDelay',
    )
    for (const account of [deployer, proposer]) {
      await expect(hub.connect(account).setTeeBroker(stranger))
        .to.be.revertedWithCustomError(hub, 'NotOwner')
        .withArgs(account.address, timelock.target)
    }
  })
})
