import { type Ran, startWorker, type Worker } from './crew.ts'
import type { Rehearsal, Rehearsed } from './rehearsal.ts'
import type { Result } from './results.ts'
import type { Mutant } from './sites.ts'
import { OTHERWISE } from './switch.ts'

/** How many tests are run at once before looking whether one has failed. The more specific a test, the sooner it is run. */
const portions = [8, 32, 128, Number.POSITIVE_INFINITY]

/** Slower tests wait until all others let a mutant live. */
const SLOW = 3_000

/** A worker that is silent for so long is hanging in a mutant. */
const PATIENCE = 1_800_000

/** What a mutant is run against, in this order. */
type Job = { mutant: Mutant; inFixtures: boolean; tests: Rehearsed[] }

/** How many likely killers are tried first: of the same function or file, then of all. */
const LIKELY = { near: 12, far: 48 }

/** Tests that killed other mutants. The latest killer comes first, and of all the one that killed most. */
export class Killers {
  #byPlace = new Map<string, string[]>()
  #counts = new Map<string, number>()

  add({ file, function: name }: Mutant, test: string) {
    this.#counts.set(test, (this.#counts.get(test) ?? 0) + 1)
    for (const place of [`${file} ${name}`, file]) {
      const others = (this.#byPlace.get(place) ?? []).filter((other) => other !== test)
      this.#byPlace.set(place, [test, ...others])
    }
  }

  /** What is likely to kill a mutant, in portions. */
  of({ file, function: name }: Mutant): string[][] {
    const near = [`${file} ${name}`, file].flatMap((place) => this.#byPlace.get(place) ?? [])
    const far = [...this.#counts].sort(([, a], [, b]) => b - a).map(([test]) => test)
    return [[...new Set(near)].slice(0, LIKELY.near), far.slice(0, LIKELY.far)]
  }
}

/**
 * Runs the tests against every mutant, in several processes, until it is killed or all tests that reach it have passed.
 *
 * @param killers - What is known of earlier sweeps.
 */
export async function sweep(
  mutants: Mutant[],
  rehearsal: Rehearsal,
  {
    processes,
    killers,
    found,
  }: { processes: number; killers: Killers; found: (mutant: Mutant, result: Result) => void },
) {
  const queue: Job[] = []
  for (const job of jobsOf(mutants, rehearsal)) {
    if (job.tests.length > 0) queue.push(job)
    else found(job.mutant, withoutTests(job.mutant, rehearsal))
  }
  // Those that leave the fixtures alone come first, as they need not make them anew.
  queue.sort((a, b) => Number(a.inFixtures) - Number(b.inFixtures))
  await Promise.all(Array.from({ length: Math.min(processes, queue.length) }, () => work(queue, killers, found)))
}

/** A mutant that no test can tell from the original need not be run. */
function withoutTests({ number, site }: Mutant, { reached }: Rehearsal): Result {
  return { number, outcome: reached.includes(site) ? 'survived' : 'unreached', duration: 0 }
}

function jobsOf(mutants: Mutant[], { tests, fixtures }: Rehearsal): Job[] {
  const made = new Set(fixtures)
  const order = (a: Rehearsed, b: Rehearsed) =>
    Number(a.duration > SLOW) - Number(b.duration > SLOW) || a.sites.length - b.sites.length
  const sorted = tests.toSorted(order).map((test) => ({ test, sites: new Set(test.sites) }))
  return mutants.map((mutant) => {
    const noticed = mutant.compares ? OTHERWISE + mutant.number : mutant.site
    const those = sorted.filter(({ sites }) => sites.has(noticed)).map(({ test }) => test)
    return { mutant, inFixtures: made.has(noticed), tests: those }
  })
}

async function work(queue: Job[], killers: Killers, found: (mutant: Mutant, result: Result) => void) {
  let worker = await startWorker()
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const { mutant } = job
    const started = performance.now()
    const verdict = await judge(worker, job, killers.of(mutant))
    const duration = Math.round(performance.now() - started)
    found(mutant, { number: mutant.number, duration, ...verdict })
    if (verdict.by !== undefined) killers.add(mutant, verdict.by)
    // A test that was given up goes on behind the next one.
    if (verdict !== silent && !verdict.message?.startsWith('Timeout of')) continue
    worker.stop()
    worker = await startWorker()
  }
  worker.stop()
}

type Verdict = Omit<Result, 'number' | 'duration'>

const silent: Verdict = { outcome: 'killed', by: 'the process died or hung' }

async function judge(worker: Worker, { mutant, inFixtures, tests }: Job, likely: string[][]): Promise<Verdict> {
  for (const titles of portionsOf(tests, likely)) {
    const question = { kind: 'run' as const, mutant: mutant.number, inFixtures, tests: titles, bail: true }
    const answer = (await worker.ask(question, PATIENCE)) as Ran | undefined
    if (answer === undefined) return silent
    const [failure] = answer.failed
    if (failure !== undefined) return { outcome: 'killed', by: failure.title, message: failure.message }
    if (answer.passed.length < titles.length) throw new Error(`Of ${titles.length} tests ${answer.passed.length} ran.`)
  }
  return { outcome: 'survived' }
}

function portionsOf(tests: Rehearsed[], likely: string[][]): string[][] {
  const left = new Set(tests.map(({ title }) => title))
  // `delete` says whether a test was among them, and keeps it from being run twice.
  const first = likely.map((portion) => portion.filter((title) => left.delete(title)))
  const rest = [...left]
  const cut = portions.map((size) => rest.splice(0, size))
  return [...first, ...cut].filter((portion) => portion.length > 0)
}
