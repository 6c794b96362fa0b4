// Runs a script of this repository on the Node that the lock file pins, after installing and compiling what is missing.
// Plain JavaScript without dependencies: it must run on any Node from 20 on, in a fresh clone, before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
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

/**
 * The repository's own programs come first, so that a child's `node` is the pinned one. It keeps what it compiles, and starts
 * in half the time afterwards.
 */
function environment() {
  return {
    ...process.env,
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
    NODE_COMPILE_CACHE: join(root, '.data', 'compiled'),
  }
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

/** Has the kernel tell a program when this process dies, where it can: nobody else could when it is killed. */
function endingWithUs(command) {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path))
  return setpriv ? [setpriv, '--pdeathsig', 'TERM', '--', ...command] : command
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, a name in parentheses, may hold spaces: count from behind it.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** npm cannot take its script along when it is killed: so its script looks, twice a second, whether npm and its shell are there. */
function whenNpmIsGone(act) {
  if (process.env.npm_lifecycle_event === undefined) return
  const shell = process.ppid
  const npm = parentOf(shell)
  const timer = setInterval(() => {
    if (process.ppid === shell && parentOf(shell) === npm) return
    clearInterval(timer)
    act()
  }, 500)
  timer.unref()
}

const [script, ...args] = process.argv.slice(2)
if (script) {
  const [program, ...rest] = endingWithUs([node, join(root, script), ...args])
  const child = spawn(program, rest, { cwd: root, stdio: 'inherit', env: environment() })
  // Ctrl-C reaches the script as well, as one process group: to be told twice must not matter to it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  whenNpmIsGone(() => child.kill('SIGTERM'))
  child.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
