// The same contracts at the same addresses on another chain, and on a chain that forked off under another id.
import { expect } from 'chai'
import { type TypedDataDomain, TypedDataEncoder, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { deployMarketplace } from '../../deploy/marketplace.ts'
import {
  appOrder,
  CLOSE,
  domain as domainOf,
  hashOrder,
  noDataset,
  requestOrder,
  SIGN,
  signOperation,
  signOrder,
  workerpoolOrder,
} from '../orders.ts'

const HERE = 31_337n
const THERE = 4_242n

/** A marketplace on a chain of its own, with an app and a pool that cost nothing. */
async function marketplaceOn(chainId: bigint) {
  const connection = await network.create({ override: { chainId: Number(chainId) } })
  const { ethers } = connection
  const addresses = await deployMarketplace({ connection })
  const [owner] = await ethers.getSigners()
  if (owner === undefined) throw new Error('The chain has no account.')
  const apps = await ethers.getContractAt('AppRegistry', addresses.appRegistry)
  const pools = await ethers.getContractAt('WorkerpoolRegistry', addresses.workerpoolRegistry)
  const fields = [owner.address, 'app', 'BUNDLE', '0x', ethers.id('package'), '0x'] as const
  await apps.createApp(...fields)
  await pools.createWorkerpool(owner.address, 'pool')
  return {
    connection,
    addresses,
    owner,
    app: await apps.predictApp(...fields),
    workerpool: await pools.predictWorkerpool(owner.address, 'pool'),
    hub: await ethers.getContractAt('IHub', addresses.hub),
  }
}

type Marketplace = Awaited<ReturnType<typeof marketplaceOn>>

async function ordersUnder({ owner, app, workerpool }: Marketplace, domain: TypedDataDomain) {
  const by = { signer: owner, domain }
  return [
    await signOrder('app', appOrder({ app }), by),
    noDataset,
    await signOrder('workerpool', workerpoolOrder({ workerpool }), by),
    await signOrder('request', requestOrder({ app, requester: owner.address }), by),
  ] as const
}

/** What was signed for one chain is worth nothing, what was signed for the other is. */
async function expectOnly(market: Marketplace, { valid, stale }: Record<'valid' | 'stale', TypedDataDomain>) {
  const { hub, owner, connection } = market
  const [, anyone] = await connection.ethers.getSigners()
  expect(await hub.eip712domain_separator()).to.equal(TypedDataEncoder.hashDomain(valid))
  expect((await hub.domain()).chainId).to.equal(valid.chainId)
  const old = await ordersUnder(market, stale)
  await expect(hub.matchOrders(...old)).to.be.revertedWithCustomError(hub, 'NotAuthentic')
  for (const operation of [SIGN, CLOSE]) {
    const signed = await signOperation('request', { order: old[3], operation }, { signer: owner, domain: stale })
    await expect(hub.connect(anyone).manageRequestOrder(signed)).to.be.revertedWithCustomError(
      hub,
      'OperationNotAuthorized',
    )
  }
  const fresh = await ordersUnder(market, valid)
  await expect(hub.matchOrders(...fresh)).to.emit(hub, 'OrdersMatched')
  const closing = await signOperation(
    'request',
    { order: fresh[3], operation: CLOSE },
    { signer: owner, domain: valid },
  )
  await expect(hub.connect(anyone).manageRequestOrder(closing)).to.emit(hub, 'ClosedRequestOrder')
}

/**
 * Makes the contracts believe that they were deployed where the chain's id was `chainId`: what they remember of it stands
 * in their code.
 */
async function pretendBornOn(market: Marketplace, chainId: bigint) {
  const { connection, addresses } = market
  const { ethers, networkHelpers } = connection
  const word = (value: bigint) => ethers.toBeHex(value, 32).slice(2)
  for (const address of [addresses.hub, addresses.office, addresses.views]) {
    const separator = (id: bigint) => TypedDataEncoder.hashDomain(domainOf({ chainId: id, hub: address })).slice(2)
    const code = await ethers.provider.getCode(address)
    const born = code.replaceAll(word(THERE), word(chainId)).replaceAll(separator(THERE), separator(chainId))
    expect(born, 'the id of the chain is in the code').to.not.equal(code)
    await networkHelpers.setCode(address, born)
  }
}

describe('what was signed for another chain', () => {
  let market: Marketplace
  let domains: Record<'here' | 'there', TypedDataDomain>

  before(async () => {
    market = await marketplaceOn(THERE)
    const { hub } = market.addresses
    domains = { here: domainOf({ chainId: HERE, hub }), there: domainOf({ chainId: THERE, hub }) }
  })

  after(() => market.connection.close())

  it('is worth nothing at the same address: orders, signing and closing', async () => {
    await expectOnly(market, { valid: domains.there, stale: domains.here })
  })

  it('is worth nothing after a fork under a new id, in the contracts that were born before it', async () => {
    const before = await ordersUnder(market, domains.there)
    await pretendBornOn(market, HERE)
    await expectOnly(market, { valid: domains.there, stale: domains.here })
    await expect(market.hub.matchOrders(...before)).to.emit(market.hub, 'OrdersMatched')
  })

  it('presigned nothing for the other: an order has another digest on either', async () => {
    const [order] = await ordersUnder(market, domains.there)
    const { hub, owner } = market
    const isPresigned = (domain: TypedDataDomain) => hub.verifyPresignature(owner, hashOrder('app', order, domain))
    await hub.manageAppOrder({ order, operation: SIGN, sign: '0x' })
    expect([await isPresigned(domains.there), await isPresigned(domains.here)]).to.deep.equal([true, false])
    expect(await hub.verifyPresignature(ZeroAddress, hashOrder('app', order, domains.here))).to.equal(false)
  })
})
