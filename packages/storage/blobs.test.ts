import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NextToLast } from 'blockstore-fs/sharding'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { type Blobs, createBlobs, type Upload } from './blobs.ts'
import { openBlocks } from './blocks.ts'

describe('blobs', function () {
  this.timeout(60_000)
  let directory: string
  let blobs: Blobs

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'blobs-'))
    blobs = createBlobs({ blocks: await openBlocks({ directory }) })
  })
  after(() => rm(directory, { recursive: true, force: true }))

  // What `ipfs add` of Kubo prints for the same bytes, as published by Kubo's own tests and others.
  const vectors: [string, string, () => Iterable<Uint8Array>][] = [
    ['nothing', 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH', () => []],
    ['hello world', 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', () => [Buffer.from('hello world\n')]],
    ['Hello Worlds!', 'QmVr26fY1tKyspEJBniVhqxQeEjhF78XerGiqWAwraVLQH', () => [Buffer.from('Hello Worlds!\n')]],
    ['1 MiB of zeros', 'QmVkbauSDEaMP4Tkq6Epm9uW75mWm136n81YH8fGtfwdHU', () => zeros(1)],
    ['100 MiB of zeros', 'Qmca3PNFKuZnYkiVv1FpcV1AfDUm4qCSHoYjPTBqDAsyk8', () => zeros(100)],
  ]
  for (const [name, cid, content] of vectors) {
    it(`gives ${name} the identifier that Kubo gives`, async () => {
      const [added] = await blobs.add(uploads({ file: content() }))
      expect(added?.cid).to.equal(cid)
    })
  }

  it('counts the cumulative size as Kubo does', async () => {
    const [added] = await blobs.add(uploads({ hello: [Buffer.from('hello world\n')] }))
    expect(added).to.deep.equal({
      path: 'hello',
      cid: 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o',
      size: 20n,
    })
  })

  it('builds folders from paths and finds files through them', async () => {
    const added = await blobs.add(uploads({ 'd/a.txt': [Buffer.from('a')], 'd/b.txt': [Buffer.from('b')] }))
    const folder = added.find(({ path }) => path === 'd')
    const found = await blobs.find(`${folder?.cid}/b.txt`)
    expect(await text(found.read())).to.equal('b')
    await expectError(blobs.find(folder?.cid ?? ''), 'BlobNotFoundError')
    await expectError(blobs.find(`${folder?.cid}/c.txt`), 'BlobNotFoundError')
  })

  it('reads every range of a blob of several levels exactly', async () => {
    const bytes = Buffer.alloc(5_000_000)
    for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32LE(at, at)
    const [added] = await blobs.add(uploads({ big: [bytes] }))
    const found = await blobs.find(added?.cid ?? '')
    expect(found.size).to.equal(bytes.length)
    const edges = [0, 1, 262_143, 262_144, 262_145, 4_194_303, 4_194_304, 4_194_305, 4_999_999, 5_000_000]
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge > start)) {
        const read = await collect(found.read({ start, end }))
        expect(read.equals(bytes.subarray(start, end)), `${start}-${end}`).to.equal(true)
      }
    }
  })

  it('says which name is unknown and which is no name', async () => {
    await expectError(blobs.find('QmVTZxAcPo2REtcwjP3oCbNqV3b3XtvzPFRMtXPDRvwbRM'), 'BlobNotFoundError')
    await expectError(blobs.find('hello'), 'InvalidPathError')
    await expectError(blobs.find(''), 'InvalidPathError')
  })

  it('leaves no name behind when the source fails in the middle', async () => {
    const parts = (function* () {
      yield Buffer.alloc(600_000, 7)
      throw new Error('cut')
    })()
    await expectError(blobs.add(uploads({ file: parts })), 'Error')
    const elsewhere = await mkdtemp(join(tmpdir(), 'blobs-other-'))
    const other = createBlobs({ blocks: await openBlocks({ directory: elsewhere }) })
    const [sent] = await other.add(uploads({ file: [Buffer.alloc(600_000, 7)] }))
    await rm(elsewhere, { recursive: true })
    await expectError(blobs.find(sent?.cid ?? ''), 'BlobNotFoundError')
  })

  it('sweeps drafts that a dead process left, and no younger ones', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blobs-sweep-'))
    await mkdir(join(folder, 'incoming'), { recursive: true })
    const long = new Date(Date.now() - 3_600_000)
    await writeFile(join(folder, 'incoming', 'old'), 'half')
    await utimes(join(folder, 'incoming', 'old'), long, long)
    await writeFile(join(folder, 'incoming', 'young'), 'half')
    await openBlocks({ directory: folder })
    expect(await readdir(join(folder, 'incoming'))).to.deep.equal(['young'])
    await rm(folder, { recursive: true })
  })

  it('holds no half block after kill -9 in the middle of writing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blobs-kill-'))
    const writer = fileURLToPath(new URL('./testing/endless.ts', import.meta.url))
    let checked = 0
    for (const pieces of [15, 20, 33]) {
      const child = spawn(process.execPath, [writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      // The writer says a dot for each piece that it takes: by then it is writing the ones before.
      let dots = 0
      while (dots < pieces) dots += (await once(child.stdout, 'data'))[0].length
      child.kill('SIGKILL')
      await once(child, 'exit')
      checked += await verifyBlocks(folder)
    }
    expect(checked).to.be.greaterThan(10)
    await rm(folder, { recursive: true })
  })

  it('needs the same little memory for any size', async () => {
    const megabytes = 400
    const [added] = await blobs.add(uploads({ file: sparse(megabytes) }))
    const found = await blobs.find(added?.cid ?? '')
    const { arrayBuffers } = process.memoryUsage()
    let peak = 0
    let count = 0
    for await (const bytes of found.read()) {
      count += bytes.length
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - arrayBuffers)
      if (count % 16_777_216 === 0) await sleep(1)
    }
    expect(count).to.equal(megabytes * 1_048_576)
    expect(peak).to.be.lessThan(200 * 1_048_576)
  })
})

function* zeros(megabytes: number): Generator<Uint8Array> {
  for (let done = 0; done < megabytes; done++) yield new Uint8Array(1_048_576)
}

/** Few distinct blocks, so that the test costs time and not disk. */
function* sparse(megabytes: number): Generator<Uint8Array> {
  for (let done = 0; done < megabytes; done++) yield new Uint8Array(1_048_576).fill(done % 8)
}

async function* uploads(files: Record<string, Iterable<Uint8Array>>): AsyncGenerator<Upload> {
  for (const [path, content] of Object.entries(files)) {
    yield {
      path,
      content: (async function* () {
        yield* content
      })(),
    }
  }
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  return (await collect(bytes)).toString()
}

/** Every visible block is whole: its bytes hash to its name. Returns how many there are. */
async function verifyBlocks(folder: string): Promise<number> {
  const layout = new NextToLast()
  const names = await readdir(join(folder, 'blocks'), { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  for (const file of files) {
    const cid: CID = layout.decode(file.name)
    const digest = createHash('sha256')
      .update(await readFile(join(file.parentPath, file.name)))
      .digest()
    expect(Buffer.from(CID.asCID(cid)?.multihash.digest ?? []).equals(digest), file.name).to.equal(true)
  }
  return files.length
}

async function expectError(promise: Promise<unknown>, name: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(Error).with.property('name', name)
}
