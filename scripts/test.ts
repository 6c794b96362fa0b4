// `npm test`: every suite in turn, then one plain line of figures.
import { run } from './run.ts'

type Suite = { name: string; command: string; args: string[] }

const mocha = ['--exit', '--timeout', '60000', '--ignore', '**/node_modules/**']

const suites: Suite[] = [
  { name: 'check', command: 'node', args: ['scripts/check.ts'] },
  { name: 'proofs', command: 'node', args: ['scripts/prove.ts'] },
  { name: 'contracts', command: 'hardhat', args: ['test'] },
  { name: 'packages', command: 'mocha', args: [...mocha, 'packages/!(stack)/**/*.test.ts'] },
  // By itself: the chain's matchers, which some packages load, change what numbers may be compared with.
  { name: 'iApps', command: 'mocha', args: [...mocha, 'iapps/**/*.test.ts'] },
  {
    name: 'end to end',
    command: 'mocha',
    args: [...mocha, '--require', 'packages/stack/testing/shared.ts', 'packages/stack/**/*.test.ts'],
  },
]

/** The number in front of a word in a suite's last summary: what runs several runners sums them up at its end. */
function count(output: string, word: 'passing' | 'failing' | 'pending'): number {
  const [, number] = [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, 'gm'))].at(-1) ?? []
  return Number(number ?? 0)
}

const only = process.argv.slice(2)
const totals = { passed: 0, failed: 0, skipped: 0 }
const started = performance.now()
for (const suite of suites) {
  if (only.length > 0 && !only.includes(suite.name)) continue
  console.log(`\n== ${suite.name} ==`)
  const since = performance.now()
  const { code, output } = await run(suite.command, suite.args, { show: true })
  const passed = count(output, 'passing')
  const failed = count(output, 'failing')
  totals.passed += passed
  // A suite that dies without a summary, or that ran nothing, has failed as well.
  totals.failed += failed > 0 || (code === 0 && passed > 0) ? failed : 1
  totals.skipped += count(output, 'pending')
  console.log(`== ${suite.name}: ${((performance.now() - since) / 1000).toFixed(0)} s ==`)
}
console.log(`\n${((performance.now() - started) / 1000).toFixed(0)} s in all`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed === 0 ? 0 : 1
