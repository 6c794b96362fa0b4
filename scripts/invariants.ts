// `npm run test:deep -- invariants [--calls 1000000] [--depth 2000] [--batches 20] [--seed 1] [--no-compile]`: what
// `npm test` does with the invariants for a few thousand calls, for a million, and how often each function went through.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { SuiteResult } from '@nomicfoundation/edr'
import { AbiCoder, Interface } from 'ethers'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import config from '../hardhat.config.ts'
import { IHub__factory, IHubNative__factory } from '../typechain-types/index.ts'
import { root } from './run.ts'

/** How often a function did what it was asked, and how often it refused. */
type Tally = { done: bigint; refused: bigint }

const suites = ['test/invariants/Hub.t.sol', 'test/invariants/HubNative.t.sol']
const { values } = parseArgs({
  strict: false,
  options: {
    calls: { type: 'string', default: '1000000' },
    depth: { type: 'string', default: '2000' },
    batches: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    'no-compile': { type: 'boolean', default: false },
  },
})
const [calls, depth, batches, firstSeed] = [values.calls, values.depth, values.batches, values.seed].map(Number) as [
  number,
  number,
  number,
  number,
]
const runs = Math.ceil(calls / batches / depth / suites.length)
const folder = mkdtempSync(join(tmpdir(), 'invariants-'))
const path = join(folder, 'figures')
process.env.INVARIANT_FIGURES = path

const totals = { calls: 0n, reverts: 0n, runs: 0n, violations: 0 }
const started = performance.now()
for (let batch = 0; batch < batches; ++batch) await runBatch(firstSeed + batch)
report()
rmSync(folder, { recursive: true })
process.exitCode = totals.violations === 0 && totals.calls >= calls ? 0 : 1

/** Runs both suites from one seed, and says what came of it. */
async function runBatch(seed: number) {
  const solidity = {
    fuzz: { seed: `0x${seed.toString(16)}` },
    invariant: { runs, depth, failOnRevert: true, dictionaryWeight: 0, includeStorage: false, includePushBytes: false },
    fsPermissions: { dangerouslyWriteDirectory: [folder] },
  }
  const hre = await createHardhatRuntimeEnvironment({ ...config, test: { solidity } }, {}, root)
  const result = await hre.tasks
    .getTask(['test', 'solidity'])
    .run({ testFiles: suites, noCompile: values['no-compile'] === true })
  const { suiteResults } = (result.success ? result.value : result.error) as { suiteResults: SuiteResult[] }
  const tests = suiteResults.flatMap(({ testResults }) => testResults)
  if (tests.length !== suites.length) throw new Error(`${tests.length} of ${suites.length} invariants were run.`)
  for (const { kind, status } of tests) {
    if ('reverts' in kind) totals.reverts += kind.reverts
    if ('calls' in kind) totals.calls += kind.calls
    if ('runs' in kind) totals.runs += kind.runs
    if (status !== 'Success') ++totals.violations
  }
  console.log(`seed ${seed}: ${totals.calls} calls, ${totals.violations} violations, ${seconds()} s so far`)
}

function report() {
  console.log(`\n${'function'.padEnd(28)}${'done'.padStart(12)}${'refused'.padStart(12)}`)
  for (const [name, { done, refused }] of tallies()) {
    console.log(`${name.padEnd(28)}${String(done).padStart(12)}${String(refused).padStart(12)}`)
  }
  const { runs, calls, reverts, violations } = totals
  console.log(
    `\n${calls} calls in ${runs} runs, ${reverts} reverts of a handler, ${violations} violations, ${seconds()} s`,
  )
}

/** What every run wrote at its end, summed up. */
function tallies(): Map<string, Tally> {
  const sum = new Map<string, Tally>()
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    const [selectors, figures] = AbiCoder.defaultAbiCoder().decode(['bytes4[]', 'uint256[]'], line)
    for (const [index, selector] of (selectors as string[]).entries()) {
      const name = nameOf(selector)
      const { done, refused } = sum.get(name) ?? { done: 0n, refused: 0n }
      sum.set(name, { done: done + figures[1 + 2 * index], refused: refused + figures[2 + 2 * index] })
    }
  }
  return sum
}

function nameOf(selector: string): string {
  const [hub, native] = [new Interface(IHub__factory.abi), new Interface(IHubNative__factory.abi)]
  return hub.getFunction(selector)?.name ?? `${native.getFunction(selector)?.name ?? selector} (native)`
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0)
}
