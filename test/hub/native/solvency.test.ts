import { expect } from 'chai'
import fc from 'fast-check'
import {
  ethers,
  loadFixture,
  makeDeal,
  price,
  schedulerStake,
  settleArguments,
  settlementOf,
  time,
} from '../../fixtures.ts'
import { nativeAssets, UNIT, weiOf } from '../../native.ts'

type Market = Awaited<ReturnType<typeof nativeAssets>>
type Walk = Market & { actors: Market['worker'][]; deals: string[]; ended: Set<string> }
type Step = { action: keyof typeof actions; who: number; whom: number; amount: bigint }

/** What anybody may do, brought into range so that it is done and not just refused. */
const actions = {
  deposit: ({ native, actors }: Walk, { who, amount }: Step) => native.connect(actors[who]).deposit({ value: amount }),
  depositFor: ({ native, actors }: Walk, { who, whom, amount }: Step) =>
    native.connect(actors[who]).depositFor(actors[whom] ?? '', { value: amount }),
  depositForArray: ({ native, actors }: Walk, { who, whom, amount }: Step) =>
    native
      .connect(actors[who])
      .depositForArray([amount / UNIT / 2n, amount / UNIT / 3n], [actors[whom] ?? '', native], { value: amount }),
  send: ({ native, actors }: Walk, { who, amount }: Step) =>
    actors[who]?.sendTransaction({ to: native, value: amount, data: '0x01020304' }),
  force: ({ native, actors }: Walk, { who, amount }: Step) =>
    actors[who]?.sendTransaction({ data: ethers.concat(['0x73', native.target.toString(), '0xff']), value: amount }),
  recover: ({ native, owner }: Walk) => native.connect(owner).recover(),
  async withdraw({ native, actors }: Walk, { who, whom, amount }: Step) {
    const free = await native.balanceOf(actors[who] ?? '')
    return native.connect(actors[who]).withdrawTo(amount < free ? amount : free, actors[whom] ?? '')
  },
  async transfer({ native, actors }: Walk, { who, whom, amount }: Step) {
    const free = await native.balanceOf(actors[who] ?? '')
    return native.connect(actors[who]).transfer(actors[whom] ?? '', amount < free ? amount : free)
  },
  multicall({ native, actors }: Walk, { who, whom, amount }: Step) {
    const { interface: abi } = native
    const calls = [
      abi.encodeFunctionData('withdraw', [amount / UNIT / 3n]),
      abi.encodeFunctionData('deposit'),
      abi.encodeFunctionData('depositFor', [actors[whom]?.address ?? '']),
      abi.encodeFunctionData('transfer', [actors[whom]?.address ?? '', amount / UNIT / 3n]),
    ]
    return native.connect(actors[who]).multicall(calls, { value: amount })
  },
  async match(walk: Walk) {
    const [free, staked] = [await walk.hub.balanceOf(walk.requester), await walk.hub.balanceOf(walk.scheduler)]
    if (free < price || staked < schedulerStake) return
    walk.deals.push((await makeDeal(walk)).dealId)
  },
  async settle(walk: Walk, { whom }: Step) {
    const dealId = walk.deals.find((id) => !walk.ended.has(id))
    const worker = walk.actors[whom]
    if (dealId === undefined || worker === undefined) return
    const { contributionDeadline, now } = await clockOf(walk, dealId)
    if (now + 1n >= contributionDeadline) return
    await walk.hub.settle(...settleArguments(await settlementOf(walk, { dealId, worker })))
    walk.ended.add(dealId)
  },
  async claim(walk: Walk) {
    const dealId = walk.deals.find((id) => !walk.ended.has(id))
    if (dealId === undefined) return
    const { finalDeadline, now } = await clockOf(walk, dealId)
    if (now < finalDeadline) await time.increaseTo(finalDeadline)
    await walk.hub.initializeAndClaimArray([dealId], [0n])
    walk.ended.add(dealId)
  },
}

async function clockOf({ hub }: Walk, dealId: string) {
  const { startTime } = await hub.viewDeal(dealId)
  const now = BigInt(await time.latest())
  return { contributionDeadline: startTime + 2100n, finalDeadline: startTime + 3000n, now }
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom(...(Object.keys(actions) as (keyof typeof actions)[])),
  who: fc.nat(5),
  whom: fc.nat(5),
  amount: fc.bigInt(1n, 3n * price * UNIT),
})

describe('a Hub over native currency', () => {
  it('always holds at least 10^9 wei for each unit of the supply, and the supply is the sum of the balances', async () => {
    const reached = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
        const market = await loadFixture(nativeAssets)
        const { native, owner, scheduler, requester, sponsor, worker, worker2, appOwner, datasetOwner } = market
        const actors = [scheduler, requester, sponsor, worker, worker2, owner]
        const walk: Walk = { ...market, actors, deals: [], ended: new Set() }
        for (const one of steps) {
          await actions[one.action](walk, one)
          reached.add(one.action)
          const supply = await native.totalSupply()
          expect(await weiOf(native)).to.be.at.least(supply * UNIT)
          const all = [...actors, appOwner, datasetOwner, native]
          const balances = await Promise.all(all.map((account) => native.balanceOf(account)))
          expect(balances.reduce((sum, balance) => sum + balance, 0n)).to.equal(supply)
        }
        await expectAllCanLeave(walk)
      }),
      { numRuns: 12 },
    )
    expect([...reached].sort()).to.deep.equal(Object.keys(actions).sort())
  }).timeout(300_000)
})

/** Everybody takes out what is free; what is left is locked, in the kitty, the Hub's own, or no whole unit. */
async function expectAllCanLeave({ native, actors, appOwner, datasetOwner, owner }: Walk) {
  await native.connect(owner).recover()
  for (const account of [...actors, appOwner, datasetOwner]) {
    await native.connect(account).withdraw(await native.balanceOf(account))
  }
  const held = await native.balanceOf(native)
  expect(await native.totalSupply()).to.equal(held)
  expect((await weiOf(native)) / UNIT).to.equal(held)
}
