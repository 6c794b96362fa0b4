// `node scripts/bench/choose.ts`: how many of the cheapest quadruples are chosen per second of CPU, from books of several kinds.
import { type Address, Choice, Order, Tag, zeroAddress } from '../../packages/protocol/index.ts'

/** What issue and architecture ask for. */
const WANTED_PER_SECOND = 1_000
const SECONDS = Number(process.env.SECONDS ?? 1)

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const app = address(1)
const dataset = address(2)
const requester = address(3)
const group = address(4)
const stranger = address(5)
const gpu = Tag.encode(['tee', 'tdx', 'gpu'])

/** The same numbers in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Sizes = { apps: number; datasets: number; workerpools: number }
type Shape = Sizes & { name: string; pools: number; restricted: number; hopeless?: boolean }

/** A book as a market lists it: each kind by price. One order in `restricted` is for somebody only; 0 means none is. */
function makeBook({ apps, datasets, workerpools, pools, restricted, hopeless = false }: Shape): Choice.Book {
  const random = randomNumbers(7)
  const isRestricted = () => restricted > 0 && random(restricted) === 0
  const pool = () => address(1_000 + random(pools))
  const toPool = () => (isRestricted() ? { workerpoolrestrict: pool() } : {})
  const toUser = () => (isRestricted() ? { requesterrestrict: [requester, group, stranger][random(3)] as Address } : {})
  const listed = (size: number) =>
    Array.from({ length: size }, () => BigInt(random(10_000))).sort((a, b) => Number(a - b))
  const candidate = <kind extends Order.Kind>(
    order: Order.Unsigned<kind> & { volume: bigint },
  ): Choice.Candidate<kind> => ({
    order: { ...order, sign: '0x' },
    remaining: BigInt(random(Number(order.volume) + 1)),
  })
  const volume = 100n
  return {
    apps: listed(apps).map((appprice) =>
      candidate<'app'>(Order.create('app', { app, appprice, volume, ...toPool(), ...toUser() })),
    ),
    datasets: listed(datasets).map((datasetprice) =>
      candidate<'dataset'>(
        Order.create('dataset', {
          dataset,
          datasetprice,
          volume,
          ...toPool(),
          ...toUser(),
          tag: hopeless ? gpu : Tag.tdx,
        }),
      ),
    ),
    workerpools: listed(workerpools).map((workerpoolprice) =>
      candidate<'workerpool'>(
        Order.create('workerpool', {
          workerpool: pool(),
          workerpoolprice,
          volume,
          ...toUser(),
          tag: hopeless ? Tag.tdx : gpu,
        }),
      ),
    ),
  }
}

const shapes: Shape[] = [
  { name: 'what a request usually finds', apps: 10, datasets: 10, workerpools: 100, pools: 20, restricted: 4 },
  { name: 'without restrictions', apps: 100, datasets: 100, workerpools: 100, pools: 20, restricted: 0 },
  { name: 'half of it for others', apps: 100, datasets: 100, workerpools: 300, pools: 50, restricted: 2 },
  { name: 'a thousand of each kind', apps: 1_000, datasets: 1_000, workerpools: 1_000, pools: 100, restricted: 3 },
  { name: 'nothing fits: tags', apps: 100, datasets: 100, workerpools: 300, pools: 50, restricted: 2, hopeless: true },
]

function requests(wantsDataset: (n: number) => boolean): Choice.Candidate<'request'>[] {
  const most = 10_000n
  return Array.from({ length: 16 }, (_, n) => {
    const order = Order.create('request', {
      ...{ app, requester, appmaxprice: most, datasetmaxprice: most, workerpoolmaxprice: most },
      ...{
        dataset: wantsDataset(n) ? dataset : zeroAddress,
        volume: BigInt(1 + n),
        workerpool: n % 5 === 0 ? address(1_000) : zeroAddress,
      },
    })
    return { order: { ...order, sign: '0x' }, remaining: order.volume }
  })
}

const isMember = (asked: Address, candidate: Address) => asked === group && candidate === requester

/** Of this process, which does one thing at a time: what others do on the machine is not counted. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

function measure(shape: Shape) {
  const book = makeBook(shape)
  const asked = requests((n) => shape.hopeless === true || n % 3 !== 0)
  let chosen = 0
  let found = 0
  const started = cpuSeconds()
  while (cpuSeconds() - started < SECONDS) {
    const request = asked[chosen % asked.length] as Choice.Candidate<'request'>
    found += Choice.cheapest({ request, book, isMember, categoryCount: 5n }) ? 1 : 0
    chosen++
  }
  return { perSecond: chosen / (cpuSeconds() - started), found: found / chosen }
}

console.log('app x dataset x pool orders   chosen/s   found   book')
const figures = shapes.map((shape) => {
  const { apps, datasets, workerpools, name } = shape
  const { perSecond, found } = measure(shape)
  const size = `${apps} x ${datasets} x ${workerpools}`.padEnd(28)
  console.log(`${size} ${perSecond.toFixed(0).padStart(9)} ${`${(found * 100).toFixed(0)} %`.padStart(7)}   ${name}`)
  return perSecond
})
const [usual = 0] = figures
console.log(`wanted: ${WANTED_PER_SECOND}/s of the first kind; ${usual >= WANTED_PER_SECOND ? 'held' : 'MISSED'}`)
process.exitCode = usual >= WANTED_PER_SECOND ? 0 : 1
