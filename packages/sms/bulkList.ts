/**
 * The lists of datasets that bulk requests name, as published clients store them: a JSON list of content addresses, one for
 * each task of the request, each of a JSON list of signed dataset orders.
 *
 * The request is signed over the content address, so what a gateway sends counts only when it has that address.
 */
import { Order } from '@sealdeal/protocol'
import { type CIDProfile, importBytes } from 'ipfs-unixfs-importer'
import { z } from 'zod'
import { BulkListMalformedError, BulkListUnavailableError } from './errors.ts'

/** Gives the dataset orders of one task. */
export type BulkList = (parameters: { cid: string; index: bigint }) => Promise<Order.Signed<'dataset'>[]>

const cid = z.string().regex(/^[A-Za-z0-9]{46,100}$/)
const slices = z.array(cid)
const orders = z.array(z.record(z.string(), z.unknown())).min(1)

/** Datasets of one task, at most: what published clients put into one. */
export const longestSlice = 100

/** Bytes of a file: 100 orders of a kilobyte, or 80,000 addresses of slices. */
const maxBytes = 4 * 2 ** 20
const maxSeconds = 10

/**
 * Reads through a gateway that serves `/ipfs/<cid>`.
 *
 * @throws BulkListUnavailableError where the gateway does not give it, BulkListMalformedError where it is not what it must be
 */
export function readBulkLists({ gateway }: { gateway: string | undefined }): BulkList {
  return async ({ cid: list, index }) => {
    const named = slices.safeParse(await read(list, gateway))
    if (!named.success) throw malformed(list, 'it is no list of content addresses')
    const slice = named.data[Number(index)]
    if (slice === undefined) throw malformed(list, `it has ${named.data.length} slices, and this is task ${index}`)
    const found = orders.safeParse(await read(slice, gateway))
    if (!found.success) throw malformed(slice, 'it is no list of dataset orders')
    if (found.data.length > longestSlice) {
      throw malformed(slice, `it has ${found.data.length} orders, and a task reads ${longestSlice} at most`)
    }
    try {
      return found.data.map((json) => Order.fromJson('dataset', json))
    } catch (error) {
      throw malformed(slice, error instanceof Error ? error.message : String(error))
    }
  }
}

async function read(file: string, gateway: string | undefined): Promise<unknown> {
  if (!cid.safeParse(file).success) throw malformed(file, 'it is no content address')
  const bytes = await fetched(file, gateway)
  if (!(await hasAddress(bytes, file))) {
    throw new BulkListUnavailableError({ cid: file, reason: 'the storage sent other bytes than those of this address' })
  }
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw malformed(file, 'it is not JSON')
  }
}

async function fetched(file: string, gateway: string | undefined): Promise<Uint8Array> {
  const unavailable = (reason: string, cause?: unknown) =>
    new BulkListUnavailableError({ cid: file, reason, ...(cause === undefined ? {} : { cause }) })
  if (gateway === undefined) throw unavailable('this service has no IPFS_GATEWAY_URL to read it from')
  try {
    const response = await fetch(new URL(`/ipfs/${file}`, gateway), { signal: AbortSignal.timeout(maxSeconds * 1_000) })
    if (!response.ok || !response.body) throw unavailable(`the storage answered ${response.status}`)
    const parts: Uint8Array[] = []
    let length = 0
    for await (const part of response.body) {
      length += part.length
      if (length > maxBytes) throw malformed(file, `it is longer than ${maxBytes} bytes`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (error instanceof BulkListUnavailableError || error instanceof BulkListMalformedError) throw error
    throw unavailable('the storage does not answer', error)
  }
}

/** How files are cut and hashed: Kubo's own way for addresses of version 0, and its way for version 1. */
const profiles: CIDProfile[] = ['unixfs-v0-2015', 'unixfs-v1-2025']

async function hasAddress(bytes: Uint8Array, address: string): Promise<boolean> {
  for (const profile of profiles) {
    const { cid } = await importBytes(bytes, { put: async (cid) => cid }, { profile })
    if (cid.toString() === address) return true
  }
  return false
}

function malformed(cid: string, reason: string): BulkListMalformedError {
  return new BulkListMalformedError({ cid, reason })
}
