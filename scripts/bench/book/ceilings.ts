import { recoverSigner } from '@sealdeal/server'
import { recoverAddress, Signature } from 'ethers'
import { inParallel } from './client.ts'
import { type Prepared, timed } from './publishing.ts'
import type { Scene } from './scene.ts'

/** As many connections as the market has. */
const CONNECTIONS = 10

/** What this machine can do at most of the two things that a publication cannot do without. */
export async function measureCeilings({ database }: Scene, orders: Prepared[]) {
  // The same rows into a table like it, with the same indexes, each in a transaction of its own.
  await database.query('drop table if exists raw_book')
  await database.query('create table raw_book (like book including all)')
  const rows = await database.query('select * from book')
  const columns = Object.keys(rows[0] ?? {})
  const places = columns.map((_, index) => `$${index + 1}`).join(', ')
  const text = `insert into raw_book (${columns.join(', ')}) values (${places})`
  const values = rows.map((row) => columns.map((name) => plain(row[name])))
  const inserted = await timed(() =>
    inParallel(values, CONNECTIONS, (each) => database.pool.query({ name: 'raw insert', text, values: each })),
  )
  // The same signatures: by the library that clients sign with, in JavaScript, and by the one that the market reads with.
  const recoveries = await rateOf(orders, ({ hash, sign }) => recoverAddress(hash, Signature.from(sign)))
  const ownRecoveries = await rateOf(orders, ({ hash, sign }) => recoverSigner(hash, sign))
  return { inserts: rows.length / inserted.seconds, recoveries, ownRecoveries }
}

/** Signatures per second, in one thread. */
async function rateOf(orders: Prepared[], read: (order: Prepared) => unknown): Promise<number> {
  const some = orders.slice(0, 1_000)
  const { seconds } = await timed(async () => {
    for (const order of some) read(order)
  })
  return some.length / seconds
}

function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value
}
