// The tests on the unchanged contracts: which of them reaches what, how long it takes, and which cannot be used.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ran, type Recorded, startWorker } from './crew.ts'
import { fingerprintOf, home } from './project.ts'

/** A test that can be used, and the sites that it reaches, by itself or by the state that it starts from. */
export type Rehearsed = { title: string; duration: number; sites: number[] }

export type Rehearsal = {
  fingerprint: string
  tests: Rehearsed[]
  /** Tests that the instrumentation itself breaks, for example since they measure gas. */
  leftOut: { title: string; message: string }[]
  /** Tests that failed while sites were recorded only: what they reach after that is not known. */
  cutShort: { title: string; message: string }[]
  /** All sites that any test reached. */
  reached: number[]
  /** The sites that are passed by whatever makes the states that tests start from. */
  fixtures: number[]
}

const HOURS = 4 * 3_600_000

/** More than so many broken tests are not about gas: the instrumentation is wrong, or the tests fail without it too. */
const MOST_LEFT_OUT = 0.05

/** The rehearsal of these contracts and tests, from before if there was one. */
export async function rehearse({ build }: { build: string }): Promise<Rehearsal> {
  const fingerprint = `${build}-${fingerprintOf(['test', 'deploy', 'scripts/bench'])}`
  const path = join(home, 'rehearsal.json')
  const before: Rehearsal | undefined = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
  if (before?.fingerprint === fingerprint) return before
  console.log('Running every test on the unchanged contracts, once to see what it reaches and once as in the sweep...')
  const rehearsal = { fingerprint, ...(await rehearseAnew()) }
  writeFileSync(path, JSON.stringify(rehearsal))
  return rehearsal
}

async function rehearseAnew(): Promise<Omit<Rehearsal, 'fingerprint'>> {
  const [recorder, worker] = await Promise.all([startWorker(['--recording']), startWorker(['--rehearsing'])])
  const [recorded, ran] = await Promise.all([
    recorder.ask({ kind: 'record' }, HOURS) as Promise<Recorded | undefined>,
    worker.ask({ kind: 'run', mutant: 0, inFixtures: true, bail: false }, HOURS) as Promise<Ran | undefined>,
  ])
  recorder.stop()
  worker.stop()
  if (recorded === undefined || ran === undefined) throw new Error('The tests did not come to an end.')
  const broken = new Set(ran.failed.map(({ title }) => title))
  if (broken.size > MOST_LEFT_OUT * ran.passed.length) {
    throw new Error(`${broken.size} tests fail on the instrumented contracts, the first ones:\n${shown(ran.failed)}`)
  }
  // A title that two tests share stands for both.
  const tests = ran.passed.filter(({ title }) => !broken.has(title))
  return {
    tests: tests.map((test) => ({ ...test, sites: recorded.reached[test.title] ?? [] })),
    leftOut: ran.failed,
    cutShort: recorded.failed.filter(({ title }) => !broken.has(title)),
    reached: [...new Set([...Object.values(recorded.reached).flat(), ...recorded.fixtures])],
    fixtures: recorded.fixtures,
  }
}

function shown(failures: { title: string; message: string }[]): string {
  const lines = failures.slice(0, 10).map(({ title, message }) => `  ${title}: ${message}`)
  return lines.join('\n')
}
