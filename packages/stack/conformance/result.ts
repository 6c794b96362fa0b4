import { expect } from 'chai'
import { refusal, resultKey } from '../testing/scene.ts'
import { somebody } from './client.ts'

export const resultTests = () =>
  describe('result', () => {
    it('is encrypted to a key that its beneficiary stores, and may replace', async () => {
      const { iexec, address } = await somebody()
      const { publicKey } = await resultKey()
      expect(await iexec.result.checkResultEncryptionKeyExists(address)).to.equal(false)
      const first = await iexec.result.pushResultEncryptionKey(publicKey)
      expect(first).to.deep.equal({ isPushed: true, isUpdated: false })
      expect(await iexec.result.checkResultEncryptionKeyExists(address)).to.equal(true)
      expect((await refusal(iexec.result.pushResultEncryptionKey(publicKey))).message).to.match(/already exists/)
      const second = await iexec.result.pushResultEncryptionKey(publicKey, { forceUpdate: true })
      expect(second).to.deep.equal({ isPushed: true, isUpdated: true })
    })
  })
