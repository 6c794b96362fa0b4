import { expect } from 'chai'
import { RLC, refusal } from '../testing/scene.ts'
import { nobody, type Person, somebody } from './client.ts'

export const accountTests = () =>
  describe('account', () => {
    let saver: Person
    before(async () => {
      saver = await somebody({ tokens: 10n * RLC })
    })
    const balance = async () => {
      const { stake, locked } = await saver.iexec.account.checkBalance(saver.address)
      return [stake.toString(), locked.toString()]
    }

    it('deposits and withdraws', async () => {
      const { account } = saver.iexec
      expect(await balance()).to.deep.equal(['0', '0'])
      const deposited = await account.deposit('5 RLC')
      expect(deposited.amount.toString()).to.equal('5000000000')
      expect(deposited.txHash).to.match(/^0x[0-9a-f]{64}$/)
      expect(await balance()).to.deep.equal(['5000000000', '0'])
      const { amount } = await account.withdraw('2000000001')
      expect(amount.toString()).to.equal('2000000001')
      expect(await balance()).to.deep.equal(['2999999999', '0'])
    })
    it('says why it deposits or withdraws no more than there is', async () => {
      const { account } = saver.iexec
      expect((await refusal(account.deposit('11 RLC'))).message).to.match(/exceed/)
      expect((await refusal(account.withdraw('3 RLC'))).message).to.match(/exceed/)
    })
    it('approves a spender, and takes that back', async () => {
      const { account } = saver.iexec
      const spender = nobody()
      const allowed = async () => String(await account.checkAllowance(saver.address, spender))
      expect(await allowed()).to.equal('0')
      await account.approve('7', spender)
      expect(await allowed()).to.equal('7')
      await account.revokeApproval(spender)
      expect(await allowed()).to.equal('0')
    })
  })
