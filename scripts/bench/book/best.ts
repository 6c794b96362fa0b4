import { zeroAddress } from '@sealdeal/protocol'
import { percentile } from './client.ts'
import type { Scene } from './scene.ts'

/** Of each hundred orders so many are for apps, datasets and workerpools; the others are requests. */
const shares = { app: 40, dataset: 20, workerpool: 30, request: 10 }
const assets = { app: 1_000, dataset: 1_000, workerpool: 300 }
const categories = 5

/** Asks for the cheapest match, one question after the other, over a book of so many open orders. */
export async function measureBest({ client, database }: Scene, { orders, questions }: Record<string, number>) {
  await fill(database, orders ?? 0)
  const [counted] = await database.query<{ count: bigint }>(`select count(*) from book where status = 'open'`)
  const durations: number[] = []
  let found = 0
  const total = (questions ?? 0) + 200
  for (let n = 0; n < total; n++) {
    const { status, ms } = await client.get(`/best?${question(n)}`)
    if (status !== 200 && status !== 404) throw new Error(`best was answered by ${status}`)
    // The first ones fill the caches.
    if (n < 200) continue
    durations.push(ms)
    if (status === 200) found++
  }
  return {
    open: Number(counted?.count ?? 0n),
    found,
    p50: percentile(durations, 0.5),
    p99: percentile(durations, 0.99),
  }
}

/** Pseudo-random, the same in each run. */
function question(n: number): URLSearchParams {
  const pick = (salt: number, of: number) => ((n * 7_919 + salt * 104_729) >>> 3) % of
  const address = (prefix: number, index: number) => `0x${prefix}${String(index).padStart(39, '0')}`
  const query = new URLSearchParams({ app: address(1, pick(1, assets.app)), requester: address(5, pick(2, 500)) })
  if (n % 2 === 0) query.set('dataset', address(2, pick(3, assets.dataset)))
  if (n % 5 === 0) query.set('workerpool', address(3, pick(4, assets.workerpool)))
  query.set('category', String(pick(5, categories)))
  query.set('volume', String(1 + pick(6, 40)))
  // A third wants a GPU, which one pool's order in ten offers.
  query.set('tag', `0x${(n % 3 === 0 ? 0x109n : 0x9n).toString(16).padStart(64, '0')}`)
  return query
}

/** Orders as they would be published: half of those for data admit one requester, app or pool only. */
async function fill(database: Scene['database'], orders: number): Promise<void> {
  const indexes = await database.query<{ indexdef: string; indexname: string }>(
    `select indexname, indexdef from pg_indexes where tablename = 'book' and indexname <> 'book_pkey'`,
  )
  for (const { indexname } of indexes) await database.query(`drop index ${indexname}`)
  for (const kind of ['app', 'dataset', 'workerpool', 'request'] as const) {
    await database.query(insertion(kind), [Math.floor((orders * shares[kind]) / 100)])
  }
  for (const { indexdef } of indexes) await database.query(indexdef)
  await database.query('vacuum analyze book')
}

const tagOf = (number: string) => `('0x' || lpad(to_hex(${number}), 64, '0'))`
const addressOf = (prefix: number, index: string) => `('0x${prefix}' || lpad((${index})::text, 39, '0'))`

/** Addresses are of decimal digits alone: they have no letters whose case would be a checksum. */
function insertion(kind: keyof typeof shares): string {
  const open = `'${zeroAddress}'`
  const own = (name: keyof typeof assets, prefix: number) => addressOf(prefix, `(n * 31) % ${assets[name]}`)
  const requester = addressOf(5, 'n % 500')
  const restricted = (share: number, to: string) => `case when n % ${share} = 0 then ${to} else ${open} end`
  const names = {
    app: { app: own('app', 1), dataset: open, workerpool: restricted(20, own('workerpool', 3)), requester: open },
    dataset: { app: open, dataset: own('dataset', 2), workerpool: open, requester: restricted(2, requester) },
    workerpool: {
      app: open,
      dataset: open,
      workerpool: own('workerpool', 3),
      requester: restricted(10, requester),
    },
    request: { app: own('app', 1), dataset: own('dataset', 2), workerpool: open, requester },
  }[kind]
  const tag = kind === 'dataset' ? '0' : kind === 'workerpool' ? 'case when n % 10 = 0 then 265 else 9 end' : '9'
  const price = '(n::bigint * 7919) % 100000'
  const terms = {
    app: "'appprice', price::text, 'datasetrestrict', dataset, 'workerpoolrestrict', workerpool, 'requesterrestrict', requester",
    dataset:
      "'datasetprice', price::text, 'apprestrict', app, 'workerpoolrestrict', workerpool, 'requesterrestrict', requester",
    workerpool:
      "'workerpoolprice', price::text, 'category', category::text, 'trust', '1', 'apprestrict', app, 'datasetrestrict', dataset, 'requesterrestrict', requester",
    request:
      "'app', app, 'dataset', dataset, 'workerpool', workerpool, 'requester', requester, 'appmaxprice', '1', 'datasetmaxprice', '1', 'workerpoolmaxprice', price::text, 'category', category::text, 'trust', '0', 'beneficiary', requester, 'callback', requester, 'params', ''",
  }[kind]
  const asset = kind === 'request' ? '' : `'${kind}', ${kind},`
  return `insert into book
    select '0x' || encode(sha256(('${kind} ' || n)::bytea), 'hex') as hash, '${kind}', signer, app, dataset, workerpool,
      requester, ${open}, price, 0, volume, category, 1, repeat('0', 240)::bit(240) || tag::bit(16),
      jsonb_build_object(${asset} ${terms}, 'volume', volume::text, 'tag', ${tagOf('tag')},
        'salt', '0x' || encode(sha256(n::text::bytea), 'hex'), 'sign', '0x' || repeat('5a', 65)),
      now() - make_interval(secs => n), volume, 'open'
    from (
      select n, ${addressOf(6, 'n % 5000')} as signer, ${names.app} as app, ${names.dataset} as dataset,
        ${names.workerpool} as workerpool, ${names.requester} as requester, ${price} as price, 1 + n % 100 as volume,
        n % ${categories} as category, ${tag} as tag
      from generate_series(1, $1::int) n
    ) orders`
}
