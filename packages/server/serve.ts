import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastifyCors } from '@fastify/cors'
import { fastifyRateLimit } from '@fastify/rate-limit'
import { fastifySwagger } from '@fastify/swagger'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
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

/** What an operator sets of any server: see `httpVariables`. */
export type HttpOptions = {
  /** Whose pages may call from a browser; everybody's unless told. */
  origins?: '*' | readonly string[]
  /** In bytes; 1 MiB unless told. */
  bodyLimit?: number
  /** Requests of one network address per minute; no limit unless told. */
  requestsPerMinute?: number
  /** Addresses and networks of the proxies in front: from them, and nobody else, `X-Forwarded-For` is taken. */
  trustedProxies?: readonly string[]
}

export type ServeParameters = HttpOptions & {
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
  /** What must work before `/ready` says yes: each check throws its reason, or has not answered within two seconds. */
  ready?: Record<string, () => unknown>
  metrics?: Registry
}

export type Server = {
  app: App
  /** For instance `http://127.0.0.1:43121`. */
  url: string
  close: () => Promise<void>
}

/**
 * Serves HTTP: routes typed by zod, one error table, JSON always, request ids, `/health` (the process lives), `/ready`
 * (it can work), `/metrics` (Prometheus), `/openapi.json` (the routes, as their schemas have it), CORS. When it listens it logs `listening` with its `url`.
 */
export async function serve(parameters: ServeParameters): Promise<Server> {
  const { name, version, host, port, log, routes, ready = {}, bodyLimit = 1_048_576, trustedProxies = [] } = parameters
  const app: App = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    forceCloseConnections: 'idle',
    requestTimeout: 120_000,
    genReqId: requestId,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(answerError(parameters.errors ?? {}))
  keepRawBody(app)

  const metrics = parameters.metrics ?? new Registry()
  collectDefaultMetrics({ register: metrics })
  observe(app, metrics)
  await admit(app, parameters)

  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: `Sealdeal ${name}`, version: version ?? '0.1.0' },
      components: { securitySchemes: { authorization: { type: 'apiKey', in: 'header', name: 'authorization' } } },
    },
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

/** Who may call: pages of which origins, and how often from one address. Unknown routes count as well. */
async function admit(app: App, { origins = '*', requestsPerMinute: max }: HttpOptions): Promise<void> {
  await app.register(fastifyCors, {
    origin: origins === '*' ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  })
  const notFound = (request: FastifyRequest, reply: FastifyReply) =>
    reply.code(404).send({ ok: false, error: `no route ${request.method} ${request.url.split('?')[0]}` })
  if (max === undefined) {
    app.setNotFoundHandler(notFound)
    return
  }
  await app.register(fastifyRateLimit, {
    max,
    timeWindow: 60_000,
    cache: 50_000,
    keyGenerator: ({ ip }) => networkOf(ip),
    errorResponseBuilder: () => Object.assign(new Error('Rate limit exceeded'), { statusCode: 429 }),
  })
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, notFound)
}

/** Whoever has one address of IPv6 has the 2^64 beside it as well: they count as one. */
export function networkOf(ip: string): string {
  if (isIP(ip) !== 6 || ip.includes('.')) return ip
  const [left = '', right] = ip.split('::')
  const groups = left === '' ? [] : left.split(':')
  const missing = right === undefined ? 0 : 8 - groups.length - (right === '' ? 0 : right.split(':').length)
  const whole = [...groups, ...Array<string>(missing).fill('0'), ...(right ? right.split(':') : [])]
  return whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
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

/** A chain or a database that is silent is as much away as one that refuses, so a check may take so many milliseconds. */
const CHECK_PATIENCE = 2_000

async function outcome(check: () => unknown): Promise<string> {
  const late = new AbortController()
  const silence = sleep(CHECK_PATIENCE, undefined, { signal: late.signal }).then(() => {
    throw new Error(`no answer in ${CHECK_PATIENCE / 1_000} s`)
  })
  silence.catch(() => {})
  try {
    await Promise.race([check(), silence])
    return 'ok'
  } catch (error) {
    return withoutCredentials(error instanceof Error ? error.message : String(error))
  } finally {
    late.abort()
  }
}
