import { expect } from 'chai'
import { storageOf } from './artifacts.ts'

describe('layout', () => {
  it('of Hub is that of HubViews, which reads its state', async () => {
    const hub = await storageOf('contracts/Hub.sol:Hub')
    expect(hub).to.not.be.empty
    expect(await storageOf('contracts/HubViews.sol:HubViews')).to.deep.equal(hub)
  })
})
