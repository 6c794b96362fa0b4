import { expect } from 'chai'
import { DEPOSIT, ethers, fundedAccounts, loadFixture, RLC } from '../../fixtures.ts'

const FOREVER = ethers.MaxUint256

/** `anyone` has tokens, and nobody may take them. */
async function unapprovedTokens() {
  const market = await loadFixture(fundedAccounts)
  await market.token.connect(market.owner).transfer(market.anyone, DEPOSIT)
  return market
}

type Market = Awaited<ReturnType<typeof unapprovedTokens>>

/** A permit of `anyone` for the Hub: the last three arguments of `depositWithPermit`. */
async function permitOf({ token, hub, chainId, anyone }: Market, value: bigint, deadline = FOREVER) {
  const tokenDomain = { name: 'Local RLC', version: '1', chainId, verifyingContract: token.target.toString() }
  const members = ['owner', 'spender'].map((name) => ({ name, type: 'address' }))
  const numbers = ['value', 'nonce', 'deadline'].map((name) => ({ name, type: 'uint256' }))
  const nonce = await token.nonces(anyone)
  const permit = { owner: anyone.address, spender: hub.target, value, nonce, deadline }
  const signature = await anyone.signTypedData(tokenDomain, { Permit: [...members, ...numbers] }, permit)
  const { v, r, s } = ethers.Signature.from(signature)
  return [v, r, s] as const
}

describe('depositWithPermit', () => {
  it('moves tokens into the Hub without an approval before, and answers true', async () => {
    const market = await loadFixture(unapprovedTokens)
    const { token, hub, anyone } = market
    const permit = await permitOf(market, 3n * RLC)
    expect(await hub.connect(anyone).depositWithPermit.staticCall(3n * RLC, FOREVER, ...permit)).to.equal(true)
    await expect(hub.connect(anyone).depositWithPermit(3n * RLC, FOREVER, ...permit))
      .to.emit(hub, 'Transfer')
      .withArgs(ethers.ZeroAddress, anyone.address, 3n * RLC)
    expect(await hub.balanceOf(anyone)).to.equal(3n * RLC)
    expect(await token.balanceOf(anyone)).to.equal(DEPOSIT - 3n * RLC)
    expect(await token.allowance(anyone, hub)).to.equal(0n)
  })

  it('goes on when somebody used the permit before', async () => {
    const market = await loadFixture(unapprovedTokens)
    const { token, hub, anyone, sponsor } = market
    const permit = await permitOf(market, RLC)
    await token.connect(sponsor).permit(anyone, hub, RLC, FOREVER, ...permit)
    await hub.connect(anyone).depositWithPermit(RLC, FOREVER, ...permit)
    expect(await hub.balanceOf(anyone)).to.equal(RLC)
  })

  it('refuses a permit of somebody else, for another amount or out of time', async () => {
    const market = await loadFixture(unapprovedTokens)
    const { hub, anyone, worker } = market
    const refused = async (sender: typeof anyone, amount: bigint, deadline: bigint, permit: [bigint, bigint]) =>
      expect(hub.connect(sender).depositWithPermit(amount, deadline, ...(await permitOf(market, ...permit))))
        .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
        .withArgs(sender.address, hub.target, amount)
    await refused(worker, RLC, FOREVER, [RLC, FOREVER])
    await refused(anyone, RLC + 1n, FOREVER, [RLC, FOREVER])
    await refused(anyone, RLC, 1n, [RLC, 1n])
  })
})
