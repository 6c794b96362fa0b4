// `npm test`: every suite, then one plain line of figures.
import { type Ended, run } from './run.ts'

type Suite = { name: string; command: string; args: string[] }

const mocha = ['--exit', '--timeout', '60000', '--ignore', '**/node_modules/**']

/** What runs one after the other, and keeps one core busy. */
type Lane = Suite[]

const endToEnd: Lane = [
  {
    name: 'end to end',
    command: 'mocha',
    args: [...mocha, '--require', 'packages/stack/testing/shared.ts', 'packages/stack/**/*.test.ts'],
  },
  { name: 'proofs', command: 'node', args: ['scripts/prove.ts'] },
  { name: 'enclaves', command: 'mocha', args: [...mocha, 'packages/enclave/**/*.test.ts'] },
]

const parts: Lane = [
  { name: 'packages', command: 'mocha', args: [...mocha, 'packages/!(stack|enclave)/**/*.test.ts'] },
  // The types of the contracts are there already, and must not be written anew while packages load them.
  { name: 'contracts', command: 'hardhat', args: ['--no-typechain', 'test'] },
  // By itself: the chain's matchers, which some packages load, change what numbers may be compared with.
  { name: 'iApps', command: 'mocha', args: [...mocha, 'iapps/**/*.test.ts'] },
]

/** One row after the other; the lanes of a row side by side. */
const rows: Lane[][] = [[[{ name: 'check', command: 'node', args: ['scripts/check.ts'] }]], [endToEnd, parts]]

/** The number in front of a word in a suite's last summary: what runs several runners sums them up at its end. */
function count(output: string, word: 'passing' | 'failing' | 'pending'): number {
  const [, number] = [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, 'gm'))].at(-1) ?? []
  return Number(number ?? 0)
}

/** What failed, in the runner's words, and at most so many lines of it: it is said again where the output ends. */
function failuresIn(output: string, { lines }: { lines: number }): string {
  const start = output.search(/^\s*[1-9]\d* failing\b/m)
  const told = start < 0 ? output.trimEnd().split('\n').slice(-lines) : output.slice(start).split('\n').slice(0, lines)
  return told.join('\n')
}

const only = process.argv.slice(2)
const failures: string[] = []
const totals = { passed: 0, failed: 0, skipped: 0 }
const started = performance.now()

function secondsSince(moment: number): string {
  return `${((performance.now() - moment) / 1000).toFixed(0)} s`
}

function add(name: string, { code, output }: Ended) {
  const passed = count(output, 'passing')
  // A suite that dies without a summary, or that ran nothing, has failed as well.
  const failed = count(output, 'failing') || (code === 0 && passed > 0 ? 0 : 1)
  totals.passed += passed
  totals.failed += failed
  if (failed > 0) failures.push(`\n== failed: ${name} ==\n${failuresIn(output, { lines: 60 })}`)
  totals.skipped += count(output, 'pending')
}

/** Runs what was asked for of a lane, and returns what was not shown meanwhile. */
async function runLane(lane: Lane, { show }: { show: boolean }): Promise<string> {
  let hidden = ''
  const say = (text: string) => {
    if (show) console.log(text)
    else hidden += `${text}\n`
  }
  for (const { name, command, args } of lane.filter((suite) => only.length === 0 || only.includes(suite.name))) {
    say(`\n== ${name} ==`)
    const since = performance.now()
    const ended = await run(command, args, { show })
    add(name, ended)
    if (!show) say(ended.output)
    say(`== ${name}: ${secondsSince(since)} ==`)
  }
  return hidden
}

for (const row of rows) {
  // Only one lane can be shown while it runs: what its neighbours say comes behind it.
  const shown = Math.max(
    0,
    row.findIndex((lane) => lane.some(({ name }) => only.includes(name))),
  )
  const hidden = await Promise.all(row.map((lane, index) => runLane(lane, { show: index === shown })))
  process.stdout.write(hidden.join(''))
}
console.log(failures.join('\n'))
console.log(`\n${secondsSince(started)} in all`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed === 0 ? 0 : 1
