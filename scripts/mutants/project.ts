// The instrumented contracts as a Hardhat project of their own, in a folder that git ignores.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, run } from '../run.ts'
import { instrument } from './instrument.ts'
import type { Sites } from './sites.ts'

/** Where everything lies that the sweep makes. */
export const home = join(root, '.data', 'mutants')

const project = join(home, 'project')

/** What programs that run the tests on the instrumented contracts have in their environment. */
export const environment = {
  HARDHAT_CONFIG: join(project, 'hardhat.config.ts'),
  HARDHAT_NO_TYPECHAIN: 'true',
  NODE_ENV: 'test',
}

/**
 * Instrumented code is larger than a chain allows, and takes minutes to optimize: the compiler only clears away what is
 * unused, without which it runs out of stack. Everything else is as in the repository.
 */
const config = `import config from '../../../hardhat.config.ts'

const { solidity } = config
const yulDetails = { stackAllocation: true, optimizerSteps: 'u:' }
const optimizer = { enabled: true, runs: 1, details: { yul: true, yulDetails } }
const chain = { allowUnlimitedContractSize: true, transactionGasCap: false } as const

export default {
  ...config,
  paths: {},
  solidity: { ...solidity, settings: { ...solidity.settings, optimizer } },
  networks: {
    default: { type: 'edr-simulated', chainType: 'l1', ...chain },
    hardhat: { type: 'edr-simulated', chainType: 'l1', ...chain },
  },
}
`

/** Writes the project, and builds it unless it was built from the same sources before. */
export async function build(): Promise<Sites & { fingerprint: string }> {
  const { sources, sites } = instrument(contracts())
  const hash = createHash('sha256')
    .update(JSON.stringify([...sources]))
    .update(config)
    .update(read('hardhat.config.ts'))
  const fingerprint = hash.digest('hex').slice(0, 16)
  const stamp = join(project, 'built')
  write('package.json', JSON.stringify({ name: 'mutants', private: true, type: 'module' }))
  write('hardhat.config.ts', config)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return { ...sites, fingerprint }

  rmSync(join(project, 'contracts'), { recursive: true, force: true })
  for (const [name, text] of sources) write(name, text)
  console.log(`${sites.mutants.length} mutants in ${sites.statements.length} statements: compiling them all at once...`)
  const { code, output } = await run('hardhat', ['build', '--quiet'], { env: environment, cwd: project })
  if (code !== 0) throw new Error(`The instrumented contracts do not compile:\n${output}`)
  write('built', fingerprint)
  return { ...sites, fingerprint }
}

/** A hash over the contents of files and of everything in folders. */
export function fingerprintOf(paths: string[]): string {
  const hash = createHash('sha256')
  const files = paths.flatMap((path) => (/\.\w+$/.test(path) ? [path] : filesIn(path)))
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}

/** The paths of all files below a folder of the repository. */
export function filesIn(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
}

function contracts(): Map<string, string> {
  const names = filesIn('contracts').filter((path) => path.endsWith('.sol'))
  return new Map(names.map((name) => [name, read(name)]))
}

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}

function write(name: string, text: string) {
  const path = join(project, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
