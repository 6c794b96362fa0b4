// Processes that run tests on the instrumented contracts.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../run.ts'
import { environment } from './project.ts'
import type { Outcome } from './tests.ts'

/**
 * `mutant` 0 is the original. `inFixtures`: whether what tests start from is made by the mutant as well. `tests`: the
 * titles of some, or else all. `bail`: whether the first failure ends it.
 */
export type Run = { kind: 'run'; mutant: number; inFixtures: boolean; tests?: string[]; bail: boolean }
export type Question = Run | { kind: 'record' }

export type Recorded = Outcome & { kind: 'record'; reached: Record<string, number[]>; fixtures: number[] }
export type Ran = Outcome & { kind: 'run'; mutant: number }
export type Answer = Recorded | Ran | { kind: 'ready' } | { kind: 'broken'; message: string }

/** A process that dies, or that does not answer in time, leaves its question without an answer. */
export type Worker = { ask(question: Question, timeout: number): Promise<Answer | undefined>; stop(): void }

/** `rehearsing`: however long a test takes. `recording`: so, and with a report of every site that is passed. */
export async function startWorker(options: ('--rehearsing' | '--recording')[] = []): Promise<Worker> {
  const child = fork(join(root, 'scripts', 'mutants', 'worker.ts'), options, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ready = await nextAnswer(child, 300_000)
  if (ready === undefined) throw new Error('The process that runs the tests did not start.')
  return {
    async ask(question, timeout) {
      child.send(question)
      const answer = await nextAnswer(child, timeout)
      if (answer?.kind === 'broken') throw new Error(`The tests could not be run: ${answer.message}`)
      return answer
    },
    stop: () => child.kill('SIGKILL'),
  }
}

function nextAnswer(child: ChildProcess, timeout: number): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const end = (answer?: Answer) => {
      clearTimeout(timer)
      child.off('message', end)
      child.off('exit', gone)
      resolve(answer)
    }
    const gone = () => end()
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      end()
    }, timeout)
    child.on('message', end)
    child.on('exit', gone)
  })
}
