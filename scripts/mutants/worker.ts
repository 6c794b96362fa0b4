// A process that runs the tests on the instrumented contracts, one question of its parent process after the other.
import { activate, sitesOfFixtures, takeReached, watchChains } from './chains.ts'
import type { Answer, Question } from './crew.ts'
import { loadTests } from './tests.ts'

const recording = process.argv.includes('--recording')
const rehearsing = recording || process.argv.includes('--rehearsing')
watchChains({ recording })

// Only now: test files make their chains when they are loaded.
const { connection, forgetFixtures } = await import('../../test/chain.ts')
const tests = await loadTests({ timeout: rehearsing ? 0 : 180_000 })
let beginning = await connection.provider.request({ method: 'evm_snapshot' })
/** The mutant that made what the fixtures left; 0 if they are as they should be. */
let fixturesOf = 0

/** Whatever a test leaves behind, a promise that nobody waits for included, must not end the sweep. */
process.on('unhandledRejection', () => {})

/** Forgets what other mutants made: a mutant that fixtures pass must make them itself. */
async function startOver() {
  await connection.provider.request({ method: 'evm_revert', params: [beginning] })
  beginning = await connection.provider.request({ method: 'evm_snapshot' })
  forgetFixtures()
}

async function answer(question: Question): Promise<Answer> {
  if (question.kind === 'record') {
    const reached: Record<string, number[]> = {}
    takeReached()
    const outcome = await tests.run({
      after: (title) => {
        reached[title] = [...(reached[title] ?? []), ...takeReached()]
      },
    })
    return { kind: 'record', ...outcome, reached, fixtures: sitesOfFixtures() }
  }
  await activate(question.mutant)
  const { mutant, bail } = question
  const wanted = question.inFixtures ? mutant : 0
  if (wanted !== fixturesOf) await startOver()
  fixturesOf = wanted
  const only = question.tests === undefined ? {} : { only: new Set(question.tests) }
  return { kind: 'run', mutant, ...(await tests.run({ ...only, bail })) }
}

process.on('message', async (question: Question) => {
  process.send?.(
    await answer(question).catch((error: Error): Answer => ({ kind: 'broken', message: error.stack ?? '' })),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ kind: 'ready' })
