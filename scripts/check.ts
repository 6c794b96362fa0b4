// `npm run check`: everything a reviewer should never have to talk about.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ended, root, run } from './run.ts'

type Check = { name: string; run: () => Promise<Ended> }

const cruise = ['packages', 'iapps', 'scripts', 'deploy', '--config', '.dependency-cruiser.mjs']

const checks: Check[] = [
  { name: 'format and lint of TypeScript', run: () => run('biome', ['check', '--error-on-warnings', '.']) },
  { name: 'format of Solidity', run: () => run('prettier', ['--check', 'contracts/**/*.sol', 'test/**/*.sol']) },
  { name: 'lint of Solidity', run: () => run('solhint', ['--max-warnings', '0', '--disc', 'contracts/**/*.sol']) },
  { name: 'types', run: () => run('tsc', ['--noEmit', '-p', '.']) },
  {
    name: 'contract size, storage layout and ABI drift',
    run: () =>
      run('hardhat', [
        'test',
        'mocha',
        'test/seams/abi.test.ts',
        'test/seams/layout.test.ts',
        'test/seams/size.test.ts',
      ]),
  },
  { name: 'typechain-types drift', run: typechainDrift },
  { name: 'architecture: every file is seen', run: everyModuleIsSeen },
  { name: 'architecture: who imports whom', run: () => run('depcruise', cruise) },
  { name: 'architecture: a planted violation is caught', run: plantedViolation },
  { name: 'documentation', run: () => run('node', ['scripts/docs.ts']) },
  { name: 'at most 16 npm scripts', run: scriptCount },
]

/** The generated types are committed; a fresh build must not change them. */
async function typechainDrift(): Promise<Ended> {
  const status = await run('git', ['status', '--porcelain', '--', 'typechain-types'])
  if (status.output === '') return status
  return {
    code: 1,
    output: `typechain-types differ from what is committed; commit what the build wrote:\n${status.output}`,
  }
}

/** A rule that does not look at a file protects nothing: what git lists and what was read must be the same set. */
async function everyModuleIsSeen(): Promise<Ended> {
  const cruised = await run('depcruise', [...cruise, '--output-type', 'json'])
  const { modules } = JSON.parse(cruised.output) as { modules: { source: string }[] }
  const seen = new Set(modules.map(({ source }) => source))
  const listed = await run('git', [
    'ls-files',
    '--',
    ...['packages', 'iapps', 'scripts', 'deploy'].map((folder) => `${folder}/**.ts`),
  ])
  const files = listed.output.split('\n').filter((path) => path !== '')
  const missing = files.filter((path) => !seen.has(path))
  if (files.length > 0 && missing.length === 0) return { code: 0, output: `${files.length} modules` }
  return {
    code: 1,
    output: `${missing.length} of ${files.length} files are not seen by the architecture rules:\n${missing.join('\n')}`,
  }
}

async function plantedViolation(): Promise<Ended> {
  const planted = join(root, 'packages', 'market', 'planted-violation.ts')
  writeFileSync(planted, "import '../sms/index.ts'\n")
  try {
    const cruised = await run('depcruise', cruise)
    if (cruised.code !== 0 && cruised.output.includes('market-knows-too-much')) return { code: 0, output: '' }
    return { code: 1, output: `A server that imports another server was not refused:\n${cruised.output}` }
  } finally {
    rmSync(planted)
  }
}

async function scriptCount(): Promise<Ended> {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const count = Object.keys(scripts).length
  return { code: count <= 16 ? 0 : 1, output: `package.json has ${count} scripts, at most 16 are wanted` }
}

let failed = 0
for (const check of checks) {
  const started = performance.now()
  const { code, output } = await check.run()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`)
  if (code !== 0) console.log(output)
  failed += code === 0 ? 0 : 1
}
console.log(`${checks.length - failed} passing`)
if (failed > 0) console.log(`${failed} failing`)
process.exitCode = failed === 0 ? 0 : 1
