import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastifyCors } from '@fastify/cors'
import { fastifyRateLimit } from '@fastify/rate-limit'
import { fastifySwagger } from '@fastify/swagger'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  fastify,
  LogController,
  type RawServerDefault,
} from 'fastify'
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { answerError, type ErrorTable } from './answer.ts'
import { type Log, withoutCredentials } from './log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes of a JSON body as they came: what a signed request signs. */
    rawBody: Uint8Array
  }
}

/** A Fastify instance whose routes are typed by their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** A request as routes see it when they need headers or the raw body. */
export type AppRequest = FastifyRequest

export type ServeParameters = {
  name: string
  version?: string
  host: string
  /** 0 takes any free port. */
  port: number
  log: Log
  /** Adds the routes. */
  routes: (app: App) => void | Promise<void>
  /** Which error name answers which status; everything not named is a 500 without details. */
  errors?: ErrorTable
  /** What must work before `/ready` says yes: each check throws its reason. */
  ready?: Record<string, () => unknown>
  metrics?: Registry
  /** In bytes; 1 MiB unless told. */
  bodyLimit?: number
  /** Requests of one network address per minute; no limit unless told. */
  requestsPerMinute?: number
  /** Take client addresses from `X-Forwarded-For`: only behind a proxy that sets it. */
  trustProxy?: boolean
}

export type Server = {
  app: App
  /** For instance `http://127.0.0.1:43121`. */
  url: string
  close: () => Promise<void>
}

/**
 * Serves HTTP: routes typed by zod, one error table, JSON always, request ids, `/health` (the process lives), `/ready`
 * (it can work), `/metrics` (Prometheus), `/openapi.json` (the routes, as their schemas have it), open CORS. When it listens it logs `listening` with its `url`.
 */
export async function serve(parameters: ServeParameters): Promise<Server> {
  const { name, version, host, port, log, routes, ready = {}, bodyLimit = 1_048_576 } = parameters
  const app: App = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    trustProxy: parameters.trustProxy ?? false,
    forceCloseConnections: 'idle',
    requestTimeout: 120_000,
    genReqId: requestId,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(answerError(parameters.errors ?? {}))
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ ok: false, error: `no route ${request.method} ${request.url.split('?')[0]}` }),
  )
  keepRawBody(app)

  const metrics = parameters.metrics ?? new Registry()
  collectDefaultMetrics({ register: metrics })
  observe(app, metrics)
  await app.register(fastifyCors, { origin: '*', methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'], maxAge: 86_400 })
  const max = parameters.requestsPerMinute
  if (max !== undefined) {
    await app.register(fastifyRateLimit, {
      max,
      timeWindow: 60_000,
      errorResponseBuilder: () => Object.assign(new Error('Rate limit exceeded'), { statusCode: 429 }),
    })
  }

  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: `Sealdeal ${name}`, version: version ?? '0.1.0' } },
    transform: jsonSchemaTransform,
  })

  const unlimited = { config: { rateLimit: false } }
  app.get('/openapi.json', async () => app.swagger())
  app.get('/health', unlimited, async () => ({ ok: true, name, ...(version ? { version } : {}) }))
  app.get('/ready', unlimited, async (_request, reply) => {
    const checks = Object.fromEntries(
      await Promise.all(Object.entries(ready).map(async ([key, check]) => [key, await outcome(check)] as const)),
    )
    const ok = Object.values(checks).every((text) => text === 'ok')
    return reply.code(ok ? 200 : 503).send({ ok, checks })
  })
  app.get('/metrics', unlimited, async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.metrics()),
  )
  await app.register(async (scope: App) => routes(scope))
  await app.listen({ host, port })

  const address = app.server.address() as AddressInfo
  const url = `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
  log.info({ url }, 'listening')
  return { app, url, close: () => closeApp(app) }
}

/** Answers what is being answered, for three seconds at most: then connections are cut. */
async function closeApp(app: App): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), 3_000)
  try {
    await app.close()
  } finally {
    clearTimeout(cut)
  }
}

function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
}

/** Parses JSON as Fastify does (prototype poisoning refused) and keeps the bytes, which signatures are made over. */
function keepRawBody(app: App): void {
  app.decorateRequest('rawBody')
  app.addHook('onRequest', async (request) => {
    request.rawBody = new Uint8Array()
  })
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = typeof body === 'string' ? Buffer.from(body) : body
    if (body.length === 0) done(null, undefined)
    else parse(request, body.toString(), done)
  })
}

function observe(app: App, metrics: Registry): void {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [metrics],
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const seconds = reply.elapsedTime / 1_000
    duration.observe({ method: request.method, route, status: reply.statusCode }, seconds)
    const probe = route === '/health' || route === '/ready' || route === '/metrics'
    const line = { request: request.id, method: request.method, path: request.url.split('?')[0] }
    const level = probe ? 'trace' : 'info'
    request.log[level]({ ...line, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered')
  })
}

async function outcome(check: () => unknown): Promise<string> {
  try {
    await check()
    return 'ok'
  } catch (error) {
    return withoutCredentials(error instanceof Error ? error.message : String(error))
  }
}
