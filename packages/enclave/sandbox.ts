/**
 * The two rooms an app is locked into, as command lines.
 *
 * Outer room: the enclave process in its own mount and pid namespaces, with a private tmpfs for plaintext; it has the
 * network. Inner room: the app, without network, without privileges, on a read-only root, with that tmpfs only.
 *
 * Built with bubblewrap where it is installed, else with `unshare` and the two shell scripts beside this file. No command
 * line built here ever holds a secret: those travel in the environment of the app.
 */
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BaseError } from '@sealdeal/protocol'
import { z } from 'zod'

/** What builds the two rooms. `none` builds none: see {@link fallenPromises}. */
export type Sandbox = 'bubblewrap' | 'unshare' | 'none'

/** One thing the app finds in its root. */
export type Furniture =
  | { place: 'ro' | 'rw'; from: string; to: string }
  | { place: 'link'; from: string; to: string }
  | { place: 'hide'; to: string }

/** Bytes that each tmpfs may take: inputs and the rest, the app's output, its /tmp. Memory is only used once written. */
export const RoomSizes = z.object({
  plaintext: z.int().positive(),
  output: z.int().positive(),
  scratch: z.int().positive(),
})
export type RoomSizes = z.output<typeof RoomSizes>

/** Half of the machine's memory for plaintext, a quarter for what the app writes, an eighth for its /tmp. */
export function defaultSizes(): RoomSizes {
  const memory = totalmem()
  return { plaintext: Math.floor(memory / 2), output: Math.floor(memory / 4), scratch: Math.floor(memory / 8) }
}

/** The unprivileged user that an app becomes where the enclave is started by root. */
export const nobody = 65534

/** Where the inner room keeps the enclave's own Node binary. */
export const nodeInRoom = '/runtime/node'

const outerScript = fileURLToPath(new URL('./outer.sh', import.meta.url))
const innerScript = fileURLToPath(new URL('./inner.sh', import.meta.url))
const clone = fileURLToPath(new URL('../../', import.meta.url))
const folders = '/usr /bin /sbin /lib /lib32 /lib64 /libx32 /nix/store /etc/alternatives /etc/ld.so.cache'.split(' ')

/** What a search for the sandbox's tools needs: nothing of the caller's environment is passed on. */
export const searchPath = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/run/current-system/sw/bin'

/** Thrown where neither bubblewrap nor `unshare` can build the rooms on this machine. */
export class SandboxUnavailableError extends BaseError {
  override name = 'SandboxUnavailableError'
  constructor({ attempts }: { attempts: { sandbox: Sandbox; reason: string }[] }) {
    super('This machine cannot lock an app away from the host, so no app is run.', {
      metaMessages: [
        ...attempts.map(({ sandbox, reason }) => `${sandbox}: ${reason}`),
        'Install bubblewrap (`apt-get install bubblewrap`), or allow unprivileged user namespaces',
        '(`sysctl kernel.unprivileged_userns_clone=1`, `sysctl kernel.apparmor_restrict_unprivileged_userns=0`).',
        'To run without a sandbox all the same, on data that is not secret: `--no-sandbox` (SANDBOX=none).',
      ],
      docsPath: '/security#sandbox',
    })
  }
}

/** The promises that fall without a sandbox, one sentence each, to be printed every time. */
export const fallenPromises = [
  'The app can reach the network: it can send the data anywhere.',
  "The app can read the host's files, and write wherever this user can.",
  'Plaintext (data, results before encryption) lies in an ordinary folder on the disk while the app runs.',
  'Processes that the app starts may outlive it.',
  'Nothing bounds what the app takes of memory, processor, processes and disk; only its time is.',
] as const

/**
 * Finds what works on this machine by building both rooms once around `true`.
 * @param directory an existing folder that the outer room may cover
 * @throws SandboxUnavailableError when nothing works and `preference` is `auto`
 */
export async function detectSandbox({
  preference,
  directory,
}: {
  preference: 'auto' | Sandbox
  directory: string
}): Promise<Sandbox> {
  if (preference === 'none') return 'none'
  const attempts: { sandbox: Sandbox; reason: string }[] = []
  for (const sandbox of preference === 'auto' ? (['bubblewrap', 'unshare'] as const) : [preference]) {
    const reason = await probe(sandbox, directory)
    if (reason === undefined) return sandbox
    attempts.push({ sandbox, reason })
  }
  throw new SandboxUnavailableError({ attempts })
}

/**
 * The command line of the outer room: `command` with a tmpfs over `directory`, killed with the process that starts it.
 */
export function outerRoom({
  sandbox,
  directory,
  command,
  sizes = defaultSizes(),
}: {
  sandbox: Sandbox
  directory: string
  command: string[]
  sizes?: RoomSizes
}): string[] {
  const { plaintext, output, scratch } = sizes
  if (sandbox === 'none') return command
  if (sandbox === 'bubblewrap') {
    return [
      ...['bwrap', '--die-with-parent', '--unshare-pid', '--dev-bind', '/', '/', '--proc', '/proc'],
      ...['--size', String(plaintext), '--perms', '0700', '--tmpfs', directory],
      ...['--size', String(output), '--perms', '0700', '--tmpfs', join(directory, 'out')],
      ...['--size', String(scratch), '--perms', '1777', '--tmpfs', join(directory, 'scratch')],
      ...['--', 'sh', '-c', 'ulimit -c 0; exec "$@"', 'enclave', ...command],
    ]
  }
  return [
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', ...ownUsers()],
    ...['--mount', '--propagation', 'private', '--pid', '--fork', '--mount-proc', '--kill-child', '--'],
    ...['sh', outerScript, directory, String(plaintext), String(output), String(scratch), ...command],
  ]
}

/**
 * The command line of the inner room, to be started inside the outer one.
 * @param root an empty folder on the private tmpfs
 * @param furniture what the app finds besides the system's programs
 * @param folder the app's working folder, as it sees it
 */
export function innerRoom({
  sandbox,
  root,
  furniture,
  folder,
  command,
  sizes = defaultSizes(),
}: {
  sandbox: Sandbox
  root: string
  furniture: Furniture[]
  folder: string
  command: string[]
  sizes?: RoomSizes
}): string[] {
  if (sandbox === 'none') return endingWithUs(command)
  const all: Furniture[] = [...system(dirname(root)), ...furniture]
  all.push({ place: 'ro', from: process.execPath, to: nodeInRoom })
  if (sandbox === 'bubblewrap') {
    const setuid = ['SETUID', 'SETGID', 'SETPCAP'].flatMap((name) => ['--cap-add', `CAP_${name}`])
    const become = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups']
    return [
      ...['bwrap', '--die-with-parent', '--new-session', '--unshare-net', '--unshare-pid', '--unshare-ipc'],
      ...['--unshare-uts', '--unshare-cgroup-try', '--cap-drop', 'ALL'],
      ...(isPrivileged() ? setuid : ['--unshare-user']),
      ...all.flatMap(bubblewrapFlags),
      ...['--proc', '/proc', '--dev', '/dev', '--dir', '/tmp'],
      ...['--size', String(sizes.scratch), '--perms', '1777', '--tmpfs', '/dev/shm'],
      ...['--remount-ro', '/', '--chdir', folder, '--'],
      ...(isPrivileged()
        ? ['setpriv', ...become, '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--']
        : []),
      ...command,
    ]
  }
  return [
    ...['unshare', ...ownUsers(), '--mount', '--propagation', 'private', '--pid', '--net', '--ipc', '--uts'],
    ...['--fork', '--kill-child', '--', 'sh', innerScript, root, String(sizes.scratch)],
    ...[isPrivileged() ? String(nobody) : 'same', ...all.flatMap(scriptSteps), 'run', folder, ...command],
  ]
}

/** Without rooms, which take their processes along, the kernel ends the app when the enclave is killed: Linux can. */
function endingWithUs(command: string[]): string[] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path))
  return setpriv ? [setpriv, '--pdeathsig', 'KILL', '--', ...command] : command
}

/** Root with every user id at hand, so that the app can become `nobody`; false for root of a small user namespace. */
export function isPrivileged(): boolean {
  if (process.getuid?.() !== 0) return false
  const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
  return ranges.some((range) => {
    const [first = 0, , count = 0] = range.trim().split(/\s+/).map(Number)
    return first <= nobody && nobody < first + count
  })
}

/** A user namespace is what lets an ordinary user mount; root needs none, and keeps a real `nobody` to become. */
function ownUsers(): string[] {
  return isPrivileged() ? [] : ['--user', '--map-root-user']
}

/** The system's programs and libraries, read-only, and never this clone or the plaintext, wherever they lie. */
function system(directory: string): Furniture[] {
  const present = folders.filter((path) => existsSync(path))
  const furniture = present.map((path): Furniture => {
    if (lstatSync(path).isSymbolicLink()) return { place: 'link', from: readlinkSync(path), to: path }
    return { place: 'ro', from: path, to: path }
  })
  const below = [clone, directory].filter((path) => present.some((folder) => path.startsWith(`${folder}/`)))
  return [...furniture, ...below.map((to): Furniture => ({ place: 'hide', to }))]
}

function bubblewrapFlags(item: Furniture): string[] {
  if (item.place === 'hide') return ['--tmpfs', item.to, '--remount-ro', item.to]
  if (item.place === 'link') return ['--symlink', item.from, item.to]
  // Left to itself, bubblewrap makes the folder around a file for its owner alone, and the app is another user.
  const around = dirname(item.to) === '/' ? [] : ['--perms', '0755', '--dir', dirname(item.to)]
  return [...around, item.place === 'ro' ? '--ro-bind' : '--bind', item.from, item.to]
}

function scriptSteps(item: Furniture): string[] {
  return item.place === 'hide' ? ['hide', item.to] : [item.place, item.from, item.to]
}

/** Builds both rooms around `true`; the reason when that fails. */
async function probe(sandbox: Sandbox, directory: string): Promise<string | undefined> {
  const root = join(directory, 'root')
  const prepare = 'root=$1; shift; mkdir "$root"; exec "$@"'
  const inner = innerRoom({ sandbox, root, furniture: [], folder: '/tmp', command: ['true'] })
  const [program = '', ...args] = outerRoom({
    sandbox,
    directory,
    command: ['sh', '-c', prepare, 'probe', root, ...inner],
  })
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { PATH: searchPath },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 10_000,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(0, 500)
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ENOENT' ? `${program} is not installed` : error.message)
    })
    child.on('close', (code, signal) => {
      resolve(code === 0 ? undefined : said.trim() || `ended with ${signal ?? `code ${code}`}`)
    })
  })
}
