import { expect } from 'chai'
import { deployedMarketplace, ethers, loadFixture, RLC, setStorageAt } from '../fixtures.ts'

/** Where OpenZeppelin v5 keeps its ERC-20 state; tools that fund accounts write balances there. */
const ERC20_SLOT = 0x52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00n

const SUPPLY = 87_000_000n * RLC

describe('the local token', () => {
  it('is an RLC of 9 decimals, all of it with the holder', async () => {
    const { token, owner } = await loadFixture(deployedMarketplace)
    expect(await token.name()).to.equal('Local RLC')
    expect(await token.symbol()).to.equal('RLC')
    expect(await token.decimals()).to.equal(9n)
    expect(await token.totalSupply()).to.equal(SUPPLY)
    expect(await token.initialSupply()).to.equal(SUPPLY)
    expect(await token.balanceOf(owner)).to.equal(SUPPLY)
  })

  it('keeps balances in the namespaced slot, so that writing it funds an account', async () => {
    const { token, anyone } = await loadFixture(deployedMarketplace)
    const slot = ethers.keccak256(
      ethers.AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], [anyone.address, ERC20_SLOT]),
    )
    await setStorageAt(token.target.toString(), slot, 5n * RLC)
    expect(await token.balanceOf(anyone)).to.equal(5n * RLC)
    await token.connect(anyone).transfer(token, 2n * RLC)
    expect(await token.balanceOf(anyone)).to.equal(3n * RLC)
  })

  it('moves nothing that an account does not have', async () => {
    const { token, anyone, owner } = await loadFixture(deployedMarketplace)
    await expect(token.connect(anyone).transfer(owner, 1n))
      .to.be.revertedWithCustomError(token, 'ERC20InsufficientBalance')
      .withArgs(anyone.address, 0n, 1n)
  })

  it('burns what its holder wants burnt', async () => {
    const { token, owner } = await loadFixture(deployedMarketplace)
    await token.connect(owner).burn(RLC)
    expect(await token.totalSupply()).to.equal(SUPPLY - RLC)
    expect(await token.initialSupply()).to.equal(SUPPLY)
  })
})

describe('approveAndCall', () => {
  it('approves and calls the spender, which deposits', async () => {
    const { token, hub, owner } = await loadFixture(deployedMarketplace)
    await expect(token.connect(owner).approveAndCall(hub, RLC, '0x'))
      .to.emit(token, 'Approval')
      .withArgs(owner.address, hub.target, RLC)
      .and.to.emit(token, 'Transfer')
      .withArgs(owner.address, hub.target, RLC)
    expect(await hub.balanceOf(owner)).to.equal(RLC)
    expect(await token.allowance(owner, hub)).to.equal(0n)
  })

  it("passes the spender's own error on, and leaves no approval behind", async () => {
    const { token, hub, anyone } = await loadFixture(deployedMarketplace)
    await expect(token.connect(anyone).approveAndCall(hub, RLC, '0x'))
      .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
      .withArgs(anyone.address, hub.target, RLC)
    expect(await token.allowance(anyone, hub)).to.equal(0n)
  })

  it('refuses a spender that does not answer true', async () => {
    const { token, owner } = await loadFixture(deployedMarketplace)
    const returnsZero = 5
    const spender = await ethers.deployContract('Troublemaker', [returnsZero])
    await expect(token.connect(owner).approveAndCall(spender, RLC, '0x'))
      .to.be.revertedWithCustomError(token, 'ApprovalRefused')
      .withArgs(spender.target)
  })
})

describe('permit', () => {
  const types = {
    Permit: [
      { name: 'owner', type: 'address' },
      { name: 'spender', type: 'address' },
      { name: 'value', type: 'uint256' },
      { name: 'nonce', type: 'uint256' },
      { name: 'deadline', type: 'uint256' },
    ],
  }

  async function signedPermit({ deadline }: { deadline: bigint }) {
    const market = await loadFixture(deployedMarketplace)
    const { token, owner, hub, chainId } = market
    const domain = { name: 'Local RLC', version: '1', chainId, verifyingContract: token.target.toString() }
    const value = { owner: owner.address, spender: hub.target.toString(), value: RLC, nonce: 0n, deadline }
    const { v, r, s } = ethers.Signature.from(await owner.signTypedData(domain, types, value))
    return { ...market, deadline, v, r, s }
  }

  it('approves by signature, whoever sends it, once', async () => {
    const { token, owner, hub, anyone, deadline, v, r, s } = await signedPermit({ deadline: ethers.MaxUint256 })
    await token.connect(anyone).permit(owner, hub, RLC, deadline, v, r, s)
    expect(await token.allowance(owner, hub)).to.equal(RLC)
    expect(await token.nonces(owner)).to.equal(1n)
    await expect(token.permit(owner, hub, RLC, deadline, v, r, s)).to.be.revertedWithCustomError(
      token,
      'ERC2612InvalidSigner',
    )
  })

  it('refuses a signature that has expired', async () => {
    const { token, owner, hub, deadline, v, r, s } = await signedPermit({ deadline: 1n })
    await expect(token.permit(owner, hub, RLC, deadline, v, r, s))
      .to.be.revertedWithCustomError(token, 'ERC2612ExpiredSignature')
      .withArgs(1n)
  })

  it('refuses another amount than the one signed', async () => {
    const { token, owner, hub, deadline, v, r, s } = await signedPermit({ deadline: ethers.MaxUint256 })
    await expect(token.permit(owner, hub, RLC + 1n, deadline, v, r, s)).to.be.revertedWithCustomError(
      token,
      'ERC2612InvalidSigner',
    )
  })
})
