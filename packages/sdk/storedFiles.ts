import { InvalidValueError } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { call, callJson } from './http.ts'
import { signRequest } from './signRequest.ts'

export type StoredFile = { cid: string; bytes: number; pinnedAt: Date }

/**
 * What the account keeps in the storage, the oldest first: of a storage that takes signed uploads, for others keep no such
 * list. Pages are asked for as they are read.
 *
 * @throws ServiceRefusedError where the storage keeps no list.
 */
export async function* storedFiles(client: Client): AsyncGenerator<StoredFile> {
  let after: string | undefined
  do {
    const request = { service: 'storage', path: '/files', query: { after } } as const
    const authorization = await signRequest(client, request)
    const { files, next } = await callJson(client, { ...request, headers: { authorization } })
    if (!Array.isArray(files)) throw new InvalidValueError({ path: 'storage.files', expected: 'a list', value: files })
    for (const { cid, bytes, pinnedAt } of files) yield { cid, bytes, pinnedAt: new Date(pinnedAt) }
    after = typeof next === 'string' ? next : undefined
  } while (after !== undefined)
}

/**
 * Deletes a file that the account keeps. It is gone when nobody else keeps the same bytes.
 *
 * @throws ServiceRefusedError where the account keeps no such file.
 */
export async function deleteStoredFile(client: Client, { cid }: { cid: string }): Promise<void> {
  const request = { service: 'storage', method: 'DELETE', path: `/files/${encodeURIComponent(cid)}` } as const
  const authorization = await signRequest(client, request)
  await call(client, { ...request, headers: { authorization } })
}
