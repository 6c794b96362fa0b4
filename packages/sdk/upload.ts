import { InvalidValueError, Locator } from '@sealdeal/protocol'
import { type Call, call } from './http.ts'
import { type Signing, signRequest } from './signRequest.ts'

/** Stores bytes and returns the CID (version 0) under which anyone finds them. */
export async function upload(client: Signing, content: Blob): Promise<string> {
  const query = { 'stream-channels': true, progress: false }
  const response = await post(client, { path: '/api/v0/add', query }, content)
  const lines = (await response.text()).trim().split('\n')
  const cid = hashOf(lines.at(-1) ?? '')
  // Throws when it is no CID of version 0, before anything is written on chain.
  Locator.toBytes({ cid })
  return cid
}

/** Stores bytes as Arweave's upload services take them, and returns the id under which a gateway serves them. */
export async function uploadToArweave(client: Signing, content: Blob): Promise<string> {
  const response = await post(client, { path: '/upload' }, content)
  const { arweaveId } = (await response.json().catch(() => ({}))) as { arweaveId?: unknown }
  if (typeof arweaveId === 'string' && /^[\w-]{43}$/.test(arweaveId)) return arweaveId
  throw new InvalidValueError({ path: 'storage.arweaveId', expected: 'an id of Arweave', value: arweaveId })
}

/**
 * Uploads, and signs where the storage answers 401. It is asked rather than configured: nobody can forget it, wallets show
 * nothing where uploads are open, and services of other makers know no such signature. Ours answers before it reads the
 * body. The signed body is empty: what arrived, the CID says.
 */
async function post(client: Signing, place: Pick<Call, 'path' | 'query'>, content: Blob): Promise<Response> {
  const body = new FormData()
  body.set('file', content, 'file')
  const request = { ...place, service: 'storage', method: 'POST' } as const
  const answer = await call(client, { ...request, body, expect: [401] })
  if (answer.status !== 401) return answer
  await answer.body?.cancel()
  const authorization = await signRequest(client, request)
  return call(client, { ...request, body, headers: { authorization } })
}

function hashOf(line: string): string {
  try {
    const { Hash } = JSON.parse(line) as { Hash?: unknown }
    if (typeof Hash === 'string') return Hash
  } catch {
    // Reported below.
  }
  throw new InvalidValueError({ path: 'storage.Hash', expected: 'a CID', value: line })
}
