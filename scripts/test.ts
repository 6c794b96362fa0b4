// `npm test`: every suite, then one plain line of figures.
import { type Ended, run } from './run.ts'

type Suite = { name: string; command: string; args: string[] }

const mocha = ['--exit', '--timeout', '60000', '--ignore', '**/node_modules/**']

/** One row after the other. The suites of a row run at the same time: each of them keeps one core busy. */
const rows: Suite[][] = [
  [{ name: 'check', command: 'node', args: ['scripts/check.ts'] }],
  [{ name: 'proofs', command: 'node', args: ['scripts/prove.ts'] }],
  [
    { name: 'packages', command: 'mocha', args: [...mocha, 'packages/!(stack)/**/*.test.ts'] },
    // The types of the contracts are there already, and must not be written anew while packages load them.
    { name: 'contracts', command: 'hardhat', args: ['--no-typechain', 'test'] },
  ],
  // By itself: the chain's matchers, which some packages load, change what numbers may be compared with.
  [{ name: 'iApps', command: 'mocha', args: [...mocha, 'iapps/**/*.test.ts'] }],
  [
    {
      name: 'end to end',
      command: 'mocha',
      args: [...mocha, '--require', 'packages/stack/testing/shared.ts', 'packages/stack/**/*.test.ts'],
    },
  ],
]

/** The number in front of a word in a suite's last summary: what runs several runners sums them up at its end. */
function count(output: string, word: 'passing' | 'failing' | 'pending'): number {
  const [, number] = [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, 'gm'))].at(-1) ?? []
  return Number(number ?? 0)
}

const only = process.argv.slice(2)
const totals = { passed: 0, failed: 0, skipped: 0 }
const started = performance.now()

function secondsSince(moment: number): string {
  return `${((performance.now() - moment) / 1000).toFixed(0)} s`
}

function add({ code, output }: Ended) {
  const passed = count(output, 'passing')
  const failed = count(output, 'failing')
  totals.passed += passed
  // A suite that dies without a summary, or that ran nothing, has failed as well.
  totals.failed += failed > 0 || (code === 0 && passed > 0) ? failed : 1
  totals.skipped += count(output, 'pending')
}

/** Only one suite can be shown while it runs: the output of its neighbours comes behind it. */
async function runRow(row: Suite[]) {
  const running = row.map(async ({ name, command, args }, index) => {
    if (index === 0) console.log(`\n== ${name} ==`)
    const since = performance.now()
    const ended = await run(command, args, { show: index === 0 })
    return { name, index, ended, duration: secondsSince(since) }
  })
  for (const suite of running) {
    const { name, index, ended, duration } = await suite
    if (index > 0) console.log(`\n== ${name} ==\n${ended.output}`)
    add(ended)
    console.log(`== ${name}: ${duration} ==`)
  }
}

for (const row of rows) await runRow(row.filter(({ name }) => only.length === 0 || only.includes(name)))
console.log(`\n${secondsSince(started)} in all`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed === 0 ? 0 : 1
