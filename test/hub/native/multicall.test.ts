import { expect } from 'chai'
import {
  type Assets,
  DEPOSIT,
  ethers,
  hashOrder,
  loadFixture,
  operationOn,
  price,
  RLC,
  requestOrder,
  SIGN,
  setBalance,
  signOrders,
} from '../../fixtures.ts'
import { nativeAssets, UNIT, weiOf } from '../../native.ts'

/** Calls of the Hub, as `multicall` takes them. */
function callsOf({ native }: Pick<Awaited<ReturnType<typeof nativeAssets>>, 'native'>) {
  const { interface: abi } = native
  return {
    deposit: abi.encodeFunctionData('deposit'),
    depositFor: (target: string) => abi.encodeFunctionData('depositFor', [target]),
    depositForArray: (amounts: bigint[], targets: string[]) =>
      abi.encodeFunctionData('depositForArray', [amounts, targets]),
    withdraw: (amount: bigint) => abi.encodeFunctionData('withdraw', [amount]),
    withdrawTo: (amount: bigint, target: string) => abi.encodeFunctionData('withdrawTo', [amount, target]),
    transfer: (target: string, amount: bigint) => abi.encodeFunctionData('transfer', [target, amount]),
    balanceOf: (account: string) => abi.encodeFunctionData('balanceOf', [account]),
    multicall: (calls: string[]) => abi.encodeFunctionData('multicall', [calls]),
  }
}

describe('multicall with value', () => {
  describe('whatever the calls are', () => {
    const combinations: [string, (calls: ReturnType<typeof callsOf>, other: string) => string[]][] = [
      ['no call', () => []],
      ['one deposit', ({ deposit }) => [deposit]],
      ['ten deposits', ({ deposit }) => Array(10).fill(deposit)],
      ['deposits for another', ({ depositFor }, other) => [depositFor(other), depositFor(other)]],
      ['a deposit for many of nothing', ({ depositForArray }, other) => [depositForArray([0n, 0n], [other, other])]],
      ['a multicall of deposits', ({ multicall, deposit }) => [multicall([deposit, multicall([deposit, deposit])])]],
      ['an empty call', () => ['0x']],
      ['a view', ({ balanceOf }, other) => [balanceOf(other)]],
    ]
    for (const [name, calls] of combinations) {
      it(`deposits it once, for the caller: ${name}`, async () => {
        const assets = await loadFixture(nativeAssets)
        const { native, anyone, broker } = assets
        const supply = await native.totalSupply()
        const calling = native.connect(anyone).multicall(calls(callsOf(assets), broker.address), { value: 7n * UNIT })
        await expect(calling).to.changeEtherBalances(ethers, [anyone, native], [-7n * UNIT, 7n * UNIT])
        expect(await native.balanceOf(anyone)).to.equal(7n)
        expect(await native.balanceOf(broker)).to.equal(0n)
        expect(await native.balanceOf(native)).to.equal(0n)
        expect(await native.totalSupply()).to.equal(supply + 7n)
      })
    }

    it('makes no deposit of nothing', async () => {
      const { native, anyone } = await loadFixture(nativeAssets)
      await expect(native.connect(anyone).multicall([])).not.to.emit(native, 'Transfer')
    })

    it('gives the change back before the first call', async () => {
      const { native, anyone } = await loadFixture(nativeAssets)
      const calling = native.connect(anyone).multicall([], { value: 7n * UNIT + 3n })
      await expect(calling).to.changeEtherBalances(ethers, [anyone, native], [-7n * UNIT, 7n * UNIT])
    })

    it('answers what each call answered', async () => {
      const assets = await loadFixture(nativeAssets)
      const { native, anyone } = assets
      const { balanceOf, deposit } = callsOf(assets)
      const word = (value: bigint) => ethers.toBeHex(value, 32)
      const calls = [balanceOf(anyone.address), deposit, balanceOf(anyone.address)]
      const answers = await native.connect(anyone).multicall.staticCall(calls, { value: 4n * UNIT })
      expect(answers).to.deep.equal([word(4n), word(1n), word(4n)])
    })
  })

  describe('when a call fails', () => {
    it('reverts with CallFailed, with its number and reason, and takes nothing', async () => {
      const assets = await loadFixture(nativeAssets)
      const { native, anyone, broker } = assets
      const { deposit, depositForArray, multicall } = callsOf(assets)
      const tooMuch = depositForArray([1n], [broker.address])
      const reason = native.interface.encodeErrorResult('ValueTooSmall', [1n, 0n])
      // The value that came along is spent already: a deposit out of it would be one out of the money of others.
      const calling = native.connect(anyone).multicall([deposit, tooMuch], { value: UNIT })
      await expect(calling).to.be.revertedWithCustomError(native, 'CallFailed').withArgs(1n, reason)
      const nested = native.connect(anyone).multicall([multicall([tooMuch])], { value: UNIT })
      const inner = native.interface.encodeErrorResult('CallFailed', [0n, reason])
      await expect(nested).to.be.revertedWithCustomError(native, 'CallFailed').withArgs(0n, inner)
      expect([await native.balanceOf(anyone), await weiOf(native)]).to.deep.equal([0n, 5n * DEPOSIT * UNIT])
    })
  })

  describe('as one transaction of an account that has nothing but wei', () => {
    /** The orders of a requester that never deposited nor signed. */
    async function newcomer() {
      const assets = await loadFixture(nativeAssets)
      const { anyone } = assets
      const [app, dataset, workerpool, request] = await signOrders(assets as Assets, {
        request: { requester: anyone.address, beneficiary: anyone.address },
      })
      return { ...assets, orders: [app, dataset, workerpool, requestOrder({ ...request, sign: '0x' })] as const }
    }

    it('deposits, signs and matches at once', async () => {
      const { native, anyone, orders, domain } = await loadFixture(newcomer)
      const sign = native.interface.encodeFunctionData('manageRequestOrder', [operationOn(orders[3], SIGN)])
      const match = native.interface.encodeFunctionData('matchOrders', [...orders])
      const calling = native.connect(anyone).multicall([sign, match], { value: price * UNIT })
      await expect(calling).to.emit(native, 'OrdersMatched')
      await expect(calling)
        .to.emit(native, 'SignedRequestOrder')
        .withArgs(hashOrder('request', orders[3], domain))
      await expect(calling).to.changeEtherBalances(ethers, [anyone, native], [-price * UNIT, price * UNIT])
      expect(await native.viewAccount(anyone)).to.deep.equal([0n, price])
    })

    it('does none of it when one unit is missing', async () => {
      const { native, anyone, orders } = await loadFixture(newcomer)
      const sign = native.interface.encodeFunctionData('manageRequestOrder', [operationOn(orders[3], SIGN)])
      const match = native.interface.encodeFunctionData('matchOrders', [...orders])
      const reason = native.interface.encodeErrorResult('ERC20InsufficientBalance', [anyone.address, price - 1n, price])
      await expect(native.connect(anyone).multicall([sign, match], { value: (price - 1n) * UNIT }))
        .to.be.revertedWithCustomError(native, 'CallFailed')
        .withArgs(1n, reason)
      expect(await native.viewAccount(anyone)).to.deep.equal([0n, 0n])
    })

    it('deposits and withdraws what came along', async () => {
      const assets = await loadFixture(nativeAssets)
      const { native, anyone, broker } = assets
      const { withdraw, withdrawTo, transfer } = callsOf(assets)
      const calls = [withdraw(1n), withdrawTo(2n, broker.address), transfer(broker.address, 3n)]
      const calling = native.connect(anyone).multicall(calls, { value: 6n * UNIT })
      await expect(calling).to.changeEtherBalances(ethers, [anyone, broker, native], [-5n * UNIT, 2n * UNIT, 3n * UNIT])
      expect([await native.balanceOf(anyone), await native.balanceOf(broker)]).to.deep.equal([0n, 3n])
    })
  })

  describe('when somebody is called in the middle', () => {
    /** `anyone` pays `meddler` out of the Hub, and what it then tries is told by its outcomes. */
    async function meddled() {
      const assets = await loadFixture(nativeAssets)
      const meddler = await ethers.deployContract('Meddler')
      return { ...assets, meddler }
    }

    it('lets nobody spend in the name of who makes the calls', async () => {
      const assets = await loadFixture(meddled)
      const { native, anyone, meddler } = assets
      const { withdraw, withdrawTo, transfer, multicall } = callsOf(assets)
      const stolen = [
        withdraw(1n),
        withdrawTo(1n, await meddler.getAddress()),
        transfer(await meddler.getAddress(), 1n),
      ]
      const attempts = [...stolen, ...stolen.map((call) => multicall([call])), multicall([multicall([withdraw(1n)])])]
      await meddler.prepare(attempts.map((data) => ({ target: native, data })))
      const paying = withdrawTo(2n, await meddler.getAddress())
      await native.connect(anyone).multicall([paying, transfer(anyone.address, 0n)], { value: 10n * UNIT })
      const outcomes = await meddler.outcomes()
      expect(outcomes.map(({ success }) => success)).to.deep.equal(attempts.map(() => false))
      const missing = native.interface.encodeErrorResult('ERC20InsufficientBalance', [meddler.target, 0n, 1n])
      for (const { answer } of outcomes.slice(0, 3)) expect(answer).to.equal(missing)
      for (const { answer } of outcomes.slice(3, 6)) {
        expect(answer).to.equal(native.interface.encodeErrorResult('CallFailed', [0n, missing]))
      }
      expect([await native.balanceOf(anyone), await weiOf(meddler)]).to.deep.equal([8n, 2n * UNIT])
    })

    it('goes on in the name of who made the calls when somebody made calls of its own meanwhile', async () => {
      const assets = await loadFixture(meddled)
      const { native, anyone, broker, meddler } = assets
      const { withdrawTo, transfer, multicall } = callsOf(assets)
      await native.connect(anyone).depositFor(meddler, { value: 5n * UNIT })
      const own = [multicall([transfer(broker.address, 1n)]), multicall([transfer(broker.address, 100n)])]
      await meddler.prepare(own.map((data) => ({ target: native, data })))
      const calls = [withdrawTo(2n, await meddler.getAddress()), transfer(broker.address, 3n)]
      await native.connect(anyone).multicall(calls, { value: 10n * UNIT })
      expect((await meddler.outcomes()).map(({ success }) => success)).to.deep.equal([true, false])
      expect([await native.balanceOf(anyone), await native.balanceOf(meddler)]).to.deep.equal([5n, 4n])
      expect(await native.balanceOf(broker)).to.equal(4n)
    })

    it('lets a caller who is given change find its deposit made, and no more than that', async () => {
      const assets = await loadFixture(meddled)
      const { native, meddler } = assets
      const { withdraw, multicall } = callsOf(assets)
      await meddler.prepare([withdraw(8n), withdraw(7n)].map((data) => ({ target: native, data })))
      const data = multicall([])
      await meddler.execute(native, data, { value: 7n * UNIT + 3n })
      expect((await meddler.outcomes()).map(({ success }) => success)).to.deep.equal([false, true])
      expect([await native.balanceOf(meddler), await weiOf(meddler)]).to.deep.equal([0n, 7n * UNIT + 3n])
      expect(await weiOf(native)).to.equal(5n * DEPOSIT * UNIT)
    })
  })

  describe('of the Hub to itself', () => {
    it('names nobody once it is over', async () => {
      const assets = await loadFixture(nativeAssets)
      const { native, anyone } = assets
      await native.connect(anyone).multicall([callsOf(assets).withdraw(0n)], { value: 5n * UNIT })
      const hub = await ethers.getImpersonatedSigner(native.target.toString())
      await setBalance(native.target.toString(), (5n * DEPOSIT + 5n) * UNIT + RLC * UNIT)
      await expect(native.connect(hub).withdrawTo(1n, anyone))
        .to.be.revertedWithCustomError(native, 'ERC20InsufficientBalance')
        .withArgs(ethers.ZeroAddress, 0n, 1n)
    })
  })
})
