import { expect } from 'chai'
import { Contract, Wallet } from 'ethers'
import { deploymentOf, type RecordedDeployment, UnknownDeploymentError } from './Deployment.ts'
import type { Address } from './hex.ts'

const address = () => Wallet.createRandom().address as Address

function recorded(fields: Partial<RecordedDeployment> = {}): RecordedDeployment {
  return {
    chainId: 421_614n,
    network: 'arbitrumSepolia',
    escrow: 'token',
    block: 7,
    addresses: {
      hub: address(),
      token: address(),
      appRegistry: address(),
      datasetRegistry: address(),
      workerpoolRegistry: address(),
      dataProtector: address(),
      callbackRelay: address(),
      timelock: address(),
    },
    ...fields,
  }
}

describe('deploymentOf', () => {
  it('gives each contract with what it is called by', () => {
    const known = recorded()
    const { hub, token, appRegistry, block, timelock } = deploymentOf(421_614, [known])
    expect({ block, timelock, hub: hub.address }).to.deep.equal({
      block: 7,
      timelock: known.addresses.timelock,
      hub: known.addresses.hub,
    })
    const has = ({ abi }: { abi: Contract['interface']['fragments'] | unknown }, name: string) =>
      new Contract(address(), abi as never).interface.hasFunction(name)
    expect(has(hub, 'matchOrders') && has(hub, 'viewDeal')).to.equal(true)
    expect(token !== undefined && has(token, 'approveAndCall') && has(token, 'balanceOf')).to.equal(true)
    expect(has(appRegistry, 'createApp')).to.equal(true)
  })

  it('gives the native Hub, and no token, where the escrow is native', () => {
    const { token: _, ...addresses } = recorded().addresses
    const deployment = deploymentOf(97n, [recorded({ chainId: 97n, escrow: 'native', addresses })])
    expect(deployment).to.not.have.property('token')
    const { interface: native } = new Contract(address(), deployment.hub.abi)
    expect(native.getFunction('deposit')?.payable).to.equal(true)
  })

  it('says which chains are known of one that is not', () => {
    expect(() => deploymentOf(5n, [recorded()])).to.throw(UnknownDeploymentError, '421614 (arbitrumSepolia)')
    expect(() => deploymentOf(31_337n)).to.throw('No marketplace is recorded on chain 31337.')
  })
})
