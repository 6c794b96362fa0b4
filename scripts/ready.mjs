// Runs a script of this repository on the Node that the lock file pins, after installing and compiling what is missing.
// Plain JavaScript without dependencies: it must run on any Node from 20 on, in a fresh clone, before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = join(root, 'node_modules', '.bin', 'node')

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment(),
  })
  if (error) throw error
  if (status !== 0) {
    console.error(`\n"${command} ${args.join(' ')}" ended with exit code ${status}. Nothing else was started.`)
    process.exit(status ?? 1)
  }
}

/** The repository's own programs come first, so that a child's `node` is the pinned one. */
function environment() {
  return { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` }
}

/** Whether every package that the lock file asks for on this platform lies in node_modules in that version. */
function isInstalled() {
  const hidden = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(hidden) || !existsSync(node)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, entry]) =>
      !path.startsWith('node_modules/') || entry.link || entry.optional || present[path]?.version === entry.version,
  )
}

function* solidityFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* solidityFiles(path)
    else if (entry.name.endsWith('.sol')) yield path
  }
}

/** One hash over everything that decides what the compiler puts out. */
function contractsHash() {
  const hash = createHash('sha256')
  const inputs = [
    join(root, 'hardhat.config.ts'),
    join(root, 'package-lock.json'),
    ...[...solidityFiles(join(root, 'contracts'))].sort(),
  ]
  for (const path of inputs) hash.update(`${relative(root, path)}\n`).update(readFileSync(path))
  return hash.digest('hex')
}

if (!isInstalled()) {
  console.log('Installing what the lock file names (about a minute)...')
  // Optional packages with native code are chosen by the Node that npm runs on, so npm runs on the pinned one too.
  const onPinnedNode = Number(process.versions.node.split('.')[0]) === 24
  if (onPinnedNode) run('npm', ['ci'])
  else run('npx', ['-y', '-p', 'node@24', 'npm', 'ci'])
}

const stamp = join(root, 'artifacts', '.contracts-hash')
const hash = contractsHash()
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
  console.log('Compiling the contracts...')
  run(node, [join(root, 'node_modules', '.bin', 'hardhat'), 'build', '--quiet'])
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, hash)
}

const [script, ...args] = process.argv.slice(2)
if (script) {
  // The script inherits the terminal; signals reach it directly, as one process group.
  const keep = () => {}
  process.on('SIGINT', keep)
  process.on('SIGTERM', keep)
  const { spawn } = await import('node:child_process')
  const child = spawn(node, [join(root, script), ...args], { cwd: root, stdio: 'inherit', env: environment() })
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
