import { expect } from 'chai'
import {
  DEPOSIT,
  deployedMarketplace,
  ethers,
  fundedAccounts,
  loadFixture,
  matchedDeal,
  price,
  RLC,
  schedulerStake,
} from '../../fixtures.ts'

describe('the staked token', () => {
  it('is named after the token', async () => {
    const { hub, token } = await loadFixture(deployedMarketplace)
    expect(await hub.name()).to.equal('Staked RLC')
    expect(await hub.symbol()).to.equal('SRLC')
    expect(await hub.decimals()).to.equal(9n)
    expect(await hub.token()).to.equal(token.target)
    expect(await hub.totalSupply()).to.equal(0n)
  })

  it('tells free and locked amounts', async () => {
    const { hub, requester, scheduler } = await loadFixture(matchedDeal)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT - price)
    expect(await hub.frozenOf(requester)).to.equal(price)
    expect(await hub.viewAccount(requester)).to.deep.equal([DEPOSIT - price, price])
    expect(await hub.viewAccountABILegacy(scheduler)).to.deep.equal([DEPOSIT - schedulerStake, schedulerStake])
    expect(await hub.balanceOf(hub)).to.equal(price + schedulerStake)
  })
})

describe('transfer', () => {
  it('moves free balance', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).transfer(anyone, RLC))
      .to.emit(hub, 'Transfer')
      .withArgs(requester.address, anyone.address, RLC)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT - RLC)
    expect(await hub.balanceOf(anyone)).to.equal(RLC)
  })

  it('changes nothing when it goes to oneself', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    await hub.connect(requester).transfer(requester, DEPOSIT)
    expect(await hub.balanceOf(requester)).to.equal(DEPOSIT)
  })

  it('does not reach what is locked', async () => {
    const { hub, requester, anyone } = await loadFixture(matchedDeal)
    await expect(hub.connect(requester).transfer(anyone, DEPOSIT))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(requester.address, DEPOSIT - price, DEPOSIT)
  })

  it('refuses the zero address', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).transfer(ethers.ZeroAddress, 1n))
      .to.be.revertedWithCustomError(hub, 'ERC20InvalidReceiver')
      .withArgs(ethers.ZeroAddress)
  })

  it('to the Hub itself leaves what is locked as it was', async () => {
    const { hub, requester, anyone } = await loadFixture(matchedDeal)
    const held = await hub.balanceOf(hub)
    await hub.connect(requester).transfer(hub, RLC)
    expect(await hub.balanceOf(hub)).to.equal(held + RLC)
    expect(await hub.frozenOf(requester)).to.equal(price)
    expect(await hub.balanceOf(anyone)).to.equal(0n)
  })
})

describe('approve and transferFrom', () => {
  it('let the spender move up to the allowance', async () => {
    const { hub, requester, anyone, beneficiary } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).approve(anyone, 3n * RLC))
      .to.emit(hub, 'Approval')
      .withArgs(requester.address, anyone.address, 3n * RLC)
    await expect(hub.connect(anyone).transferFrom(requester, beneficiary, RLC))
      .to.emit(hub, 'Transfer')
      .withArgs(requester.address, beneficiary.address, RLC)
      .and.to.emit(hub, 'Approval')
      .withArgs(requester.address, anyone.address, 2n * RLC)
    expect(await hub.allowance(requester, anyone)).to.equal(2n * RLC)
  })

  it('refuse more than the allowance', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await hub.connect(requester).approve(anyone, RLC)
    await expect(hub.connect(anyone).transferFrom(requester, anyone, RLC + 1n))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientAllowance')
      .withArgs(anyone.address, RLC, RLC + 1n)
  })

  it('refuse more than the balance', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await hub.connect(requester).approve(anyone, ethers.MaxUint256)
    await expect(hub.connect(anyone).transferFrom(requester, anyone, DEPOSIT + 1n))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientBalance')
      .withArgs(requester.address, DEPOSIT, DEPOSIT + 1n)
  })

  it('refuse the zero address as owner, even of nothing', async () => {
    const { hub, anyone } = await loadFixture(fundedAccounts)
    await expect(hub.connect(anyone).transferFrom(ethers.ZeroAddress, anyone, 0n))
      .to.be.revertedWithCustomError(hub, 'ERC20InvalidApprover')
      .withArgs(ethers.ZeroAddress)
  })

  it('refuse the zero address as spender', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).approve(ethers.ZeroAddress, 1n))
      .to.be.revertedWithCustomError(hub, 'ERC20InvalidSpender')
      .withArgs(ethers.ZeroAddress)
  })

  it('refuse the zero address as receiver', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await hub.connect(requester).approve(anyone, RLC)
    await expect(hub.connect(anyone).transferFrom(requester, ethers.ZeroAddress, RLC))
      .to.be.revertedWithCustomError(hub, 'ERC20InvalidReceiver')
      .withArgs(ethers.ZeroAddress)
  })
})

describe('increaseAllowance and decreaseAllowance', () => {
  it('change an allowance and say what it is now', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).increaseAllowance(anyone, 5n))
      .to.emit(hub, 'Approval')
      .withArgs(requester.address, anyone.address, 5n)
    await expect(hub.connect(requester).decreaseAllowance(anyone, 2n))
      .to.emit(hub, 'Approval')
      .withArgs(requester.address, anyone.address, 3n)
    expect(await hub.allowance(requester, anyone)).to.equal(3n)
  })

  it('refuse to go below nothing', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await expect(hub.connect(requester).decreaseAllowance(anyone, 1n))
      .to.be.revertedWithCustomError(hub, 'ERC20InsufficientAllowance')
      .withArgs(anyone.address, 0n, 1n)
  })

  it('refuse to go past the widest number', async () => {
    const { hub, requester, anyone } = await loadFixture(fundedAccounts)
    await hub.connect(requester).approve(anyone, ethers.MaxUint256)
    await expect(hub.connect(requester).increaseAllowance(anyone, 1n)).to.be.revertedWithPanic(0x11)
  })
})

describe('approveAndCall', () => {
  it('approves and asks the spender', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    const answersTrue = await ethers.deployContract('AcceptingSpender')
    await hub.connect(requester).approveAndCall(answersTrue, RLC, '0x1234')
    expect(await hub.allowance(requester, answersTrue)).to.equal(RLC)
    expect(await answersTrue.last()).to.deep.equal([requester.address, RLC, hub.target, '0x1234'])
  })

  it('refuses a spender that does not answer true', async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    const returnsZero = 5
    const spender = await ethers.deployContract('Troublemaker', [returnsZero])
    await expect(hub.connect(requester).approveAndCall(spender, RLC, '0x'))
      .to.be.revertedWithCustomError(hub, 'ApprovalRefused')
      .withArgs(spender.target)
  })

  it("passes the spender's error on", async () => {
    const { hub, requester } = await loadFixture(fundedAccounts)
    const reverts = 0
    const spender = await ethers.deployContract('Troublemaker', [reverts])
    await expect(hub.connect(requester).approveAndCall(spender, RLC, '0x'))
      .to.be.revertedWithCustomError(spender, 'Trouble')
      .withArgs(42n)
  })
})
