import type { ServerResponse } from 'node:http'
import { type Hex, Order } from '@sealdeal/protocol'
import type { Database, Log } from '@sealdeal/server'
import { find } from './book.ts'
import { dealJson, findDeal } from './deals.ts'
import { channel, heard, type News } from './news.ts'
import { published } from './wire.ts'

export const topics = ['orders', 'deals'] as const
export type Topic = (typeof topics)[number]

export type Feed = {
  /** Sends everything of these topics from now on, until the reader goes; false when there are too many readers. */
  add: (response: ServerResponse, wanted: ReadonlySet<Topic>) => boolean
  close: () => Promise<void>
}

/** Readers of one replica: more are better served by another one. */
const MOST_READERS = 2_000
/** A reader that lets this many bytes lie is cut off: it asks for the lists again, as after any break. */
const MOST_WAITING = 1_048_576
const HEARTBEAT_MS = 15_000

/**
 * The live feed: server-sent events, `event: apporder_published` with `data:` the order as the lists show it, and so on
 * for `_updated`, `_unpublished` (the hash alone), `deal_created`, `deal_removed`. Replicas hear of everything from the
 * database, so each serves all of it. `event: missed` says that something may have been missed.
 */
export async function openFeed({
  database,
  chainId,
  log,
}: {
  database: Database
  chainId: bigint
  log: Log
}): Promise<Feed> {
  const readers = new Map<ServerResponse, ReadonlySet<Topic>>()

  function send(topic: Topic | undefined, text: string): void {
    for (const [response, wanted] of readers) {
      if (topic !== undefined && !wanted.has(topic)) continue
      if (response.writableLength > MOST_WAITING) response.destroy()
      else response.write(text)
    }
  }
  // One after the other: an order's news arrive in the order in which they happened.
  let last: Promise<void> = Promise.resolve()
  function tell(news: News | undefined): void {
    if (readers.size === 0) return
    last = last.then(async () => {
      if (news === undefined) return send(undefined, 'event: missed\ndata: {}\n\n')
      const data = await describe({ database, chainId }, news)
      if (data) send(topicOf(news), `event: ${news.event}\ndata: ${JSON.stringify(data)}\n\n`)
    })
    last = last.catch((error: unknown) => {
      log.error({ error, event: news?.event }, 'the live feed could not tell')
      send(undefined, 'event: missed\ndata: {}\n\n')
    })
  }
  const listening = await database.listen(channel, (payload) => tell(heard(payload)))
  const heartbeat = setInterval(() => send(undefined, ':\n\n'), HEARTBEAT_MS)

  return {
    add(response, wanted) {
      if (readers.size >= MOST_READERS) return false
      readers.set(response, wanted)
      response.on('close', () => readers.delete(response))
      return true
    },
    async close() {
      clearInterval(heartbeat)
      for (const response of readers.keys()) response.end()
      await listening.close()
      await last
    },
  }
}

function topicOf({ event }: News): Topic {
  return event.startsWith('deal_') ? 'deals' : 'orders'
}

/** What the event carries; nothing when its subject is gone again by now: its own event follows. */
async function describe(
  { database, chainId }: { database: Database; chainId: bigint },
  { event, id }: News,
): Promise<object | undefined> {
  if (event === 'deal_removed') return { dealid: id }
  if (event === 'deal_created') {
    const deal = await findDeal(database, id)
    return deal && dealJson(deal, chainId)
  }
  if (event.endsWith('_unpublished')) return { orderHash: id }
  const kind = Order.kinds.find((each) => event.startsWith(each))
  const entry = kind && (await find(database, { kind, hash: id as Hex }))
  return entry && published(entry, chainId)
}
