import { expect } from 'chai'
import {
  type Assets,
  DEPOSIT,
  ethers,
  loadFixture,
  matchDeal,
  RLC,
  settleArguments,
  settlementOf,
  signOrders,
} from '../fixtures.ts'
import { escrows } from '../native.ts'

const TRUE = ethers.toBeHex(1n, 32)

for (const { currency, assetsOf } of escrows) {
  describe(`a spender that is told of an approval, over ${currency}`, () => {
    /** A spender that accepts every approval, after it tried what it was prepared with. */
    async function acceptingMeddler() {
      const assets = (await loadFixture(assetsOf)) as Assets
      const meddler = await ethers.deployContract('Meddler')
      await meddler.answerWith(TRUE)
      return { ...assets, meddler }
    }

    it('may take what was approved, once, and nothing else', async () => {
      const assets = await acceptingMeddler()
      const { hub, meddler, requester, anyone } = assets
      const self = await meddler.getAddress()
      const take = (amount: bigint) =>
        hub.interface.encodeFunctionData('transferFrom', [requester.address, self, amount])
      const attempts = [
        take(RLC + 1n),
        take(RLC),
        take(1n),
        hub.interface.encodeFunctionData('multicall', [[take(1n)]]),
      ]
      await meddler.prepare(attempts.map((data) => ({ target: hub, data })))
      await hub.connect(requester).approveAndCall(meddler, RLC, '0x')
      expect((await meddler.outcomes()).map(({ success }) => success)).to.deep.equal([false, true, false, false])
      expect([await hub.balanceOf(requester), await hub.balanceOf(meddler)]).to.deep.equal([DEPOSIT - RLC, RLC])
      expect(await hub.balanceOf(anyone)).to.equal(0n)
    })

    it('cannot act in the name of who approved, not even in the middle of its multicall', async () => {
      const assets = await acceptingMeddler()
      const { hub, meddler, requester, worker } = assets
      const self = await meddler.getAddress()
      const orders = await signOrders(assets)
      const { dealId } = await matchDeal(assets, orders)
      const settled = await settlementOf(assets, { dealId, worker })
      const encode = hub.interface
      const attempts = [
        encode.encodeFunctionData('withdrawTo', [1n, self]),
        encode.encodeFunctionData('transfer', [self, 1n]),
        encode.encodeFunctionData('approve', [self, 1n]),
        encode.encodeFunctionData('attachDatasets', [dealId, 0n, [], 0n]),
      ]
      const wrapped = attempts.map((data) => encode.encodeFunctionData('multicall', [[data]]))
      const settling = encode.encodeFunctionData('settle', [...settleArguments(settled)])
      await meddler.prepare([...attempts, ...wrapped, settling].map((data) => ({ target: hub, data })))
      const telling = encode.encodeFunctionData('approveAndCall', [self, 0n, '0x'])
      await hub.connect(requester).multicall([telling])
      const outcomes = (await meddler.outcomes()).map(({ success }) => success)
      // Its own approval and the settlement that anybody may send are all that succeeds.
      expect(outcomes).to.deep.equal([false, false, true, false, false, false, true, false, true])
      expect(await hub.allowance(requester, self)).to.equal(0n)
      expect(await hub.allowance(self, self)).to.equal(1n)
    })

    it('is never the Hub: it does not take its own staked token, nor a call by that way', async () => {
      const assets = await acceptingMeddler()
      const { hub, requester } = assets
      const orders = await signOrders(assets)
      const isNative = (await hub.token()) === ethers.ZeroAddress
      for (const data of ['0x', hub.interface.encodeFunctionData('matchOrders', orders)]) {
        const telling = hub.interface.encodeFunctionData('approveAndCall', [await hub.getAddress(), RLC, data])
        const direct = hub.connect(requester).approveAndCall(hub, RLC, data)
        const refusal = expect(direct).to.be.revertedWithCustomError(hub, isNative ? 'UnknownFunction' : 'OnlyToken')
        await (isNative ? refusal : refusal.withArgs(hub.target, await hub.token()))
        await expect(hub.connect(requester).multicall([telling])).to.be.revertedWithCustomError(hub, 'CallFailed')
      }
      expect(await hub.allowance(requester, hub)).to.equal(0n)
    })

    it('undoes the approval by any answer but true, whatever it did', async () => {
      const assets = await acceptingMeddler()
      const { hub, meddler, requester } = assets
      const self = await meddler.getAddress()
      await meddler.answerWith(ethers.ZeroHash)
      const take = hub.interface.encodeFunctionData('transferFrom', [requester.address, self, RLC])
      await meddler.prepare([{ target: hub, data: take }])
      await expect(hub.connect(requester).approveAndCall(meddler, RLC, '0x'))
        .to.be.revertedWithCustomError(hub, 'ApprovalRefused')
        .withArgs(self)
      expect([await hub.balanceOf(self), await hub.allowance(requester, self)]).to.deep.equal([0n, 0n])
    })
  })
}
