import { expect } from 'chai'
import { ethers, loadFixture } from '../../fixtures.ts'
import { nativeAssets, nativeOrders, UNIT } from '../../native.ts'

/** A contract that can call the Hub, and refuses to be paid. */
async function refusingCaller() {
  const assets = await loadFixture(nativeAssets)
  const caller = await ethers.deployContract('Meddler')
  await caller.refuse(true)
  return { ...assets, caller }
}

describe('a plain transfer to a Hub over native currency', () => {
  it('is a deposit for the caller, but for the change', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const sending = anyone.sendTransaction({ to: native, value: 3n * UNIT + 1n })
    await expect(sending).to.emit(native, 'Transfer').withArgs(ethers.ZeroAddress, anyone.address, 3n)
    await expect(sending).to.changeEtherBalances(ethers, [anyone, native], [-3n * UNIT, 3n * UNIT])
    expect(await native.balanceOf(anyone)).to.equal(3n)
  })

  it('reverts with NativeTransferFailed when the caller refuses its change', async () => {
    const { native, caller } = await loadFixture(refusingCaller)
    await expect(caller.pay(native, { value: UNIT + 1n }))
      .to.be.revertedWithCustomError(native, 'NativeTransferFailed')
      .withArgs(caller.target, 1n)
    await caller.pay(native, { value: UNIT })
    expect(await native.balanceOf(caller)).to.equal(1n)
  })

  it('does not fit the gas of `transfer` and `send`: those are no way to pay the Hub', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const plain = { to: native.target.toString(), value: UNIT, from: anyone.address }
    expect(await ethers.provider.estimateGas(plain)).to.be.above(21_000n + 2_300n)
  })
})

describe('a call that nobody knows', () => {
  for (const data of ['0x12', '0x12345678', '0xffffffff', `0x12345678${'00'.repeat(64)}`]) {
    it(`is a deposit for the caller when something comes along (${data.slice(0, 12)})`, async () => {
      const { native, anyone } = await loadFixture(nativeAssets)
      const sending = anyone.sendTransaction({ to: native, value: 2n * UNIT + 9n, data })
      await expect(sending).to.changeEtherBalances(ethers, [anyone, native], [-2n * UNIT, 2n * UNIT])
      expect(await native.balanceOf(anyone)).to.equal(2n)
    })

    it(`reverts with UnknownFunction when nothing comes along (${data.slice(0, 12)})`, async () => {
      const { native, anyone } = await loadFixture(nativeAssets)
      await expect(anyone.sendTransaction({ to: native, data }))
        .to.be.revertedWithCustomError(native, 'UnknownFunction')
        .withArgs(data.slice(0, 10).padEnd(10, '0'))
    })
  }

  it('is not one of the other escrow either: its deposits are unknown here', async () => {
    const { native, hub, anyone } = await loadFixture(nativeAssets)
    await expect(hub.connect(anyone).deposit(5n))
      .to.be.revertedWithCustomError(native, 'UnknownFunction')
      .withArgs(ethers.id('deposit(uint256)').slice(0, 10))
    const receiving = hub.connect(anyone).receiveApproval(anyone, 1n, ethers.ZeroAddress, '0x')
    await expect(receiving).to.be.revertedWithCustomError(native, 'UnknownFunction')
    const permitted = hub.connect(anyone).depositWithPermit(1n, 1n, 27, ethers.ZeroHash, ethers.ZeroHash)
    await expect(permitted).to.be.revertedWithCustomError(native, 'UnknownFunction')
  })
})

describe('value that comes along with a function that takes none', () => {
  it('is refused, whichever of the three contracts answers the function', async () => {
    const { native, orders, anyone } = await loadFixture(nativeOrders)
    const calls = [
      native.interface.encodeFunctionData('matchOrders', orders),
      native.interface.encodeFunctionData('withdraw', [0n]),
      native.interface.encodeFunctionData('recover'),
      native.interface.encodeFunctionData('transfer', [anyone.address, 0n]),
      native.interface.encodeFunctionData('broadcastAppOrder', [orders[0]]),
      native.interface.encodeFunctionData('totalSupply'),
      native.interface.encodeFunctionData('viewAccount', [anyone.address]),
    ]
    for (const data of calls) {
      await expect(anyone.sendTransaction({ to: native, value: UNIT, data })).to.revert(ethers)
    }
    expect(await native.balanceOf(anyone)).to.equal(0n)
  })

  it('is refused with the reason of the call where the call itself fails', async () => {
    const { native, anyone } = await loadFixture(nativeAssets)
    const data = native.interface.encodeFunctionData('multicall', [['0x12345678']])
    const reason = native.interface.encodeErrorResult('UnknownFunction', ['0x12345678'])
    await expect(anyone.sendTransaction({ to: native, value: UNIT, data }))
      .to.be.revertedWithCustomError(native, 'CallFailed')
      .withArgs(0n, reason)
    expect(await native.balanceOf(anyone)).to.equal(0n)
  })
})

describe('HubOffice and HubViews by themselves', () => {
  it('take no money, and answer no unknown call', async () => {
    const { office, views } = await contractsBehind()
    for (const contract of [office, views]) {
      const [sender] = await ethers.getSigners()
      for (const data of ['0x', '0x12345678']) {
        await expect(sender?.sendTransaction({ to: contract, value: 1n, data }))
          .to.be.revertedWithCustomError(views, 'UnknownFunction')
          .withArgs(data === '0x' ? '0x00000000' : data)
      }
    }
  })
})

/** Fresh ones: those of a deployment belong to its Hub alone. */
async function contractsBehind() {
  const { registries, owner } = await loadFixture(nativeAssets)
  const config = { token: ethers.ZeroAddress, ...registries, owner: owner.address, teeBroker: ethers.ZeroAddress }
  const views = await ethers.deployContract('HubViews', [config])
  return { views, office: await ethers.deployContract('HubOffice', [config, views]) }
}
