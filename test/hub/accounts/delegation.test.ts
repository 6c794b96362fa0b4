import { expect } from 'chai'
import { delegate, newKey, TROUBLE, walletOf } from '../../accounts.ts'
import {
  CLOSE,
  createdAssets,
  DEPOSIT,
  ethers,
  hashOrder,
  loadFixture,
  matchDeal,
  operationOn,
  price,
  type Quadruple,
  SIGN,
  settleArguments,
  settlementOf,
  signOperation,
  signOrders,
} from '../../fixtures.ts'

const nobody = ethers.ZeroAddress

/**
 * The requester is an account with a key that was given the code of a wallet, which approves what `holder` signs. Of two
 * equal orders one is signed by the holder, one by the key.
 */
async function delegatedRequester() {
  const assets = await loadFixture(createdAssets)
  const { hub, token, owner } = assets
  const [key, holder] = [await newKey(), await newKey()]
  await token.connect(owner).approve(hub, DEPOSIT)
  await hub.connect(owner).depositFor(DEPOSIT, key.address)
  const wallet = await walletOf(holder)
  await delegate(key, await wallet.getAddress())
  const request = { requester: key.address, beneficiary: key.address }
  const byHolder = await signOrders(assets, { request, signers: { request: holder } })
  const byKey = await signOrders(assets, { request, signers: { request: key } })
  return { ...assets, key, holder, wallet, byHolder, byKey }
}

type Delegated = Awaited<ReturnType<typeof delegatedRequester>>

function expectRefused({ hub, domain, key }: Delegated, orders: Quadruple) {
  return expect(hub.matchOrders(...orders, { gasLimit: 3_000_000n }))
    .to.be.revertedWithCustomError(hub, 'NotAuthentic')
    .withArgs(3n, hashOrder('request', orders[3], domain), key.address)
}

async function troublemaker(kind: keyof typeof TROUBLE): Promise<string> {
  return (await ethers.deployContract('Troublemaker', [TROUBLE[kind]])).getAddress()
}

describe('an account that was given code by an EIP-7702 transaction', () => {
  it('really has it: the code of the account points to the wallet', async () => {
    const { key, wallet } = await loadFixture(delegatedRequester)
    const pointer = ethers.concat(['0xef0100', await wallet.getAddress()])
    expect(await ethers.provider.getCode(key.address)).to.equal(pointer.toLowerCase())
  })

  it('signs by its code and by its key', async () => {
    const assets = await loadFixture(delegatedRequester)
    await expect(assets.hub.matchOrders(...assets.byHolder)).to.emit(assets.hub, 'OrdersMatched')
    await expect(assets.hub.matchOrders(...assets.byKey)).to.emit(assets.hub, 'OrdersMatched')
    expect(await assets.hub.frozenOf(assets.key.address)).to.equal(2n * price)
  })

  const afterwards: [string, () => Promise<string>][] = [
    ['the delegation was removed', async () => nobody],
    ['the code approves somebody else', async () => (await walletOf(await newKey())).getAddress()],
    ['the code knows nothing of ERC-1271', async () => (await ethers.deployContract('Group')).getAddress()],
    ['the code reverts', () => troublemaker('reverts')],
    ['the code burns all gas', () => troublemaker('burnsGas')],
    ['the code returns a bomb', () => troublemaker('returnsABomb')],
    ['the code answers all ones', () => troublemaker('returnsAllOnes')],
  ]
  for (const [name, next] of afterwards) {
    it(`keeps what its key signed, not what its code approved, once ${name}`, async () => {
      const assets = await loadFixture(delegatedRequester)
      const { hub, key, byHolder, byKey } = assets
      await hub.matchOrders.staticCall(...byHolder)
      await delegate(key, await next())
      await expectRefused(assets, byHolder)
      await expect(hub.matchOrders(...byKey)).to.emit(hub, 'OrdersMatched')
    })
  }

  it('has its old approvals again when the old code is back', async () => {
    const assets = await loadFixture(delegatedRequester)
    const { hub, key, wallet, byHolder } = assets
    await delegate(key, nobody)
    await expectRefused(assets, byHolder)
    await delegate(key, await wallet.getAddress())
    await expect(hub.matchOrders(...byHolder)).to.emit(hub, 'OrdersMatched')
  })

  it('keeps its deals whatever its code becomes', async () => {
    const assets = await loadFixture(delegatedRequester)
    const { hub, key, worker, byHolder } = assets
    const { dealId } = await matchDeal(assets, byHolder)
    await delegate(key, await troublemaker('reverts'))
    await hub.settle(...settleArguments(await settlementOf(assets, { dealId, worker })))
    expect(await hub.viewAccount(key.address)).to.deep.equal([DEPOSIT - price, 0n])
  })

  it('signs nothing by the code of a wallet for another account of the same wallet', async () => {
    const assets = await loadFixture(delegatedRequester)
    const { hub, wallet, byHolder, domain, requester } = assets
    const stolen: Quadruple = [...byHolder]
    stolen[3] = { ...byHolder[3], requester: requester.address }
    await expect(hub.matchOrders(...stolen))
      .to.be.revertedWithCustomError(hub, 'NotAuthentic')
      .withArgs(3n, hashOrder('request', stolen[3], domain), requester.address)
    expect(await hub.viewAccount(wallet)).to.deep.equal([0n, 0n])
  })
})

describe('the presignature of an account that was given code', () => {
  it('by a transaction of its own stays, whatever its code becomes', async () => {
    const assets = await loadFixture(delegatedRequester)
    const { hub, key, byHolder, domain } = assets
    const order = { ...byHolder[3], sign: '0x' }
    const data = hub.interface.encodeFunctionData('manageRequestOrder', [operationOn(order, SIGN)])
    await key.sendTransaction({ to: hub, data })
    await delegate(key, await troublemaker('burnsGas'))
    expect(await hub.verifyPresignature(key.address, hashOrder('request', order, domain))).to.equal(true)
    await expect(hub.matchOrders(byHolder[0], byHolder[1], byHolder[2], order)).to.emit(hub, 'OrdersMatched')
  })

  for (const by of ['key', 'holder'] as const) {
    it(`by a signature of its ${by === 'key' ? 'key' : 'code'} stays as well`, async () => {
      const assets = await loadFixture(delegatedRequester)
      const { hub, key, byHolder, domain, anyone } = assets
      const order = { ...byHolder[3], sign: '0x' }
      const signing = await signOperation('request', { order, operation: SIGN }, { signer: assets[by], domain })
      await hub.connect(anyone).manageRequestOrder(signing)
      await delegate(key, nobody)
      await expect(hub.matchOrders(byHolder[0], byHolder[1], byHolder[2], order)).to.emit(hub, 'OrdersMatched')
    })
  }

  it('cannot be made by an operation that the code approved before it changed', async () => {
    const assets = await loadFixture(delegatedRequester)
    const { hub, key, holder, byHolder, domain, anyone } = assets
    const [order] = [byHolder[3]]
    const operation = await signOperation('request', { order, operation: CLOSE }, { signer: holder, domain })
    await delegate(key, nobody)
    await expect(hub.connect(anyone).manageRequestOrder(operation))
      .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
      .withArgs(hashOrder('request', order, domain), key.address, anyone.address)
  })
})

describe('what it costs that an account has code', () => {
  /** Gas of the same match, by the key of an account that has the code of `target`. */
  async function gasOfMatch(target: string): Promise<bigint> {
    const assets = await loadFixture(delegatedRequester)
    await delegate(assets.key, target)
    const sent = await assets.hub.matchOrders(...assets.byKey)
    return (await sent.wait())?.gasUsed ?? 0n
  }

  it('is nothing as long as the key signs: the code is never asked', async () => {
    const bare = await gasOfMatch(nobody)
    for (const kind of Object.keys(TROUBLE) as (keyof typeof TROUBLE)[]) {
      expect(await gasOfMatch(await troublemaker(kind)), kind).to.equal(bare)
    }
  })
})
