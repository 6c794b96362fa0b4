import { expect } from 'chai'
import { createdAssets, deployHub, ethers, loadFixture } from '../../fixtures.ts'
import { nativeAssets } from '../../native.ts'

describe('the views of a Hub over native currency', () => {
  it('call what is staked by the name of the chain currency of the reference', async () => {
    const { native } = await loadFixture(nativeAssets)
    expect(await native.name()).to.equal('Staked RLC')
    expect(await native.symbol()).to.equal('SRLC')
    expect(await native.decimals()).to.equal(9n)
  })

  it('name no token', async () => {
    const { native } = await loadFixture(nativeAssets)
    expect(await native.token()).to.equal(ethers.ZeroAddress)
  })

  it('know the registries, the owner and the categories as over a token', async () => {
    const { native, registries, owner } = await loadFixture(nativeAssets)
    expect(await native.owner()).to.equal(owner.address)
    expect(await native.appregistry()).to.equal(registries.appRegistry)
    expect(await native.datasetregistry()).to.equal(registries.datasetRegistry)
    expect(await native.workerpoolregistry()).to.equal(registries.workerpoolRegistry)
    expect(await native.countCategory()).to.equal(5n)
  })

  it('tell the domain of this Hub', async () => {
    const { native, domain } = await loadFixture(nativeAssets)
    expect(await native.eip712domain_separator()).to.equal(ethers.TypedDataEncoder.hashDomain(domain))
  })
})

describe('the construction of a Hub', () => {
  it('over native currency reverts with InvalidAddress when a token is named', async () => {
    const { registries, token } = await loadFixture(nativeAssets)
    const factory = await ethers.getContractFactory('HubNative')
    await expect(deployHub('HubNative', { ...registries, token: token.target.toString() }))
      .to.be.revertedWithCustomError(factory, 'InvalidAddress')
      .withArgs(token.target)
  })

  it('over a token reverts with InvalidAddress when none is named', async () => {
    const { addresses } = await loadFixture(createdAssets)
    const factory = await ethers.getContractFactory('Hub')
    for (const token of [ethers.ZeroAddress, '0x00000000000000000000000000000000DeaDBeef']) {
      await expect(deployHub('Hub', { ...addresses, token }))
        .to.be.revertedWithCustomError(factory, 'InvalidAddress')
        .withArgs(token)
    }
  })
})
