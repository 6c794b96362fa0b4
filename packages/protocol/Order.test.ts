import { expect } from 'chai'
import { id, Signature, TypedDataEncoder, verifyTypedData, Wallet } from 'ethers'
import fc from 'fast-check'
import { type Address, type Hex, Order, Tag, zeroAddress, zeroHash } from './index.ts'

const hub: Address = '0xB2157BF2fAb286b2A4170E3491Ac39770111Da3E'
const domain = Order.domain({ chainId: 421614, hub })
const other: Address = '0x098bFCb1E50ebcA0BaA92C12eA0c3F045A1aD9f0'

// From the published ABI of the reference protocol.
const typehashes: Record<Order.Kind, [Hex, Hex]> = {
  app: [
    '0x60815a0eeec47dddf1615fe53b31d016c31444e01b9d796db365443a6445d008',
    '0x0638bb0702457e2b4b01be8a202579b8bf97e587fb4f2cc4d4aad01f21a06ee0',
  ],
  dataset: [
    '0x6cfc932a5a3d22c4359295b9f433edff52b60703fa47690a04a83e40933dd47c',
    '0x075eb6f7578ff4292c241bd2484cd5c1d5e6ecc2ddd3317e1d8176b5a45865ec',
  ],
  workerpool: [
    '0xaa3429fb281b34691803133d3d978a75bb77c617ed6bc9aa162b9b30920022bb',
    '0x322d980b7d7a6a1f7c39ff0c5445da6ae1d8e0393ff0dd468c8be3e2c8644388',
  ],
  request: [
    '0xf24e853034a3a450aba845a82914fbb564ad85accca6cf62be112a154520fae0',
    '0x0ded7b52c2d77595a40d242eca751df172b18e686326dbbed3f4748828af77c7',
  ],
}

const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((b) => `0x${Buffer.from(b).toString('hex')}` as Address)
const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => `0x${Buffer.from(b).toString('hex')}` as Hex)
const uint256 = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n })

/** Any order of a kind, each member drawn by its type. */
function anyOrder<kind extends Order.Kind>(kind: kind): fc.Arbitrary<Order.Signed<kind>> {
  const fields = Object.values(Order.types(kind))[0] ?? []
  const members = fields.map(({ name, type }) => {
    const value = type === 'address' ? address : type === 'bytes32' ? word : type === 'uint256' ? uint256 : fc.string()
    return [name, value] as const
  })
  return fc.record({ ...Object.fromEntries(members), sign: word }) as unknown as fc.Arbitrary<Order.Signed<kind>>
}

describe('Order', () => {
  for (const kind of Order.kinds) {
    describe(`given a ${kind} order`, () => {
      it('has the published EIP-712 types, operation included', () => {
        const [orderType, operationType] = typehashes[kind]
        const operation = Order.operationTypedData(kind, { order: Order.none(kind), operation: 'close' }, domain)
        const names = Object.keys(operation.types)
        const encoder = TypedDataEncoder.from(operation.types)
        expect(id(encoder.encodeType(names[1] ?? ''))).to.equal(orderType)
        expect(id(encoder.encodeType(names[0] ?? ''))).to.equal(operationType)
      })

      it('hashes as ethers does, whatever the values', () => {
        fc.assert(
          fc.property(anyOrder(kind), (order) => {
            const { types, message } = Order.typedData(kind, order, domain)
            expect(Order.hash(kind, order, domain)).to.equal(TypedDataEncoder.hash(domain, types, message))
          }),
          { numRuns: 20 },
        )
      })

      it('survives the wire, whatever the values', () => {
        fc.assert(
          fc.property(anyOrder(kind), (order) => {
            const wire: unknown = JSON.parse(JSON.stringify(Order.toJson(kind, order)))
            const back = Order.fromJson(kind, wire)
            expect(Order.toJson(kind, back)).to.deep.equal(Order.toJson(kind, Order.fromJson(kind, back)))
            expect(Order.hash(kind, back, domain)).to.equal(Order.hash(kind, order, domain))
          }),
          { numRuns: 50 },
        )
      })

      it('is recovered to its signer from 65 and from 64 bytes, and to another after any change', async () => {
        const wallet = Wallet.createRandom()
        const signed = await Order.sign(kind, { ...Order.none(kind), salt: id('salt') as Hex }, wallet, domain)
        const compact = Signature.from(signed.sign).compactSerialized as Hex
        expect(Order.recover(kind, signed, domain)).to.equal(wallet.address)
        expect(Order.recover(kind, { ...signed, sign: compact }, domain)).to.equal(wallet.address)
        expect(Order.recover(kind, { ...signed, volume: 2n }, domain)).to.not.equal(wallet.address)
        expect(Order.recover(kind, signed, Order.domain({ chainId: 1, hub }))).to.not.equal(wallet.address)
      })
    })
  }

  it('signs an operation so that it differs from the order', async () => {
    const wallet = Wallet.createRandom()
    const order = Order.create('app', { app: other })
    const { types, message } = Order.operationTypedData('app', { order, operation: 'close' }, domain)
    const sign = await wallet.signTypedData(domain, types, message)
    expect(verifyTypedData(domain, types, message, sign)).to.equal(wallet.address)
    expect(Order.recover('app', { ...order, sign: sign as Hex }, domain)).to.not.equal(wallet.address)
  })

  it('fills in what the caller leaves out', () => {
    const order = Order.create('request', { app: other, requester: hub })
    const { salt, ...rest } = order
    expect(salt)
      .to.match(/^0x[0-9a-f]{64}$/)
      .and.not.equal(zeroHash)
    expect(rest).to.deep.equal({
      app: other,
      appmaxprice: 0n,
      dataset: zeroAddress,
      datasetmaxprice: 0n,
      workerpool: zeroAddress,
      workerpoolmaxprice: 0n,
      requester: hub,
      volume: 1n,
      tag: Tag.tdx,
      category: 0n,
      trust: 0n,
      beneficiary: hub,
      callback: zeroAddress,
      params: '',
    })
  })

  it('makes orders that differ in nothing else differ in salt', () => {
    const [a, b] = [Order.create('app', { app: other }), Order.create('app', { app: other })]
    expect(Order.hash('app', a, domain)).to.not.equal(Order.hash('app', b, domain))
  })

  it('refuses a wire order, naming the field', () => {
    const wire = Order.toJson('app', Order.none('app'))
    const refusals: [string, unknown][] = [
      ['app', '0x12'],
      ['app', undefined],
      ['appprice', '-1'],
      ['appprice', 1.5],
      ['appprice', 2 ** 53],
      ['appprice', '1e3'],
      ['appprice', (1n << 256n).toString()],
      ['tag', '0x09'],
      ['salt', 9],
      ['sign', 'nonsense'],
    ]
    for (const [field, value] of refusals) {
      expect(() => Order.fromJson('app', { ...wire, [field]: value }), String(value)).to.throw(`apporder.${field}`)
    }
    expect(() => Order.fromJson('app', null)).to.throw('must be an object')
  })

  it('refuses a signature of another length', () => {
    expect(() => Order.recover('app', { ...Order.none('app'), sign: '0x1234' }, domain)).to.throw('64 or 65 bytes')
  })
})
