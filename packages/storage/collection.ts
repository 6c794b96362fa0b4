import type { Database, Log } from '@sealdeal/server'
import { CID } from 'multiformats/cid'
import type { Blocks } from './blocks.ts'
import type { createKuboBlobs } from './kubo.ts'
import { silentSeconds } from './ledger.ts'
import { walk } from './walk.ts'

/** What one pass removed. */
export type Collected = { blocks: number; bytes: number }

/** Removes what nobody keeps. One pass at a time; see `startCollecting`. */
export type Collection = {
  /** What was kept and is not any more. False where some of it is still in use, and must be asked for again. */
  removed(): Promise<boolean>
  /** Everything that no pin reaches: also what uploads left that were never finished. */
  sweep(): Promise<void>
}

/** A root that nobody keeps any more. */
type Dead = { id: bigint; cid: string }

const deadRoots = 'select id, cid from root where not exists (select from pin where pin.root = root.id)'

/** How many blocks are asked about at once. */
const batchSize = 1_000

/** Clocks of processes may differ by so much, in milliseconds. */
const clockMarginMs = 5_000

/**
 * Mark and sweep of the embedded store. Marks are rows, and a tree is walked once in its life: memory is that of a batch of
 * a thousand blocks, whatever there is; a block takes about 200 bytes of the database's disk.
 *
 * Safe beside running uploads: an upload is in the ledger before its first block, and each block that it writes or finds
 * gets the time. Nothing is removed whose time is after the beginning of the oldest upload under way; `Blocks.remove` looks
 * twice. The moment is taken before the marks are: what is pinned later belongs to an upload that was under way, or began
 * after.
 */
export function blockCollection({
  database,
  blocks,
  graceMs,
  marginMs = clockMarginMs,
  log,
  count = () => {},
}: {
  database: Database
  blocks: Blocks
  /** What no pin reaches stays for so long. */
  graceMs: number
  marginMs?: number
  log: Log
  count?: (collected: Collected) => void
}): Collection {
  /** Blocks that were touched before this moment are needed by no upload. */
  async function horizon(): Promise<number> {
    const now = Date.now()
    await database.query('delete from upload where alive_at < now() - make_interval(secs => $1)', [silentSeconds])
    const [row] = await database.query<{ oldest: Date | null }>('select min(started_at) as oldest from upload')
    return Math.min(now, row?.oldest?.getTime() ?? now) - marginMs
  }

  async function mark(): Promise<void> {
    for (const { id, cid } of await database.query<Dead>('select id, cid from root where not walked order by id')) {
      const lost: string[] = []
      const write = (digests: Uint8Array[]) =>
        database.query(
          // The root may be gone meanwhile: then its blocks are as well.
          `insert into mark (root, digest) select root.id, digest from root, unnest($2::bytea[]) as digest
           where root.id = $1 on conflict do nothing`,
          [id, digests],
        )
      let batch: Uint8Array[] = []
      for await (const digest of walk(blocks, CID.parse(cid), (block) => lost.push(block.toString()))) {
        if (batch.push(digest) < batchSize) continue
        await write(batch)
        batch = []
      }
      await write(batch)
      if (lost.length === 0) await database.query('update root set walked = true where id = $1', [id])
      else log.error({ root: cid, lost: lost.slice(0, 10) }, 'blocks of a kept file are missing')
    }
  }

  /** Of these, the ones that no pin reaches. */
  async function unreached(digests: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const rows = await database.query<{ digest: Uint8Array }>(
      `select digest from unnest($1::bytea[]) as wanted (digest)
       where not exists (select from mark join pin using (root) where mark.digest = wanted.digest)
         and not exists (select from kept_block where kept_block.digest = wanted.digest)`,
      [digests],
      { prepared: true },
    )
    return rows.map(({ digest }) => digest)
  }

  /** Says whether all of them are gone. */
  async function removeAll(digests: readonly Uint8Array[], before: number): Promise<boolean> {
    const collected = { blocks: 0, bytes: 0 }
    let fresh = 0
    for (const digest of digests) {
      const removal = await blocks.remove(digest, before)
      if (removal === 'fresh') fresh++
      else if (removal !== 'missing') {
        collected.blocks++
        collected.bytes += removal.bytes
      }
    }
    count(collected)
    return fresh === 0
  }

  async function removeRoot({ id }: Dead, before: number): Promise<boolean> {
    let whole = true
    let last: Uint8Array = new Uint8Array()
    for (;;) {
      const rows = await database.query<{ digest: Uint8Array }>(
        'select digest from mark where root = $1 and digest > $2 order by digest limit $3',
        [id, last, batchSize],
      )
      const digests = rows.map(({ digest }) => digest)
      if (!(await removeAll(await unreached(digests), before))) whole = false
      last = digests.at(-1) ?? last
      if (rows.length < batchSize) return whole
    }
  }

  async function removed(): Promise<boolean> {
    if ((await database.query<Dead>(`${deadRoots} limit 1`)).length === 0) return true
    await blocks.restore()
    const before = await horizon()
    await mark()
    let whole = true
    for (const root of await database.query<Dead>(deadRoots)) {
      if (await removeRoot(root, before)) await forget(database, root)
      else whole = false
    }
    return whole
  }

  async function sweep(): Promise<void> {
    await removed()
    const before = Math.min(await horizon(), Date.now() - graceMs)
    await mark()
    for await (const digests of blocks.digests()) {
      for (let at = 0; at < digests.length; at += batchSize) {
        await removeAll(await unreached(digests.slice(at, at + batchSize)), before)
      }
    }
  }
  return { removed, sweep }
}

/** The root is not known any more, unless somebody keeps it again. */
async function forget(database: Database, { id }: Dead): Promise<void> {
  await database.query('delete from root where id = $1', [id]).catch((error: { code?: string }) => {
    // A pin that came meanwhile points to it.
    if (error.code !== '23503') throw error
  })
}

/** An IPFS node collects by itself: it is told what it need not pin any more. */
export function nodeCollection({
  database,
  kubo,
}: {
  database: Database
  kubo: Pick<ReturnType<typeof createKuboBlobs>, 'unpin'>
}): Collection {
  async function removed(): Promise<boolean> {
    for (const root of await database.query<Dead>(deadRoots)) {
      await database.transaction(async (transaction) => {
        // An upload that is about to pin the same waits here, and pins it at the node afterwards.
        await transaction.query('select from root where id = $1 for update', [root.id])
        const pins = await transaction.query('select from pin where root = $1 limit 1', [root.id])
        if (pins.length > 0) return
        await kubo.unpin(root.cid)
        await transaction.query('delete from root where id = $1', [root.id])
      })
    }
    return true
  }
  return { removed, sweep: async () => void (await removed()) }
}
