import { expect } from 'chai'
import {
  type Assets,
  createdAssets,
  DEPOSIT,
  deployHub,
  ethers,
  loadFixture,
  price,
  RLC,
  signedOrders,
  time,
} from '../../fixtures.ts'

type Permit = readonly [amount: bigint, deadline: bigint, v: number, r: string, s: string]
type Wish = { signer?: Assets['requester']; owner?: string; spender?: string; deadline?: bigint; nonce?: bigint }

/** The requester lets the Hub take `amount`, by signature; unless something else is wished. */
async function permitOf(
  market: Pick<Assets, 'token' | 'hub' | 'chainId' | 'requester'>,
  amount: bigint,
  wish: Wish = {},
) {
  const { token, hub, chainId, requester } = market
  const { signer = requester, deadline = ethers.MaxUint256 } = wish
  const message = {
    owner: wish.owner ?? requester.address,
    spender: wish.spender ?? hub.target.toString(),
    value: amount,
    nonce: wish.nonce ?? (await token.nonces(requester)),
    deadline,
  }
  const domain = { name: 'Local RLC', version: '1', chainId, verifyingContract: token.target.toString() }
  const types = {
    Permit: [
      { name: 'owner', type: 'address' },
      { name: 'spender', type: 'address' },
      { name: 'value', type: 'uint256' },
      { name: 'nonce', type: 'uint256' },
      { name: 'deadline', type: 'uint256' },
    ],
  }
  const { v, r, s } = ethers.Signature.from(await signer.signTypedData(domain, types, message))
  return [amount, deadline, v, r, s] as const satisfies Permit
}

/** The requester has tokens, and has approved nobody. */
async function approvedNobody() {
  const market = await loadFixture(createdAssets)
  expect(await market.token.allowance(market.requester, market.hub)).to.equal(0n)
  return market
}

/** What cannot be used as the permit that it looks like. */
const unusable: [string, (market: Assets) => Promise<Permit>][] = [
  ['has expired', async (market) => permitOf(market, RLC, { deadline: BigInt(await time.latest()) })],
  ['is signed by somebody else', (market) => permitOf(market, RLC, { signer: market.anyone })],
  ['is for another spender', (market) => permitOf(market, RLC, { spender: market.anyone.address })],
  ['is for another nonce', (market) => permitOf(market, RLC, { nonce: 7n })],
  [
    'is for another amount',
    async (market) => [RLC, ...(await permitOf(market, 2n * RLC)).slice(1)] as unknown as Permit,
  ],
  ['is no signature', async () => [RLC, ethers.MaxUint256, 0, ethers.ZeroHash, ethers.ZeroHash]],
]

describe('depositWithPermit', () => {
  describe('given a good permit', () => {
    it('approves, moves the tokens and credits the caller, and leaves no allowance', async () => {
      const market = await loadFixture(approvedNobody)
      const { hub, token, requester } = market
      const permit = await permitOf(market, RLC)
      const sending = hub.connect(requester).depositWithPermit(...permit)
      await expect(sending).to.emit(token, 'Approval').withArgs(requester.address, hub.target, RLC)
      await expect(sending).to.emit(token, 'Transfer').withArgs(requester.address, hub.target, RLC)
      await expect(sending).to.emit(hub, 'Transfer').withArgs(ethers.ZeroAddress, requester.address, RLC)
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + RLC)
      expect(await token.balanceOf(requester)).to.equal(DEPOSIT - RLC)
      expect(await token.allowance(requester, hub)).to.equal(0n)
    })

    it('answers true', async () => {
      const market = await loadFixture(approvedNobody)
      const permit = await permitOf(market, RLC)
      expect(await market.hub.connect(market.requester).depositWithPermit.staticCall(...permit)).to.equal(true)
    })

    it('is good until its deadline', async () => {
      const market = await loadFixture(approvedNobody)
      const deadline = BigInt(await time.latest()) + 100n
      const permit = await permitOf(market, RLC, { deadline })
      await time.setNextBlockTimestamp(deadline)
      await market.hub.connect(market.requester).depositWithPermit(...permit)
      expect(await market.hub.balanceOf(market.requester)).to.equal(DEPOSIT + RLC)
    })

    it('works for nothing and for everything', async () => {
      for (const amount of [0n, DEPOSIT]) {
        const market = await loadFixture(approvedNobody)
        await market.hub.connect(market.requester).depositWithPermit(...(await permitOf(market, amount)))
        expect(await market.hub.balanceOf(market.requester)).to.equal(DEPOSIT + amount)
      }
    })

    it('reverts with TokenTransferFailed for more than the caller has, and uses no permit up', async () => {
      const market = await loadFixture(approvedNobody)
      const { hub, token, requester } = market
      const permit = await permitOf(market, DEPOSIT + 1n)
      await expect(hub.connect(requester).depositWithPermit(...permit))
        .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
        .withArgs(requester.address, hub.target, DEPOSIT + 1n)
      expect(await token.nonces(requester)).to.equal(0n)
    })

    it("is of no use to anybody else: the caller's own tokens are moved", async () => {
      const market = await loadFixture(approvedNobody)
      const { hub, anyone, worker } = market
      const permit = await permitOf(market, RLC)
      for (const thief of [anyone, worker]) {
        await expect(hub.connect(thief).depositWithPermit(...permit))
          .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
          .withArgs(thief.address, hub.target, RLC)
      }
    })
  })

  describe('given a permit that somebody has used before', () => {
    it('deposits all the same, for the allowance is there', async () => {
      const market = await loadFixture(approvedNobody)
      const { hub, token, requester, anyone } = market
      const permit = await permitOf(market, RLC)
      const [amount, ...signed] = permit
      await token.connect(anyone).permit(requester, hub, amount, ...signed)
      await hub.connect(requester).depositWithPermit(...permit)
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + RLC)
      expect(await token.allowance(requester, hub)).to.equal(0n)
    })

    it('deposits once: the second time nothing is allowed any more', async () => {
      const market = await loadFixture(approvedNobody)
      const { hub, requester } = market
      const permit = await permitOf(market, RLC)
      await hub.connect(requester).depositWithPermit(...permit)
      await expect(hub.connect(requester).depositWithPermit(...permit))
        .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
        .withArgs(requester.address, hub.target, RLC)
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + RLC)
    })
  })

  describe('given a permit that cannot be used', () => {
    for (const [name, forge] of unusable) {
      it(`reverts with TokenTransferFailed when it ${name}`, async () => {
        const market = await loadFixture(approvedNobody)
        const { hub, token, requester } = market
        await expect(hub.connect(requester).depositWithPermit(...(await forge(market))))
          .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
          .withArgs(requester.address, hub.target, RLC)
        expect(await token.allowance(requester, hub)).to.equal(0n)
      })

      it(`deposits out of an allowance, although it ${name}`, async () => {
        const market = await loadFixture(approvedNobody)
        const { hub, token, requester } = market
        await token.connect(requester).approve(hub, 3n * RLC)
        await hub.connect(requester).depositWithPermit(...(await forge(market)))
        expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + RLC)
        expect(await token.allowance(requester, hub)).to.equal(2n * RLC)
      })
    }
  })

  describe('given a token without permit', () => {
    it('needs an allowance, and then deposits', async () => {
      const { addresses, owner, anyone } = await loadFixture(createdAssets)
      const token = await ethers.deployContract('ReentrantToken', [anyone, 5n * RLC])
      const { target } = await deployHub('Hub', { ...addresses, token: await token.getAddress() })
      const hub = await ethers.getContractAt('IHub', target)
      const permit = [RLC, ethers.MaxUint256, 27, ethers.id('r'), ethers.id('s')] as const
      await expect(hub.connect(anyone).depositWithPermit(...permit))
        .to.be.revertedWithCustomError(hub, 'TokenTransferFailed')
        .withArgs(anyone.address, target, RLC)
      await token.connect(anyone).approve(hub, RLC)
      await hub.connect(anyone).depositWithPermit(...permit)
      expect([await hub.balanceOf(anyone), await hub.balanceOf(owner)]).to.deep.equal([RLC, 0n])
    })
  })

  describe('when it comes with a match in one multicall', () => {
    it('deposits and matches for an account that approved nothing', async () => {
      const market = await loadFixture(signedOrders)
      const { hub, token, requester, orders } = market
      await hub.connect(requester).withdraw(DEPOSIT)
      const permit = await permitOf(market, price)
      const deposit = hub.interface.encodeFunctionData('depositWithPermit', [...permit])
      const match = hub.interface.encodeFunctionData('matchOrders', orders)
      await expect(hub.connect(requester).multicall([deposit, match])).to.emit(hub, 'OrdersMatched')
      expect(await hub.viewAccount(requester)).to.deep.equal([0n, price])
      expect(await token.balanceOf(requester)).to.equal(2n * DEPOSIT - price)
    })

    it('does so although somebody used the permit first', async () => {
      const market = await loadFixture(signedOrders)
      const { hub, token, requester, anyone, orders } = market
      await hub.connect(requester).withdraw(DEPOSIT)
      const permit = await permitOf(market, price)
      const [amount, ...signed] = permit
      await token.connect(anyone).permit(requester, hub, amount, ...signed)
      const deposit = hub.interface.encodeFunctionData('depositWithPermit', [...permit])
      const match = hub.interface.encodeFunctionData('matchOrders', orders)
      await expect(hub.connect(requester).multicall([deposit, match])).to.emit(hub, 'OrdersMatched')
    })

    it('keeps nothing where the match fails: the permit is good for another time', async () => {
      const market = await loadFixture(signedOrders)
      const { hub, token, requester, orders } = market
      const permit = await permitOf(market, price)
      const deposit = hub.interface.encodeFunctionData('depositWithPermit', [...permit])
      const match = hub.interface.encodeFunctionData('matchOrders', [
        orders[0],
        orders[1],
        orders[2],
        { ...orders[3], category: 1n },
      ])
      const mismatch = hub.interface.encodeErrorResult('CategoryMismatch', [1n, 0n])
      await expect(hub.connect(requester).multicall([deposit, match]))
        .to.be.revertedWithCustomError(hub, 'CallFailed')
        .withArgs(1n, mismatch)
      expect([await token.nonces(requester), await hub.balanceOf(requester)]).to.deep.equal([0n, DEPOSIT])
      await hub.connect(requester).depositWithPermit(...permit)
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT + price)
    })
  })
})
