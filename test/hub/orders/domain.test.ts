import { expect } from 'chai'
import { deployedMarketplace, ethers, loadFixture } from '../../fixtures.ts'

describe('domain', () => {
  it('is that of the reference protocol, for this Hub on this chain', async () => {
    const { hub, domain, chainId } = await loadFixture(deployedMarketplace)
    expect(await hub.domain()).to.deep.equal(['iExecODB', '5.0.0', chainId, hub.target])
    expect(await hub.eip712domain_separator()).to.equal(ethers.TypedDataEncoder.hashDomain(domain))
  })

  it('needs no refreshing: updateDomainSeparator does nothing', async () => {
    const { hub } = await loadFixture(deployedMarketplace)
    const before = await hub.eip712domain_separator()
    await hub.updateDomainSeparator()
    expect(await hub.eip712domain_separator()).to.equal(before)
  })
})
