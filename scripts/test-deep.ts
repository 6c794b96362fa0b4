// `npm run test:deep`: what proves the contracts but takes too long for every change. Named steps run alone, and what
// begins with a dash goes to them: `npm run test:deep -- mutants --only hub/Deals`.
import { globSync } from 'node:fs'
import { fuzzRuns } from './prove/runs.ts'
import { root, run } from './run.ts'

/** Every server that is asked generated questions: by what it says of itself (`/openapi.json`, a schema), or by hand. */
const descriptions = globSync('packages/*/{openapi,generated,queries}.test.ts', { cwd: root }).sort()

type Step = { name: string; command: string; args: string[]; env?: NodeJS.ProcessEnv }

const steps: Step[] = [
  { name: 'invariants', command: 'node', args: ['scripts/invariants.ts'] },
  {
    name: 'twins',
    command: 'mocha',
    args: ['--exit', 'packages/sdk/twins.test.ts'],
    env: { TWINS: '10000' },
  },
  {
    name: 'properties',
    command: 'node',
    args: ['scripts/prove/properties.ts'],
    env: { FUZZ_RUNS: String(fuzzRuns.deep) },
  },
  { name: 'reorgs', command: 'mocha', args: ['--exit', 'packages/indexer/reorg.test.ts'], env: { REORGS: '200' } },
  { name: 'kills', command: 'mocha', args: ['--exit', 'packages/matcher/replicas.test.ts'], env: { KILLS: '60' } },
  {
    name: 'callbacks',
    command: 'mocha',
    args: ['--exit', 'packages/callbacks/*.test.ts'],
    env: { KILLS: '40', REORGS: '200', REQUESTS: '50000' },
  },
  { name: 'requests', command: 'mocha', args: ['--exit', ...descriptions], env: { REQUESTS: '50000' } },
  { name: 'coverage', command: 'node', args: ['scripts/mutants/main.ts', 'coverage'] },
  { name: 'mutants', command: 'node', args: ['scripts/mutants/main.ts', 'mutants'] },
]

const given = process.argv.slice(2)
const first = given.findIndex((word) => word.startsWith('-'))
const only = first < 0 ? given : given.slice(0, first)
const options = first < 0 ? [] : given.slice(first)
const unknown = only.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) throw new Error(`There is no step ${unknown.join(', ')}: ${steps.map(({ name }) => name)}`)

const failed: string[] = []
for (const { name, command, args, env = {} } of steps) {
  if (only.length > 0 && !only.includes(name)) continue
  console.log(`\n== ${name} ==`)
  const since = performance.now()
  const { code } = await run(command, [...args, ...options], { show: true, env })
  if (code !== 0) failed.push(name)
  console.log(`== ${name}: ${code === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - since) / 1000).toFixed(0)} s ==`)
}
if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
