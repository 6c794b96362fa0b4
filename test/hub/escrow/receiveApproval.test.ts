import { expect } from 'chai'
import {
  createdAssets,
  DEPOSIT,
  ethers,
  fundedAccounts,
  loadFixture,
  price,
  RLC,
  signedOrders,
  signOrders,
} from '../../fixtures.ts'

describe('receiveApproval', () => {
  describe('when called through the token without data', () => {
    it('deposits what was approved', async () => {
      const { hub, token, requester } = await loadFixture(fundedAccounts)
      await token.connect(requester).approveAndCall(hub, RLC, '0x')
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + RLC)
      expect(await token.allowance(requester, hub)).to.equal(0n)
    })
  })

  describe('when called by anybody else', () => {
    it('refuses, whatever token is named', async () => {
      const { hub, token, requester, anyone } = await loadFixture(fundedAccounts)
      await token.connect(requester).approve(hub, RLC)
      for (const named of [token.target, anyone.address]) {
        await expect(hub.connect(anyone).receiveApproval(requester, RLC, named, '0x'))
          .to.be.revertedWithCustomError(hub, 'OnlyToken')
          .withArgs(anyone.address, token.target)
      }
    })

    it('refuses the token itself if it names another', async () => {
      const { hub, token, requester, anyone } = await loadFixture(fundedAccounts)
      const signer = await ethers.getImpersonatedSigner(token.target.toString())
      await anyone.sendTransaction({ to: token, value: 0n, data: token.interface.encodeFunctionData('decimals') })
      await ethers.provider.send('hardhat_setBalance', [token.target, '0xde0b6b3a7640000'])
      await expect(hub.connect(signer).receiveApproval(requester, RLC, anyone, '0x'))
        .to.be.revertedWithCustomError(hub, 'OnlyToken')
        .withArgs(token.target, token.target)
    })
  })

  describe('when called through the token with a match', () => {
    it('deposits and matches in one transaction', async () => {
      const { hub, token, requester, orders } = await loadFixture(signedOrders)
      const data = hub.interface.encodeFunctionData('matchOrders', orders)
      await expect(token.connect(requester).approveAndCall(hub, price, data)).to.emit(hub, 'OrdersMatched')
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT)
      expect(await hub.frozenOf(requester)).to.equal(price)
    })

    it('refuses a request of somebody else', async () => {
      const { hub, token, sponsor, orders } = await loadFixture(signedOrders)
      const data = hub.interface.encodeFunctionData('matchOrders', orders)
      await expect(token.connect(sponsor).approveAndCall(hub, price, data)).to.be.revertedWithCustomError(
        hub,
        'CallerIsNotTheRequester',
      )
    })

    it('refuses any other call', async () => {
      const { hub, token, requester, orders } = await loadFixture(signedOrders)
      const sponsored = hub.interface.encodeFunctionData('sponsorMatchOrders', orders)
      for (const data of [sponsored, '0x12345678', '0x12']) {
        const selector = data.slice(0, 10).padEnd(10, '0')
        await expect(token.connect(requester).approveAndCall(hub, price, data))
          .to.be.revertedWithCustomError(hub, 'UnsupportedOperation')
          .withArgs(selector)
      }
    })

    it('passes the reason of a failed match on, and deposits nothing', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, token, requester } = assets
      const orders = await signOrders(assets, { request: { category: 1n } })
      const data = hub.interface.encodeFunctionData('matchOrders', orders)
      await expect(token.connect(requester).approveAndCall(hub, price, data))
        .to.be.revertedWithCustomError(hub, 'CategoryMismatch')
        .withArgs(1n, 0n)
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT)
    })

    it('says so when the match fails without a reason', async () => {
      const { hub, token, requester, orders } = await loadFixture(signedOrders)
      const whole = hub.interface.encodeFunctionData('matchOrders', orders)
      // The request order is readable, what lies behind it is not.
      const cut = ethers.dataSlice(whole, 0, ethers.dataLength(whole) - 96)
      await expect(token.connect(requester).approveAndCall(hub, price, cut)).to.be.revertedWithCustomError(
        hub,
        'OperationFailed',
      )
    })
  })
})
