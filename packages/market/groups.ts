import { type Address, type Order, readMembership, zeroAddress } from '@sealdeal/protocol'
import type { Query } from '@sealdeal/server'
import type { ContractRunner } from 'ethers'

/** Groups that admit what a request names, in the place of each. */
export type Groups = Record<'app' | 'dataset' | 'requester', Address[]>

/** Of so many addresses in one place it is asked whether they are groups. */
const MOST = 20

/**
 * Whom orders for the request's app and dataset are restricted to, other than the request's own names, and which of these
 * are groups that admit these names. Only the chain knows.
 */
export async function groupsThatAdmit(
  { database, runner }: { database: Query; runner: ContractRunner | null },
  request: Order.Request,
): Promise<Groups> {
  const places = ['app', 'dataset', 'requester'] as const
  const found = await Promise.all(
    places.map(async (place) => {
      const rows = await database.query<{ group: Address }>(
        `select distinct ${place} as group from book
         where status = 'open' and ((kind = 'app' and app = $1) or (kind = 'dataset' and dataset = $2))
           and ${place} not in ($3, $4) limit $5`,
        [request.app, request.dataset, zeroAddress, request[place], MOST],
      )
      return rows.map(({ group }) => ({ place, group, candidate: request[place] }))
    }),
  )
  const questions = found.flat()
  const isMember = await readMembership(runner, questions)
  const admitting = questions.filter(({ group, candidate }) => isMember(group, candidate))
  const inPlace = (wanted: (typeof places)[number]) =>
    admitting.flatMap(({ place, group }) => (place === wanted ? [group] : []))
  return { app: inPlace('app'), dataset: inPlace('dataset'), requester: inPlace('requester') }
}
