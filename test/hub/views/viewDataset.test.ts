import { expect } from 'chai'
import { createdAssets, ethers, loadFixture } from '../../fixtures.ts'

describe('viewDataset', () => {
  it('gives the owner and every field of a dataset', async () => {
    const { hub, dataset, datasetOwner, datasetFields } = await loadFixture(createdAssets)
    const [, name, multiaddr, checksum] = datasetFields
    expect(await hub.viewDataset(dataset)).to.deep.equal([
      datasetOwner.address,
      name,
      ethers.hexlify(multiaddr),
      checksum,
    ])
  })
})
