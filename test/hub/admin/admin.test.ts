import { expect } from 'chai'
import { categories } from '../../../deploy/categories.ts'
import { deployedMarketplace, deployHub, ethers, loadFixture } from '../../fixtures.ts'

describe('the constructor', () => {
  it('makes the categories, and leaves the Hub to its owner', async () => {
    const { hub, owner } = await loadFixture(deployedMarketplace)
    expect(await hub.owner()).to.equal(owner.address)
    expect(await hub.countCategory()).to.equal(BigInt(categories.length))
    for (const [index, { name, description, workClockTimeRef }] of categories.entries()) {
      expect(await hub.viewCategory(index)).to.deep.equal([name, description, workClockTimeRef])
      expect(await hub.viewCategoryABILegacy(index)).to.deep.equal([name, description, workClockTimeRef])
    }
  })

  it('keeps token and registries for ever', async () => {
    const { hub, token, appRegistry, datasetRegistry, workerpoolRegistry } = await loadFixture(deployedMarketplace)
    expect(await hub.token()).to.equal(token.target)
    expect(await hub.appregistry()).to.equal(appRegistry.target)
    expect(await hub.datasetregistry()).to.equal(datasetRegistry.target)
    expect(await hub.workerpoolregistry()).to.equal(workerpoolRegistry.target)
  })

  it('starts with the constants of the protocol', async () => {
    const { hub } = await loadFixture(deployedMarketplace)
    expect(await hub.contribution_deadline_ratio()).to.equal(7n)
    expect(await hub.reveal_deadline_ratio()).to.equal(2n)
    expect(await hub.final_deadline_ratio()).to.equal(10n)
    expect(await hub.workerpool_stake_ratio()).to.equal(30n)
    expect(await hub.kitty_ratio()).to.equal(10n)
    expect(await hub.kitty_min()).to.equal(10n ** 9n)
    expect(await hub.kitty_address()).to.equal('0x99c2268479b93fDe36232351229815DF80837e23')
    expect(await hub.groupmember_purpose()).to.equal(4n)
    expect(await hub.callbackgas()).to.equal(200_000n)
    expect(await hub.teebroker()).to.equal(ethers.ZeroAddress)
  })

  it('refuses a token, registry or office without code', async () => {
    const { hub, anyone, addresses } = await loadFixture(deployedMarketplace)
    const { config, office } = await deployHub('Hub', addresses)
    const factory = await ethers.getContractFactory('Hub')
    for (const member of ['token', 'appRegistry', 'datasetRegistry', 'workerpoolRegistry'] as const) {
      await expect(factory.deploy({ ...config, [member]: anyone.address }, [], office))
        .to.be.revertedWithCustomError(hub, 'InvalidAddress')
        .withArgs(anyone.address)
    }
    await expect(factory.deploy(config, [], anyone))
      .to.be.revertedWithCustomError(hub, 'InvalidAddress')
      .withArgs(anyone.address)
  })

  it('refuses to belong to nobody', async () => {
    const { hub, addresses } = await loadFixture(deployedMarketplace)
    const { config, office } = await deployHub('Hub', addresses)
    const factory = await ethers.getContractFactory('Hub')
    await expect(factory.deploy({ ...config, owner: ethers.ZeroAddress }, [], office))
      .to.be.revertedWithCustomError(hub, 'InvalidAddress')
      .withArgs(ethers.ZeroAddress)
  })

  it('sets owner and TEE broker at once', async () => {
    const { addresses, anyone, broker } = await loadFixture(deployedMarketplace)
    const { target } = await deployHub('Hub', { ...addresses, owner: anyone.address, teeBroker: broker.address })
    const hub = await ethers.getContractAt('IHub', target)
    expect(await hub.owner()).to.equal(anyone.address)
    expect(await hub.teebroker()).to.equal(broker.address)
  })
})

describe('createCategory', () => {
  it('reverts when the time does not fit 64 bits: its deadlines could not be reckoned with', async () => {
    const { hub, owner } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(owner).createCategory('ever', '', 2n ** 64n))
      .to.be.revertedWithCustomError(hub, 'CategoryTooLong')
      .withArgs(2n ** 64n)
    await hub.connect(owner).createCategory('almost ever', '', 2n ** 64n - 1n)
  })

  it('adds one behind the others', async () => {
    const { hub, owner } = await loadFixture(deployedMarketplace)
    const next = BigInt(categories.length)
    expect(await hub.connect(owner).createCategory.staticCall('XXL', 'huge', 7n)).to.equal(next)
    await expect(hub.connect(owner).createCategory('XXL', 'huge', 7n))
      .to.emit(hub, 'CreateCategory')
      .withArgs(next, 'XXL', 'huge', 7n)
    expect(await hub.viewCategory(next)).to.deep.equal(['XXL', 'huge', 7n])
    expect(await hub.countCategory()).to.equal(next + 1n)
  })

  it('refuses anyone but the owner', async () => {
    const { hub, owner, anyone } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(anyone).createCategory('XXL', '', 7n))
      .to.be.revertedWithCustomError(hub, 'NotOwner')
      .withArgs(anyone.address, owner.address)
  })
})

describe('viewCategory', () => {
  it('refuses a category that does not exist', async () => {
    const { hub } = await loadFixture(deployedMarketplace)
    const next = BigInt(categories.length)
    for (const view of [hub.viewCategory, hub.viewCategoryABILegacy]) {
      await expect(view(next)).to.be.revertedWithCustomError(hub, 'UnknownCategory').withArgs(next)
    }
  })
})

describe('transferOwnership', () => {
  it('hands the Hub over at once', async () => {
    const { hub, owner, anyone } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(owner).transferOwnership(anyone))
      .to.emit(hub, 'OwnershipTransferred')
      .withArgs(owner.address, anyone.address)
    expect(await hub.owner()).to.equal(anyone.address)
    await expect(hub.connect(owner).setCallbackGas(1n)).to.be.revertedWithCustomError(hub, 'NotOwner')
    await hub.connect(anyone).setCallbackGas(1n)
    expect(await hub.countCategory()).to.equal(BigInt(categories.length))
  })

  it('refuses to hand it to nobody', async () => {
    const { hub, owner } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(owner).transferOwnership(ethers.ZeroAddress))
      .to.be.revertedWithCustomError(hub, 'InvalidAddress')
      .withArgs(ethers.ZeroAddress)
  })

  it('refuses anyone but the owner', async () => {
    const { hub, owner, anyone } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(anyone).transferOwnership(anyone))
      .to.be.revertedWithCustomError(hub, 'NotOwner')
      .withArgs(anyone.address, owner.address)
  })
})

describe('setTeeBroker', () => {
  it('names the broker, and takes it back', async () => {
    const { hub, owner, broker } = await loadFixture(deployedMarketplace)
    await hub.connect(owner).setTeeBroker(broker)
    expect(await hub.teebroker()).to.equal(broker.address)
    await hub.connect(owner).setTeeBroker(ethers.ZeroAddress)
    expect(await hub.teebroker()).to.equal(ethers.ZeroAddress)
  })

  it('refuses anyone but the owner', async () => {
    const { hub, owner, anyone } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(anyone).setTeeBroker(anyone))
      .to.be.revertedWithCustomError(hub, 'NotOwner')
      .withArgs(anyone.address, owner.address)
  })
})

describe('setCallbackGas', () => {
  it('sets it, up to 96 bits', async () => {
    const { hub, owner, broker } = await loadFixture(deployedMarketplace)
    await hub.connect(owner).setTeeBroker(broker)
    for (const gas of [0n, 2n ** 96n - 1n]) {
      await hub.connect(owner).setCallbackGas(gas)
      expect(await hub.callbackgas()).to.equal(gas)
      expect(await hub.teebroker()).to.equal(broker.address)
    }
  })

  it('refuses more', async () => {
    const { hub, owner } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(owner).setCallbackGas(2n ** 96n))
      .to.be.revertedWithCustomError(hub, 'CallbackGasTooLarge')
      .withArgs(2n ** 96n)
  })

  it('refuses anyone but the owner', async () => {
    const { hub, owner, anyone } = await loadFixture(deployedMarketplace)
    await expect(hub.connect(anyone).setCallbackGas(1n))
      .to.be.revertedWithCustomError(hub, 'NotOwner')
      .withArgs(anyone.address, owner.address)
  })
})

describe('what a Hub that is fixed for ever refuses', () => {
  it('even its owner: changeRegistries, configure and renounceOwnership', async () => {
    const { hub, owner, addresses } = await loadFixture(deployedMarketplace)
    const { token, appRegistry, datasetRegistry, workerpoolRegistry } = addresses
    const connected = hub.connect(owner)
    await expect(connected.changeRegistries(appRegistry, datasetRegistry, workerpoolRegistry))
      .to.be.revertedWithCustomError(hub, 'Immutable')
      .withArgs(hub.interface.getFunction('changeRegistries').selector)
    await expect(
      connected.configure(token, '', '', 9, appRegistry, datasetRegistry, workerpoolRegistry, ethers.ZeroAddress),
    )
      .to.be.revertedWithCustomError(hub, 'Immutable')
      .withArgs(hub.interface.getFunction('configure').selector)
    await expect(connected.renounceOwnership())
      .to.be.revertedWithCustomError(hub, 'Immutable')
      .withArgs(hub.interface.getFunction('renounceOwnership').selector)
  })

  it('a score from a Hub before it', async () => {
    const { hub, anyone } = await loadFixture(deployedMarketplace)
    await expect(hub.importScore(anyone)).to.be.revertedWithCustomError(hub, 'NoPreviousHub').withArgs(anyone.address)
  })

  it('a function that does not exist, by name', async () => {
    const { hub, anyone } = await loadFixture(deployedMarketplace)
    await expect(anyone.sendTransaction({ to: hub, data: '0x12345678' }))
      .to.be.revertedWithCustomError(hub, 'UnknownFunction')
      .withArgs('0x12345678')
  })
})

describe('HubOffice and HubViews asked directly', () => {
  it('know nothing of the Hub', async () => {
    const { addresses } = await loadFixture(deployedMarketplace)
    const { office, views } = await deployHub('Hub', addresses)
    for (const { target } of [office, views]) {
      const asked = await ethers.getContractAt('IHub', target)
      expect(await asked.countCategory()).to.equal(0n)
      expect(await asked.owner()).to.equal(ethers.ZeroAddress)
    }
  })

  it('let nobody set anything', async () => {
    const { addresses, owner } = await loadFixture(deployedMarketplace)
    const { office } = await deployHub('Hub', addresses)
    const asked = await ethers.getContractAt('IHub', office.target)
    await expect(asked.connect(owner).setTeeBroker(owner))
      .to.be.revertedWithCustomError(asked, 'NotOwner')
      .withArgs(owner.address, ethers.ZeroAddress)
  })

  it('take no money', async () => {
    const { addresses, hub, anyone } = await loadFixture(deployedMarketplace)
    const { office, views } = await deployHub('Hub', addresses)
    for (const target of [office, views]) {
      await expect(anyone.sendTransaction({ to: target, value: 1n }))
        .to.be.revertedWithCustomError(hub, 'UnknownFunction')
        .withArgs('0x00000000')
      await expect(anyone.sendTransaction({ to: target, value: 1n, data: '0x12345678' }))
        .to.be.revertedWithCustomError(hub, 'UnknownFunction')
        .withArgs('0x12345678')
    }
  })
})
