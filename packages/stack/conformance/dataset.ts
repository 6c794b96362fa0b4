import { createDecipheriv, createHash } from 'node:crypto'
import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { nobody, type Person, somebody } from './client.ts'

export const datasetTests = () =>
  describe('dataset', () => {
    const plain = Buffer.from('what nobody else may read')
    let owner: Person
    let key: string
    let encrypted: Buffer
    let fields: { owner: string; name: string; multiaddr: string; checksum: string }
    let dataset: string
    before(async () => {
      owner = await somebody()
    })

    it('is encrypted before it leaves the machine', async () => {
      const module = owner.iexec.dataset
      key = module.generateEncryptionKey()
      expect(Buffer.from(key, 'base64')).to.have.length(32)
      encrypted = await module.encrypt(plain, key)
      const decipher = createDecipheriv('aes-256-cbc', Buffer.from(key, 'base64'), encrypted.subarray(0, 16))
      expect(Buffer.concat([decipher.update(encrypted.subarray(16)), decipher.final()])).to.deep.equal(plain)
      const checksum = await module.computeEncryptedFileChecksum(encrypted)
      expect(checksum).to.equal(`0x${createHash('sha256').update(encrypted).digest('hex')}`)
      const multiaddr = '/ipfs/QmbJkz9pheAN8eCTqqw1TZm8z6xsuK5h8zJM3JouJCYEp8'
      fields = { owner: owner.address, name: 'records', multiaddr, checksum }
    })
    it('is deployed at the address that was predicted, once', async () => {
      const module = owner.iexec.dataset
      const predicted = await module.predictDatasetAddress(fields)
      expect(await module.checkDeployedDataset(predicted)).to.equal(false)
      dataset = (await module.deployDataset(fields)).address
      expect(dataset).to.equal(predicted)
      expect(await module.checkDeployedDataset(dataset)).to.equal(true)
      expect((await refusal(module.deployDataset(fields))).message).to.match(/already deployed/)
    })
    it('is shown by its address, and by its number among those of its owner', async () => {
      const module = owner.iexec.dataset
      const shown = await module.showDataset(dataset)
      expect(shown.dataset).to.deep.include({
        owner: owner.address,
        datasetName: 'records',
        datasetMultiaddr: fields.multiaddr.replace('/ipfs/', '/p2p/'),
        datasetChecksum: fields.checksum,
      })
      expect(String(await module.countUserDatasets(owner.address))).to.equal('1')
      expect(await module.showUserDataset(0, owner.address)).to.deep.equal(shown)
      expect((await refusal(module.showDataset(nobody()))).message).to.match(/No dataset found/)
    })
    it('has its key kept, written once by its owner', async () => {
      const module = owner.iexec.dataset
      const stranger = await somebody()
      expect(await module.checkDatasetSecretExists(dataset)).to.equal(false)
      const refused = await refusal(stranger.iexec.dataset.pushDatasetSecret(dataset, key))
      expect(refused.message).to.match(/is not allowed to set secret/)
      expect(await module.pushDatasetSecret(dataset, key)).to.equal(true)
      expect(await module.checkDatasetSecretExists(dataset)).to.equal(true)
      const again = await refusal(module.pushDatasetSecret(dataset, module.generateEncryptionKey()))
      expect(again.message).to.match(/Secret already exists/)
    })
    it('goes to another owner', async () => {
      const heir = nobody()
      await owner.iexec.dataset.transferDataset(dataset, heir)
      expect((await owner.iexec.dataset.showDataset(dataset)).dataset.owner).to.equal(heir)
      expect(String(await owner.iexec.dataset.countUserDatasets(owner.address))).to.equal('0')
    })
  })
