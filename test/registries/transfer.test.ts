import { expect } from 'chai'
import { createdAssets, ethers, loadFixture } from '../fixtures.ts'

describe('transferFrom', () => {
  it('hands over the entry: token, owner of the entry and registration follow', async () => {
    const { datasetRegistry, dataset, datasetOwner, anyone } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await expect(datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, id))
      .to.emit(datasetRegistry, 'Transfer')
      .withArgs(datasetOwner.address, anyone.address, id)
    expect(await datasetRegistry.ownerOf(id)).to.equal(anyone.address)
    expect(await dataset.owner()).to.equal(anyone.address)
    expect(await datasetRegistry.registrantOf(dataset)).to.equal(anyone.address)
    expect(await datasetRegistry.balanceOf(datasetOwner)).to.equal(0n)
    expect(await datasetRegistry.tokenOfOwnerByIndex(anyone, 0)).to.equal(id)
  })

  it('may go to the owner itself', async () => {
    const { datasetRegistry, dataset, datasetOwner } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, datasetOwner, id)
    expect(await datasetRegistry.balanceOf(datasetOwner)).to.equal(1n)
    expect(await datasetRegistry.tokenOfOwnerByIndex(datasetOwner, 0)).to.equal(id)
  })

  it('refuses a stranger', async () => {
    const { datasetRegistry, dataset, datasetOwner, anyone } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await expect(datasetRegistry.connect(anyone).transferFrom(datasetOwner, anyone, id))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721InsufficientApproval')
      .withArgs(anyone.address, id)
  })

  it('refuses a wrong former owner', async () => {
    const { datasetRegistry, dataset, datasetOwner, anyone } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await expect(datasetRegistry.connect(datasetOwner).transferFrom(anyone, datasetOwner, id))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721IncorrectOwner')
      .withArgs(anyone.address, id, datasetOwner.address)
  })

  it('refuses to burn', async () => {
    const { datasetRegistry, dataset, datasetOwner } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await expect(datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, ethers.ZeroAddress, id))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721InvalidReceiver')
      .withArgs(ethers.ZeroAddress)
  })

  it('refuses an entry that does not exist', async () => {
    const { datasetRegistry, datasetOwner, anyone } = await loadFixture(createdAssets)
    await expect(datasetRegistry.connect(datasetOwner).transferFrom(datasetOwner, anyone, 1n))
      .to.be.revertedWithCustomError(datasetRegistry, 'ERC721NonexistentToken')
      .withArgs(1n)
  })

  describe('given an approval', () => {
    it('lets the approved account transfer, once', async () => {
      const { datasetRegistry, dataset, datasetOwner, anyone } = await loadFixture(createdAssets)
      const id = BigInt(dataset.target.toString())
      await datasetRegistry.connect(datasetOwner).approve(anyone, id)
      await datasetRegistry.connect(anyone).transferFrom(datasetOwner, datasetOwner, id)
      expect(await datasetRegistry.getApproved(id)).to.equal(ethers.ZeroAddress)
      await expect(
        datasetRegistry.connect(anyone).transferFrom(datasetOwner, anyone, id),
      ).to.be.revertedWithCustomError(datasetRegistry, 'ERC721InsufficientApproval')
    })

    it('lets an operator transfer everything', async () => {
      const { datasetRegistry, dataset, datasetOwner, anyone } = await loadFixture(createdAssets)
      const id = BigInt(dataset.target.toString())
      await datasetRegistry.connect(datasetOwner).setApprovalForAll(anyone, true)
      await datasetRegistry.connect(anyone).transferFrom(datasetOwner, anyone, id)
      expect(await dataset.owner()).to.equal(anyone.address)
    })
  })
})

describe('safeTransferFrom', () => {
  it('hands over to an account', async () => {
    const { datasetRegistry, dataset, datasetOwner, anyone } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await datasetRegistry.connect(datasetOwner)['safeTransferFrom(address,address,uint256)'](datasetOwner, anyone, id)
    expect(await dataset.owner()).to.equal(anyone.address)
  })

  it('refuses a contract that does not know tokens', async () => {
    const { datasetRegistry, dataset, datasetOwner, hub } = await loadFixture(createdAssets)
    const id = BigInt(dataset.target.toString())
    await expect(
      datasetRegistry
        .connect(datasetOwner)
        ['safeTransferFrom(address,address,uint256)'](datasetOwner, await hub.token(), id),
    ).to.be.revertedWithCustomError(datasetRegistry, 'ERC721InvalidReceiver')
  })
})
