import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { needles, scanBytes, scanFolder } from './canary.ts'

const canary = 'canary-7f1e9c-ä'
const wanted = needles(canary)
const around = (middle: Buffer | string) =>
  Buffer.concat([Buffer.from('before '), Buffer.from(middle), Buffer.from(' after')])

/** A zip with one deflated entry, local header only: what a leak in an archive looks like. */
function zip(content: Buffer): Buffer {
  const header = Buffer.alloc(30)
  header.write('PK\x03\x04', 'latin1')
  header.writeUInt16LE(8, 8)
  header.writeUInt16LE(1, 26)
  return Buffer.concat([header, Buffer.from('a'), deflateRawSync(content)])
}

describe('the canary scan', () => {
  const disguises: [string, Buffer][] = [
    ['raw', around(canary)],
    ['hex', around(Buffer.from(canary).toString('hex'))],
    ['HEX', around(Buffer.from(canary).toString('hex').toUpperCase())],
    ['base64 of it alone', around(Buffer.from(canary).toString('base64'))],
    ['base64 one byte into a text', around(Buffer.from(`x${canary}y`).toString('base64'))],
    ['base64 two bytes into a text', around(Buffer.from(`xx${canary}yy`).toString('base64'))],
    ['base64url', around(Buffer.from(canary).toString('base64url'))],
    ['utf16le', around(Buffer.from(canary, 'utf16le'))],
    ['utf16be', around(Buffer.from(canary, 'utf16le').swap16())],
    ['gzip', gzipSync(around(canary))],
    ['gzip inside other bytes', around(gzipSync(around(canary)))],
    ['zip', zip(around(canary))],
    ['zip of a gzip of base64', zip(gzipSync(around(Buffer.from(canary).toString('base64'))))],
  ]
  for (const [name, bytes] of disguises) {
    it(`finds it as ${name}`, () => {
      expect(scanBytes(bytes, wanted, 'here')).not.to.deep.equal([])
    })
  }

  it('finds nothing in bytes that do not hold it', () => {
    expect(scanBytes(gzipSync(around('canary-7f1e9d')), wanted, 'here')).to.deep.equal([])
  })

  it('finds it in a file deep in a folder and in the name of one, but not in what is left out', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealdeal-canary-'))
    try {
      await writeFile(join(folder, 'leak.bin'), around(canary))
      await writeFile(join(folder, `${canary}.txt`), 'nothing')
      await writeFile(join(folder, 'owner.txt'), canary)
      const found = await scanFolder(folder, wanted, { leaveOut: [join(folder, 'owner.txt')] })
      expect(found.map(({ where }) => where).sort()).to.deep.equal(
        [join(folder, 'leak.bin'), `the name of ${join(folder, `${canary}.txt`)}`].sort(),
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
