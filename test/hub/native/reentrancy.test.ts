import { expect } from 'chai'
import { ethers, loadFixture } from '../../fixtures.ts'
import { nativeAssets, UNIT, weiOf } from '../../native.ts'

/** An account that is a contract with 10 units in the Hub, and one that owns the Hub. */
async function meddlers() {
  const assets = await loadFixture(nativeAssets)
  const { native, owner, anyone } = assets
  const account = await ethers.deployContract('Meddler')
  const ruler = await ethers.deployContract('Meddler')
  await native.connect(anyone).depositFor(account, { value: 10n * UNIT })
  await native.connect(owner).transferOwnership(ruler)
  return { ...assets, account, ruler }
}

type Meddlers = Awaited<ReturnType<typeof meddlers>>

/** What the account may try while the Hub pays it, each with what it must come to. */
function attempts({ native, account, broker }: Meddlers, free: bigint) {
  const { interface: abi } = native
  const self = account.target.toString()
  const missing = (amount: bigint) => abi.encodeErrorResult('ERC20InsufficientBalance', [self, free, amount])
  return [
    { data: abi.encodeFunctionData('withdraw', [free + 1n]), answer: missing(free + 1n) },
    { data: abi.encodeFunctionData('withdrawTo', [free + 1n, self]), answer: missing(free + 1n) },
    { data: abi.encodeFunctionData('transfer', [broker.address, free + 1n]), answer: missing(free + 1n) },
    {
      data: abi.encodeFunctionData('multicall', [[abi.encodeFunctionData('withdraw', [free + 1n])]]),
      answer: abi.encodeErrorResult('CallFailed', [0n, missing(free + 1n)]),
    },
  ]
}

async function expectRefused(assets: Meddlers, free: bigint, call: () => Promise<unknown>) {
  const { native, account } = assets
  const tried = attempts(assets, free)
  await account.prepare(tried.map(({ data }) => ({ target: native, data })))
  await call()
  const outcomes = await account.outcomes()
  expect(outcomes.map(({ success }) => success)).to.deep.equal(tried.map(() => false))
  expect(outcomes.map(({ answer }) => answer)).to.deep.equal(tried.map(({ answer }) => answer))
  expect(await weiOf(native)).to.equal((await native.totalSupply()) * UNIT)
}

describe('an account that calls back while the Hub pays it', () => {
  it('finds its withdrawal made: nothing is paid twice', async () => {
    const assets = await loadFixture(meddlers)
    const { native, account } = assets
    const data = native.interface.encodeFunctionData('withdraw', [6n])
    await expectRefused(assets, 4n, () => account.execute(native, data))
    expect(await weiOf(account)).to.equal(6n * UNIT)
  })

  it('finds its deposit made when it gets change: no more is credited than was kept', async () => {
    const assets = await loadFixture(meddlers)
    const { native, account } = assets
    const data = native.interface.encodeFunctionData('deposit')
    await expectRefused(assets, 12n, () => account.execute(native, data, { value: 2n * UNIT + 1n }))
    expect(await native.balanceOf(account)).to.equal(12n)
  })

  it('finds all deposits made when it gets what many deposits left', async () => {
    const assets = await loadFixture(meddlers)
    const { native, account } = assets
    const targets = [account.target.toString(), account.target.toString()]
    const data = native.interface.encodeFunctionData('depositForArray', [[1n, 2n], targets])
    await expectRefused(assets, 13n, () => account.execute(native, data, { value: 5n * UNIT }))
    expect(await weiOf(account)).to.equal(2n * UNIT)
  })

  it('finds its deposit made when it just pays the Hub', async () => {
    const assets = await loadFixture(meddlers)
    const { native, account } = assets
    await expectRefused(assets, 13n, () => account.pay(native, { value: 3n * UNIT + 1n }))
  })

  it('may use what it owns: the money is its own at that moment', async () => {
    const assets = await loadFixture(meddlers)
    const { native, account } = assets
    const data = native.interface.encodeFunctionData('withdraw', [4n])
    await account.prepare([{ target: native, data }])
    await account.execute(native, native.interface.encodeFunctionData('withdraw', [6n]))
    expect(await account.outcomes()).to.have.lengthOf(1)
    expect([await native.balanceOf(account), await weiOf(account)]).to.deep.equal([0n, 10n * UNIT])
  })
})

describe('an owner that recovers in the middle of a payment', () => {
  const middles: [string, (assets: Meddlers) => Promise<unknown>][] = [
    [
      'a withdrawal to it',
      ({ native, account, ruler }) =>
        account.execute(native, native.interface.encodeFunctionData('withdrawTo', [6n, ruler.target.toString()])),
    ],
    [
      'its own deposit',
      ({ native, ruler }) =>
        ruler.execute(native, native.interface.encodeFunctionData('deposit'), { value: 5n * UNIT + 9n }),
    ],
    [
      'its own multicall',
      ({ native, ruler }) =>
        ruler.execute(native, native.interface.encodeFunctionData('multicall', [[]]), { value: 5n * UNIT + 9n }),
    ],
  ]
  for (const [name, call] of middles) {
    it(`finds nothing: ${name}`, async () => {
      const assets = await loadFixture(meddlers)
      const { native, ruler } = assets
      await ruler.prepare([{ target: native, data: native.interface.encodeFunctionData('recover') }])
      await call(assets)
      const [outcome] = await ruler.outcomes()
      expect([outcome?.success, outcome?.answer]).to.deep.equal([true, ethers.ZeroHash])
      expect(await weiOf(native)).to.equal((await native.totalSupply()) * UNIT)
    })
  }
})
