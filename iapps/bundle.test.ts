import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bundle } from '@sealdeal/protocol'
import { expect } from 'chai'
import { appFolder, bundleApp } from './bundle.ts'

describe('bundleApp', function () {
  this.timeout(30_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  for (const name of ['private-training', 'hello-world']) {
    it(`gives ${name} the same bytes twice, and from another folder`, async () => {
      const first = await bundleApp(appFolder(name))
      expect(await bundleApp(appFolder(name))).to.deep.equal(first)
      const copy = join(folder, 'elsewhere', name)
      cpSync(appFolder(name), copy, { recursive: true })
      expect(Bundle.checksum(await bundleApp(copy))).to.equal(Bundle.checksum(first))
    })
    it(`puts nothing into ${name} but its manifest and one readable module without paths of this disk`, async () => {
      const { manifest, files } = await Bundle.unpack(await bundleApp(appFolder(name)))
      expect(manifest.entrypoint).to.deep.equal(['node', 'main.mjs'])
      expect([...files.keys()]).to.deep.equal(['iapp.json', 'main.mjs'])
      const code = new TextDecoder().decode(files.get('main.mjs'))
      expect(code)
        .to.not.include(process.cwd())
        .and.not.match(/^\/\/ .*\.ts$/m)
      expect(code.length, 'small enough to be read by whoever grants access').to.be.lessThan(30_000)
    })
  }
  it('gives other bytes when one character of the code changes', async () => {
    const copy = join(folder, 'changed')
    cpSync(appFolder('hello-world'), copy, { recursive: true })
    const { readFileSync, writeFileSync } = await import('node:fs')
    writeFileSync(join(copy, 'main.ts'), readFileSync(join(copy, 'main.ts'), 'utf8').replace('Hello', 'Hallo'))
    expect(Bundle.checksum(await bundleApp(copy))).to.not.equal(
      Bundle.checksum(await bundleApp(appFolder('hello-world'))),
    )
  })
})
