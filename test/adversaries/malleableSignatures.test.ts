import { expect } from 'chai'
import { failureOf } from '../failures.ts'
import {
  CLOSE,
  type Contribution,
  contributeArguments,
  contributionTo,
  createdAssets,
  ethers,
  finalArguments,
  hashOrder,
  initializedTask,
  loadFixture,
  matchedDeal,
  type Quadruple,
  requestOrder,
  SIGN,
  settleArguments,
  settlementOf,
  signedOrders,
  signOperation,
  signOrders,
} from '../fixtures.ts'

/** The order of secp256k1: `s` and `ORDER - s` make the same signature. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The same signature, written otherwise: all but its short form must be refused. */
function formsOf(signature: string): [string, string][] {
  const { r, s, v, yParityAndS } = ethers.Signature.from(signature)
  const word = (value: bigint) => ethers.toBeHex(value, 32)
  const byte = (value: number) => ethers.toBeHex(value, 1)
  return [
    ['with `s` in the upper half', ethers.concat([r, word(ORDER - BigInt(s)), byte(v === 27 ? 28 : 27)])],
    ['with `s` in the upper half and the same `v`', ethers.concat([r, word(ORDER - BigInt(s)), byte(v)])],
    ['with `v` 0 or 1', ethers.concat([r, s, byte(v - 27)])],
    ['with the other `v`', ethers.concat([r, s, byte(v === 27 ? 28 : 27)])],
    ['with `v` 29', ethers.concat([r, s, byte(29)])],
    ['with `v` of EIP-155', ethers.concat([r, s, byte(37)])],
    ['in reverse, `v` first', ethers.concat([byte(v), r, s])],
    ['with a byte more', ethers.concat([signature, '0x00'])],
    ['in its short form, with the other parity', ethers.concat([r, word(BigInt(yParityAndS) ^ (1n << 255n))])],
    ['as two words, a byte short', ethers.dataSlice(signature, 0, 63)],
    ['twice', ethers.concat([signature, signature])],
    ['of zeros, 65 bytes', ethers.hexlify(new Uint8Array(65))],
    ['of zeros, 64 bytes', ethers.hexlify(new Uint8Array(64))],
    ['with `r` zero', ethers.concat([ethers.ZeroHash, s, byte(v)])],
    ['with `s` zero', ethers.concat([r, ethers.ZeroHash, byte(v)])],
    ['with `r` past the order', ethers.concat([word(ORDER), s, byte(v)])],
    ['of nothing', '0x'],
  ]
}

const names = formsOf(ethers.Signature.from({ r: ethers.id('r'), s: ethers.ZeroHash, v: 27 }).serialized)

function form(signature: string, index: number): string {
  return formsOf(signature)[index]?.[1] ?? '0x'
}

describe('a signature that is written otherwise', () => {
  for (const [index, [name]] of names.entries()) {
    it(`is refused in every order: ${name}`, async () => {
      const { hub, orders, domain, appOwner, datasetOwner, scheduler, requester } = await loadFixture(signedOrders)
      const owners = [appOwner, datasetOwner, scheduler, requester]
      for (const [kind, order] of (['app', 'dataset', 'workerpool', 'request'] as const).entries()) {
        const forged = orders.map((one, at) => (at === kind ? { ...one, sign: form(one.sign, index) } : one))
        await expect(hub.matchOrders(...(forged as Quadruple)))
          .to.be.revertedWithCustomError(hub, 'NotAuthentic')
          .withArgs(BigInt(kind), hashOrder(order, orders[kind] as never, domain), owners[kind]?.address)
      }
    })

    it(`is refused in an operation: ${name}`, async () => {
      const { hub, orders, domain, datasetOwner, anyone } = await loadFixture(signedOrders)
      const order = orders[1]
      for (const operation of [SIGN, CLOSE]) {
        const signed = await signOperation('dataset', { order, operation }, { signer: datasetOwner, domain })
        await expect(hub.connect(anyone).manageDatasetOrder({ ...signed, sign: form(signed.sign, index) }))
          .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
          .withArgs(hashOrder('dataset', order, domain), datasetOwner.address, anyone.address)
      }
    })

    it(`is refused of pool and enclave: ${name}`, async () => {
      const task = await loadFixture(initializedTask)
      const { hub, taskId, dealId, worker } = task
      const result = await contributionTo(task, { taskId, worker })
      const settled = await settlementOf(task, { dealId, worker })
      const failure = await failureOf(task, { dealId, worker, cause: 1n })
      const ways = (part: 'enclaveSign' | 'authorizationSign') => {
        const bad = <T extends Contribution>(one: T): T => ({ ...one, [part]: form(one[part], index) })
        const [deal, at, by, cause, enclave, enclaveSign, authorizationSign] = failure
        const signs = { enclaveSign, authorizationSign, [part]: form(failure[part === 'enclaveSign' ? 5 : 6], index) }
        const calling = hub.connect(worker)
        return [
          () => calling.contributeAndFinalize(...finalArguments(taskId, bad(result))),
          () => calling.contribute(...contributeArguments(taskId, bad(result))),
          () => calling.settle(...settleArguments(bad(settled))),
          () => calling.settleFailure(deal, at, by, cause, enclave, signs.enclaveSign, signs.authorizationSign),
        ]
      }
      for (const way of ways('authorizationSign')) {
        await expect(way()).to.be.revertedWithCustomError(hub, 'NotAuthorized')
      }
      for (const way of ways('enclaveSign')) {
        await expect(way()).to.be.revertedWithCustomError(hub, 'NotSignedByEnclave')
      }
    })
  }

  it('is accepted in its short form (EIP-2098) only, and uses up the same order', async () => {
    const assets = await loadFixture(signedOrders)
    const { hub, orders } = assets
    const short = orders.map((order) => ({ ...order, sign: ethers.Signature.from(order.sign).compactSerialized }))
    await expect(hub.matchOrders(...(short as Quadruple))).to.emit(hub, 'OrdersMatched')
    await expect(hub.matchOrders(...orders)).to.be.revertedWithCustomError(hub, 'NothingLeft')
  })

  it('is accepted in its short form from pool and enclave', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, dealId, worker } = deal
    const settled = await settlementOf(deal, { dealId, worker })
    const { enclaveSign, authorizationSign } = settled
    const [enclave, pool] = [enclaveSign, authorizationSign].map(
      (sign) => ethers.Signature.from(sign).compactSerialized,
    )
    const short = { ...settled, enclaveSign: enclave ?? '', authorizationSign: pool ?? '' }
    await expect(hub.settle(...settleArguments(short))).to.emit(hub, 'TaskFinalize')
  })
})

describe('the zero address, which every failed recovery gives', () => {
  it('requests nothing, by any signature or operation', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, domain, anyone } = assets
    const orders = await signOrders(assets, { request: { requester: ethers.ZeroAddress } })
    const orderHash = hashOrder('request', orders[3], domain)
    for (const sign of ['0x', orders[3].sign, ethers.hexlify(new Uint8Array(65)), ethers.hexlify(new Uint8Array(64))]) {
      const forged: Quadruple = [orders[0], orders[1], orders[2], { ...orders[3], sign }]
      await expect(hub.matchOrders(...forged))
        .to.be.revertedWithCustomError(hub, 'NotAuthentic')
        .withArgs(3n, orderHash, ethers.ZeroAddress)
      const order = requestOrder(orders[3])
      await expect(hub.connect(anyone).manageRequestOrder({ order, operation: SIGN, sign }))
        .to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
        .withArgs(orderHash, ethers.ZeroAddress, anyone.address)
    }
  })

  it('owns no asset that is not registered, so its orders are refused before any signature', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub, anyone } = assets
    const stranger = ethers.Wallet.createRandom().address
    const orders = await signOrders(assets, { app: { app: stranger }, request: { app: stranger } })
    await expect(hub.matchOrders(...orders))
      .to.be.revertedWithCustomError(hub, 'NotRegistered')
      .withArgs(0n, stranger)
    await expect(
      hub.connect(anyone).manageAppOrder({ order: orders[0], operation: SIGN, sign: '0x' }),
    ).to.be.revertedWithCustomError(hub, 'OperationNotAuthorized')
  })

  it('is no enclave: a task that needs one is not ended without', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, dealId, worker } = deal
    const settled = await settlementOf(deal, { dealId, worker, enclave: null })
    const failure = [dealId, 0n, worker.address, 1n, ethers.ZeroAddress, '0x', settled.authorizationSign] as const
    for (const sending of [hub.connect(worker).settle(...settleArguments(settled)), hub.settleFailure(...failure)]) {
      await expect(sending).to.be.revertedWithCustomError(hub, 'EnclaveRequired').withArgs(settled.taskId)
    }
  })

  it('authorizes nothing where there is no TEE broker: the pool does', async () => {
    const deal = await loadFixture(matchedDeal)
    const { hub, dealId, worker, scheduler } = deal
    const settled = await settlementOf(deal, { dealId, worker })
    const authorizationSign = ethers.hexlify(new Uint8Array(65))
    await expect(hub.settle(...settleArguments({ ...settled, authorizationSign })))
      .to.be.revertedWithCustomError(hub, 'NotAuthorized')
      .withArgs(settled.taskId, worker.address, settled.enclaveChallenge, scheduler.address)
  })
})
