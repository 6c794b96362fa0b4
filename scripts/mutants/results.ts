// What became of each mutant, kept as it comes in: a sweep that is killed goes on where it was.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.ts'
import { home } from './project.ts'
import { type Mutant, nameOf } from './sites.ts'

/** `by` is the title of the test that failed. `unreached`: no test passes the place, so none was run. */
export type Result = {
  number: number
  outcome: 'killed' | 'survived' | 'unreached'
  by?: string
  message?: string
  /** Milliseconds. */
  duration: number
}

/** One line of the file: a result with the contracts and tests that it holds for. */
type Line = Result & { build: string; rehearsal: string }

const path = join(home, 'results.jsonl')

export function forgetResults() {
  rmSync(path, { force: true })
}

/**
 * The results that hold for these contracts and tests, by mutant. With `keepKills`, a mutant of these contracts that any
 * earlier version of the tests killed counts as killed.
 */
export function readResults(current: { build: string; rehearsal: string }, { keepKills }: { keepKills: boolean }) {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  // The last line may be torn.
  const results = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Line)
  const valid = results.filter((result) => {
    const isKept = keepKills && result.outcome === 'killed'
    return result.build === current.build && (result.rehearsal === current.rehearsal || isKept)
  })
  return new Map<number, Result>(valid.map((result) => [result.number, result]))
}

export function addResult(current: { build: string; rehearsal: string }, result: Result) {
  mkdirSync(home, { recursive: true })
  appendFileSync(path, `${JSON.stringify({ ...result, ...current })}\n`)
}

/** A survivor that was looked at, and why it may live. */
export type Accepted = Pick<Mutant, 'file' | 'function' | 'change' | 'text'> & { occurrence?: number; reason: string }

/** The list of accepted survivors, by the name of the mutant. */
export function readAccepted(): Map<string, string> {
  const list: Accepted[] = JSON.parse(readFileSync(join(root, 'test', 'mutants', 'accepted.json'), 'utf8'))
  return new Map(list.map((entry) => [nameOf({ occurrence: 1, ...entry }), entry.reason]))
}
