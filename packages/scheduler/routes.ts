import { type Address, BaseError, type Hex, Lease, type Order, Printed } from '@sealdeal/protocol'
import {
  type App,
  type AppRequest,
  type AuthDomain,
  type ChainAccess,
  type Database,
  type ErrorTable,
  issueChallenge,
  type Moment,
  verifyChallenge,
  verifyRequest,
} from '@sealdeal/server'
import { getAddress } from 'ethers'
import { z } from 'zod'
import type { Bell } from './bell.ts'
import type { Clock } from './clock.ts'
import {
  beat,
  type Granted,
  grantLease,
  type Policy,
  registerWorker,
  stepNames,
  takeCompletion,
  takeFailure,
} from './leases.ts'
import { keepPrinted, readPrinted } from './printed.ts'
import { viewTask } from './view.ts'

/** A pool works on one chain. */
class OtherChainError extends BaseError {
  override name = 'OtherChainError'
  constructor({ chainId, ours }: { chainId?: bigint | undefined; ours: bigint }) {
    super(`This pool works on chain ${ours}, not on chain ${chainId}.`, { docsPath: '/workerpool#printed' })
  }
}

export const errors: ErrorTable = {
  OtherChainError: 400,
  WorkerUnknownError: 403,
  WorkerRefusedError: 403,
  LeaseLostError: 409,
  TaskNotFoundError: 404,
  NotTheRequesterError: 403,
  NothingPrintedError: 404,
}

/** Name of this service in signed requests. */
export const service = 'scheduler'

/** A worker that waits for work is answered after so many seconds at the latest. */
const LONGEST_WAIT = 25

/** Without a ring of the bell: a lost lease or a pause after a failure ends unannounced. Milliseconds. */
const LOOK_AGAIN = 500

const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform((text) => text.toLowerCase() as Hex)
const attempt = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
const task = z.object({ taskId: hash })
const asker = z.object({
  chainId: z
    .string()
    .regex(/^\d{1,30}$/)
    .transform(BigInt)
    .optional(),
  address: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address')
    .transform((text) => getAddress(text.toLowerCase()) as Address),
})
const sealed = z.string().max(Printed.longest).regex(Printed.pattern, 'must be sealed by an enclave')

export type RoutesParameters = {
  database: Database
  chain: ChainAccess
  chainId: bigint
  hub: Address
  workerpool: Address
  /** Signs leases: the pool's owner. */
  signer: Order.TypedDataSigner
  clock: Clock
  policy: Policy
  bell: Bell
  moment: Moment
  /** Workers that may register; all when undefined. */
  allowed?: readonly Address[] | undefined
  /** Aborted when the process ends: waiting workers are sent home. */
  signal: AbortSignal
}

/** The scheduler's HTTP interface: for workers (each call signed by the worker's wallet), and the status of tasks for all. */
export function routes(parameters: RoutesParameters) {
  const { database, chain, chainId, hub, workerpool, signer, clock, policy, bell, moment, allowed, signal } = parameters
  const auth: AuthDomain = { chainId, hub, service }
  const domain = Lease.domain({ chainId, hub })

  async function caller(request: AppRequest): Promise<Address> {
    const { account } = await verifyRequest({
      header: request.headers.authorization,
      domain: auth,
      method: request.method,
      path: request.url,
      body: request.rawBody,
      chain,
      database,
    })
    return account
  }

  return function addRoutes(app: App): void {
    // Workers sign; everybody may look.
    app.addHook('onRoute', (route) => {
      if (route.method === 'POST') route.schema = { ...route.schema, security: [{ authorization: [] }] }
    })
    app.get('/pool', async () => ({ ok: true, chainId: String(chainId), hub, workerpool, silenceMs: policy.silence }))

    app.post('/workers', { schema: { body: z.object({ name: z.string().max(100).default('') }) } }, async (request) => {
      const worker = await caller(request)
      await registerWorker(database, { worker, name: request.body.name, allowed })
      return { ok: true, workerpool, silenceMs: policy.silence }
    })

    app.post(
      '/leases',
      {
        schema: {
          body: z.object({
            holding: z.array(hash).max(1_000).default([]),
            wait: z.number().min(0).max(LONGEST_WAIT).default(LONGEST_WAIT),
          }),
        },
      },
      async (request, reply) => {
        const worker = await caller(request)
        const { holding, wait } = request.body
        const until = Date.now() + wait * 1_000
        while (!signal.aborted && !request.raw.socket.destroyed) {
          const ring = bell.next(Math.min(LOOK_AGAIN, Math.max(until - Date.now(), 0)))
          const lease = await grantLease(database, { worker, holding, now: await clock(), policy, signer, domain })
          if (lease) {
            moment('lease signed', { task: lease.taskId, attempt: lease.attempt, worker })
            return reply.send(toJson(lease, { chainId, hub }))
          }
          if (Date.now() >= until) break
          await ring
        }
        return reply.code(204).send()
      },
    )

    app.post(
      '/leases/:taskId/heartbeat',
      {
        schema: { params: task, body: z.object({ attempt, reached: z.array(z.enum(stepNames)).max(20).default([]) }) },
      },
      async (request, reply) => {
        const worker = await caller(request)
        await beat(database, { taskId: request.params.taskId, worker, ...request.body })
        return reply.code(204).send()
      },
    )

    app.post(
      '/leases/:taskId/outcome',
      {
        schema: {
          params: task,
          body: z.union([
            z.object({ attempt, completed: z.object({ transaction: hash }) }),
            z.object({
              attempt,
              failure: z.object({ cause: z.string().regex(/^[A-Z0-9_]{1,80}$/), message: z.string().max(1_000) }),
            }),
          ]),
        },
      },
      async (request) => {
        const worker = await caller(request)
        const { body } = request
        const holder = { taskId: request.params.taskId, attempt: body.attempt, worker, policy }
        moment('outcome received', { task: holder.taskId, attempt: holder.attempt, worker })
        if ('failure' in body) return { ok: true, ...(await takeFailure(database, { ...holder, ...body.failure })) }
        await takeCompletion(database, { ...holder, hash: body.completed.transaction })
        return { ok: true, retry: false }
      },
    )

    app.post(
      '/leases/:taskId/printed',
      { schema: { params: task, body: z.object({ attempt, stdout: sealed, stderr: sealed }) } },
      async (request, reply) => {
        const worker = await caller(request)
        await keepPrinted(database, { taskId: request.params.taskId, worker, ...request.body })
        return reply.code(204).send()
      },
    )

    // The next two as published clients call them: a signed challenge tells who asks. Our own tools sign the request.
    app.get('/tasks/logs/challenge', { schema: { querystring: asker } }, async ({ query }, reply) => {
      reply.header('cache-control', 'no-store')
      if (query.chainId !== undefined && query.chainId !== chainId)
        throw new OtherChainError({ ...query, ours: chainId })
      return issueChallenge({ database, account: query.address, chainId, name: 'iExec Core', text: '' })
    })

    app.get(
      '/tasks/:taskId/logs',
      { schema: { params: task, security: [{ authorization: [] }] } },
      async (request, reply) => {
        reply.header('cache-control', 'no-store')
        const { authorization: token } = request.headers
        const account = token?.startsWith('Sealdeal ')
          ? await caller(request)
          : (await verifyChallenge({ token, database, chain })).account
        return { computeLogsList: await readPrinted(database, { taskId: request.params.taskId, account }) }
      },
    )

    app.get('/tasks/:taskId', { schema: { params: task } }, async (request) =>
      viewTask(database, request.params.taskId),
    )
  }
}

/** A lease on the wire: numbers are decimal strings, `expiry` unix seconds. */
function toJson(
  { taskId, dealId, worker, signature, app, ...lease }: Granted,
  chain: { chainId: bigint; hub: Address },
) {
  return {
    chainId: String(chain.chainId),
    hub: chain.hub,
    dealId,
    index: String(lease.index),
    taskId,
    worker,
    attempt: String(lease.attempt),
    expiry: String(lease.expiry),
    signature,
    app,
    maxSeconds: String(lease.maxSeconds),
  }
}
