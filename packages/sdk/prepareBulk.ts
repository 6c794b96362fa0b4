import { InvalidValueError, Order } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { upload } from './upload.ts'

export type PrepareBulkParameters = {
  /** Grants of `allowBulk`, in the order in which they are spread over the tasks. */
  grants: Order.Signed<'dataset'>[]
  /** Datasets of one task, 1 to 100. */
  perTask?: number
}

/** What `run` takes as `bulk`. */
export type PreparedBulk = {
  /** Of the list of slices: what the request is signed over. */
  bulkCid: string
  /** Number of tasks. */
  volume: bigint
}

/**
 * Stores which data each task of a bulk reads, as published clients do. Nothing is signed and nothing paid; who has the list
 * can read which data it names, and the grants are public already.
 *
 * @throws InvalidValueError naming the first grant that is not for bulks.
 *
 * @example
 * const bulk = await prepareBulk(client, { grants })
 * const { taskIds } = await run(client, { app, bulk })
 */
export async function prepareBulk(
  client: Client,
  { grants, perTask = 100 }: PrepareBulkParameters,
): Promise<PreparedBulk> {
  if (!Number.isInteger(perTask) || perTask < 1 || perTask > 100) {
    throw new InvalidValueError({ path: 'perTask', expected: 'a whole number from 1 to 100', value: perTask })
  }
  if (grants.length === 0) throw new InvalidValueError({ path: 'grants', expected: 'one or more', value: grants })
  for (const [index, order] of grants.entries()) {
    if (Order.isForBulk(order)) continue
    const expected = 'a grant of `allowBulk`: free, and without end'
    throw new InvalidValueError({ path: `grants[${index}]`, expected, value: order })
  }
  const slices: string[] = []
  for (let start = 0; start < grants.length; start += perTask) {
    const slice = grants.slice(start, start + perTask).map((order) => Order.toJson('dataset', order))
    slices.push(await upload(client, json(slice)))
  }
  return { bulkCid: await upload(client, json(slices)), volume: BigInt(slices.length) }
}

function json(value: unknown): Blob {
  return new Blob([JSON.stringify(value)], { type: 'application/json' })
}
