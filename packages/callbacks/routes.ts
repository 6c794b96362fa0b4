import type { Address } from '@sealdeal/protocol'
import {
  type App,
  type AppRequest,
  type ChainAccess,
  type Database,
  issueChallenge,
  verifyChallenge,
  verifyRequest,
} from '@sealdeal/server'
import { WrongChainError } from './errors.ts'
import { listRelays } from './relays.ts'
import type { Subscriptions } from './subscriptions.ts'
import { answers, challengeQuery, creation, deliveriesQuery, deliveryId, relaysQuery, subscriptionId } from './wire.ts'

export type RoutesParameters = {
  database: Database
  chain: ChainAccess
  chainId: bigint
  hub: Address
  subscriptions: Subscriptions
}

/** Entries of a page of deliveries. */
const PAGE = 50

/** The service's HTTP interface. All but the challenge and what is relayed is answered to a wallet about its own subscriptions. */
export function routes(parameters: RoutesParameters) {
  return async function add(app: App): Promise<void> {
    addChallenge(app, parameters)
    addRelays(app, parameters)
    await app.register(async (scope: App) => addSubscriptions(scope, parameters))
  }
}

function addChallenge(app: App, { database, chainId }: RoutesParameters): void {
  app.get('/challenge', { schema: { querystring: challengeQuery } }, async ({ query }) => {
    if (query.chainId !== undefined && query.chainId !== chainId) {
      throw new WrongChainError({ chainId: query.chainId, known: chainId })
    }
    const data = await issueChallenge({
      database,
      account: query.address,
      chainId,
      name: 'Sealdeal Callbacks',
      text: 'Sign this message to log into Sealdeal Callbacks: ',
    })
    return { ok: true, data }
  })
}

/** Open to everybody: tasks and their contracts are on the chain for everybody to see. */
function addRelays(app: App, { database }: RoutesParameters): void {
  const schema = { querystring: relaysQuery, response: { 200: answers.relays } }
  app.get('/relays', { schema }, async ({ query: { state, after, limit = PAGE } }) => {
    const relays = await listRelays(database, { state, after, limit })
    const last = relays.length === limit ? relays.at(-1)?.taskId : undefined
    const shown = relays.map((each) => ({ ...each, nextAttemptAt: each.nextAttemptAt?.toISOString() ?? null }))
    return { ok: true as const, relays: shown, ...(last === undefined ? {} : { next: last }) }
  })
}

/** Who asks: by a challenge, or in one go by a signed request. */
async function accountOf(request: AppRequest, { database, chain, chainId, hub }: RoutesParameters): Promise<Address> {
  const { authorization } = request.headers
  const { account } = authorization?.startsWith('Sealdeal ')
    ? await verifyRequest({
        header: authorization,
        domain: { chainId, hub, service: 'callbacks' },
        method: request.method,
        path: request.url,
        body: request.rawBody,
        chain,
        database,
      })
    : await verifyChallenge({ token: authorization, database, chain })
  return account
}

function addSubscriptions(app: App, parameters: RoutesParameters): void {
  const { subscriptions } = parameters
  const accounts = new WeakMap<object, Address>()
  const accountBehind = (request: object) => accounts.get(request) as Address
  // Who asks is looked at before what is asked: nothing is told to strangers about their mistakes.
  app.addHook('preValidation', async (request) => {
    accounts.set(request, await accountOf(request, parameters))
  })

  const created = { body: creation, response: { 201: answers.created } }
  app.post('/subscriptions', { schema: created }, async (request, reply) => {
    const made = await subscriptions.create(accountBehind(request), request.body)
    return reply.code(201).send({ ok: true as const, ...made })
  })
  app.get('/subscriptions', { schema: { response: { 200: answers.subscriptions } } }, async (request) => {
    return { ok: true as const, subscriptions: await subscriptions.list(accountBehind(request)) }
  })

  const one = '/subscriptions/:id'
  const own = { params: subscriptionId }
  app.delete(one, { schema: { ...own, response: { 200: answers.done } } }, async (request) => {
    await subscriptions.remove(accountBehind(request), request.params.id)
    return { ok: true as const }
  })
  app.post(`${one}/secret`, { schema: { ...own, response: { 200: answers.rotated } } }, async (request) => {
    return { ok: true as const, ...(await subscriptions.rotate(accountBehind(request), request.params.id)) }
  })
  addDeliveries(app, parameters, accountBehind)
}

function addDeliveries(
  app: App,
  { subscriptions }: RoutesParameters,
  accountBehind: (request: object) => Address,
): void {
  const path = '/subscriptions/:id/deliveries'
  const listing = { params: subscriptionId, querystring: deliveriesQuery, response: { 200: answers.deliveries } }
  app.get(path, { schema: listing }, async (request) => {
    const { state, after = 0n, limit = PAGE } = request.query
    const query = { id: request.params.id, state, after, limit }
    const deliveries = await subscriptions.deliveries(accountBehind(request), query)
    const last = deliveries.length === limit ? deliveries.at(-1)?.position : undefined
    return { ok: true as const, deliveries, ...(last === undefined ? {} : { next: last }) }
  })
  const response = { 200: answers.resent }
  app.post(`${path}/resend`, { schema: { params: subscriptionId, response } }, async (request) => {
    return { ok: true as const, resent: await subscriptions.resend(accountBehind(request), { id: request.params.id }) }
  })
  app.post(`${path}/:delivery/resend`, { schema: { params: deliveryId, response } }, async (request) => {
    return { ok: true as const, resent: await subscriptions.resend(accountBehind(request), request.params) }
  })
}
