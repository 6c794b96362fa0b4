import { expect } from 'chai'
import { createdAssets, deployedMarketplace, ethers, loadFixture } from '../fixtures.ts'

/** A younger registry whose entries include those of the usual one. */
async function succeededRegistries() {
  const assets = await loadFixture(createdAssets)
  const { owner } = assets
  const apps = await ethers.deployContract('AppRegistry', [owner])
  const workerpools = await ethers.deployContract('WorkerpoolRegistry', [owner])
  await apps.connect(owner).initialize(assets.appRegistry)
  await workerpools.connect(owner).initialize(assets.workerpoolRegistry)
  return { ...assets, apps, workerpools }
}

describe('isRegistered and registrantOf', () => {
  it('know an entry of their own', async () => {
    const { appRegistry, app, appOwner } = await loadFixture(createdAssets)
    expect(await appRegistry.isRegistered(app)).to.equal(true)
    expect(await appRegistry.registrantOf(app)).to.equal(appOwner.address)
  })

  it('do not know an entry of another registry, nor anything else', async () => {
    const { appRegistry, dataset, anyone } = await loadFixture(createdAssets)
    for (const stranger of [dataset.target.toString(), anyone.address, ethers.ZeroAddress]) {
      expect(await appRegistry.isRegistered(stranger)).to.equal(false)
      expect(await appRegistry.registrantOf(stranger)).to.equal(ethers.ZeroAddress)
    }
  })

  describe('given a previous registry', () => {
    it('know its entries and ask for their owners', async () => {
      const { apps, appRegistry, app, appOwner, anyone } = await loadFixture(succeededRegistries)
      expect(await apps.isRegistered(app)).to.equal(true)
      expect(await apps.registrantOf(app)).to.equal(appOwner.address)
      await appRegistry.connect(appOwner).transferFrom(appOwner, anyone, app.target.toString())
      expect(await apps.registrantOf(app)).to.equal(anyone.address)
    })

    it('do not know what neither made', async () => {
      const { apps, dataset } = await loadFixture(succeededRegistries)
      expect(await apps.isRegistered(dataset)).to.equal(false)
      expect(await apps.registrantOf(dataset)).to.equal(ethers.ZeroAddress)
    })
  })
})

describe('termsOf', () => {
  it('gives owner and policy', async () => {
    const { workerpoolRegistry, workerpool, scheduler } = await loadFixture(createdAssets)
    expect(await workerpoolRegistry.termsOf(workerpool)).to.deep.equal([scheduler.address, 30n, 1n])
    await workerpool.connect(scheduler).changePolicy(35n, 5n)
    expect(await workerpoolRegistry.termsOf(workerpool)).to.deep.equal([scheduler.address, 35n, 5n])
  })

  it('gives zeros for a stranger', async () => {
    const { workerpoolRegistry, app } = await loadFixture(createdAssets)
    expect(await workerpoolRegistry.termsOf(app)).to.deep.equal([ethers.ZeroAddress, 0n, 0n])
  })

  it('asks a pool of the previous registry for its policy', async () => {
    const { workerpools, workerpool, scheduler } = await loadFixture(succeededRegistries)
    expect(await workerpools.termsOf(workerpool)).to.deep.equal([scheduler.address, 30n, 1n])
    await workerpool.connect(scheduler).changePolicy(7n, 8n)
    expect(await workerpools.termsOf(workerpool)).to.deep.equal([scheduler.address, 7n, 8n])
  })
})

describe('initialize', () => {
  it('names the previous registry', async () => {
    const { apps, appRegistry } = await loadFixture(succeededRegistries)
    expect(await apps.previous()).to.equal(appRegistry.target)
    expect(await apps.initialized()).to.equal(true)
  })

  it('is not done by the deployment', async () => {
    const { appRegistry } = await loadFixture(deployedMarketplace)
    expect(await appRegistry.previous()).to.equal(ethers.ZeroAddress)
    expect(await appRegistry.initialized()).to.equal(false)
  })

  it('refuses a second time', async () => {
    const { apps, appRegistry, owner } = await loadFixture(succeededRegistries)
    await expect(apps.connect(owner).initialize(ethers.ZeroAddress))
      .to.be.revertedWithCustomError(apps, 'AlreadyInitialized')
      .withArgs(appRegistry.target)
  })

  it('refuses anyone but the owner', async () => {
    const { appRegistry, anyone } = await loadFixture(deployedMarketplace)
    await expect(appRegistry.connect(anyone).initialize(ethers.ZeroAddress))
      .to.be.revertedWithCustomError(appRegistry, 'OwnableUnauthorizedAccount')
      .withArgs(anyone.address)
  })
})

describe('setBaseURI and tokenURI', () => {
  it('put the token id behind the base', async () => {
    const { appRegistry, app, owner } = await loadFixture(createdAssets)
    await appRegistry.connect(owner).setBaseURI('https://assets.example/app/')
    expect(await appRegistry.baseURI()).to.equal('https://assets.example/app/')
    const id = BigInt(app.target.toString())
    expect(await appRegistry.tokenURI(id)).to.equal(`https://assets.example/app/${id}`)
  })

  it('start empty', async () => {
    const { appRegistry, app } = await loadFixture(createdAssets)
    expect(await appRegistry.baseURI()).to.equal('')
    expect(await appRegistry.tokenURI(app.target.toString())).to.equal('')
  })

  it('refuse anyone but the owner', async () => {
    const { appRegistry, anyone } = await loadFixture(deployedMarketplace)
    await expect(appRegistry.connect(anyone).setBaseURI('x'))
      .to.be.revertedWithCustomError(appRegistry, 'OwnableUnauthorizedAccount')
      .withArgs(anyone.address)
  })

  it('refuse a token that does not exist', async () => {
    const { appRegistry } = await loadFixture(deployedMarketplace)
    await expect(appRegistry.tokenURI(1n)).to.be.revertedWithCustomError(appRegistry, 'ERC721NonexistentToken')
  })
})

describe('setName', () => {
  it('of a registry is refused to its owner', async () => {
    const { appRegistry, owner } = await loadFixture(deployedMarketplace)
    await expect(appRegistry.connect(owner).setName(ethers.ZeroAddress, 'x')).to.be.revertedWithCustomError(
      appRegistry,
      'OperationNotSupported',
    )
  })

  it('of a registry is refused to others as such', async () => {
    const { appRegistry, anyone } = await loadFixture(deployedMarketplace)
    await expect(appRegistry.connect(anyone).setName(ethers.ZeroAddress, 'x'))
      .to.be.revertedWithCustomError(appRegistry, 'OwnableUnauthorizedAccount')
      .withArgs(anyone.address)
  })

  it('of an entry is refused to its owner', async () => {
    const { app, appOwner } = await loadFixture(createdAssets)
    await expect(app.connect(appOwner).setName(ethers.ZeroAddress, 'x')).to.be.revertedWithCustomError(
      app,
      'OperationNotSupported',
    )
  })

  it('of an entry is refused to others as such', async () => {
    const { app, appOwner, anyone } = await loadFixture(createdAssets)
    await expect(app.connect(anyone).setName(ethers.ZeroAddress, 'x'))
      .to.be.revertedWithCustomError(app, 'CallerIsNotTheOwner')
      .withArgs(anyone.address, appOwner.address)
  })
})

describe('the description of a registry', () => {
  it('says what it is', async () => {
    const { appRegistry, datasetRegistry, workerpoolRegistry, owner } = await loadFixture(deployedMarketplace)
    for (const [registry, name, symbol] of [
      [appRegistry, 'Sealdeal Apps', 'SEALAPP'],
      [datasetRegistry, 'Sealdeal Datasets', 'SEALDATA'],
      [workerpoolRegistry, 'Sealdeal Workerpools', 'SEALPOOL'],
    ] as const) {
      expect(await registry.name()).to.equal(name)
      expect(await registry.symbol()).to.equal(symbol)
      expect(await registry.owner()).to.equal(owner.address)
    }
  })

  it('announces ERC-165, ERC-721, its metadata and its enumeration', async () => {
    const { appRegistry } = await loadFixture(deployedMarketplace)
    for (const id of ['0x01ffc9a7', '0x80ac58cd', '0x5b5e139f', '0x780e9d63']) {
      expect(await appRegistry.supportsInterface(id)).to.equal(true)
    }
    expect(await appRegistry.supportsInterface('0xffffffff')).to.equal(false)
  })

  it('tells the code that every entry begins with', async () => {
    const { appRegistry, app } = await loadFixture(createdAssets)
    const head = await appRegistry.proxyCode()
    expect(head).to.include((await appRegistry.master()).slice(2).toLowerCase())
    expect((await ethers.provider.getCode(app)).startsWith(head)).to.equal(true)
    expect(await appRegistry.proxyCodeHash()).to.equal(ethers.keccak256(head))
  })

  it('makes every entry the code of the master, which is itself no entry', async () => {
    const { appRegistry } = await loadFixture(deployedMarketplace)
    const master = await ethers.getContractAt('App', await appRegistry.master())
    expect(await master.registry()).to.equal(appRegistry.target)
    expect(await appRegistry.isRegistered(master)).to.equal(false)
  })
})
