// How the services are asked, and answers compared.
import type { Order } from '@sealdeal/protocol'
import { type Client, findOrders } from '@sealdeal/sdk'
import pg from 'pg'
import type { Scene } from './scene.ts'

export type Json = Record<string, unknown>

/** What is in one and not in the other. */
export function differences(what: string, found: Iterable<string>, wanted: Iterable<string>): string[] {
  const [counts, all] = [new Map<string, number>(), [...wanted]]
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1)
  const extra: string[] = []
  for (const each of found) {
    const left = counts.get(each) ?? 0
    if (left === 0) extra.push(each)
    else counts.set(each, left - 1)
  }
  const missing = [...counts].filter(([, left]) => left > 0).map(([each]) => each)
  return [...extra.map((each) => `${what}: too much: ${each}`), ...missing.map((each) => `${what}: missing: ${each}`)]
}

/** Rows of a service's database. */
export async function query<Row extends pg.QueryResultRow>(
  scene: Scene,
  service: string,
  text: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: scene.urls[service], connectionTimeoutMillis: 5_000 })
  // The server may be restarted just now: the question fails, and that is all.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

/** Every open order of a kind, as `hash remaining`. */
export async function openOrders<kind extends Order.Kind>(client: Client, kind: kind): Promise<string[]> {
  const anybody = { app: 'any', dataset: 'any', workerpool: 'any', requester: 'any' } as const
  const found: string[] = []
  for (let page = 0; ; page++) {
    const { orders, hasMore } = await findOrders(client, { kind, ...anybody, page, pageSize: 1_000 })
    found.push(...orders.map(({ orderHash, remaining }) => `${orderHash} ${remaining}`))
    if (!hasMore || orders.length === 0) return found
  }
}

/** All entities of a kind, page by page. */
export async function graphPages(url: string, kind: string, fields: string): Promise<Json[]> {
  const found: Json[] = []
  for (let after = ''; ; ) {
    const query = `{ page: ${kind}(first: 1000, orderBy: id, where: { id_gt: "${after}" }) { id ${fields} } }`
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/protocol`, { method: 'POST', headers, body: JSON.stringify({ query }) })
    const answer = (await response.json()) as { data?: { page: Json[] }; errors?: unknown }
    if (!answer.data) throw new Error(JSON.stringify(answer.errors))
    found.push(...answer.data.page)
    if (answer.data.page.length < 1_000) return found
    after = String(found.at(-1)?.id)
  }
}
