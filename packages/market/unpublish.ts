import type { Address, Hex, Order } from '@sealdeal/protocol'
import type { Database } from '@sealdeal/server'
import type { z } from 'zod'
import { find, remove } from './book.ts'
import { NotUnpublishedError, spelled } from './errors.ts'
import type { unpublishBody } from './wire.ts'

/**
 * Takes a signer's orders off the book: one by its hash, the last one of an asset, or all of it. Whoever kept a copy can
 * still match them: closing them on chain ends them for everybody.
 *
 * @throws {NotUnpublishedError} when there is none, or it is somebody else's.
 */
export async function unpublish(
  database: Database,
  { kind, account, body }: { kind: Order.Kind; account: Address; body: z.output<typeof unpublishBody> },
): Promise<Hex[]> {
  if (body.target === 'unpublish_orderHash') return unpublishOne(database, { kind, account, hash: body.orderHash })
  const name = kind === 'request' ? 'requester' : kind
  const asset = body[name]
  if (asset === undefined) throw new NotUnpublishedError({ reason: `${name} is required` })
  const removed = await database.transaction((transaction) =>
    remove(transaction, { kind, signer: account, asset, last: body.target === 'unpublish_last' }),
  )
  if (removed.length > 0) return removed
  throw new NotUnpublishedError({
    reason: `no open ${spelled(kind)} published by signer ${account} for ${name} ${asset}`,
  })
}

async function unpublishOne(
  database: Database,
  { kind, account, hash }: { kind: Order.Kind; account: Address; hash: Hex },
): Promise<Hex[]> {
  const entry = await find(database, { kind, hash })
  if (entry?.status !== 'open') {
    throw new NotUnpublishedError({ reason: `${spelled(kind)} with orderHash ${hash} is not published` })
  }
  if (entry.signer !== account) {
    throw new NotUnpublishedError({ reason: `only order signer ${entry.signer} can unpublish an order` })
  }
  const removed = await database.transaction((transaction) => remove(transaction, { kind, signer: account, hash }))
  if (removed.length > 0) return removed
  throw new NotUnpublishedError({ reason: `${spelled(kind)} with orderHash ${hash} is not published` })
}
