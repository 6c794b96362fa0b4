import { setTimeout as sleep } from 'node:timers/promises'
import { Order } from '@sealdeal/protocol'
import type { Database, Log, Transaction } from '@sealdeal/server'
import { z } from 'zod'

// A bulk request names a file; the file names one file for each task; each of those holds signed dataset orders. All are
// found by what they hold, so what was read once is so for ever, whatever the chain does.

const cid = z.string().regex(/^[A-Za-z0-9]{46,100}$/)
const listOfSlices = z.array(cid).max(10_000)
const slice = z.array(z.looseObject({ dataset: z.string() })).max(1_000)

/** No file is as long as this, in bytes: a slice holds a hundred orders of less than a kilobyte. */
const longest = 4_194_304
/** After so many attempts a file that nobody has is given up. */
const attempts = 20

export type BulkLists = { close: () => Promise<void> }

/** Reads the lists that deals name, each by one replica, again and later where it is not to be had yet. */
export function readBulkLists({
  database,
  gateway,
  domain,
  log,
  interval = 500,
}: {
  database: Database
  gateway: string
  domain: Order.Domain
  log: Log
  /** Milliseconds between looks for more. */
  interval?: number
}): BulkLists {
  const stop = new AbortController()
  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      const found = await readOne({ database, gateway, domain, signal: stop.signal }).catch((error: unknown) => {
        if (!stop.signal.aborted) log.error({ error }, 'cannot look for lists of datasets')
        return false
      })
      if (!found) await sleep(interval, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}

type Reading = { gateway: string; domain: Order.Domain; signal: AbortSignal }

/** False when there is none to be read now. */
function readOne({ database, ...reading }: Reading & { database: Database }): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const [wanted] = await transaction.query<{ cid: string; attempts: number }>(
      `select cid, attempts from bulk_list where state = 'wanted' and next_at <= now()
       order by next_at limit 1 for update skip locked`,
    )
    if (!wanted) return false
    await transaction.query('savepoint before_list')
    try {
      await keep(transaction, wanted.cid, await readSlices(wanted.cid, reading))
    } catch (error) {
      reading.signal.throwIfAborted()
      // What is in a file can be more than the database takes.
      await transaction.query('rollback to savepoint before_list')
      await putOff(transaction, wanted, error)
    }
    return true
  })
}

type Slice = { cid: string; orders: { dataset: string; hash: string; order: unknown }[] }

async function readSlices(list: string, reading: Reading): Promise<Slice[]> {
  const slices: Slice[] = []
  for (const each of listOfSlices.parse(await readFile(list, reading))) {
    const orders = slice.parse(await readFile(each, reading)).map((json) => {
      const order = Order.fromJson('dataset', json)
      return { dataset: order.dataset.toLowerCase(), hash: Order.hash('dataset', order, reading.domain), order: json }
    })
    slices.push({ cid: each, orders })
  }
  return slices
}

async function readFile(file: string, { gateway, signal }: Reading): Promise<unknown> {
  const response = await fetch(new URL(`/ipfs/${file}`, gateway), {
    signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
  })
  if (!response.ok || !response.body) throw new Error(`the gateway answered ${response.status} for ${file}`)
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body) {
    length += part.length
    if (length > longest) throw new Error(`${file} is longer than ${longest} bytes`)
    parts.push(part)
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'))
}

async function keep(transaction: Transaction, list: string, slices: readonly Slice[]): Promise<void> {
  const rows = slices.map(({ cid: own, orders }, index) => ({
    bulk_cid: list,
    index,
    cid: own,
    datasets: orders.map(({ dataset }) => dataset),
    dataset_orders: orders,
  }))
  await transaction.query('insert into bulk_slice select * from jsonb_populate_recordset(null::bulk_slice, $1)', [
    JSON.stringify(rows),
  ])
  await transaction.query("update bulk_list set state = 'known', reason = null where cid = $1", [list])
}

/** Twice as long each time, an hour at most: a file may be stored after the deal that names it. */
async function putOff(transaction: Transaction, wanted: { cid: string; attempts: number }, error: unknown) {
  const reason = (error instanceof Error ? error.message : String(error)).replaceAll('\0', '').slice(0, 500)
  await transaction.query(
    `update bulk_list set attempts = attempts + 1, reason = $2,
       state = case when attempts + 1 >= $3 then 'unusable' else 'wanted' end,
       next_at = now() + least(3600, power(2, attempts)) * interval '1 second' where cid = $1`,
    [wanted.cid, reason, attempts],
  )
}
