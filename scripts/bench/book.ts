// `npm run bench:market`: the order book against what this machine can do at most, in one run: the market as a process of
// its own, over its own PostgreSQL that waits for the disk, and a chain. Named parts run alone: publishing, best, feed.
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureBest } from './book/best.ts'
import { measureCeilings } from './book/ceilings.ts'
import { measureFeed } from './book/feed.ts'
import { measurePublishing, prepareOrders } from './book/publishing.ts'
import { openScene } from './book/scene.ts'

/** How much is asked; less of it for a quick look. */
const PUBLICATIONS = Number(process.env.PUBLICATIONS ?? 2_000)
const ORDERS = Number(process.env.ORDERS ?? 1_000_000)
const QUESTIONS = Number(process.env.QUESTIONS ?? 2_000)
const EVENTS = Number(process.env.EVENTS ?? 200)

const parts = process.argv.slice(2)
const wants = (part: string) => parts.length === 0 || parts.includes(part)
const directory = await mkdtemp(join(tmpdir(), 'bench-book-'))
const scene = await openScene({ directory })
const verdicts: boolean[] = []

function report(what: string, figure: string, target: string, isMet: boolean): void {
  verdicts.push(isMet)
  console.log(`${isMet ? 'met   ' : 'MISSED'} ${what}: ${figure} (wanted: ${target})`)
}

const percent = (part: number) => `${(part * 100).toFixed(0)} %`

try {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}`)
  if (wants('publishing') || wants('feed')) {
    const orders = await prepareOrders(scene, PUBLICATIONS)
    const publishing = await measurePublishing(scene, orders)
    const { inserts, recoveries, ownRecoveries } = await measureCeilings(scene, orders)
    const share = publishing.rate / Math.min(inserts, recoveries)
    console.log(`raw inserts of the same rows:  ${inserts.toFixed(0)}/s`)
    console.log(`signature recoveries, ethers:  ${recoveries.toFixed(0)}/s (a publication takes two: login and order)`)
    console.log(`by the market's own library:   ${ownRecoveries.toFixed(0)}/s`)
    console.log(`publications, login included:  ${publishing.rate.toFixed(0)}/s, p99 ${publishing.p99.toFixed(1)} ms`)
    const own = publishing.rate / Math.min(inserts, ownRecoveries)
    const figure = `${percent(share)} of the lower of raw inserts and ethers' recoveries`
    report('publishing', `${figure} (${percent(own)} by the market's own library)`, '60 % or more', share >= 0.6)
    if (wants('feed')) {
      const feed = await measureFeed(scene, orders, EVENTS)
      const figure = `p50 ${feed.p50.toFixed(1)} ms, p99 ${feed.p99.toFixed(1)} ms, of ${feed.count}`
      report('from a transaction to the live feed', figure, 'p99 below 100 ms', feed.p99 < 100)
    }
  }
  if (wants('best')) {
    const best = await measureBest(scene, { orders: ORDERS, questions: QUESTIONS })
    const figure = `p50 ${best.p50.toFixed(1)} ms, p99 ${best.p99.toFixed(1)} ms, found ${best.found} of ${QUESTIONS}`
    report(`best over ${best.open.toLocaleString('en-US')} open orders`, figure, 'p99 below 10 ms', best.p99 < 10)
  }
} finally {
  await scene.close()
  await rm(directory, { recursive: true, force: true })
}
process.exitCode = verdicts.every(Boolean) ? 0 : 1
