import { expect } from 'chai'
import { createdAssets, ethers, loadFixture } from '../../fixtures.ts'

describe('viewApp', () => {
  it('gives the owner and every field of an app', async () => {
    const { hub, app, appOwner, appFields } = await loadFixture(createdAssets)
    const [, name, type, multiaddr, checksum, mrEnclave] = appFields
    expect(await hub.viewApp(app)).to.deep.equal([
      appOwner.address,
      name,
      type,
      ethers.hexlify(multiaddr),
      checksum,
      mrEnclave,
    ])
  })

  it('gives the new owner after a transfer', async () => {
    const { hub, app, appRegistry, appOwner, anyone } = await loadFixture(createdAssets)
    await appRegistry.connect(appOwner).transferFrom(appOwner, anyone, BigInt(app.target.toString()))
    expect((await hub.viewApp(app)).owner).to.equal(anyone.address)
  })
})
