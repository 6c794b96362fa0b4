import { randomBytes } from 'node:crypto'
import { link, mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { adopt } from './adopt.ts'
import { createBlobs, type Upload } from './blobs.ts'
import { openBlocks } from './blocks.ts'
import { blockCollection } from './index.ts'
import { log, openStore, type Store } from './testing/doors.ts'
import { walk } from './walk.ts'

const chunk = 262_144

describe('collecting what nobody keeps', function () {
  this.timeout(60_000)
  let store: Store
  before(async () => {
    store = await openStore({ marginMs: 20 })
  })
  after(() => store?.close())

  /** Adds as an upload does, and pins. */
  async function keep(account: string, content: Iterable<Uint8Array>): Promise<string> {
    const booking = await store.ledger.book({ account, bytes: 0 })
    try {
      const [added] = await store.blobs.add(one(content))
      await booking.pin([{ cid: added?.cid ?? '', bytes: 1 }])
      return added?.cid ?? ''
    } finally {
      await booking.release()
    }
  }
  async function countBlocks(): Promise<number> {
    let count = 0
    for await (const digests of store.blocks.digests()) count += digests.length
    return count
  }
  const aged = () => sleep(60)

  it('removes what uploads left that were not finished, and nothing that is kept', async () => {
    const kept = randomBytes(3 * chunk + 5)
    const cid = await keep('a', [kept])
    const before = await countBlocks()
    await store.blobs.add(one([randomBytes(2 * chunk)]))
    await aged()
    await store.collection.sweep()
    expect(await countBlocks()).to.equal(before)
    expect(store.collected).to.deep.include({ blocks: 3 })
    expect((await read(store, cid)).equals(kept)).to.equal(true)
  })

  it('leaves to other files the blocks that they share', async () => {
    const shared = randomBytes(2 * chunk)
    const first = await keep('a', [shared, randomBytes(chunk)])
    const second = await keep('b', [shared, randomBytes(chunk)])
    await aged()
    await store.ledger.unpin({ account: 'a', cid: first })
    expect(await store.collection.removed()).to.equal(true)
    expect((await read(store, second)).subarray(0, shared.length).equals(shared)).to.equal(true)
    expect(await store.blocks.has(CID.parse(first))).to.equal(false)
  })

  it('waits for the uploads that are under way, and comes back to what it left', async () => {
    const bytes = randomBytes(chunk)
    const cid = await keep('a', [bytes])
    await aged()
    const upload = await store.ledger.book({ account: 'b', bytes: 0 })
    await store.blobs.add(one([bytes]))
    await store.ledger.unpin({ account: 'a', cid })
    await aged()
    expect(await store.collection.removed(), 'something is left to do').to.equal(false)
    await store.collection.sweep()
    await upload.pin([{ cid, bytes: 1 }])
    await store.collection.sweep()
    expect((await read(store, cid)).equals(bytes)).to.equal(true)
    await store.ledger.unpin({ account: 'b', cid })
    expect(await store.collection.removed()).to.equal(true)
    expect(await store.blocks.has(CID.parse(cid))).to.equal(false)
  })

  it('finds every block of trees of every form, and reads their leaves never', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'walk-'))
    const blocks = await openBlocks({ directory })
    const blobs = createBlobs({ blocks })
    // 174 leaves make a node; the 175th is alone below a node of its own.
    for (const leaves of [0, 1, 2, 174, 175, 176]) {
      const before = await allOf(blocks)
      const content = Array.from({ length: leaves }, (_, index) => Buffer.alloc(chunk, index % 7))
      const [added] = await blobs.add(one([...content.slice(1), Buffer.alloc(leaves === 0 ? 0 : 90 + leaves, 9)]))
      const made = new Set([...(await allOf(blocks))].filter((each) => !before.has(each)))
      const reads: string[] = []
      const watched = {
        ...blocks,
        get(cid: CID) {
          reads.push(cid.toString())
          return blocks.get(cid)
        },
      }
      const found = new Set<string>()
      for await (const digest of walk(watched, CID.parse(added?.cid ?? ''), () => expect.fail('missing')))
        found.add(Buffer.from(digest).toString('hex'))
      expect(
        [...made].filter((each) => !found.has(each)),
        `${leaves} leaves`,
      ).to.deep.equal([])
      expect(reads.length, `${leaves} leaves`).to.be.lessThan(2 + Math.ceil(leaves / 174) + 2)
    }
    await rm(directory, { recursive: true })
  })

  it('keeps what was there before the ledger, and what came while there was none', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'adopt-'))
    const blocks = await openBlocks({ directory })
    const { database } = store
    const [old] = await createBlobs({ blocks }).add(one([randomBytes(500_000)]))
    await adopt({ database, blocks, directory })
    const [later] = await createBlobs({ blocks }).add(one([randomBytes(500_000)]))
    await adopt({ database, blocks, directory })
    await aged()
    await blockCollection({ database, blocks, graceMs: 0, marginMs: 0, log }).sweep()
    expect(await blocks.has(CID.parse(old?.cid ?? ''))).to.equal(true)
    expect(await blocks.has(CID.parse(later?.cid ?? ''))).to.equal(false)
    await rm(directory, { recursive: true })
  })

  it('brings back a block that a removal took away and was killed', async () => {
    const bytes = randomBytes(1_000)
    const cid = await keep('a', [bytes])
    const [file = ''] = (await readdir(store.directory, { recursive: true })).filter(
      (name) => name.startsWith('blocks/') && name.endsWith('.data'),
    )
    const taken = join(store.directory, 'outgoing', basename(file))
    await mkdir(join(store.directory, 'outgoing'), { recursive: true })
    await link(join(store.directory, file), taken)
    await rm(join(store.directory, file))
    await openBlocks({ directory: store.directory })
    expect((await read(store, cid)).equals(bytes)).to.equal(true)
    expect(await readdir(join(store.directory, 'outgoing'))).to.deep.equal([])
  })

  it('loses nothing that is kept while adds, deletions and sweeps run through each other', async () => {
    // Few different chunks: nearly every upload finds blocks of others, which are being deleted.
    const chunks = Array.from({ length: 4 }, (_, index) => Buffer.alloc(chunk, index + 1))
    const upload = fc.record({
      account: fc.constantFrom('one', 'two', 'three'),
      parts: fc.array(fc.nat(chunks.length - 1), { minLength: 1, maxLength: 3 }),
      keepFor: fc.nat(15),
    })
    const people = fc.array(fc.array(upload, { minLength: 4, maxLength: 8 }), { minLength: 3, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(people, async (histories) => {
        const kept = new Map<string, Buffer>()
        let isOver = false
        const sweeping = (async () => {
          while (!isOver) {
            // Everything looks old: only the second look, and the uploads under way, protect a block.
            await store.collection.removed()
            await store.collection.sweep()
          }
        })()
        await Promise.all(
          histories.map(async (uploads, person) => {
            for (const { account, parts, keepFor } of uploads) {
              const name = `${account} ${person}`
              const bytes = Buffer.concat(parts.map((part) => chunks[part] ?? Buffer.alloc(0)))
              const cid = await keep(name, [bytes])
              if (!(await read(store, cid)).equals(bytes)) expect.fail('a file is not what was uploaded')
              await sleep(keepFor)
              if (keepFor % 3 === 0) kept.set(cid, bytes)
              else if (!kept.has(cid)) await store.ledger.unpin({ account: name, cid })
            }
          }),
        )
        isOver = true
        await sweeping
        await aged()
        await store.collection.sweep()
        for (const [cid, bytes] of kept) {
          if (!(await read(store, cid)).equals(bytes)) expect.fail('a kept file is not what was uploaded')
        }
        await store.database.query('delete from pin')
        await aged()
        await store.collection.sweep()
        expect(await countBlocks(), 'blocks that nobody keeps').to.equal(0)
      }),
      { numRuns: Number(process.env.RUNS ?? 3), endOnFailure: true },
    )
  })

  it('puts back a block that an upload touched between the two looks', async () => {
    const [added] = await store.blobs.add(one([randomBytes(100)]))
    const cid = CID.parse(added?.cid ?? '')
    const [file = ''] = (await readdir(store.directory, { recursive: true })).filter((name) => name.endsWith('.data'))
    const long = new Date(Date.now() - 3_600_000)
    let lost = 0
    for (let round = 0; round < 200; round++) {
      await utimes(join(store.directory, file), long, long)
      const bytes = await store.blocks.get(cid)
      const began = Date.now()
      // As a batch does for a block that exists, beside a removal that sees it as old.
      await Promise.all([
        store.blocks.remove(cid.multihash.digest, began - 1_000),
        store.blocks.batch().put(cid, bytes),
      ])
      if (!(await store.blocks.has(cid))) lost++
    }
    expect(lost).to.equal(0)
  })
})

async function* one(content: Iterable<Uint8Array>): AsyncGenerator<Upload> {
  yield {
    path: 'file',
    content: (async function* () {
      yield* content
    })(),
  }
}

async function read({ blobs }: Pick<Store, 'blobs'>, cid: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of (await blobs.find(cid)).read()) parts.push(part)
  return Buffer.concat(parts)
}

async function allOf(blocks: Store['blocks']): Promise<Set<string>> {
  const all = new Set<string>()
  for await (const digests of blocks.digests()) for (const each of digests) all.add(Buffer.from(each).toString('hex'))
  return all
}
