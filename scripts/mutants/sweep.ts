import { type Ran, startWorker, type Worker } from './crew.ts'
import type { Rehearsal } from './rehearsal.ts'
import type { Result } from './results.ts'
import type { Mutant } from './sites.ts'

/** Slower tests wait until all others let a mutant live. */
const SLOW = 1_500

/** A worker that is silent for so long is hanging in a mutant. */
const PATIENCE = 1_800_000

/** What a mutant is run against, the quick tests first. */
type Job = { mutant: Mutant; inFixtures: boolean; quick: string[]; slow: string[] }

/** Runs the tests against every mutant, in several processes, until it is killed or all tests that reach it have passed. */
export async function sweep(
  mutants: Mutant[],
  rehearsal: Rehearsal,
  { processes, found }: { processes: number; found: (mutant: Mutant, result: Result) => void },
) {
  const jobs = jobsOf(mutants, rehearsal)
  for (const { mutant, quick, slow } of jobs) {
    if (quick.length + slow.length > 0) continue
    found(mutant, { number: mutant.number, outcome: 'unreached', duration: 0 })
  }
  const queue = jobs.filter(({ quick, slow }) => quick.length + slow.length > 0)
  await Promise.all(Array.from({ length: Math.min(processes, queue.length) }, () => work(queue, found)))
}

/** Those that leave the fixtures alone come first, as they need not make them anew. */
function jobsOf(mutants: Mutant[], { tests, fixtures }: Rehearsal): Job[] {
  const made = new Set(fixtures)
  const bySite = new Map<number, { quick: string[]; slow: string[] }>()
  for (const { title, duration, sites } of tests) {
    for (const site of sites) {
      const those = bySite.get(site) ?? { quick: [], slow: [] }
      those[duration < SLOW ? 'quick' : 'slow'].push(title)
      bySite.set(site, those)
    }
  }
  const none = { quick: [], slow: [] }
  const jobs = mutants.map((mutant) => ({
    mutant,
    inFixtures: made.has(mutant.site),
    ...(bySite.get(mutant.site) ?? none),
  }))
  return jobs.sort((a, b) => Number(a.inFixtures) - Number(b.inFixtures))
}

async function work(queue: Job[], found: (mutant: Mutant, result: Result) => void) {
  let worker = await startWorker()
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const started = performance.now()
    const verdict = await judge(worker, job)
    const duration = Math.round(performance.now() - started)
    if (verdict === 'silent') {
      worker.stop()
      worker = await startWorker()
      found(job.mutant, { number: job.mutant.number, outcome: 'killed', by: 'the process died or hung', duration })
    } else found(job.mutant, { number: job.mutant.number, duration, ...verdict })
  }
  worker.stop()
}

async function judge(worker: Worker, job: Job): Promise<Omit<Result, 'number' | 'duration'> | 'silent'> {
  const { mutant, inFixtures } = job
  for (const tests of [job.quick, job.slow]) {
    if (tests.length === 0) continue
    const question = { kind: 'run' as const, mutant: mutant.number, inFixtures, tests, bail: true }
    const answer = (await worker.ask(question, PATIENCE)) as Ran | undefined
    if (answer === undefined) return 'silent'
    const [failure] = answer.failed
    if (failure !== undefined) return { outcome: 'killed', by: failure.title, message: failure.message }
    if (answer.passed.length < tests.length) throw new Error(`Of ${tests.length} tests ${answer.passed.length} ran.`)
  }
  return { outcome: 'survived' }
}
