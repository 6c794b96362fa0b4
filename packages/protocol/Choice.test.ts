import { expect } from 'chai'
import fc from 'fast-check'
import { type Address, Choice, Match, Order, Tag, zeroAddress } from './index.ts'

type Book = Choice.Book
type Candidate<kind extends Order.Kind> = Choice.Candidate<kind>

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const app = address(1)
const data = address(2)
const requester = address(3)
const group = address(9)
const pools = [address(21), address(22), address(23)]

/** The group admits the requester and the first pool, nobody else. */
const isMember = (asked: Address, candidate: Address) =>
  asked === group && [requester, pools[0]].some((member) => member === candidate)

const price = fc.bigInt({ min: 0n, max: 6n })
const volume = fc.bigInt({ min: 1n, max: 5n })
const gpu = Tag.encode(['tee', 'tdx', 'gpu'])
const tag = fc.constantFrom(Tag.tdx, Tag.tdx, Tag.tdx, gpu, Tag.none)
const offeredTag = fc.constantFrom(Tag.tdx, gpu, gpu)
const limit = fc.bigInt({ min: 2n, max: 8n })
const restriction = (...others: Address[]) => fc.constantFrom(zeroAddress, zeroAddress, zeroAddress, group, ...others)

function candidate<kind extends Order.Kind>(
  order: Order.Signed<kind> & { volume: bigint },
  left: bigint,
): Candidate<kind> {
  return { order, remaining: order.volume < left ? order.volume : left }
}

const apps = fc
  .record({
    appprice: price,
    volume,
    tag,
    pool: restriction(...pools),
    user: restriction(requester, address(77)),
    left: volume,
  })
  .map(({ pool, user, left, ...fields }) =>
    candidate<'app'>(
      { ...Order.create('app', { app, ...fields, workerpoolrestrict: pool, requesterrestrict: user }), sign: '0x' },
      left,
    ),
  )
const datasets = fc
  .record({
    datasetprice: price,
    volume,
    tag,
    pool: restriction(...pools),
    by: restriction(app, address(78)),
    left: volume,
  })
  .map(({ pool, by, left, ...fields }) =>
    candidate<'dataset'>(
      {
        ...Order.create('dataset', { dataset: data, ...fields, workerpoolrestrict: pool, apprestrict: by }),
        sign: '0x',
      },
      left,
    ),
  )
const workerpools = fc
  .record({
    workerpool: fc.constantFrom(...pools),
    workerpoolprice: price,
    volume,
    tag: offeredTag,
    category: fc.constantFrom(0n, 0n, 1n),
    user: restriction(requester),
    left: volume,
  })
  .map(({ user, left, ...fields }) =>
    candidate<'workerpool'>(
      { ...Order.create('workerpool', { ...fields, trust: 1n, requesterrestrict: user }), sign: '0x' },
      left,
    ),
  )
const requests = fc
  .record({
    appmaxprice: limit,
    datasetmaxprice: limit,
    workerpoolmaxprice: limit,
    volume,
    tag,
    dataset: fc.constantFrom(zeroAddress, data),
    workerpool: restriction(...pools),
    category: fc.constantFrom(0n, 0n, 1n, 5n),
  })
  .map((fields) =>
    candidate<'request'>({ ...Order.create('request', { app, requester, trust: 1n, ...fields }), sign: '0x' }, 5n),
  )
const books = fc.record({
  apps: fc.array(apps, { maxLength: 5 }),
  datasets: fc.array(datasets, { maxLength: 5 }),
  workerpools: fc.array(workerpools, { maxLength: 6 }),
})

/** Every quadruple, judged one by one. */
function cheapest(request: Candidate<'request'>, book: Book): bigint | undefined {
  const wanted = request.order.dataset === zeroAddress ? [undefined] : book.datasets
  const prices = book.apps.flatMap((one) =>
    wanted.flatMap((two) =>
      book.workerpools.flatMap((three) => {
        const orders = { app: one.order, dataset: two?.order, workerpool: three.order, request: request.order }
        const consumed = {
          app: one.order.volume - one.remaining,
          ...(two ? { dataset: two.order.volume - two.remaining } : {}),
          workerpool: three.order.volume - three.remaining,
          request: request.order.volume - request.remaining,
        }
        return Match.check(orders, { isMember, categoryCount: 5n, consumed }).length === 0 ? [Match.price(orders)] : []
      }),
    ),
  )
  return prices.length === 0 ? undefined : prices.reduce((least, next) => (next < least ? next : least))
}

const chosen = (request: Candidate<'request'>, book: Book): Choice.Chosen | undefined =>
  Choice.cheapest({ request, book, isMember, categoryCount: 5n })

describe('Choice.cheapest', () => {
  it('finds a match exactly when one exists, and no cheaper one exists', () => {
    let found = 0
    fc.assert(
      fc.property(requests, books, (request, book) => {
        const choice = chosen(request, book)
        found += choice ? 1 : 0
        expect(choice?.price).to.equal(cheapest(request, book))
      }),
      { numRuns: 1_000 },
    )
    // Books in which nothing ever fits would prove nothing.
    expect(found).to.be.greaterThan(100)
  })

  it('takes no order that is known not to be registered or signed, and the first of equally cheap ones', () => {
    const order = (salt: number): Candidate<'app'> =>
      candidate<'app'>({ ...Order.create('app', { app, salt: `0x${String(salt).padStart(64, '0')}` }), sign: '0x' }, 1n)
    const pool = candidate<'workerpool'>(
      { ...Order.create('workerpool', { workerpool: pools[0] as Address }), sign: '0x' },
      1n,
    )
    const request = candidate<'request'>({ ...Order.create('request', { app, requester }), sign: '0x' }, 1n)
    const [first, second, third, fourth] = [order(1), order(2), order(3), order(4)]
    const book = {
      apps: [
        { ...first, isRegistered: false },
        { ...second, isAuthentic: false },
        { ...third, isAuthentic: true },
        fourth,
      ],
      datasets: [],
      workerpools: [pool],
    }
    expect(chosen(request, book)?.orders.app).to.equal(third.order)
  })

  it('chooses orders that the rules accept, for no more tasks than each has left', () => {
    fc.assert(
      fc.property(requests, books, (request, book) => {
        const choice = chosen(request, book)
        if (!choice) return
        expect(Match.check(choice.orders, { isMember, categoryCount: 5n })).to.deep.equal([])
        const left = [...book.apps, ...book.datasets, ...book.workerpools, request]
          .filter(({ order }) => Object.values(choice.orders).includes(order))
          .map(({ remaining }) => remaining)
        expect(choice.volume).to.equal(left.reduce((least, next) => (next < least ? next : least)))
      }),
      { numRuns: 500 },
    )
  })
})
