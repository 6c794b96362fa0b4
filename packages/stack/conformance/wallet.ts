import { expect } from 'chai'
import { type TransactionRequest, Wallet } from 'ethers'
import { RLC, refusal } from '../testing/scene.ts'
import { connect, nobody, onlooker, somebody } from './client.ts'

/** Hardhat's node says 21,001 for a transfer that takes 21,000; the client keeps exactly that much back for it. */
class ExactWallet extends Wallet {
  override async estimateGas(transaction: TransactionRequest): Promise<bigint> {
    return transaction.data && transaction.data !== '0x' ? super.estimateGas(transaction) : 21_000n
  }
}

export const walletTests = () =>
  describe('wallet', () => {
    it('knows its address and what it holds', async () => {
      const { iexec, address } = await somebody({ tokens: 3n * RLC })
      expect(await iexec.wallet.getAddress()).to.equal(address)
      const { wei, nRLC } = await iexec.wallet.checkBalances(address)
      expect([wei.toString(), nRLC.toString()]).to.deep.equal([String(10n ** 20n), String(3n * RLC)])
    })
    it('sends coins and tokens, no more than it has', async () => {
      const { iexec } = await somebody({ tokens: 3n * RLC })
      const to = nobody()
      await iexec.wallet.sendETH('1 ether', to)
      await iexec.wallet.sendRLC('1 RLC', to)
      const { wei, nRLC } = await iexec.wallet.checkBalances(to)
      expect([wei.toString(), nRLC.toString()]).to.deep.equal([String(10n ** 18n), String(RLC)])
      expect((await refusal(iexec.wallet.sendRLC('3 RLC', to))).message).to.match(/exceed/)
      expect((await refusal(iexec.wallet.sendETH('1000 ether', to))).message).to.match(/exceed/)
    })
    it('is emptied into another one', async () => {
      const { client, address } = await somebody({ tokens: RLC })
      const iexec = await connect(new ExactWallet((client.signer as Wallet).privateKey, client.provider))
      const to = nobody()
      const { sendERC20TxHash, sendNativeTxHash } = await iexec.wallet.sweep(to)
      for (const hash of [sendERC20TxHash, sendNativeTxHash]) expect(hash).to.match(/^0x/)
      const received = await iexec.wallet.checkBalances(to)
      expect(received.nRLC.toString()).to.equal(String(RLC))
      expect(BigInt(received.wei.toString()) > 99n * 10n ** 18n).to.equal(true)
      expect((await iexec.wallet.checkBalances(address)).nRLC.toString()).to.equal('0')
    })
    it('cannot sign without a key', async () => {
      const { wallet } = await onlooker()
      expect((await refusal(wallet.sendETH('1', nobody()))).message).to.match(/not a signer/)
    })
  })
