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

/** Runs the tests against every mutant, in several processes, until it is killed or all tests that reach it have passed. */
export async function sweep(
  mutants: Mutant[],
  rehearsal: Rehearsal,
  { processes, found }: { processes: number; found: (mutant: Mutant, result: Result) => void },
) {
  const queue: Job[] = []
  for (const job of jobsOf(mutants, rehearsal)) {
    if (job.tests.length > 0) queue.push(job)
    else found(job.mutant, withoutTests(job.mutant, rehearsal))
  }
  // Those that leave the fixtures alone come first, as they need not make them anew.
  queue.sort((a, b) => Number(a.inFixtures) - Number(b.inFixtures))
  const killers = new Map<string, string[]>()
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

/** `killers`: the tests that killed other mutants of the same function, which are likely to kill this one. */
async function work(queue: Job[], killers: Map<string, string[]>, found: (mutant: Mutant, result: Result) => void) {
  let worker = await startWorker()
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const { mutant } = job
    const home = `${mutant.file} ${mutant.function}`
    const likely = killers.get(home) ?? []
    const started = performance.now()
    const verdict = await judge(worker, job, likely)
    const duration = Math.round(performance.now() - started)
    found(mutant, { number: mutant.number, duration, ...verdict })
    if (verdict.by !== undefined && !likely.includes(verdict.by)) killers.set(home, [verdict.by, ...likely])
    // A test that was given up goes on behind the next one.
    if (verdict !== silent && !verdict.message?.startsWith('Timeout of')) continue
    worker.stop()
    worker = await startWorker()
  }
  worker.stop()
}

type Verdict = Omit<Result, 'number' | 'duration'>

const silent: Verdict = { outcome: 'killed', by: 'the process died or hung' }

async function judge(worker: Worker, { mutant, inFixtures, tests }: Job, likely: string[]): Promise<Verdict> {
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

function portionsOf(tests: Rehearsed[], likely: string[]): string[][] {
  const titles = new Set(tests.map(({ title }) => title))
  const first = likely.filter((title) => titles.has(title)).slice(0, portions[0])
  const rest = [...titles].filter((title) => !first.includes(title))
  const cut = portions.map((size) => rest.splice(0, size))
  return [first, ...cut].filter((portion) => portion.length > 0)
}
