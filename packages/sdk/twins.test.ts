import { type Address, decodeRevert, Match, Order, Tag, zeroAddress } from '@sealdeal/protocol'
import { expect } from 'chai'
import fc from 'fast-check'
import { type Client, closeOrder, createWorkerpool, deployApp, readMatchState } from './index.ts'
import { type Chain, createChain, signed } from './testing/world.ts'

/** How one random quadruple departs from orders that match. */
type Wish = {
  dataset: boolean
  category: [bigint, bigint]
  trust: [bigint, bigint]
  prices: [bigint, bigint, bigint]
  tags: { app: `0x${string}`; dataset: `0x${string}`; workerpool: `0x${string}`; request: `0x${string}` }
  volumes: [bigint, bigint, bigint, bigint]
  restrictions: Restriction[]
  swap: 'none' | 'app' | 'dataset' | 'datasetOfRequest' | 'unregistered'
  forged: Order.Kind | 'none'
  closed: Order.Kind | 'none'
}
type Restriction = 'open' | 'own' | 'group' | 'otherGroup' | 'stranger'

/** More of them in `npm run test:deep`. */
const RUNS = Number(process.env.TWINS ?? 250)

describe('Match and Deals.sol', function () {
  this.timeout(Math.max(120_000, RUNS * 200))
  let chain: Chain
  let owner: Record<Order.Kind, Client>
  let assets: { app: Address; otherApp: Address; dataset: Address; otherDataset: Address; workerpool: Address }
  let groups: { all: Address; none: Address }

  before(async () => {
    chain = await createChain()
    owner = {
      app: await chain.client(),
      dataset: await chain.client(),
      workerpool: await chain.client({ staked: 10n ** 9n }),
      request: await chain.client({ staked: 10n ** 9n }),
    }
    const checksum: `0x${string}` = `0x${'c5'.repeat(32)}`
    const { app } = await deployApp(owner.app, { name: 'one', image: 'one', checksum })
    const { app: otherApp } = await deployApp(owner.app, { name: 'two', image: 'two', checksum })
    const { workerpool } = await createWorkerpool(owner.workerpool, { description: 'pool' })
    const registry = owner.dataset.contracts.datasetRegistry
    const made: Address[] = []
    for (const name of ['one', 'two']) {
      await registry.createDataset(owner.dataset.account, name, '0x12', checksum)
      made.push((await registry.predictDataset(owner.dataset.account, name, '0x12', checksum)) as Address)
    }
    const [dataset = zeroAddress, otherDataset = zeroAddress] = made
    assets = { app, otherApp, dataset, otherDataset, workerpool }
    groups = {
      all: await chain.group(app, dataset, workerpool, owner.request.account, zeroAddress),
      none: await chain.group(),
    }
  })

  async function ordersOf(wish: Wish): Promise<Match.Orders> {
    const { app, otherApp, dataset, otherDataset, workerpool } = assets
    const requester = owner.request.account
    const kinds = { app, dataset, workerpool, request: requester }
    let next = 0
    const restrict = (what: Order.Kind): Address => {
      const wanted = wish.restrictions[next++ % wish.restrictions.length]
      if (wanted === 'own') return what === 'dataset' && !wish.dataset ? zeroAddress : kinds[what]
      if (wanted === 'group') return groups.all
      if (wanted === 'otherGroup') return groups.none
      return wanted === 'stranger' ? owner.app.account : zeroAddress
    }
    const [appVolume, datasetVolume, poolVolume, requestVolume] = wish.volumes
    const four: { [kind in Order.Kind]: Order.Unsigned<kind> } = {
      app: Order.create('app', {
        app: wish.swap === 'unregistered' ? dataset : app,
        appprice: wish.prices[0],
        volume: appVolume,
        tag: wish.tags.app,
        datasetrestrict: restrict('dataset'),
        workerpoolrestrict: restrict('workerpool'),
        requesterrestrict: restrict('request'),
      }),
      dataset: Order.create('dataset', {
        dataset: wish.dataset ? (wish.swap === 'dataset' ? otherDataset : dataset) : zeroAddress,
        datasetprice: wish.prices[1],
        volume: datasetVolume,
        tag: wish.tags.dataset,
        apprestrict: restrict('app'),
        workerpoolrestrict: restrict('workerpool'),
        requesterrestrict: restrict('request'),
      }),
      workerpool: Order.create('workerpool', {
        workerpool,
        workerpoolprice: wish.prices[2],
        volume: poolVolume,
        tag: wish.tags.workerpool,
        category: wish.category[0],
        trust: wish.trust[0],
        apprestrict: restrict('app'),
        datasetrestrict: restrict('dataset'),
        requesterrestrict: restrict('request'),
      }),
      request: Order.create('request', {
        app: wish.swap === 'app' ? otherApp : wish.swap === 'unregistered' ? dataset : app,
        dataset: wish.dataset !== (wish.swap === 'datasetOfRequest') ? dataset : zeroAddress,
        workerpool: restrict('workerpool'),
        requester,
        appmaxprice: 10n,
        datasetmaxprice: 10n,
        workerpoolmaxprice: 10n,
        volume: requestVolume,
        tag: wish.tags.request,
        category: wish.category[1],
        trust: wish.trust[1],
      }),
    }
    const signer = (kind: Order.Kind) =>
      wish.forged === kind ? owner[kind === 'app' ? 'dataset' : 'app'] : owner[kind]
    const orders = {
      app: await signed(signer('app'), 'app', four.app),
      dataset: await signed(signer('dataset'), 'dataset', four.dataset),
      workerpool: await signed(signer('workerpool'), 'workerpool', four.workerpool),
      request: await signed(signer('request'), 'request', four.request),
    }
    const { closed } = wish
    if (closed !== 'none' && wish.forged === 'none' && wish.swap === 'none' && (closed !== 'dataset' || wish.dataset)) {
      await closeOrder(owner[closed], { kind: closed, order: orders[closed] as never })
    }
    return orders
  }

  /** Mostly what matches, so that later rules are reached. */
  const usually = <value>(usual: value, ...others: value[]) =>
    fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...others) })
  const tee = Tag.encode(['tee'])
  const gpu = Tag.encode(['tee', 'gpu'])
  const wishes: fc.Arbitrary<Wish> = fc.record({
    dataset: fc.boolean(),
    category: fc.tuple(usually(0n, 1n, 4n, 5n), usually(0n, 1n, 5n, 99n)),
    trust: fc.tuple(usually(1n, 0n, 5n), usually(1n, 0n, 6n)),
    prices: fc.tuple(usually(3n, 10n, 11n), usually(0n, 10n, 11n), usually(10n, 0n, 11n)),
    tags: fc.record({
      app: usually(Tag.tdx, Tag.none, tee, Tag.encode(['tdx'])),
      dataset: usually(Tag.none, tee, Tag.encode(['scone']), gpu),
      workerpool: usually(Tag.tdx, Tag.none, tee, gpu),
      request: usually(Tag.tdx, Tag.none, gpu),
    }),
    volumes: fc.tuple(usually(9n, 0n, 2n), usually(8n, 0n, 1n), usually(7n, 0n, 3n), usually(6n, 0n, 1n)),
    restrictions: fc.array(usually<Restriction>('open', 'own', 'group', 'group', 'otherGroup', 'stranger'), {
      minLength: 10,
      maxLength: 10,
    }),
    swap: usually<Wish['swap']>('none', 'app', 'dataset', 'datasetOfRequest', 'unregistered'),
    forged: usually<Wish['forged']>('none', ...Order.kinds),
    closed: usually<Wish['closed']>('none', ...Order.kinds),
  })

  it('give the same verdict, the same first broken rule and the same volume on random orders', async () => {
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(wishes, async (wish) => {
        const orders = await ordersOf(wish)
        const state = await readMatchState(owner.request, orders)
        const [first] = Match.check(orders, state)
        const { hub } = owner.request.contracts
        const four = Order.quadruple(orders)
        const refusal = await hub.matchOrders.staticCall(...four).then(() => undefined, decodeRevert)
        expect(refusal?.errorName).to.equal(first?.name)
        const values = refusal?.values ?? {}
        for (const name of [
          'kind',
          'by',
          'what',
          'restriction',
          'candidate',
          'price',
          'maxPrice',
          'tag',
          'requested',
        ]) {
          if (name in values && first !== undefined) expect(values[name], name).to.equal(first.values[name])
        }
        if (first === undefined)
          expect(await hub.computeDealVolume(...four)).to.equal(Match.volume(orders, state.consumed))
        seen.set(first?.name ?? 'none', (seen.get(first?.name ?? 'none') ?? 0) + 1)
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
    console.log(`      ${RUNS} quadruples: ${[...seen].map(([name, count]) => `${name} ${count}`).join(', ')}`)
    // A test that met one outcome only would prove little.
    expect([...seen.keys()]).to.include.members(['none', 'Overpriced', 'Restricted'])
  })
})
