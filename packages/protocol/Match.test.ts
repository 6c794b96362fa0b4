import { expect } from 'chai'
import fc from 'fast-check'
import { type Address, type Hex, Match, Order, Tag, zeroAddress } from './index.ts'

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const [app, dataset, workerpool, requester, group] = [
  address(0xa),
  address(0xd),
  address(0xf),
  address(0xe),
  address(0x9),
]
const sign: Hex = '0x'

/** Orders that match. */
function orders(): Match.Orders & { dataset: Order.Signed<'dataset'> } {
  return {
    app: { ...Order.create('app', { app, appprice: 1n }), sign },
    dataset: { ...Order.create('dataset', { dataset, datasetprice: 2n }), sign },
    workerpool: { ...Order.create('workerpool', { workerpool, workerpoolprice: 3n }), sign },
    request: {
      ...Order.create('request', {
        app,
        dataset,
        requester,
        appmaxprice: 1n,
        datasetmaxprice: 2n,
        workerpoolmaxprice: 3n,
      }),
      sign,
    },
  }
}

const state: Match.State = {
  categoryCount: 5n,
  isMember: () => false,
  registered: { app: true, dataset: true, workerpool: true },
  authentic: { app: true, dataset: true, workerpool: true, request: true },
  consumed: {},
}

type Change = {
  app?: Partial<Order.App>
  dataset?: Partial<Order.Dataset>
  workerpool?: Partial<Order.Workerpool>
  request?: Partial<Order.Request>
  state?: Match.State
}

function changed(change: Change): Match.Mismatch[] {
  const base = orders()
  return Match.check(
    {
      app: { ...base.app, ...change.app },
      dataset: { ...base.dataset, ...change.dataset },
      workerpool: { ...base.workerpool, ...change.workerpool },
      request: { ...base.request, ...change.request },
    },
    { ...state, ...change.state },
  )
}

const other = address(0xbad)
const clauses: [string, string, Change][] = [
  ['00', 'CategoryMismatch', { request: { category: 1n } }],
  ['01', 'UnknownCategory', { request: { category: 5n }, workerpool: { category: 5n } }],
  ['02', 'TrustTooHigh', { request: { trust: 2n } }],
  ['03', 'Overpriced', { app: { appprice: 2n } }],
  ['04', 'Overpriced', { dataset: { datasetprice: 3n } }],
  ['05', 'Overpriced', { workerpool: { workerpoolprice: 4n } }],
  ['06', 'TagNotCovered', { workerpool: { tag: Tag.encode(['tee']) } }],
  ['07', 'EnclaveMismatch', { app: { tag: Tag.none } }],
  ['10', 'AppMismatch', { request: { app: other } }],
  ['11', 'DatasetMismatch', { request: { dataset: other } }],
  ['12', 'Restricted', { request: { workerpool: other } }],
  ['13', 'Restricted', { app: { datasetrestrict: other } }],
  ['14', 'Restricted', { app: { workerpoolrestrict: other } }],
  ['15', 'Restricted', { app: { requesterrestrict: other } }],
  ['16', 'Restricted', { dataset: { apprestrict: other } }],
  ['17', 'Restricted', { dataset: { workerpoolrestrict: other } }],
  ['18', 'Restricted', { dataset: { requesterrestrict: other } }],
  ['19', 'Restricted', { workerpool: { apprestrict: other } }],
  ['1a', 'Restricted', { workerpool: { datasetrestrict: other } }],
  ['1b', 'Restricted', { workerpool: { requesterrestrict: other } }],
  ['20', 'NotRegistered', { state: { registered: { app: false } } }],
  ['21', 'NotAuthentic', { state: { authentic: { app: false } } }],
  ['30', 'NotRegistered', { state: { registered: { dataset: false } } }],
  ['31', 'NotAuthentic', { state: { authentic: { dataset: false } } }],
  ['40', 'NotRegistered', { state: { registered: { workerpool: false } } }],
  ['41', 'NotAuthentic', { state: { authentic: { workerpool: false } } }],
  ['50', 'NotAuthentic', { state: { authentic: { request: false } } }],
  ['60', 'NothingLeft', { state: { consumed: { app: 1n } } }],
]

describe('Match (C30, C78)', () => {
  it('finds nothing wrong with orders that match', () => expect(changed({})).to.deep.equal([]))

  for (const [code, name, change] of clauses) {
    it(`reports rule ${code}, ${name}, alone`, () => {
      const mismatches = changed(change)
      expect(mismatches.map((mismatch) => [mismatch.code, mismatch.name])).to.deep.equal([[code, name]])
      expect(mismatches[0]?.sentence).to.match(/\.$/)
      expect(mismatches[0]?.remedy).to.match(/\.$/)
    })
  }

  it('reports all broken rules, in the order of the contract', () => {
    const all = fc.subarray(
      clauses.filter(([code]) => code !== '00' && code < '20'),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(all, (broken) => {
        const merged = broken.reduce<Change>(
          (sum, [, , { app, dataset, workerpool, request }]) => ({
            app: { ...sum.app, ...app },
            dataset: { ...sum.dataset, ...dataset },
            workerpool: { ...sum.workerpool, ...workerpool },
            request: { ...sum.request, ...request },
          }),
          {},
        )
        const expected = broken.map(([code]) => code)
        // Tags interact: an app order without a tag, on a pool that offers less, breaks both or one of 06 and 07.
        const ignore = (codes: string[]) => codes.filter((code) => code !== '06' && code !== '07')
        expect(ignore(changed(merged).map(({ code }) => code))).to.deep.equal(ignore(expected))
      }),
    )
  })

  it('admits members of a group, and asks about no one else', () => {
    const asked: [Address, Address][] = []
    const isMember = (by: Address, candidate: Address) => {
      asked.push([by, candidate])
      return by === group && candidate === app
    }
    expect(changed({ dataset: { apprestrict: group }, state: { isMember } })).to.deep.equal([])
    expect(asked).to.deep.equal([[group, app]])
    expect(changed({ dataset: { requesterrestrict: group }, state: { isMember } })[0]?.code).to.equal('18')
    const base = orders()
    base.dataset.apprestrict = group
    base.app.datasetrestrict = dataset
    expect(Match.groupQuestions(base)).to.deep.equal([{ group, candidate: app }])
  })

  it('compares addresses, not their spelling', () => {
    const mixed: Address = '0xB2157BF2fAb286b2A4170E3491Ac39770111Da3E'
    const lower = mixed.toLowerCase() as Address
    expect(changed({ app: { app: mixed }, request: { app: lower }, dataset: { apprestrict: lower } })).to.deep.equal([])
  })

  describe('without a dataset', () => {
    it('ignores the body of the dataset order', () => {
      const { dataset: _, ...rest } = orders()
      const request = { ...rest.request, dataset: zeroAddress, datasetmaxprice: 0n }
      const body = { dataset: zeroAddress, datasetprice: 9n, volume: 0n, tag: Tag.encode(['gpu']), apprestrict: other }
      const junk = { ...Order.none('dataset'), ...body }
      expect(Match.check({ ...rest, request }, state)).to.deep.equal([])
      expect(
        Match.check({ ...rest, request, dataset: junk }, { ...state, registered: { dataset: false } }),
      ).to.deep.equal([])
      expect(Match.volume({ ...rest, request, dataset: junk })).to.equal(1n)
      expect(Match.price({ ...rest, dataset: junk })).to.equal(4n)
    })

    it('compares an app’s restriction to a dataset with the zero address', () => {
      const { dataset: _, ...rest } = orders()
      const request = { ...rest.request, dataset: zeroAddress }
      const app = { ...rest.app, datasetrestrict: dataset }
      expect(Match.check({ ...rest, app, request }, state)[0]).to.deep.include({ code: '13' })
    })
  })

  it('ignores the kind of enclave that a dataset order names', () => {
    expect(changed({ dataset: { tag: Tag.encode(['tee', 'scone']) } })).to.deep.equal([])
    expect(changed({ dataset: { tag: Tag.encode(['gpu']) } })[0]?.code).to.equal('06')
  })

  it('takes the least that is left as volume', () => {
    const left = fc.record({
      volumes: fc.array(fc.bigInt({ min: 1n, max: 1n << 64n }), { minLength: 4, maxLength: 4 }),
      used: fc.array(fc.bigInt({ min: 0n, max: 1n << 64n }), { minLength: 4, maxLength: 4 }),
    })
    fc.assert(
      fc.property(left, ({ volumes, used }) => {
        const base = orders()
        const [consumed, rest]: [Partial<Record<Order.Kind, bigint>>, bigint[]] = [{}, []]
        for (const [index, kind] of Order.kinds.entries()) {
          const [volume = 0n, spent = 0n] = [volumes[index], used[index]]
          base[kind].volume = volume
          consumed[kind] = spent % (volume + 1n)
          rest.push(volume - (consumed[kind] ?? 0n))
        }
        const least = rest.sort((a, b) => Number(a - b))[0]
        expect(Match.volume(base, consumed)).to.equal(least)
        expect(Match.check(base, { ...state, consumed }).some(({ code }) => code === '60')).to.equal(least === 0n)
      }),
    )
  })
})
