import { expect } from 'chai'
import fc from 'fast-check'
import { type Address, Explanation, Match, Order, Tag, zeroAddress } from './index.ts'

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const one = fc.constantFrom(address(1), address(2))
const restriction = fc.constantFrom(zeroAddress, address(1), address(2))
const number = fc.bigInt({ min: 0n, max: 2n })
const volume = fc.bigInt({ min: 1n, max: 2n })
const tag = fc.constantFrom(Tag.none, Tag.tdx)
const sign = fc.constant('0x' as const)
const common = { volume, tag, sign, salt: fc.constant(`0x${'00'.repeat(32)}` as const) }
const [apprestrict, datasetrestrict] = [restriction, restriction]
const open = { workerpoolrestrict: restriction, requesterrestrict: restriction }

const orders: fc.Arbitrary<Match.Orders> = fc.record({
  app: fc.record({ ...common, app: one, appprice: number, datasetrestrict, ...open }),
  dataset: fc.option(fc.record({ ...common, dataset: one, datasetprice: number, apprestrict, ...open }), {
    nil: undefined,
  }),
  workerpool: fc.record({
    ...common,
    workerpool: one,
    workerpoolprice: fc.constantFrom(0n, 1n, 2n, 10n),
    category: number,
    trust: number,
    apprestrict,
    datasetrestrict,
    requesterrestrict: restriction,
  }),
  request: fc
    .record({
      ...common,
      app: one,
      dataset: restriction,
      workerpool: restriction,
      requester: one,
      appmaxprice: number,
      datasetmaxprice: number,
      workerpoolmaxprice: number,
      category: number,
      trust: number,
    })
    .map(({ sign, ...request }) => ({ ...Order.create('request', request), sign })),
})
const facts = (fact: fc.Arbitrary<boolean>) => fc.record({ app: fact, dataset: fact, workerpool: fact, request: fact })
const state = fc.record({
  categoryCount: number,
  registered: facts(fc.boolean()),
  authentic: facts(fc.boolean()),
  consumed: fc.record({ app: number, dataset: number, workerpool: number, request: number }),
})
const funds = fc.record({ account: one, free: fc.bigInt({ min: 0n, max: 8n }) })

describe('Explanation.of', () => {
  it('has one answer per rule, in the order of the Hub, and says of exactly the broken ones what would put them right', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(orders, state, funds, funds, (orders, state, payer, poolOwner) => {
        const volume = Match.volume(orders, state.consumed)
        const mismatches = [...Match.check(orders, state), ...Match.checkFunds(orders, volume, { payer, poolOwner })]
        const answers = Explanation.of(orders, mismatches)
        const keys = answers.map(({ code, order }) => `${code} ${order}`)
        expect(new Set(keys).size).to.equal(keys.length)
        const broken = answers.filter(({ holds }) => !holds)
        expect(broken.map(({ code }) => code)).to.deep.equal(mismatches.map(({ code }) => code))
        for (const answer of broken) {
          seen.add(answer.code)
          expect(answer).to.have.keys('code', 'rule', 'order', 'holds', 'wanted', 'found', 'sentence', 'remedy')
          expect(Object.values(answer)).not.to.include('undefined')
        }
      }),
      { numRuns: 2_000 },
    )
    // Each rule of the Hub was broken at least once.
    expect(seen.size).to.equal(30)
  })

  it('names the order, the two values and the remedy', () => {
    const app = { ...Order.create('app', { app: address(1), appprice: 7n }), sign: '0x' as const }
    const workerpool = { ...Order.create('workerpool', { workerpool: address(2) }), sign: '0x' as const }
    const request = {
      ...Order.create('request', { app: address(1), requester: address(3), appmaxprice: 5n }),
      sign: '0x' as const,
    }
    const orders = { app, workerpool, request }
    const [broken] = Explanation.of(orders, Match.check(orders)).filter(({ holds }) => !holds)
    expect(broken).to.deep.equal({
      code: '03',
      rule: 'Overpriced',
      order: 'app',
      holds: false,
      wanted: '5',
      found: '7',
      sentence: 'The app costs 7 per task, the request pays at most 5.',
      remedy: "Raise the request's appmaxprice to 7, or find a cheaper order.",
    })
  })
})
