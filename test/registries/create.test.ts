import { expect } from 'chai'
import { createdAssets, deployedMarketplace, ethers, loadFixture } from '../fixtures.ts'

/** Room for fields in the code of an entry. */
const LIMIT = 24_531n

describe('createApp', () => {
  describe('given no such app', () => {
    it('creates it where predictApp said, and gives its token to the owner', async () => {
      const { appRegistry, appOwner, anyone } = await loadFixture(deployedMarketplace)
      const fields = [appOwner.address, 'name', 'BUNDLE', '0xa503', ethers.id('package'), '0x01'] as const
      const predicted = await appRegistry.predictApp(...fields)
      expect(await appRegistry.connect(anyone).createApp.staticCall(...fields)).to.equal(predicted)
      await expect(appRegistry.connect(anyone).createApp(...fields))
        .to.emit(appRegistry, 'Transfer')
        .withArgs(ethers.ZeroAddress, appOwner.address, BigInt(predicted))
      expect(await appRegistry.ownerOf(predicted)).to.equal(appOwner.address)
    })

    it('keeps every field', async () => {
      const { app, appFields, appRegistry } = await loadFixture(createdAssets)
      const [owner, name, appType, multiaddr, checksum, mrEnclave] = appFields
      expect(await app.owner()).to.equal(owner)
      expect(await app.registry()).to.equal(appRegistry.target)
      expect(await app.m_appName()).to.equal(name)
      expect(await app.m_appType()).to.equal(appType)
      expect(await app.m_appMultiaddr()).to.equal(ethers.hexlify(multiaddr))
      expect(await app.m_appChecksum()).to.equal(checksum)
      expect(await app.m_appMREnclave()).to.equal(mrEnclave)
    })

    it('keeps long, empty and non-ASCII fields', async () => {
      const { appRegistry, appOwner } = await loadFixture(deployedMarketplace)
      const multiaddr = ethers.hexlify(ethers.randomBytes(300))
      const mrEnclave = ethers.hexlify(ethers.randomBytes(1_000))
      const fields = [appOwner.address, 'Žluťoučký kůň 🐎', '', multiaddr, ethers.ZeroHash, mrEnclave] as const
      await appRegistry.createApp(...fields)
      const app = await ethers.getContractAt('App', await appRegistry.predictApp(...fields))
      expect(await app.m_appName()).to.equal(fields[1])
      expect(await app.m_appType()).to.equal('')
      expect(await app.m_appMultiaddr()).to.equal(multiaddr)
      expect(await app.m_appChecksum()).to.equal(ethers.ZeroHash)
      expect(await app.m_appMREnclave()).to.equal(mrEnclave)
    })

    it('gives different addresses where only the border between two fields differs', async () => {
      const { appRegistry, appOwner } = await loadFixture(deployedMarketplace)
      const one = await appRegistry.predictApp(appOwner, 'ab', 'c', '0x', ethers.ZeroHash, '0x')
      const other = await appRegistry.predictApp(appOwner, 'a', 'bc', '0x', ethers.ZeroHash, '0x')
      expect(one).not.to.equal(other)
    })

    it('gives different addresses to different owners', async () => {
      const { appRegistry, appOwner, anyone } = await loadFixture(deployedMarketplace)
      const fields = ['a', 'b', '0x', ethers.ZeroHash, '0x'] as const
      const one = await appRegistry.predictApp(appOwner, ...fields)
      expect(one).not.to.equal(await appRegistry.predictApp(anyone, ...fields))
    })

    for (const long of [0, 1, 2, 3]) {
      it(`accepts fields up to what a contract can hold, and refuses one byte more: field ${long + 1}`, async () => {
        const { appRegistry, appOwner } = await loadFixture(deployedMarketplace)
        const room = Number(LIMIT) - 32 - 3 * 2
        const fieldsOf = (length: number): Parameters<typeof appRegistry.createApp> => {
          const [name, type, multiaddr, enclave] = [0, 1, 2, 3].map((field) => (field === long ? length : 0))
          const bytes = (count = 0) => ethers.hexlify(new Uint8Array(count).fill(0xff))
          return [
            appOwner,
            'x'.repeat(name ?? 0),
            'x'.repeat(type ?? 0),
            bytes(multiaddr),
            ethers.ZeroHash,
            bytes(enclave),
          ]
        }
        await appRegistry.createApp(...fieldsOf(room))
        const app = await ethers.getContractAt('App', await appRegistry.predictApp(...fieldsOf(room)))
        const found = [
          await app.m_appName(),
          await app.m_appType(),
          await app.m_appMultiaddr(),
          await app.m_appMREnclave(),
        ]
        const [, name, type, multiaddr, , enclave] = fieldsOf(room)
        expect(found).to.deep.equal([name, type, multiaddr, enclave])
        await expect(appRegistry.createApp(...fieldsOf(room + 1)))
          .to.be.revertedWithCustomError(appRegistry, 'FieldsTooLong')
          .withArgs(LIMIT + 1n, LIMIT)
      })
    }

    it('refuses to give it to nobody', async () => {
      const { appRegistry } = await loadFixture(deployedMarketplace)
      await expect(appRegistry.createApp(ethers.ZeroAddress, 'a', 'b', '0x', ethers.ZeroHash, '0x'))
        .to.be.revertedWithCustomError(appRegistry, 'ERC721InvalidReceiver')
        .withArgs(ethers.ZeroAddress)
    })
  })

  describe('given the same app of the same owner', () => {
    it('refuses and names it', async () => {
      const { appRegistry, app, appFields } = await loadFixture(createdAssets)
      await expect(appRegistry.createApp(...appFields))
        .to.be.revertedWithCustomError(appRegistry, 'AlreadyCreated')
        .withArgs(app.target)
    })

    it('refuses after it was transferred as well', async () => {
      const { appRegistry, app, appFields, appOwner, anyone } = await loadFixture(createdAssets)
      await appRegistry.connect(appOwner).transferFrom(appOwner, anyone, app.target.toString())
      await expect(appRegistry.createApp(...appFields)).to.be.revertedWithCustomError(appRegistry, 'AlreadyCreated')
    })
  })
})

describe('createDataset', () => {
  describe('given no such dataset', () => {
    it('creates it where predictDataset said, and gives its token to the owner', async () => {
      const { datasetRegistry, datasetOwner, anyone } = await loadFixture(deployedMarketplace)
      const fields = [datasetOwner.address, 'name', '0xa503', ethers.id('ciphertext')] as const
      const predicted = await datasetRegistry.predictDataset(...fields)
      expect(await datasetRegistry.createDataset.staticCall(...fields)).to.equal(predicted)
      await expect(datasetRegistry.connect(anyone).createDataset(...fields))
        .to.emit(datasetRegistry, 'Transfer')
        .withArgs(ethers.ZeroAddress, datasetOwner.address, BigInt(predicted))
    })

    it('keeps every field', async () => {
      const { dataset, datasetFields, datasetRegistry } = await loadFixture(createdAssets)
      const [owner, name, multiaddr, checksum] = datasetFields
      expect(await dataset.owner()).to.equal(owner)
      expect(await dataset.registry()).to.equal(datasetRegistry.target)
      expect(await dataset.m_datasetName()).to.equal(name)
      expect(await dataset.m_datasetMultiaddr()).to.equal(ethers.hexlify(multiaddr))
      expect(await dataset.m_datasetChecksum()).to.equal(checksum)
    })

    it('refuses fields that one contract cannot hold', async () => {
      const { datasetRegistry, datasetOwner } = await loadFixture(deployedMarketplace)
      const multiaddr = new Uint8Array(Number(LIMIT) - 32 - 2)
      await expect(datasetRegistry.createDataset(datasetOwner, 'x', multiaddr, ethers.ZeroHash))
        .to.be.revertedWithCustomError(datasetRegistry, 'FieldsTooLong')
        .withArgs(LIMIT + 1n, LIMIT)
    })
  })

  describe('given the same dataset of the same owner', () => {
    it('refuses and names it', async () => {
      const { datasetRegistry, dataset, datasetFields } = await loadFixture(createdAssets)
      await expect(datasetRegistry.createDataset(...datasetFields))
        .to.be.revertedWithCustomError(datasetRegistry, 'AlreadyCreated')
        .withArgs(dataset.target)
    })
  })
})

describe('createWorkerpool', () => {
  describe('given no such workerpool', () => {
    it('creates it where predictWorkerpool said, and gives its token to the owner', async () => {
      const { workerpoolRegistry, scheduler, anyone } = await loadFixture(deployedMarketplace)
      const predicted = await workerpoolRegistry.predictWorkerpool(scheduler, 'description')
      expect(await workerpoolRegistry.createWorkerpool.staticCall(scheduler, 'description')).to.equal(predicted)
      await expect(workerpoolRegistry.connect(anyone).createWorkerpool(scheduler, 'description'))
        .to.emit(workerpoolRegistry, 'Transfer')
        .withArgs(ethers.ZeroAddress, scheduler.address, BigInt(predicted))
    })

    it('keeps the description and starts with the usual policy', async () => {
      const { workerpool, workerpoolFields, workerpoolRegistry } = await loadFixture(createdAssets)
      const [owner, description] = workerpoolFields
      expect(await workerpool.owner()).to.equal(owner)
      expect(await workerpool.registry()).to.equal(workerpoolRegistry.target)
      expect(await workerpool.m_workerpoolDescription()).to.equal(description)
      expect(await workerpool.m_workerStakeRatioPolicy()).to.equal(30n)
      expect(await workerpool.m_schedulerRewardRatioPolicy()).to.equal(1n)
    })

    it('refuses a description that one contract cannot hold', async () => {
      const { workerpoolRegistry, scheduler } = await loadFixture(deployedMarketplace)
      await expect(workerpoolRegistry.createWorkerpool(scheduler, 'x'.repeat(Number(LIMIT) + 1)))
        .to.be.revertedWithCustomError(workerpoolRegistry, 'FieldsTooLong')
        .withArgs(LIMIT + 1n, LIMIT)
    })
  })

  describe('given the same workerpool of the same owner', () => {
    it('refuses and names it', async () => {
      const { workerpoolRegistry, workerpool, workerpoolFields } = await loadFixture(createdAssets)
      await expect(workerpoolRegistry.createWorkerpool(...workerpoolFields))
        .to.be.revertedWithCustomError(workerpoolRegistry, 'AlreadyCreated')
        .withArgs(workerpool.target)
    })
  })
})
