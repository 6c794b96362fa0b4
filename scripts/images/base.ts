import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from '../run.ts'
import { podman } from './podman.ts'

const image = 'localhost/sealdeal-base'

const folders = ['usr/bin', 'usr/lib', 'usr/lib64', 'etc', 'proc', 'sys', 'dev', 'tmp']

/** Makes the smallest image that runs a service: Node, a shell to start it, and the libraries that both are linked with. */
export async function importBase(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sealdeal-base-'))
  try {
    for (const folder of folders) mkdirSync(join(directory, folder), { recursive: true })
    for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(directory, name))
    const programs = { node: process.execPath, sh: realpathSync('/bin/sh') }
    for (const [name, path] of Object.entries(programs)) copyFileSync(path, join(directory, 'usr/bin', name))
    for (const library of await librariesOf(Object.values(programs))) {
      mkdirSync(join(directory, dirname(library)), { recursive: true })
      copyFileSync(library, join(directory, library))
    }
    const archive = join(directory, '..', `${directory.split('/').at(-1)}.tar`)
    const packed = await run('tar', ['--owner=0', '--group=0', '-C', directory, '-cf', archive, '.'])
    if (packed.code !== 0) throw new Error(`tar failed: ${packed.output}`)
    await podman(['import', archive, image])
    rmSync(archive)
    return image
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Paths of the shared libraries that programs are linked with, the loader among them. */
async function librariesOf(programs: string[]): Promise<Set<string>> {
  const { output } = await run('ldd', programs)
  return new Set([...output.matchAll(/(\/\S+\.so\S*) \(0x/g)].map(([, path = '']) => path))
}
