import { expect } from 'chai'
import { refusal } from '../testing/scene.ts'
import { nobody, onlooker, somebody } from './client.ts'

export const secretsTests = () =>
  describe('secrets', () => {
    it('of a requester are written once, under a name', async () => {
      const { iexec, address } = await somebody()
      expect(await iexec.secrets.checkRequesterSecretExists(address, 'mail-password')).to.equal(false)
      expect(await iexec.secrets.pushRequesterSecret('mail-password', 'passw0rd')).to.deep.equal({ isPushed: true })
      expect(await iexec.secrets.checkRequesterSecretExists(address, 'mail-password')).to.equal(true)
      const again = await refusal(iexec.secrets.pushRequesterSecret('mail-password', 'another'))
      expect(again.message).to.match(/already exists/)
    })
    it('may hold any text, and no more than the service takes', async () => {
      const { iexec } = await somebody()
      await iexec.secrets.pushRequesterSecret('text', 'zwölf Boxkämpfer, "quoted"\n\t🙂')
      expect((await refusal(iexec.secrets.pushRequesterSecret('long', 'x'.repeat(4_097)))).message).to.match(/SMS|4096/)
    })
    it('of others are looked for without a wallet', async () => {
      expect(await (await onlooker()).secrets.checkRequesterSecretExists(nobody(), 'mine')).to.equal(false)
    })
  })
