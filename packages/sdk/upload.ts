import { InvalidValueError, Locator } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { call } from './http.ts'

/** Stores bytes and returns the CID (version 0) under which anyone finds them. */
export async function upload(client: Pick<Client, 'endpoints'>, content: Blob): Promise<string> {
  const body = new FormData()
  body.set('file', content, 'file')
  const response = await call(client, {
    service: 'storage',
    path: '/api/v0/add',
    method: 'POST',
    query: { 'stream-channels': true, progress: false },
    body,
  })
  const lines = (await response.text()).trim().split('\n')
  const cid = hashOf(lines.at(-1) ?? '')
  // Throws when it is no CID of version 0, before anything is written on chain.
  Locator.toBytes({ cid })
  return cid
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
