import { expect } from 'chai'
import { network } from 'hardhat'
import { deployMarketplace } from '../../deploy/marketplace.ts'

/** A chain of its own: deployments are about what is there before and after. */
async function freshChain() {
  const connection = await network.create()
  const [deployer, owner, broker, holder] = await connection.ethers.getSigners()
  if (!(deployer && owner && broker && holder)) throw new Error('The chain has too few accounts.')
  return { connection, ethers: connection.ethers, deployer, owner, broker, holder }
}

describe('deployMarketplace', () => {
  it('connects token, registries, Hub and DataProtector', async () => {
    const { connection, ethers } = await freshChain()
    const addresses = await deployMarketplace({ connection })
    const hub = await ethers.getContractAt('IHub', addresses.hub)
    expect(await hub.token()).to.equal(addresses.token)
    expect(await hub.appregistry()).to.equal(addresses.appRegistry)
    expect(await hub.datasetregistry()).to.equal(addresses.datasetRegistry)
    expect(await hub.workerpoolregistry()).to.equal(addresses.workerpoolRegistry)
    const dataProtector = await ethers.getContractAt('DataProtector', addresses.dataProtector)
    expect(await dataProtector.registry()).to.equal(addresses.datasetRegistry)
  })

  it('makes category 0 what existing tools expect, and four more', async () => {
    const { connection, ethers } = await freshChain()
    const hub = await ethers.getContractAt('IHub', (await deployMarketplace({ connection })).hub)
    expect(await hub.viewCategory(0n)).to.deep.equal(['XS', '""', 300n])
    expect(await hub.countCategory()).to.equal(5n)
  })

  it('gives Hub, registries and token to whom they should belong, and names the broker', async () => {
    const { connection, ethers, owner, broker, holder } = await freshChain()
    const addresses = await deployMarketplace({
      connection,
      parameters: { owner: owner.address, teeBroker: broker.address, tokenHolder: holder.address },
    })
    const hub = await ethers.getContractAt('IHub', addresses.hub)
    expect(await hub.owner()).to.equal(owner.address)
    expect(await hub.teebroker()).to.equal(broker.address)
    for (const address of [addresses.appRegistry, addresses.datasetRegistry, addresses.workerpoolRegistry]) {
      expect(await (await ethers.getContractAt('AppRegistry', address)).owner()).to.equal(owner.address)
    }
    const token = await ethers.getContractAt('LocalToken', addresses.token)
    expect(await token.balanceOf(holder)).to.equal(await token.totalSupply())
  })

  it('uses the token that a network already has', async () => {
    const { connection, ethers, holder } = await freshChain()
    const token = await ethers.deployContract('LocalToken', [holder, 1n])
    const parameters = { token: token.target.toString() }
    const addresses = await deployMarketplace({ connection, parameters })
    expect(addresses.token).to.equal(token.target)
    expect(await (await ethers.getContractAt('IHub', addresses.hub)).token()).to.equal(token.target)
  })
})
