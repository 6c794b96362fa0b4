// The Hub trusts its token: it is named once and for all, by who deploys. What is promised of one that does not deserve it.
import { expect } from 'chai'
import { createdAssets, deployHub, ethers, loadFixture, RLC, signOrders } from '../fixtures.ts'

/** A Hub over a token that keeps a tenth of what moves; `requester` and `sponsor` have deposited 100 each. */
async function shrinkingMarket() {
  const assets = await loadFixture(createdAssets)
  const { addresses, owner, requester, sponsor } = assets
  const token = await ethers.deployContract('ShrinkingToken', [owner, 1_000n * RLC])
  const { target } = await deployHub('Hub', { ...addresses, token: await token.getAddress() })
  const hub = await ethers.getContractAt('IHub', target)
  await token.connect(owner).approve(hub, ethers.MaxUint256)
  for (const account of [requester, sponsor]) await hub.connect(owner).depositFor(100n * RLC, account)
  return { ...assets, hub, shrinking: token }
}

describe('a token that keeps a part of what moves', () => {
  it('is credited in full: the Hub counts what it asked for, not what came', async () => {
    const { hub, shrinking: token } = await loadFixture(shrinkingMarket)
    expect(await hub.totalSupply()).to.equal(200n * RLC)
    expect(await token.balanceOf(hub)).to.equal(180n * RLC)
  })

  it('pays whoever comes first; the last is refused by name and keeps its claim', async () => {
    const { hub, requester, sponsor } = await loadFixture(shrinkingMarket)
    await hub.connect(requester).withdraw(100n * RLC)
    await expect(hub.connect(sponsor).withdraw(100n * RLC))
      .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
      .withArgs(hub.target, sponsor.address, 100n * RLC)
    expect(await hub.balanceOf(sponsor)).to.equal(100n * RLC)
    await hub.connect(sponsor).withdraw(80n * RLC)
    expect(await hub.balanceOf(sponsor)).to.equal(20n * RLC)
  })

  it('has no surplus to recover, and what is missing can be given', async () => {
    const { hub, shrinking: token, owner, sponsor, requester } = await loadFixture(shrinkingMarket)
    await expect(hub.connect(owner).recover()).to.be.revertedWithPanic(0x11)
    // 20 are missing; a tenth of what is given is kept again.
    await token.connect(owner).transfer(hub, (20n * RLC * 10n) / 9n)
    expect(await hub.connect(owner).recover.staticCall()).to.equal(0n)
    for (const account of [requester, sponsor]) await hub.connect(account).withdraw(100n * RLC)
    expect(await hub.totalSupply()).to.equal(0n)
  })
})

describe('a token whose balances change by themselves', () => {
  it('leaves a surplus to the owner when they grow', async () => {
    const { hub, shrinking: token, owner } = await loadFixture(shrinkingMarket)
    await token.double(hub)
    await hub.connect(owner).recover()
    expect(await hub.balanceOf(owner)).to.equal(160n * RLC)
    expect(await hub.totalSupply()).to.equal(await token.balanceOf(hub))
  })

  it('leaves the accounts as they were when they shrink, and pays as long as there is anything', async () => {
    const { hub, shrinking: token, requester, sponsor } = await loadFixture(shrinkingMarket)
    await token.halve(hub)
    expect(await hub.balanceOf(requester)).to.equal(100n * RLC)
    await hub.connect(requester).withdraw(90n * RLC)
    await expect(hub.connect(sponsor).withdraw(1n)).to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
    expect(await hub.balanceOf(sponsor)).to.equal(100n * RLC)
  })
})

describe('a token that moves nothing', () => {
  for (const [name, contract, args] of [
    ['because it answers false', 'RefusingToken', []],
    ['because it reverts', 'Troublemaker', [0]],
    ['because it reverts with a bomb', 'Troublemaker', [1]],
    ['because it burns all gas', 'Troublemaker', [3]],
    ['as far as it tells, by a word of zeros', 'Troublemaker', [5]],
    ['as far as it tells, by all ones', 'Troublemaker', [6]],
    ['as far as it tells, by one byte', 'Troublemaker', [7]],
  ] as const) {
    it(`credits nobody, ${name}`, async () => {
      const { addresses, anyone } = await loadFixture(createdAssets)
      const token = await ethers.deployContract(contract, [...args])
      const { target } = await deployHub('Hub', { ...addresses, token: await token.getAddress() })
      const hub = await ethers.getContractAt('IHub', target)
      const gasLimit = 1_000_000n
      const refusal = () => [anyone.address, target, 5n]
      await expect(hub.connect(anyone).deposit(5n, { gasLimit }))
        .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
        .withArgs(...refusal())
      const permit = [5n, ethers.MaxUint256, 27, ethers.ZeroHash, ethers.ZeroHash] as const
      await expect(hub.connect(anyone).depositWithPermit(...permit, { gasLimit })).to.revert(ethers)
      expect([await hub.totalSupply(), await hub.balanceOf(anyone)]).to.deep.equal([0n, 0n])
    })
  }

  it('is believed when it says nothing or true: then the Hub owes what it never got', async () => {
    const { addresses, anyone } = await loadFixture(createdAssets)
    const token = await ethers.deployContract('Troublemaker', [4])
    const { target } = await deployHub('Hub', { ...addresses, token: await token.getAddress() })
    const hub = await ethers.getContractAt('IHub', target)
    await hub.connect(anyone).deposit(5n)
    expect(await hub.balanceOf(anyone)).to.equal(5n)
  })
})

describe('a token that is hostile', () => {
  it('can forge no deposit but its own: the Hub believes it where it calls, and nowhere else', async () => {
    const assets = await loadFixture(shrinkingMarket)
    const { hub, requester, anyone, shrinking: token } = assets
    const match = hub.interface.encodeFunctionData('matchOrders', await signOrders(assets))
    for (const data of ['0x', match]) {
      await expect(hub.connect(anyone).receiveApproval(requester, 1n, token, data))
        .to.be.revertedWithCustomError(hub, 'OnlyToken')
        .withArgs(anyone.address, token.target)
    }
  })
})
