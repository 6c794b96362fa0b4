import type { Address, Hex } from '@sealdeal/protocol'
import type { Database } from './database.ts'
import { gather } from './gather.ts'

/** A challenge that was handed out: the digest that its answer signs, and whom it was made for. */
export type Handed = { digest: Hex; account: Address }

/** Rows of `challenge`. What is asked at the same time is written together: each login takes two trips to the table. */
export type Challenges = {
  /** @param lifetime seconds */
  keep: (handed: Handed & { lifetime: number }) => Promise<void>
  /** True for the first who asks: it is gone then. */
  spend: (handed: Handed) => Promise<boolean>
}

const MOST_AT_ONCE = 100
const opened = new WeakMap<Database, Challenges>()

export function challengesOf(database: Database): Challenges {
  const known = opened.get(database)
  if (known) return known
  const challenges: Challenges = {
    keep: gather(async (all: readonly (Handed & { lifetime: number })[]) => {
      await database.query(
        `insert into challenge (hash, account, expires_at)
         select hash, account, now() + make_interval(secs => lifetime)
         from unnest($1::text[], $2::text[], $3::float8[]) as handed (hash, account, lifetime)`,
        [...columnsOf(all), all.map(({ lifetime }) => lifetime)],
        { prepared: true },
      )
      return all.map(() => undefined)
    }, MOST_AT_ONCE),
    spend: gather(async (all: readonly Handed[]) => {
      const rows = await database.query<{ hash: Hex }>(
        `delete from challenge using unnest($1::text[], $2::text[]) as answered (hash, account)
         where challenge.hash = answered.hash and challenge.account = answered.account and expires_at > now()
         returning challenge.hash`,
        columnsOf(all),
        { prepared: true },
      )
      const spent = new Set(rows.map(({ hash }) => hash))
      // Of several who bring the same one, only the first takes it out of the set.
      return all.map(({ digest }) => spent.delete(digest))
    }, MOST_AT_ONCE),
  }
  opened.set(database, challenges)
  return challenges
}

function columnsOf(all: readonly Handed[]): [Hex[], Address[]] {
  return [all.map(({ digest }) => digest), all.map(({ account }) => account)]
}
