import { expect } from 'chai'
import fc from 'fast-check'
import type { IHub } from '../../../typechain-types/index.ts'
import { checkSolvency, moneyOf } from '../../deals.ts'
import {
  CLOSE,
  createdAssets,
  DEPOSIT,
  deployedMarketplace,
  ethers,
  fundedAccounts,
  hashOrder,
  loadFixture,
  operationOn,
  price,
  RLC,
  SIGN,
  signedOrders,
  signOrders,
} from '../../fixtures.ts'

/** Calls of the Hub, as `multicall` takes them. */
function callsOf({ interface: abi }: IHub) {
  return {
    transfer: (to: { address: string }, amount: bigint) => abi.encodeFunctionData('transfer', [to.address, amount]),
    balanceOf: (account: { address: string }) => abi.encodeFunctionData('balanceOf', [account.address]),
    deposit: (amount: bigint) => abi.encodeFunctionData('deposit', [amount]),
    withdraw: (amount: bigint) => abi.encodeFunctionData('withdraw', [amount]),
    multicall: (calls: string[]) => abi.encodeFunctionData('multicall', [calls]),
  }
}

function word(value: bigint | boolean): string {
  return ethers.toBeHex(BigInt(value), 32)
}

describe('multicall', () => {
  describe('given calls that all succeed', () => {
    it('makes them in their order and answers what each answered', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      const { transfer, balanceOf, withdraw } = callsOf(hub)
      const calls = [
        balanceOf(anyone),
        transfer(anyone, 5n),
        balanceOf(anyone),
        withdraw(7n),
        balanceOf(requester),
        hub.interface.encodeFunctionData('symbol'),
      ]
      expect(await hub.connect(requester).multicall.staticCall(calls)).to.deep.equal([
        word(0n),
        word(true),
        word(5n),
        word(true),
        word(DEPOSIT - 12n),
        ethers.AbiCoder.defaultAbiCoder().encode(['string'], ['SRLC']),
      ])
      await hub.connect(requester).multicall(calls)
      expect([await hub.balanceOf(anyone), await hub.balanceOf(requester)]).to.deep.equal([5n, DEPOSIT - 12n])
    })

    it('lets a call use what one before it brought', async () => {
      const { hub, token, anyone, owner, beneficiary } = await loadFixture(deployedMarketplace)
      await token.connect(owner).transfer(anyone, RLC)
      await token.connect(anyone).approve(hub, RLC)
      const { deposit, transfer } = callsOf(hub)
      await expect(
        hub.connect(anyone).multicall([transfer(beneficiary, RLC), deposit(RLC)]),
      ).to.be.revertedWithCustomError(hub, 'CallFailed')
      await hub.connect(anyone).multicall([deposit(RLC), transfer(beneficiary, RLC)])
      expect([await hub.balanceOf(anyone), await hub.balanceOf(beneficiary)]).to.deep.equal([0n, RLC])
    })

    it('answers nothing to no calls', async () => {
      const { hub, anyone } = await loadFixture(deployedMarketplace)
      expect(await hub.connect(anyone).multicall.staticCall([])).to.deep.equal([])
      await hub.connect(anyone).multicall([])
    })

    it('leaves the next transaction as it was: the sender is forgotten', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      const { transfer } = callsOf(hub)
      await hub.connect(requester).multicall([transfer(anyone, 1n)])
      await expect(hub.connect(anyone).transfer(requester, 2n)).to.be.revertedWithCustomError(
        hub,
        'ERC20InsufficientBalance',
      )
      await hub.connect(anyone).transfer(requester, 1n)
    })
  })

  describe('given a call that fails', () => {
    it('reverts with CallFailed, which names the call and carries its own error whole', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      const { transfer } = callsOf(hub)
      for (const position of [0, 1, 2]) {
        const amounts = [1n, 2n, 3n].map((amount, i) => (i === position ? DEPOSIT + 1n : amount))
        const left = amounts.slice(0, position).reduce((balance, amount) => balance - amount, DEPOSIT)
        const own = [requester.address, left, DEPOSIT + 1n] as const
        const reason = hub.interface.encodeErrorResult('ERC20InsufficientBalance', own)
        await expect(hub.connect(requester).multicall(amounts.map((amount) => transfer(anyone, amount))))
          .to.be.revertedWithCustomError(hub, 'CallFailed')
          .withArgs(BigInt(position), reason)
        expect(hub.interface.parseError(reason)?.args).to.deep.equal(own)
      }
    })

    it('carries a panic, a call of nothing that is known, and a call of nothing at all', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      await hub.connect(requester).approve(anyone, ethers.MaxUint256)
      const unknown = (selector: string) => hub.interface.encodeErrorResult('UnknownFunction', [selector])
      const reasons: [string, string][] = [
        [
          hub.interface.encodeFunctionData('increaseAllowance', [anyone.address, 1n]),
          `0x4e487b71${word(0x11n).slice(2)}`,
        ],
        ['0x12345678', unknown('0x12345678')],
        ['0x12', unknown('0x12000000')],
        ['0x', hub.interface.encodeErrorResult('NativeNotAccepted', [0n])],
      ]
      for (const [call, reason] of reasons) {
        await expect(hub.connect(requester).multicall([call]))
          .to.be.revertedWithCustomError(hub, 'CallFailed')
          .withArgs(0n, reason)
      }
    })

    it('leaves nothing of any call', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, token, requester, anyone, orders, domain } = assets
      await token.connect(requester).approve(hub, RLC)
      const before = [...(await moneyOf(assets))]
      const { transfer, deposit, withdraw } = callsOf(hub)
      const sign = hub.interface.encodeFunctionData('manageRequestOrder', [operationOn(orders[3], SIGN)])
      const match = hub.interface.encodeFunctionData('matchOrders', orders)
      const calls = [deposit(RLC), sign, match, transfer(anyone, 1n), withdraw(1n), transfer(anyone, DEPOSIT * 2n)]
      await expect(hub.connect(requester).multicall(calls)).to.be.revertedWithCustomError(hub, 'CallFailed')
      expect([...(await moneyOf(assets))]).to.deep.equal(before)
      expect(await token.balanceOf(requester)).to.equal(DEPOSIT)
      const requestHash = hashOrder('request', orders[3], domain)
      expect(await hub.viewPresigned(requestHash)).to.equal(ethers.ZeroAddress)
      expect(await hub.viewConsumed(requestHash)).to.equal(0n)
    })
  })

  describe('given a multicall in a multicall', () => {
    it('acts for the same caller, at any depth, before and after', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      const { transfer, multicall, balanceOf } = callsOf(hub)
      const inner = multicall([transfer(anyone, 2n), multicall([transfer(anyone, 3n)]), transfer(anyone, 4n)])
      const calls = [transfer(anyone, 1n), inner, transfer(anyone, 5n), balanceOf(anyone)]
      const answers = await hub.connect(requester).multicall.staticCall(calls)
      expect(answers[3]).to.equal(word(15n))
      const [innerAnswers] = hub.interface.decodeFunctionResult('multicall', answers[1] ?? '0x')
      expect(innerAnswers.length).to.equal(3)
      await hub.connect(requester).multicall(calls)
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT - 15n)
    })

    it('names the failed call at each depth', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      const { transfer, multicall } = callsOf(hub)
      const own = hub.interface.encodeErrorResult('ERC20InsufficientBalance', [anyone.address, 0n, 9n])
      const deepest = hub.interface.encodeErrorResult('CallFailed', [1n, own])
      const calls = [multicall([]), multicall([transfer(requester, 0n), transfer(requester, 9n)])]
      await expect(hub.connect(anyone).multicall(calls))
        .to.be.revertedWithCustomError(hub, 'CallFailed')
        .withArgs(1n, deepest)
    })
  })

  describe('when native currency comes along', () => {
    it('reverts with NativeNotAccepted, with and without calls', async () => {
      const { hub, requester, anyone } = await loadFixture(fundedAccounts)
      for (const calls of [[], [callsOf(hub).transfer(anyone, 1n)]]) {
        await expect(hub.connect(requester).multicall(calls, { value: 5n }))
          .to.be.revertedWithCustomError(hub, 'NativeNotAccepted')
          .withArgs(5n)
      }
    })
  })

  describe('what it is for', () => {
    it('revokes many grants at once', async () => {
      const assets = await loadFixture(createdAssets)
      const { hub, datasetOwner, anyone, domain } = assets
      const orders = await Promise.all(
        Array.from({ length: 100 }, async () => (await signOrders(assets, { dataset: { volume: 9n } }))[1]),
      )
      const calls = orders.map((order) =>
        hub.interface.encodeFunctionData('manageDatasetOrder', [operationOn(order, CLOSE)]),
      )
      await expect(hub.connect(anyone).multicall(calls)).to.be.revertedWithCustomError(hub, 'CallFailed')
      const receipt = await (await hub.connect(datasetOwner).multicall(calls)).wait()
      console.log(`      100 grants: ${receipt?.gasUsed} gas, ${Number(receipt?.gasUsed) / 100} each`)
      expect(Number(receipt?.gasUsed)).to.be.below(16_777_216)
      for (const order of orders) expect(await hub.viewConsumed(hashOrder('dataset', order, domain))).to.equal(9n)
    }).timeout(60_000)

    it('deposits, signs and matches at once', async () => {
      const assets = await loadFixture(signedOrders)
      const { hub, token, requester, orders, domain } = assets
      await hub.connect(requester).withdraw(DEPOSIT)
      await token.connect(requester).approve(hub, price)
      const unsigned = { ...orders[3], sign: '0x' }
      const calls = [
        callsOf(hub).deposit(price),
        hub.interface.encodeFunctionData('manageRequestOrder', [operationOn(unsigned, SIGN)]),
        hub.interface.encodeFunctionData('matchOrders', [orders[0], orders[1], orders[2], unsigned]),
      ]
      const sending = hub.connect(requester).multicall(calls)
      await expect(sending)
        .to.emit(hub, 'SignedRequestOrder')
        .withArgs(hashOrder('request', unsigned, domain))
      await expect(sending).to.emit(hub, 'OrdersMatched')
      expect(await hub.viewAccount(requester)).to.deep.equal([0n, price])
      await checkSolvency(assets)
    })

    it('moves the same as the same calls one by one (property)', async () => {
      const step = fc.record({
        to: fc.constantFrom('anyone', 'requester', 'sponsor', 'beneficiary' as const),
        amount: fc.bigInt(0n, DEPOSIT / 3n),
        kind: fc.constantFrom('transfer', 'withdraw', 'nested' as const),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
          const apart = await loadFixture(fundedAccounts)
          const { hub, requester } = apart
          const { transfer, withdraw, multicall } = callsOf(hub)
          const calls = steps.map(({ to, amount, kind }) => {
            if (kind === 'withdraw') return withdraw(amount)
            return kind === 'nested' ? multicall([transfer(apart[to], amount)]) : transfer(apart[to], amount)
          })
          let failed = false
          for (const data of calls) {
            await requester.sendTransaction({ to: hub, data }).catch(() => {
              failed = true
            })
            if (failed) break
          }
          const expected = failed ? undefined : [...(await moneyOf(apart))]
          const atOnce = await loadFixture(fundedAccounts)
          const before = [...(await moneyOf(atOnce))]
          const sending = hub.connect(requester).multicall(calls)
          if (failed) await expect(sending).to.be.revertedWithCustomError(hub, 'CallFailed')
          else await sending
          expect([...(await moneyOf(atOnce))]).to.deep.equal(expected ?? before)
        }),
        { numRuns: 25 },
      )
    }).timeout(60_000)
  })
})
