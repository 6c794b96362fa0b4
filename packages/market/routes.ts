import { Order } from '@sealdeal/protocol'
import { type App, issueChallenge } from '@sealdeal/server'
import { z } from 'zod'
import { best } from './best.ts'
import { find } from './book.ts'
import { addChain } from './chainRoutes.ts'
import { addCompass } from './compass.ts'
import { BadRequestError, FeedFullError, NotFoundError, spelled } from './errors.ts'
import { explain, type Wish } from './explain.ts'
import { type Topic, topics } from './feed.ts'
import { listOrders } from './list.ts'
import { requireLogin } from './login.ts'
import { checkChain, type RoutesParameters } from './parameters.ts'
import { unpublish } from './unpublish.ts'
import {
  address,
  bestQuery,
  chainQuery,
  explainQuery,
  hash,
  listParameters,
  listQuery,
  nextPage,
  orderBody,
  orderCursor,
  pageOf,
  published,
  readOrder,
  unpublishBody,
} from './wire.ts'

/** The market's HTTP interface, as published clients call it. */
export function routes(parameters: RoutesParameters) {
  return function add(app: App): void {
    app.get('/version', async () => ({ ok: true, version: parameters.version }))
    addChallenge(app, parameters)
    for (const kind of Order.kinds) addOrders(app, kind, parameters)
    addChain(app, parameters)
    addBest(app, parameters)
    addExplain(app, parameters)
    addFeed(app, parameters)
    addCompass(app, parameters)
  }
}

function addChallenge(app: App, parameters: RoutesParameters): void {
  const querystring = z.object({ ...chainQuery, address })
  app.get('/challenge', { schema: { querystring } }, async ({ query }) => {
    checkChain(parameters, query.chainId)
    const data = await issueChallenge({
      database: parameters.database,
      account: query.address,
      chainId: parameters.domain.chainId,
      name: 'iExec Gateway',
      text: 'Sign this message to log into iExec Gateway: ',
    })
    return { ok: true, data }
  })
}

function addOrders(app: App, kind: Order.Kind, parameters: RoutesParameters): void {
  const { database, domain } = parameters
  const path = `/${spelled(kind)}s`
  const onChain = z.object(chainQuery)

  app.get(path, { schema: { querystring: listQuery } }, async ({ query }) => {
    checkChain(parameters, query.chainId)
    const { entries, count } = await listOrders(database, listParameters(kind, query))
    const orders = entries.map((entry) => published(entry, domain.chainId))
    return { ok: true, count, ...nextPage(pageOf(query), entries, orderCursor), orders }
  })

  const params = z.object({ orderHash: hash })
  app.get(`${path}/:orderHash`, { schema: { querystring: onChain, params } }, async ({ query, params }) => {
    checkChain(parameters, query.chainId)
    const entry = await find(database, { kind, hash: params.orderHash })
    if (!entry) throw new NotFoundError({ what: spelled(kind) })
    return { ok: true, ...published(entry, domain.chainId) }
  })

  const forMembers = requireLogin(parameters)
  const posted = { querystring: onChain, body: orderBody(kind), ...forMembers.schema }
  app.post(path, { schema: posted, preValidation: forMembers.preValidation }, async (request) => {
    checkChain(parameters, request.query.chainId)
    const order = readOrder(kind, request.body.order)
    const entry = await parameters.publish({ kind, order, account: forMembers.accountOf(request) })
    return { ok: true, published: published(entry, domain.chainId) }
  })

  const put = { querystring: onChain, body: unpublishBody, ...forMembers.schema }
  app.put(path, { schema: put, preValidation: forMembers.preValidation }, async (request) => {
    checkChain(parameters, request.query.chainId)
    const account = forMembers.accountOf(request)
    return { ok: true, unpublished: await unpublish(database, { kind, account, body: request.body }) }
  })
}

function addExplain(app: App, parameters: RoutesParameters): void {
  const { database, marketplace, caughtUp } = parameters
  app.get('/explain', { schema: { querystring: explainQuery } }, async ({ query }) => {
    const { chainId, requestorderHash, app, requester, ...terms } = query
    checkChain(parameters, chainId)
    if (!requestorderHash && !(app && requester)) {
      throw new BadRequestError({ reason: 'app and requester, or requestorderHash, are required' })
    }
    const given = Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined))
    const named = requestorderHash ? { requestHash: requestorderHash } : { app, requester }
    await caughtUp()
    const explained = await explain({ database, runner: marketplace.hub.runner }, { ...given, ...named } as Wish)
    return { ok: true, ...explained, volume: Number(explained.volume), price: Number(explained.price) }
  })
}

function addBest(app: App, parameters: RoutesParameters): void {
  const { database, domain } = parameters
  app.get('/best', { schema: { querystring: bestQuery } }, async ({ query }) => {
    const { chainId, app, requester, ...terms } = query
    checkChain(parameters, chainId)
    const given = Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined))
    const found = await best(database, { ...given, app, requester })
    if (!found) throw new NotFoundError({ what: 'match' })
    const orders = Object.fromEntries(
      Object.entries(found.entries).map(([kind, entry]) => [`${kind}order`, published(entry, domain.chainId)]),
    )
    return { ok: true, price: Number(found.price), volume: Number(found.volume), ...orders }
  })
}

/** Server-sent events: `GET /events`, all topics or the one that is named. */
function addFeed(app: App, parameters: RoutesParameters): void {
  const querystring = z.object({ ...chainQuery, topic: z.enum(topics).optional() })
  app.get('/events', { schema: { querystring } }, async ({ query }, reply) => {
    checkChain(parameters, query.chainId)
    const wanted = new Set<Topic>(query.topic ? [query.topic] : topics)
    if (!parameters.feed.add(reply.raw, wanted)) throw new FeedFullError()
    reply.hijack()
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    reply.raw.write(':\n\n')
  })
}
