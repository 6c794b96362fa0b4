import { expect } from 'chai'
import { storageOf } from './artifacts.ts'

describe('layout', () => {
  for (const contract of ['HubNative', 'HubOffice', 'HubViews']) {
    it(`of ${contract} is that of Hub`, async () => {
      const hub = await storageOf('contracts/Hub.sol:Hub')
      expect(hub).to.not.be.empty
      expect(await storageOf(`contracts/${contract}.sol:${contract}`)).to.deep.equal(hub)
    })
  }
})
