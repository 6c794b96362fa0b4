import { expect } from 'chai'
import { deployedMarketplace, ethers, loadFixture } from '../fixtures.ts'

const schema = '{"age":"f64","name":"string","scan":"application/octet-stream"}'

async function fieldsOf({ address }: { address: string }) {
  return { owner: address, name: 'records', multiaddr: '0xa503', checksum: ethers.id('ciphertext') }
}

describe('createDatasetWithSchema', () => {
  it('creates the dataset in the registry, for its owner, and announces the schema', async () => {
    const { dataProtector, datasetRegistry, datasetOwner, anyone } = await loadFixture(deployedMarketplace)
    const { owner, name, multiaddr, checksum } = await fieldsOf(datasetOwner)
    const predicted = await datasetRegistry.predictDataset(owner, name, multiaddr, checksum)
    const call = dataProtector.connect(anyone).createDatasetWithSchema
    expect(await call.staticCall(owner, name, schema, multiaddr, checksum)).to.equal(predicted)
    await expect(call(owner, name, schema, multiaddr, checksum))
      .to.emit(dataProtector, 'DatasetSchema')
      .withArgs(predicted, schema)
      .and.to.emit(datasetRegistry, 'Transfer')
      .withArgs(ethers.ZeroAddress, owner, BigInt(predicted))

    const dataset = await ethers.getContractAt('Dataset', predicted)
    expect(await dataset.owner()).to.equal(owner)
    expect(await dataset.m_datasetName()).to.equal(name)
    expect(await dataset.m_datasetMultiaddr()).to.equal(multiaddr)
    expect(await dataset.m_datasetChecksum()).to.equal(checksum)
  })

  it('says where it creates', async () => {
    const { dataProtector, datasetRegistry } = await loadFixture(deployedMarketplace)
    expect(await dataProtector.registry()).to.equal(datasetRegistry.target)
  })

  it('refuses the same data of the same owner, whatever the schema', async () => {
    const { dataProtector, datasetRegistry, datasetOwner } = await loadFixture(deployedMarketplace)
    const { owner, name, multiaddr, checksum } = await fieldsOf(datasetOwner)
    await dataProtector.createDatasetWithSchema(owner, name, schema, multiaddr, checksum)
    await expect(dataProtector.createDatasetWithSchema(owner, name, '{}', multiaddr, checksum))
      .to.be.revertedWithCustomError(datasetRegistry, 'AlreadyCreated')
      .withArgs(await datasetRegistry.predictDataset(owner, name, multiaddr, checksum))
  })
})
