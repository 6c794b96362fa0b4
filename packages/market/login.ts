import type { Address } from '@sealdeal/protocol'
import { type AppRequest, verifyChallenge, verifyRequest } from '@sealdeal/server'
import type { RoutesParameters } from './parameters.ts'

/**
 * For routes that need to know who asks: by a challenge, as published clients do, or in one go by a signed request. Who
 * asks is looked at before what is asked: nothing is told to strangers about their mistakes.
 */
export function requireLogin(parameters: RoutesParameters) {
  const accounts = new WeakMap<object, Address>()
  return {
    /** What the description of the route says of it. */
    schema: { security: [{ authorization: [] }] },
    /** @throws {NotAuthorizedError} */
    async preValidation(request: AppRequest): Promise<void> {
      accounts.set(request, await accountOf(request, parameters))
    },
    accountOf(request: object): Address {
      const account = accounts.get(request)
      if (!account) throw new Error('a route that needs a login does not ask for it')
      return account
    },
  }
}

async function accountOf(request: AppRequest, { database, chain, domain }: RoutesParameters): Promise<Address> {
  const { authorization } = request.headers
  const { account } = authorization?.startsWith('Sealdeal ')
    ? await verifyRequest({
        header: authorization,
        domain: { chainId: domain.chainId, hub: domain.verifyingContract, service: 'market' },
        method: request.method,
        path: request.url,
        body: request.rawBody,
        chain,
        database,
      })
    : await verifyChallenge({ token: authorization, database, chain })
  return account
}
