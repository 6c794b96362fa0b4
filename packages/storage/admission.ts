import type { Address } from '@sealdeal/protocol'
import {
  type AppRequest,
  type ChainAccess,
  type Database,
  NotAuthorizedError,
  networkOf,
  verifyRequest,
} from '@sealdeal/server'
import type { Added, Upload } from './blobs.ts'
import { SignatureWantedError } from './errors.ts'
import type { Booking, Ledger, Pinned } from './ledger.ts'

/** Where signatures count: on one chain, for one Hub. */
export type Signed = { chain: ChainAccess; chainId: bigint; hub: Address; database: Database }

/** Who may upload, and where it is written down. Without a ledger everybody may, and nothing is. */
export type Doors = { ledger?: Ledger; signed?: Signed; pinned?: (cid: string) => Promise<void> }

/** A file takes at least so many bytes of the quota: what a disk gives to the smallest. */
const smallestBytes = 4_096

/** The frame of a form is shorter: content that fits is not refused because of it. In bytes. */
const frameBytes = 1_048_576

/**
 * Who signed this request.
 *
 * The signature covers no body, as AWS has it with UNSIGNED-PAYLOAD: a body of gigabytes streams, and whether the request is
 * allowed must be known before any of it is read. What it would protect is protected by the answer: the CID is the hash
 * of what arrived, and the client compares. The nonce keeps a captured header from being used for other bytes.
 *
 * @throws {SignatureWantedError}
 */
export async function signerOf(request: AppRequest, { chain, chainId, hub, database }: Signed): Promise<Address> {
  try {
    const { account } = await verifyRequest({
      header: request.headers.authorization,
      domain: { chainId, hub, service: 'storage' },
      method: request.method,
      path: request.url,
      body: new Uint8Array(),
      database,
      chain,
    })
    return account
  } catch (error) {
    if (error instanceof NotAuthorizedError) throw new SignatureWantedError({ reason: lowered(error.reason) })
    throw error
  }
}

/** An upload that was let in: its files are counted while they pass, and pinned at its end. */
export type Admission = {
  files(uploads: AsyncIterable<Upload>): AsyncIterable<Upload>
  keep(added: readonly Added[], options?: { wrap?: boolean }): Promise<void>
  release(): Promise<void>
}

const unwritten: Admission = { files: (uploads) => uploads, keep: async () => {}, release: async () => {} }

/** Lets an upload in, by its headers alone. @throws {SignatureWantedError | QuotaExceededError} */
export async function admit(request: AppRequest, { ledger, signed, pinned }: Doors): Promise<Admission> {
  const account = signed ? await signerOf(request, signed) : `network ${networkOf(request.ip)}`
  if (ledger === undefined) return unwritten
  const announced = Number(request.headers['content-length'] ?? 0)
  const bytes = Math.max(0, (Number.isSafeInteger(announced) ? announced : 0) - frameBytes)
  return admission(await ledger.book({ account, bytes }), pinned)
}

function admission(booking: Booking, pinned: Doors['pinned']): Admission {
  const sizes = new Map<string, number>()
  let total = 0

  async function count(path: string, bytes: number): Promise<void> {
    const name = path.split('/')[0] ?? ''
    sizes.set(name, (sizes.get(name) ?? 0) + bytes)
    total += bytes
    await booking.grow(total)
  }
  async function* counted(path: string, content: AsyncIterable<Uint8Array>) {
    let seen = 0
    for await (const bytes of content) {
      const before = Math.max(seen, smallestBytes)
      seen += bytes.length
      if (seen > before) await count(path, seen - before)
      yield bytes
    }
  }
  async function* files(uploads: AsyncIterable<Upload>): AsyncGenerator<Upload> {
    for await (const { path, content } of uploads) {
      await count(path, smallestBytes)
      yield content ? { path, content: counted(path, content) } : { path }
    }
  }
  /** As Kubo does: the folder around all is pinned, or every file and folder that lies in no other. */
  async function keep(added: readonly Added[], { wrap = false } = {}): Promise<void> {
    const roots = wrap ? added.slice(-1) : added.filter(({ path }) => !path.includes('/'))
    const kept = new Map<string, Pinned>()
    for (const { path, cid } of roots) {
      const bytes = roots.length === 1 ? total : (sizes.get(path) ?? sizes.get('') ?? 0)
      if (!kept.has(cid)) kept.set(cid, { cid, bytes })
    }
    await booking.pin([...kept.values()])
    for (const cid of kept.keys()) await pinned?.(cid)
  }
  return { files, keep, release: booking.release }
}

function lowered(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`
}
