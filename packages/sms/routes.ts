import { type Address, Secret } from '@sealdeal/protocol'
import type { App, AppRequest, Database } from '@sealdeal/server'
import type { FastifyError, FastifyReply } from 'fastify'
import { z } from 'zod'
import { type Asked, expectAuthorized, expectSigned } from './authorization.ts'
import type { Chain } from './chain.ts'
import { InvalidSecretError, SecretExistsError, SecretNotFoundError, SecretTooLargeError } from './errors.ts'
import { address, EvidenceParams, NonceRequest, SessionRequest } from './schemas.ts'
import type { SecretId, Secrets } from './secrets.ts'
import type { Sessions } from './sessions.ts'

/** Read whole before anything is known about it: enough for every legal body, little enough for every illegal one. */
const bodyLimit = 65_536

/** The routes that published clients call, the two of our enclaves, and what their sessions were given on. */
export function routes({
  secrets,
  sessions,
  chain,
  database,
}: {
  secrets: Secrets
  sessions: Sessions
  chain: Chain
  /** Keeps the nonces of signed requests. */
  database: Database
}) {
  return async function plugin(app: App): Promise<void> {
    await app.register(async (scope: App) => secretRoutes({ app: scope, secrets, chain, database }))
    await app.register(async (scope: App) => sessionRoutes({ app: scope, sessions }))
  }
}

type SecretRoutes = { app: App; secrets: Secrets; chain: Chain; database: Database }

async function secretRoutes({ app, secrets, chain, database }: SecretRoutes): Promise<void> {
  // A secret is text whatever the client calls it; nothing here parses it.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body))
  // Whatever changes a secret must be signed.
  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD') route.schema = { ...route.schema, security: [{ authorization: [] }] }
  })

  async function exists(id: SecretId, reply: FastifyReply) {
    if (await secrets.has(id)) return reply.code(204).send()
    throw new SecretNotFoundError({ kind: id.kind, owner: id.owner })
  }

  async function store({ id, owner, request, reply }: Storing) {
    const value = readValue(request, id.kind)
    const spends = await expectAuthorized({ chain, database }, asked({ id, owner, request, value }))
    if (!(await secrets.create(id, value, { by: owner, spends })))
      throw new SecretExistsError({ kind: id.kind, owner: id.owner })
    return reply.code(204).send()
  }

  async function replace({ id, owner, request, reply }: Storing) {
    const value = readValue(request, id.kind)
    const spends = await expectAuthorized({ chain, database }, asked({ id, owner, request, value }))
    // To say again what is so changes nothing, and spends nothing.
    if (spends !== undefined && (await secrets.read(id)) === value) return reply.code(204).send()
    if (!(await secrets.update(id, value, { by: owner, spends })))
      throw new SecretNotFoundError({ kind: id.kind, owner: id.owner })
    return reply.code(204).send()
  }

  async function remove({ id, owner, request, reply }: Storing) {
    await expectSigned({ chain, database }, asked({ id, owner, request, value: '' }))
    if (!(await secrets.remove(id, { by: owner }))) throw new SecretNotFoundError({ kind: id.kind, owner: id.owner })
    return reply.code(204).send()
  }

  function asked({ id, owner, request, value }: Omit<Storing, 'reply'> & { value: string }): Asked {
    const name = id.kind === 'app' ? Secret.appSecretName : id.name
    return { owner, request, secret: { address: id.owner, value, ...(name === undefined ? {} : { name }) } }
  }

  const web3 = { schema: { querystring: z.object({ secretAddress: address }) } }
  const datasetSecret = (owner: Address): SecretId => ({ kind: 'dataset', owner })
  app.head('/secrets/web3', web3, ({ query }, reply) => exists(datasetSecret(query.secretAddress), reply))
  app.post('/secrets/web3', web3, async (request, reply) => {
    const id = datasetSecret(request.query.secretAddress)
    return store({ id, owner: await chain.ownerOf(id.owner), request, reply })
  })
  app.delete('/secrets/web3', web3, async (request, reply) => {
    const id = datasetSecret(request.query.secretAddress)
    return remove({ id, owner: await chain.ownerOf(id.owner), request, reply })
  })

  const secretName = z.string().min(1).max(256)
  const web2 = { schema: { querystring: z.object({ ownerAddress: address, secretName }) } }
  const accountSecret = (query: { ownerAddress: Address; secretName: string }): SecretId => ({
    kind: 'account',
    owner: query.ownerAddress,
    name: query.secretName,
  })
  app.head('/secrets/web2', web2, ({ query }, reply) => exists(accountSecret(query), reply))
  app.post('/secrets/web2', web2, async (request, reply) => {
    const id = accountSecret(request.query)
    return store({ id, owner: id.owner, request, reply })
  })
  app.put('/secrets/web2', web2, async (request, reply) => {
    const id = accountSecret(request.query)
    return replace({ id, owner: id.owner, request, reply })
  })
  app.delete('/secrets/web2', web2, async (request, reply) => {
    const id = accountSecret(request.query)
    return remove({ id, owner: id.owner, request, reply })
  })

  const ofApp = { schema: { params: z.object({ app: address }) } }
  const appSecret = (owner: Address): SecretId => ({ kind: 'app', owner })
  app.head('/apps/:app/secrets', ofApp, ({ params }, reply) => exists(appSecret(params.app), reply))
  app.post('/apps/:app/secrets', ofApp, async (request, reply) => {
    const id = appSecret(request.params.app)
    return store({ id, owner: await chain.ownerOf(id.owner), request, reply })
  })
  app.delete('/apps/:app/secrets', ofApp, async (request, reply) => {
    const id = appSecret(request.params.app)
    return remove({ id, owner: await chain.ownerOf(id.owner), request, reply })
  })

  const name = z.string().regex(Secret.requesterName, { error: 'must have 1 to 64 of the characters 0-9 A-Z a-z - _' })
  const ofRequester = { schema: { params: z.object({ requester: address, name }) } }
  const requesterSecret = (params: { requester: Address; name: string }): SecretId => ({
    kind: 'requester',
    owner: params.requester,
    name: params.name,
  })
  app.head('/requesters/:requester/secrets/:name', ofRequester, ({ params }, reply) =>
    exists(requesterSecret(params), reply),
  )
  const orLonger = { ...ofRequester, errorHandler: explainLength }
  app.post('/requesters/:requester/secrets/:name', orLonger, async (request, reply) => {
    const id = requesterSecret(request.params)
    return store({ id, owner: id.owner, request, reply })
  })
  app.delete('/requesters/:requester/secrets/:name', ofRequester, async (request, reply) => {
    const id = requesterSecret(request.params)
    return remove({ id, owner: id.owner, request, reply })
  })
}

type Storing = { id: SecretId; owner: Address | undefined; request: AppRequest; reply: FastifyReply }

async function sessionRoutes({ app, sessions }: { app: App; sessions: Sessions }): Promise<void> {
  app.post('/sessions/nonce', { schema: { body: NonceRequest } }, async ({ body }) => sessions.issueNonce(body))

  // What proves something to everybody is open to everybody.
  app.get('/evidence/:taskId/:enclaveAddress', { schema: { params: EvidenceParams } }, async ({ params }) =>
    sessions.evidence(params),
  )

  app.post('/sessions', { schema: { body: SessionRequest } }, async (request, reply) => {
    const { simulated, ...answer } = await sessions.open(request.body)
    // Whoever watches must see that no hardware vouches for this enclave.
    if (simulated) request.log.warn({ worker: request.body.worker, simulated }, 'session given to a simulated enclave')
    return reply.header('cache-control', 'no-store').header('x-simulated-enclave', String(simulated)).send(answer)
  })
}

/** A requester's body that was too long to be read at all is answered like one that was read. */
function explainLength(error: FastifyError): never {
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') throw error
  throw new InvalidSecretError({ reason: `it is longer than ${Secret.maxBytes} bytes` })
}

/** The body as text. Clients expect 413 for every kind but the requester's, where they expect 400. */
function readValue(request: AppRequest, kind: SecretId['kind']): string {
  const body = request.body
  if (!(body instanceof Uint8Array) || body.length === 0) throw new InvalidSecretError({ reason: 'it is empty' })
  if (body.length > Secret.maxBytes) {
    if (kind === 'requester') throw new InvalidSecretError({ reason: `it is longer than ${Secret.maxBytes} bytes` })
    throw new SecretTooLargeError({ limit: Secret.maxBytes })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw new InvalidSecretError({ reason: 'it is not UTF-8 text' })
  }
}
