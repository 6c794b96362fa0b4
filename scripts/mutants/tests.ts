// The Mocha tests of the contracts, loaded once and run as often as there are mutants.
import { join } from 'node:path'
import Mocha from 'mocha'
import { root } from '../run.ts'
import { filesIn } from './project.ts'

/** What a test is about that cannot hold for instrumented code: its size, its ABI, its gas, its sources, another chain. */
const leftOut = /^test\/(seams|gas)\/|^test\/deploy\/(command|network|verify)\./

export function testFiles(): string[] {
  return filesIn('test')
    .filter((path) => path.endsWith('.test.ts') && !leftOut.test(path))
    .sort()
}

/** One run: the tests that passed, with the milliseconds they took, and what the failed ones failed with. */
export type Outcome = { passed: { title: string; duration: number }[]; failed: { title: string; message: string }[] }

export type Tests = {
  run(options?: { only?: Set<string>; bail?: boolean; after?: (title: string) => void }): Promise<Outcome>
}

/** A set of titles in the place of a pattern, which is all that Mocha can choose tests by. */
class Titles extends RegExp {
  #titles: Set<string>

  constructor(titles: Set<string>) {
    super('')
    this.#titles = titles
  }

  override test(title: string): boolean {
    return this.#titles.has(title)
  }
}

/** `timeout` is that of every test, whatever it asks for: 0 for none. */
export async function loadTests({ timeout }: { timeout: number }): Promise<Tests> {
  const mocha = new Mocha({ reporter: class {} as never })
  mocha.cleanReferencesAfterRun(false)
  for (const file of testFiles()) mocha.addFile(join(root, file))
  await mocha.loadFilesAsync()
  mocha.suite.eachTest((test) => test.timeout(timeout))
  return {
    run({ only, bail = false, after = () => {} } = {}) {
      mocha.grep(only === undefined ? /(?:)/ : new Titles(only))
      mocha.bail(bail)
      const outcome: Outcome = { passed: [], failed: [] }
      return new Promise((resolve) => {
        const runner = mocha.run(() => resolve(outcome))
        runner.on('pass', (test) => outcome.passed.push({ title: test.fullTitle(), duration: test.duration ?? 0 }))
        runner.on('fail', (test, error) => outcome.failed.push({ title: test.fullTitle(), message: messageOf(error) }))
        runner.on('test end', (test) => after(test.fullTitle()))
      })
    },
  }
}

function messageOf(error: unknown): string {
  const { message = String(error) } = error as Error
  return (message.split('\n')[0] ?? '').slice(0, 300)
}
