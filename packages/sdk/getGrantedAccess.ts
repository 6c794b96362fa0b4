import type { Address } from '@sealdeal/protocol'
import type { Client } from './client.ts'
import { findOrders, type PublishedOrder } from './findOrders.ts'

export type GetGrantedAccessParameters = {
  protectedData?: Address | 'any'
  /** Grants that this app may use. */
  authorizedApp?: Address | 'any'
  /** Grants that this user may use: its own, and those for anyone. */
  authorizedUser?: Address | 'any'
  /** Only grants that name the user. */
  isUserStrict?: boolean
  /** Only grants that many of can go into one task. */
  bulkOnly?: boolean
  page?: number
  pageSize?: number
}

/** Open grants, as the market lists them. A grant for a group of apps is found under the group's address. */
export async function getGrantedAccess(
  client: Client,
  {
    protectedData = 'any',
    authorizedApp = 'any',
    authorizedUser = 'any',
    isUserStrict = false,
    bulkOnly = false,
    page = 0,
    pageSize = 20,
  }: GetGrantedAccessParameters = {},
): Promise<{ count: number; grantedAccess: PublishedOrder<'dataset'>[]; hasMore: boolean }> {
  const { orders, count, hasMore } = await findOrders(client, {
    kind: 'dataset',
    dataset: protectedData,
    app: authorizedApp,
    requester: authorizedUser,
    workerpool: 'any',
    isRequesterStrict: isUserStrict,
    bulkOnly,
    page,
    pageSize,
  })
  return { count, grantedAccess: orders, hasMore }
}

/** All open grants, page by page. */
export async function* allGrants(
  client: Client,
  filter: Omit<GetGrantedAccessParameters, 'page' | 'pageSize'>,
): AsyncGenerator<PublishedOrder<'dataset'>> {
  for (let page = 0; ; page++) {
    const { grantedAccess, hasMore } = await getGrantedAccess(client, { ...filter, page, pageSize: 100 })
    yield* grantedAccess
    if (!hasMore || grantedAccess.length === 0) return
  }
}
