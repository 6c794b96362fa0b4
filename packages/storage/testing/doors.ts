// For tests only: a storage with a ledger, as `start.ts` connects it, with short times.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '@sealdeal/protocol'
import { createLog, openTestDatabase, serve, signRequest } from '@sealdeal/server'
import type { HDNodeWallet } from 'ethers'
import { startTestChain } from '../../server/testing/chain.ts'
import {
  adopt,
  blockCollection,
  createBlobs,
  migrations,
  openBlocks,
  openLedger,
  type Quota,
  routes,
  startCollecting,
  statuses,
} from '../index.ts'

export const hub: Address = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
export const log = createLog({ name: 'storage', level: 'silent' })

/** A folder with blocks, a database with its ledger, and what collects, called by hand. */
export async function openStore({ quota, marginMs = 20 }: { quota?: Quota; marginMs?: number } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'ledger-'))
  const { database, close: closeDatabase } = await openTestDatabase({ migrations })
  const blocks = await openBlocks({ directory })
  await adopt({ database, blocks, directory })
  const ledger = openLedger({ database, quota, log })
  const collected = { blocks: 0, bytes: 0 }
  const collection = blockCollection({
    ...{ database, blocks, graceMs: 0, marginMs, log },
    count(what) {
      collected.blocks += what.blocks
      collected.bytes += what.bytes
    },
  })
  async function close(): Promise<void> {
    await ledger.close()
    await closeDatabase()
    await rm(directory, { recursive: true, force: true })
  }
  const blobs = createBlobs({ blocks })
  return { directory, database, blocks, blobs, ledger, collection, collected, close }
}

export type Store = Awaited<ReturnType<typeof openStore>>

/** Its doors over HTTP, for signed uploads or open ones. */
export async function openServer(store: Store, { uploads }: { uploads: 'open' | 'signed' }) {
  const { database, ledger, collection, blobs } = store
  const chain = await startTestChain()
  const domain = { chainId: chain.chainId, hub, service: 'storage' }
  const collecting = startCollecting({ database, collection, everyMs: 600_000, log })
  const signed = { chain: chain.provider, chainId: chain.chainId, hub, database }
  const server = await serve({
    ...{ name: 'storage', host: '127.0.0.1', port: 0, log, errors: statuses },
    routes: routes({
      blobs,
      limits: { fileBytes: 50_000_000, files: 10 },
      doors: { ledger, ...(uploads === 'signed' ? { signed } : {}) },
      removed: collecting.ring,
    }),
  })
  async function close(): Promise<void> {
    await server.close()
    await collecting.close()
    await chain.close()
  }
  /** Signed by the wallet, in the name of `account` where that is another one. */
  async function ask(
    signer: HDNodeWallet | undefined,
    {
      method = 'GET',
      path,
      body,
      account,
    }: { method?: string; path: string; body?: FormData | Response; account?: Address },
  ): Promise<Response> {
    const named = signer &&
      account && { getAddress: async () => account, signTypedData: signer.signTypedData.bind(signer) }
    const headers: Record<string, string> = {}
    if (signer) headers.authorization = await signRequest({ signer: named ?? signer, domain, method, path })
    const type = body instanceof Response && body.headers.get('content-type')
    if (type) headers['content-type'] = type
    const sent = body instanceof Response ? body.body : body
    return fetch(server.url + path, { method, headers, ...(sent ? { body: sent, duplex: 'half' } : {}) } as RequestInit)
  }
  return { url: server.url, chain, domain, ask, close }
}

export function formOf(files: Record<string, Uint8Array | string>): FormData {
  const form = new FormData()
  for (const [name, bytes] of Object.entries(files)) form.append('file', new Blob([bytes as BlobPart]), name)
  return form
}
