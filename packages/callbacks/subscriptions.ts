import { randomUUID } from 'node:crypto'
import type { Address, Hex } from '@sealdeal/protocol'
import type { Database, Transaction } from '@sealdeal/server'
import { NotParkedError, TooManySubscriptionsError, UnknownSubscriptionError } from './errors.ts'
import type { Kind } from './events.ts'
import { greeting, ring, type Terms } from './outbox.ts'
import { makeSecret, seal } from './secrets.ts'
import { checkTarget } from './targets.ts'

/** All that are given must hold; without any, everything is told. */
export type Conditions = {
  kinds?: Kind[] | undefined
  requester?: Address | undefined
  app?: Address | undefined
  dataset?: Address | undefined
  workerpool?: Address | undefined
  /** Who made one of the orders. */
  owner?: Address | undefined
  orderHash?: Hex | undefined
}

export type Subscription = { id: string; url: string; createdAt: string } & {
  [condition in keyof Conditions]-?: Exclude<Conditions[condition], undefined> | null
}

export const states = ['waiting', 'delivered', 'parked', 'undone'] as const
export type State = (typeof states)[number]

/** One entry of the outbox, as its owner sees it. */
export type Listed = {
  id: string
  /** For the next page. */
  position: string
  kind: string
  state: State
  attempts: number
  failure: string | null
  createdAt: string
  nextAttemptAt: string | null
  data: unknown
}

export type SubscriptionsParameters = {
  database: Database
  /** Encrypts the secrets. */
  master: Uint8Array
  allowPrivate: boolean
  most: number
  terms: Terms
}

/** The subscriptions of wallets. Each call names whose they are: nobody sees or changes another's. */
export type Subscriptions = ReturnType<typeof createSubscriptions>

/** A former secret signs beside the new one for this long, in seconds. */
const OVERLAP_SECONDS = 86_400

const columns = `id, url, kinds, requester, app, dataset, workerpool, owner, order_hash as "orderHash", created_at`

type Row = Omit<Subscription, 'createdAt'> & { created_at: Date }

function shown({ created_at, ...row }: Row): Subscription {
  return { ...row, createdAt: created_at.toISOString() }
}

export function createSubscriptions({ database, master, allowPrivate, most, terms }: SubscriptionsParameters) {
  /** @throws {TargetRefusedError | TooManySubscriptionsError} */
  async function create(account: Address, { url, ...conditions }: { url: string } & Conditions) {
    const target = checkTarget(url, { allowPrivate })
    const [id, secret] = [randomUUID(), makeSecret()]
    const sealed = seal({ secret, subscription: id, master })
    const { kinds, requester, app, dataset, workerpool, owner, orderHash } = conditions
    const named = [kinds, requester, app, dataset, workerpool, owner, orderHash].map((value) => value ?? null)
    const row = await database.transaction(async (transaction) => {
      await expectRoom(transaction, account, most)
      const [made] = await transaction.query<Row>(
        `insert into subscription
           (id, account, url, secret, kinds, requester, app, dataset, workerpool, owner, order_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning ${columns}`,
        [id, account, target.href, sealed, ...named],
      )
      await transaction.query(
        `insert into delivery (subscription, kind, expires_at) values ($1, $2, now() + make_interval(secs => $3))`,
        [id, greeting, terms.retrySeconds],
      )
      await ring(transaction)
      return made as Row
    })
    return { subscription: shown(row), secret }
  }

  async function list(account: Address): Promise<Subscription[]> {
    const rows = await database.query<Row>(
      `select ${columns} from subscription where account = $1 order by created_at, id`,
      [account],
    )
    return rows.map(shown)
  }

  /** @throws {UnknownSubscriptionError} */
  async function remove(account: Address, id: string): Promise<void> {
    const gone = await database.query('delete from subscription where id = $1 and account = $2 returning 1', [
      id,
      account,
    ])
    if (gone.length === 0) throw new UnknownSubscriptionError({ id })
  }

  /**
   * Makes a new secret; the former one signs too for a day. A second rotation within the day ends the one before it.
   *
   * @throws {UnknownSubscriptionError}
   */
  async function rotate(account: Address, id: string): Promise<{ secret: string; formerUntil: string }> {
    const secret = makeSecret()
    const [row] = await database.query<{ former_until: Date }>(
      `update subscription set former_secret = secret, former_until = now() + make_interval(secs => $4), secret = $3
       where id = $1 and account = $2 returning former_until`,
      [id, account, seal({ secret, subscription: id, master }), OVERLAP_SECONDS],
    )
    if (!row) throw new UnknownSubscriptionError({ id })
    return { secret, formerUntil: row.former_until.toISOString() }
  }

  /** @throws {UnknownSubscriptionError} */
  async function deliveries(
    account: Address,
    { id, state, after, limit }: { id: string; state?: State | undefined; after: bigint; limit: number },
  ): Promise<Listed[]> {
    await expectOwn(account, id)
    const rows = await database.query<ListedRow>(
      `select delivery.id, position, delivery.kind, state, attempts, failure, created_at, next_at, data
       from delivery left join event on event.id = delivery.event
       where subscription = $1 and position > $2 and ($3::text is null or state = $3) order by position limit $4`,
      [id, after, state ?? null, limit],
    )
    return rows.map(({ position, created_at, next_at, ...row }) => ({
      ...row,
      position: String(position),
      createdAt: created_at.toISOString(),
      nextAttemptAt: row.state === 'waiting' ? next_at.toISOString() : null,
    }))
  }

  /**
   * Puts a parked delivery, or all of them, behind what waits now, to be tried as long as a new one.
   *
   * @throws {UnknownSubscriptionError | NotParkedError}
   */
  async function resend(account: Address, { id, delivery }: { id: string; delivery?: string }): Promise<number> {
    await expectOwn(account, id)
    return database.transaction(async (transaction) => {
      const parked = await transaction.query<{ id: string }>(
        `select id from delivery where subscription = $1 and state = 'parked' and ($2::uuid is null or id = $2)
         order by position for update`,
        [id, delivery ?? null],
      )
      if (delivery && parked.length === 0) throw new NotParkedError({ id: delivery })
      for (const each of parked) await unpark(transaction, { id: each.id, terms })
      await ring(transaction)
      return parked.length
    })
  }

  async function expectOwn(account: Address, id: string): Promise<void> {
    const own = await database.query('select 1 from subscription where id = $1 and account = $2', [id, account])
    if (own.length === 0) throw new UnknownSubscriptionError({ id })
  }

  return { create, list, remove, rotate, deliveries, resend }
}

type ListedRow = Omit<Listed, 'position' | 'createdAt' | 'nextAttemptAt'> & {
  position: bigint
  created_at: Date
  next_at: Date
}

/** One at a time for a wallet: two requests must not both find the last place free. */
async function expectRoom(transaction: Transaction, account: Address, most: number): Promise<void> {
  await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`subscriptions:${account}`])
  const [row] = await transaction.query<{ count: bigint }>(
    'select count(*) as count from subscription where account = $1',
    [account],
  )
  if (row && row.count >= BigInt(most)) throw new TooManySubscriptionsError({ most })
}

async function unpark(transaction: Transaction, { id, terms }: { id: string; terms: Terms }): Promise<void> {
  await transaction.query(
    `update delivery set state = 'waiting', position = nextval('delivery_position'), next_at = now(),
       expires_at = now() + make_interval(secs => $2), finished_at = null
     where id = $1`,
    [id, terms.retrySeconds],
  )
}
