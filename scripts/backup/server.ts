import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'

/** A PostgreSQL of the operating system, started for this script alone; undefined where none is installed. */
export async function startInstalled(): Promise<
  { url: string; version: string; stop: () => Promise<void> } | undefined
> {
  const versions = folderNames('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one))
  const [version] = versions
  if (version === undefined) return undefined
  const binaries = `/usr/lib/postgresql/${version}/bin`
  const directory = mkdtempSync(join(tmpdir(), 'sealdeal-installed-'))
  // As root the server must be somebody else: the account that the package made.
  const isRoot = process.getuid?.() === 0
  const command = async (name: string, args: string[]) => {
    const words = [join(binaries, name), ...args]
    const { code, output } = isRoot
      ? await run('runuser', ['-u', 'postgres', '--', ...words])
      : await run(words[0] ?? '', words.slice(1))
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${output}`)
  }
  if (isRoot) {
    const { uid, gid } = statSync('/var/lib/postgresql')
    chownSync(directory, uid, gid)
  }
  const data = join(directory, 'data')
  const port = await freePort()
  await command('initdb', ['-D', data, '--auth=trust', '--username=postgres', '--encoding=UTF8', '--no-sync'])
  const settings = `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c max_connections=200`
  // Its log goes to a file: a pipe would be kept open by the server.
  await command('pg_ctl', ['-D', data, '-l', join(directory, 'log'), '-w', '-o', settings, 'start'])
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    version,
    async stop() {
      await command('pg_ctl', ['-D', data, '-m', 'immediate', 'stop'])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function folderNames(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
