import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { KeyFileError } from './errors.ts'
import { readPlatform, readRoot, writePlatform, writeRoot } from './files.ts'
import { NOW } from './fixtures.ts'
import { createPlatform, createRoot } from './simulator.ts'

describe('files of the simulator', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'attestation-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('are written for their owner alone and read back the same', async () => {
    const root = await createRoot({ at: NOW })
    const platform = await createPlatform(root, { at: NOW })
    writeRoot(join(folder, 'root.json'), root)
    writePlatform(join(folder, 'platform.json'), platform)
    for (const name of ['root.json', 'platform.json']) expect(statSync(join(folder, name)).mode & 0o777).to.equal(0o600)
    expect(readRoot(join(folder, 'root.json'))).to.deep.equal(root)
    expect(readPlatform(join(folder, 'platform.json'))).to.deep.equal(platform)
  })
  it('are never overwritten', async () => {
    const root = await createRoot({ at: NOW })
    writeRoot(join(folder, 'once.json'), root)
    expect(() => writeRoot(join(folder, 'once.json'), root)).to.throw(KeyFileError, 'once.json')
  })
  it('are refused when others may read them, when they are missing, and when they hold something else', async () => {
    writeRoot(join(folder, 'open.json'), await createRoot({ at: NOW }))
    chmodSync(join(folder, 'open.json'), 0o640)
    expect(() => readRoot(join(folder, 'open.json'))).to.throw(KeyFileError, 'its mode is 640')
    expect(() => readRoot(join(folder, 'none.json'))).to.throw(KeyFileError, 'cannot be read')
    writeFileSync(join(folder, 'other.json'), '{"kind":"else"}', { mode: 0o600 })
    expect(() => readRoot(join(folder, 'other.json'))).to.throw(KeyFileError, 'does not hold')
  })
  it('never show a key in an error', async () => {
    const root = await createRoot({ at: NOW })
    const { pckAuthority: _authority, ...broken } = root
    writeFileSync(join(folder, 'broken.json'), JSON.stringify(broken), { mode: 0o600 })
    let message = ''
    try {
      readRoot(join(folder, 'broken.json'))
    } catch (error) {
      if (error instanceof Error) message = `${error.message} ${String(error.cause)}`
    }
    expect(message).to.include('pckAuthority').and.not.include(root.root.key.secret.slice(0, 40))
  })
})
