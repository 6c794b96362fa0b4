import { expect } from 'chai'
import { utils } from './client.ts'
import { conformanceStack } from './stack.ts'

export const utilsTests = () =>
  describe('utils', () => {
    it('read and write amounts and tags as our contracts mean them', () => {
      expect(utils.parseRLC('1.5 RLC').toString()).to.equal('1500000000')
      expect(utils.formatRLC('1500000000')).to.equal('1.5')
      expect(utils.parseEth('1 gwei').toString()).to.equal('1000000000')
      expect(utils.formatEth('1000000000000000000')).to.match(/^1/)
      const tag = utils.encodeTag(['tee', 'tdx'])
      expect(tag).to.equal(`0x${'9'.padStart(64, '0')}`)
      expect(utils.decodeTag(tag)).to.deep.equal(['tee', 'tdx'])
      expect(utils.sumTags([tag, utils.encodeTag(['gpu'])])).to.equal(`0x${'109'.padStart(64, '0')}`)
    })
    it('make a signer for the chain from its URL and a key', async () => {
      const { endpoints, wallets } = await conformanceStack()
      const signer = utils.getSignerFromPrivateKey(endpoints.chain, wallets.stranger.privateKey)
      expect(await signer.getAddress()).to.equal(wallets.stranger.address)
      expect((await signer.provider.getNetwork()).chainId).to.equal((await conformanceStack()).chainId)
      signer.provider.destroy()
    })
  })
