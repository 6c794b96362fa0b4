import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { somebody } from './client.ts'

export const storageTests = () =>
  describe('storage', () => {
    it('takes a token for a foreign store, and another one when forced', async () => {
      const { iexec, address } = await somebody()
      expect(await iexec.storage.checkStorageTokenExists(address, 'dropbox')).to.equal(false)
      const first = await iexec.storage.pushStorageToken('token', 'dropbox')
      expect(first).to.deep.equal({ isPushed: true, isUpdated: false })
      expect(await iexec.storage.checkStorageTokenExists(address, 'dropbox')).to.equal(true)
      expect((await refusal(iexec.storage.pushStorageToken('other', 'dropbox'))).message).to.match(/already exists/)
      const second = await iexec.storage.pushStorageToken('other', 'dropbox', { forceUpdate: true })
      expect(second).to.deep.equal({ isPushed: true, isUpdated: true })
    })
  })
