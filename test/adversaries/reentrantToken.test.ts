import { expect } from 'chai'
import { categories } from '../../deploy/categories.ts'
import type { IHub } from '../../typechain-types/index.ts'
import {
  type Assets,
  createdAssets,
  deployHub,
  domain as domainOf,
  ethers,
  loadFixture,
  matchDeal,
  RLC,
  settleArguments,
  settlementOf,
  signOrders,
} from '../fixtures.ts'
import { everybody, expectSound } from './ledger.ts'
import { attemptsOn, expectOutcomes, newMeddler } from './meddling.ts'

const FORTUNE = 1_000n * RLC

/**
 * A Hub over a token that calls `meddler` whenever anything moves. The meddler even owns the Hub; it has 10 tokens in the
 * Hub and 90 outside, and what others have lies in the Hub beside its own.
 */
async function hookedMarket() {
  const assets = await loadFixture(createdAssets)
  const { addresses, owner, anyone, requester, scheduler, chainId } = assets
  const token = await ethers.deployContract('HookedToken', [owner, FORTUNE])
  const config = { ...addresses, token: await token.getAddress(), owner: owner.address }
  const { target } = await deployHub('Hub', config, categories)
  const hub = await ethers.getContractAt('IHub', target)
  const meddler = await ethers.deployContract('Meddler')
  await token.connect(owner).approve(hub, FORTUNE)
  for (const account of [anyone, requester, scheduler]) await hub.connect(owner).depositFor(100n * RLC, account)
  await hub.connect(owner).depositFor(10n * RLC, meddler)
  await token.connect(owner).transfer(meddler, 90n * RLC)
  await meddler.execute(token, token.interface.encodeFunctionData('approve', [target, FORTUNE]))
  await hub.connect(owner).transferOwnership(meddler)
  return { ...assets, token, hub, meddler, domain: domainOf({ chainId, hub: target }) }
}

type Hooked = Awaited<ReturnType<typeof hookedMarket>>

const encode = (hub: IHub, name: string, args: readonly unknown[]) =>
  hub.interface.encodeFunctionData(name as 'withdraw', args as [bigint])

/** In the middle of which call the token calls. */
const middles: [string, (hooked: Hooked) => [string, unknown[]]][] = [
  ['deposit', () => ['deposit', [5n * RLC]]],
  ['depositFor', ({ meddler }) => ['depositFor', [5n * RLC, meddler.target]]],
  [
    'depositForArray',
    ({ meddler }) => [
      'depositForArray',
      [
        [2n * RLC, 3n * RLC],
        [meddler.target, meddler.target],
      ],
    ],
  ],
  ['withdraw', () => ['withdraw', [5n * RLC]]],
  ['withdrawTo', ({ meddler }) => ['withdrawTo', [5n * RLC, meddler.target]]],
  ['multicall', ({ hub }) => ['multicall', [[encode(hub, 'deposit', [5n * RLC])]]]],
]

/** What it tries then, one at a time: to have or move what is not its own. */
const attempts: [string, (hooked: Hooked) => string][] = [
  ['to recover', ({ hub }) => encode(hub, 'recover', [])],
  ['to recover in a multicall', ({ hub }) => encode(hub, 'multicall', [[encode(hub, 'recover', [])]])],
  ['to withdraw what it had', ({ hub }) => encode(hub, 'withdraw', [10n * RLC])],
  ['to withdraw what is just coming too', ({ hub }) => encode(hub, 'withdraw', [15n * RLC])],
  ['to withdraw what is just going too', ({ hub }) => encode(hub, 'withdraw', [6n * RLC])],
  ['to move what it had', ({ hub, broker }) => encode(hub, 'transfer', [broker.address, 10n * RLC])],
  ['to deposit as well', ({ hub }) => encode(hub, 'deposit', [7n * RLC])],
  [
    'to deposit and recover',
    ({ hub }) => encode(hub, 'multicall', [[encode(hub, 'deposit', [7n * RLC]), encode(hub, 'recover', [])]]),
  ],
]

/** All that the meddler and its accomplice own, in the Hub and outside. */
async function wealthOf({ hub, token, meddler, broker }: Hooked): Promise<bigint> {
  const amounts = [meddler, broker].flatMap((account) => [hub.balanceOf(account), token.balanceOf(account)])
  return (await Promise.all(amounts)).reduce((sum, amount) => sum + amount, 0n)
}

for (const isBefore of [true, false]) {
  describe(`a token that calls ${isBefore ? 'before' : 'after'} it moves`, () => {
    for (const [middle, call] of middles) {
      for (const [name, attempt] of attempts) {
        it(`in the middle of ${middle} lets nobody gain or lose: ${name}`, async () => {
          const hooked = await loadFixture(hookedMarket)
          const { hub, token, meddler, anyone, broker } = hooked
          await token.setHook(meddler, isBefore)
          await meddler.prepare([{ target: hub, data: attempt(hooked) }])
          const wealth = await wealthOf(hooked)
          const [method, args] = call(hooked)
          await meddler.execute(hub, encode(hub, method, args)).catch((error: Error) => refusedBy(hub, error))
          expect(await wealthOf(hooked)).to.equal(wealth)
          expect(await hub.balanceOf(anyone)).to.equal(100n * RLC)
          await expectSound(hub, [...everybody(hooked as unknown as Assets), meddler, broker])
        })
      }
    }
  })
}

describe('a token that calls while a deal of the Hub is open', () => {
  for (const isBefore of [true, false]) {
    for (const [method, amount] of [
      ['deposit', 1n],
      ['withdraw', 1n],
    ] as const) {
      it(`${isBefore ? 'before' : 'after'} it moves for a ${method}, finds every task as it was`, async () => {
        const hooked = await loadFixture(hookedMarket)
        const { hub, token, worker } = hooked
        const assets: Assets = { ...hooked, token: token as unknown as Assets['token'] }
        // A meddler that is not the owner of the Hub, and a task that is over.
        const meddler = await newMeddler(assets)
        const orders = await signOrders(assets)
        const { dealId } = await matchDeal(assets, orders)
        const settled = await settlementOf(assets, { dealId, worker })
        await hub.settle(...settleArguments(settled))
        const tried = await attemptsOn(assets, { settled, meddler, orders })
        await meddler.prepare(tried.map(({ data }) => ({ target: hub, data })))
        await token.setHook(meddler, isBefore)
        await meddler.execute(hub, encode(hub, method, [amount]), { gasLimit: 16_000_000n })
        await expectOutcomes(hub, meddler, tried)
        await expectSound(hub, [...everybody(assets), meddler, hooked.meddler])
      })
    }
  }
})

/** The outer call may fail because the inner one took what it needs: that is a refusal by name, too. */
function refusedBy(hub: IHub, error: Error): void {
  const data = /"data": ?"(0x[0-9a-f]*)"|custom error '(\w+)/i.exec(error.message)
  const name = data?.[2] ?? hub.interface.parseError(data?.[1] ?? '0x')?.name
  expect(name).to.be.oneOf(['ERC20InsufficientBalance', 'TokenTransferFailed', 'CallFailed'])
}
