import { expect } from 'chai'
import type { IHub, Meddler } from '../../../typechain-types/index.ts'
import { checkSolvency, dealOf } from '../../deals.ts'
import {
  type Assets,
  CLOSE,
  createdAssets,
  DEPOSIT,
  deployHub,
  ethers,
  loadFixture,
  type OrderOf,
  operationOn,
  RLC,
  settleArguments,
  settlementOf,
  signOrders,
} from '../../fixtures.ts'

/** More than all attempts need. */
const PLENTY = 3_000_000n
const gasLimit = 16_000_000n

/** What only the caller of the multicall may do, tried directly and by a multicall of one's own. */
function attemptsIn({ interface: abi }: IHub, thief: { address: string }, grant: OrderOf['dataset']) {
  const single: [string, string][] = [
    [abi.encodeFunctionData('transfer', [thief.address, 1n]), 'ERC20InsufficientBalance'],
    [abi.encodeFunctionData('withdraw', [1n]), 'ERC20InsufficientBalance'],
    [abi.encodeFunctionData('withdrawTo', [1n, thief.address]), 'ERC20InsufficientBalance'],
    [abi.encodeFunctionData('deposit', [1n]), 'TokenTransferFailed'],
    [abi.encodeFunctionData('manageDatasetOrder', [operationOn(grant, CLOSE)]), 'OperationNotAuthorized'],
    [abi.encodeFunctionData('setCallbackGas', [0n]), 'NotOwner'],
  ]
  const nested = single.map(([data]): [string, string] => [abi.encodeFunctionData('multicall', [[data]]), 'CallFailed'])
  return [...single, ...nested]
}

type Attempts = ReturnType<typeof attemptsIn>

async function prepare(meddler: Meddler, hub: IHub, attempts: Attempts) {
  await meddler.prepare(attempts.map(([data]) => ({ target: hub, data })))
}

/** It was called, and nothing that it tried was done. */
async function expectRefused(meddler: Meddler, hub: IHub, attempts: Attempts) {
  const outcomes = await meddler.outcomes()
  const ends = outcomes.map(({ success, answer }) => (success ? 'done' : hub.interface.parseError(answer)?.name))
  expect(ends).to.deep.equal(attempts.map(([, error]) => error))
}

/** The data owner owns the Hub as well, and lets it take its tokens: there is nothing that it may not do. */
async function makePowerful({ hub, token, owner, datasetOwner }: Assets) {
  await hub.connect(owner).setCallbackGas(PLENTY)
  await hub.connect(owner).transferOwnership(datasetOwner)
  await token.connect(owner).transfer(datasetOwner, 2n * RLC)
  await token.connect(datasetOwner).approve(hub, 2n * RLC)
  await hub.connect(datasetOwner).deposit(RLC)
}

/** The powerful one is the worker of a task whose result goes to a meddler. */
async function resultForMeddler() {
  const deal = await dealOf(async (assets) => {
    await makePowerful(assets)
    return { request: { callback: await (await ethers.deployContract('Meddler')).getAddress() } }
  })
  const { hub, dealId, datasetOwner } = deal
  const meddler = await ethers.getContractAt('Meddler', (await hub.viewDeal(dealId)).callback)
  const [, grant] = await signOrders(deal)
  const attempts = attemptsIn(hub, deal.anyone, grant)
  await prepare(meddler, hub, attempts)
  return { ...deal, meddler, attempts, settled: await settlementOf(deal, { ...deal, worker: datasetOwner }) }
}

/** The powerful one restricts an order to a group that answers yes only if nothing that it tries meanwhile is done. */
async function meddlingGroup() {
  const assets = await loadFixture(createdAssets)
  await makePowerful(assets)
  const { hub, anyone } = assets
  const group = await ethers.deployContract('MeddlingAnswerer', [ethers.toBeHex(1n, 32)])
  const [, grant] = await signOrders(assets)
  const data = attemptsIn(hub, anyone, grant).map(([attempt]) => attempt)
  data.push(hub.interface.encodeFunctionData('approve', [anyone.address, 1n]))
  data.push(hub.interface.encodeFunctionData('multicall', [[]]))
  await group.prepare(data.map((attempt) => ({ target: hub, data: attempt })))
  return { ...assets, group: group.target.toString() }
}

/** A Hub over a token that calls a meddler before it moves; `anyone` has tokens in both. */
async function hookedHub() {
  const assets = await loadFixture(createdAssets)
  const { addresses, owner, anyone } = assets
  const token = await ethers.deployContract('HookedToken', [anyone, 10n * RLC])
  const { target } = await deployHub('Hub', { ...addresses, token: await token.getAddress(), owner: anyone.address })
  const hub = await ethers.getContractAt('IHub', target)
  await token.connect(anyone).approve(hub, 10n * RLC)
  await hub.connect(anyone).deposit(5n * RLC)
  const meddler = await ethers.deployContract('Meddler')
  await token.setHook(meddler, true)
  const [, grant] = await signOrders(assets)
  const attempts = attemptsIn(hub, owner, grant)
  await prepare(meddler, hub, attempts)
  return { ...assets, token, hub, meddler, attempts }
}

describe('in the middle of a multicall', () => {
  describe('a callback', () => {
    it('cannot act as the caller, neither directly nor by a multicall of its own', async () => {
      const deal = await resultForMeddler()
      const { hub, datasetOwner, anyone, meddler, attempts, settled } = deal
      const settle = hub.interface.encodeFunctionData('settle', [...settleArguments(settled)])
      await hub.connect(datasetOwner).multicall([settle], { gasLimit })
      await expectRefused(meddler, hub, attempts)
      expect(await hub.balanceOf(anyone)).to.equal(0n)
      await checkSolvency(deal)
    })

    it('leaves the calls after it to the caller', async () => {
      const deal = await resultForMeddler()
      const { hub, token, datasetOwner, beneficiary, meddler, settled } = deal
      // What it may do as itself, also by a multicall of its own that succeeds.
      const own = hub.interface.encodeFunctionData('approve', [beneficiary.address, 5n])
      const attempts: Attempts = [[hub.interface.encodeFunctionData('multicall', [[own, own]]), 'done']]
      await prepare(meddler, hub, attempts)
      const calls = [
        hub.interface.encodeFunctionData('settle', [...settleArguments(settled)]),
        hub.interface.encodeFunctionData('transfer', [beneficiary.address, RLC]),
        hub.interface.encodeFunctionData('withdrawTo', [7n, beneficiary.address]),
        hub.interface.encodeFunctionData('setCallbackGas', [5n]),
      ]
      await hub.connect(datasetOwner).multicall(calls, { gasLimit })
      await expectRefused(meddler, hub, attempts)
      expect(await hub.allowance(meddler, beneficiary)).to.equal(5n)
      expect(await hub.allowance(datasetOwner, beneficiary)).to.equal(0n)
      expect([await hub.balanceOf(beneficiary), await token.balanceOf(beneficiary)]).to.deep.equal([RLC, 7n])
      expect(await hub.callbackgas()).to.equal(5n)
    })

    it('that is the Hub itself calls nothing in the name of the caller', async () => {
      const deal = await dealOf(async (assets) => {
        await makePowerful(assets)
        return { request: { callback: await assets.hub.getAddress() } }
      })
      const { hub, datasetOwner, requester } = deal
      // The data is a call of the Hub, in case anybody took it for one.
      const steal = hub.interface.encodeFunctionData('transfer', [requester.address, 1n])
      const wish = { ...deal, worker: datasetOwner, resultsCallback: steal }
      const settle = hub.interface.encodeFunctionData('settle', [...settleArguments(await settlementOf(deal, wish))])
      const before = await hub.balanceOf(requester)
      await hub.connect(datasetOwner).multicall([settle], { gasLimit })
      expect(await hub.balanceOf(requester)).to.equal(before)
      await checkSolvency(deal)
    })
  })

  describe('a group contract', () => {
    it('that is asked about a member of a match cannot act as the caller', async () => {
      const assets = await meddlingGroup()
      const { hub, datasetOwner, anyone, group } = assets
      const orders = await signOrders(assets, { dataset: { requesterrestrict: group } })
      const match = hub.interface.encodeFunctionData('matchOrders', orders)
      await expect(hub.connect(datasetOwner).multicall([match], { gasLimit })).to.emit(hub, 'OrdersMatched')
      expect(await hub.balanceOf(anyone)).to.equal(0n)
      expect(await hub.allowance(datasetOwner, anyone)).to.equal(0n)
      await checkSolvency(assets)
    })

    it('that is asked about a member of a task with datasets cannot, either', async () => {
      const assets = await meddlingGroup()
      const { hub, requester, anyone, group } = assets
      const [, grant] = await signOrders(assets, { dataset: { requesterrestrict: group } })
      const orders = await signOrders(assets, { dataset: null })
      const dealId = await hub.matchOrders.staticCall(...orders)
      const calls = [
        hub.interface.encodeFunctionData('matchOrders', orders),
        hub.interface.encodeFunctionData('attachDatasets', [dealId, 0n, [grant], RLC]),
      ]
      await expect(hub.connect(requester).multicall(calls, { gasLimit })).to.emit(hub, 'DatasetAttached')
      expect(await hub.balanceOf(anyone)).to.equal(0n)
    })
  })

  describe('a token', () => {
    for (const name of ['deposit', 'withdraw', 'depositWithPermit'] as const) {
      it(`that calls somebody in a ${name} lets nobody act as the caller`, async () => {
        const { hub, token, anyone, owner, meddler, attempts } = await hookedHub()
        const permit = [RLC, ethers.MaxUint256, 27, ethers.ZeroHash, ethers.ZeroHash] as const
        const call =
          name === 'depositWithPermit'
            ? hub.interface.encodeFunctionData(name, [...permit])
            : hub.interface.encodeFunctionData(name as 'withdraw', [RLC])
        const transfer = hub.interface.encodeFunctionData('transfer', [owner.address, 3n])
        await hub.connect(anyone).multicall([call, transfer], { gasLimit })
        await expectRefused(meddler, hub, attempts)
        const held = name === 'withdraw' ? 4n * RLC : 6n * RLC
        expect([await hub.balanceOf(anyone), await hub.balanceOf(owner)]).to.deep.equal([held - 3n, 3n])
        expect(await token.balanceOf(hub)).to.equal(held)
        expect(await hub.totalSupply()).to.equal(held)
      })
    }
  })

  describe('an account that was approved and is told so', () => {
    it('has its allowance, and nothing else of the caller', async () => {
      const assets = await loadFixture(createdAssets)
      await makePowerful(assets)
      const { hub, datasetOwner, anyone } = assets
      const spender = await ethers.deployContract('Meddler')
      await spender.answerWith(ethers.toBeHex(1n, 32))
      const [, grant] = await signOrders(assets)
      const take = hub.interface.encodeFunctionData('transferFrom', [datasetOwner.address, anyone.address, 5n])
      const attempts: Attempts = [
        [take, 'done'],
        [take, 'ERC20InsufficientAllowance'],
        ...attemptsIn(hub, anyone, grant),
      ]
      await prepare(spender, hub, attempts)
      const tell = hub.interface.encodeFunctionData('approveAndCall', [spender.target.toString(), 5n, '0x'])
      await hub.connect(datasetOwner).multicall([tell], { gasLimit })
      await expectRefused(spender, hub, attempts)
      expect([await hub.balanceOf(anyone), await hub.balanceOf(datasetOwner)]).to.deep.equal([5n, RLC - 5n])
    })

    it('is not the Hub itself, whatever the data says', async () => {
      const { hub, requester, anyone } = await loadFixture(createdAssets)
      const steal = hub.interface.encodeFunctionData('transfer', [anyone.address, 1n])
      const tell = hub.interface.encodeFunctionData('approveAndCall', [hub.target.toString(), 5n, steal])
      await expect(hub.connect(requester).multicall([tell])).to.be.revertedWithCustomError(hub, 'CallFailed')
      expect(await hub.balanceOf(requester)).to.equal(DEPOSIT)
    })
  })
})
