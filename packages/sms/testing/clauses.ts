import { type Address, Order, Session } from '@sealdeal/protocol'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import { fullParams, randomAddress, randomHash, type StandingDeal, type TestChain } from './chain.ts'
import { askNonce, attempt, type Deviations, pushEverything, type World } from './world.ts'

/** One clause of the release decision: what breaks it and nothing else, and the error that says so. */
type Clause = {
  clause: string
  error: string
  status: number
  /** For a deal that is itself the reason. */
  deal?: Parameters<TestChain['matchDeal']>[0]
  /** The `params` of its request, where they name what is stored. */
  request?(world: World): Promise<string>
  breaks(world: World, standing: StandingDeal): Deviations | Promise<Deviations>
}

const tag = (bits: string) => `0x${bits.padStart(64, '0')}` as const
const appEvent = (payload: `0x${string}`) => ({ event: Session.appEvent, payload })

const clauses: Clause[] = [
  {
    clause: 'the nonce is one that we gave',
    error: 'NonceUnknownError',
    status: 401,
    breaks: () => ({ nonce: randomHash() }),
  },
  {
    clause: 'the nonce was given for this task',
    error: 'NonceUnknownError',
    status: 401,
    breaks: async (world, { dealId, deal }) => ({
      nonce: await askNonce(world, { dealId, index: deal.botFirst + 1n, attempt: 1n }),
    }),
  },
  {
    clause: 'the nonce was given for this attempt',
    error: 'NonceUnknownError',
    status: 401,
    breaks: async (world, { dealId, deal }) => ({
      nonce: await askNonce(world, { dealId, index: deal.botFirst, attempt: 2n }),
    }),
  },
  {
    clause: 'the nonce is fresh',
    error: 'NonceExpiredError',
    status: 401,
    breaks: (world) => ({ meanwhile: () => world.ahead(121_000) }),
  },
  {
    clause: 'the nonce has opened no session',
    error: 'NonceUsedError',
    status: 401,
    breaks: async (world, standing) => ({ nonce: (await attempt(world, standing)).nonce }),
  },
  {
    clause: 'the deal exists',
    error: 'DealNotFoundError',
    status: 403,
    breaks: () => ({ dealId: randomHash() }),
  },
  {
    clause: 'the task is not before the first of the deal',
    error: 'TaskOutOfRangeError',
    status: 403,
    breaks: (_world, { deal }) => ({ index: deal.botFirst === 0n ? 1n << 200n : deal.botFirst - 1n }),
  },
  {
    clause: 'the task is not behind the last of the deal',
    error: 'TaskOutOfRangeError',
    status: 403,
    breaks: (_world, { deal }) => ({ index: deal.botFirst + deal.botSize }),
  },
  {
    clause: 'the deal still takes results',
    error: 'DealOverError',
    status: 403,
    breaks: (world, standing) => ({ meanwhile: () => world.passDeadline(standing) }),
  },
  {
    clause: 'the task still takes results',
    error: 'TaskOverError',
    status: 403,
    breaks: (world, standing) => ({ meanwhile: () => world.completeTask(standing) }),
  },
  ...['0', '1', '8'].map(
    (bits): Clause => ({
      clause: `the deal asks for a TDX enclave (not tag 0x${bits})`,
      error: 'DealNotConfidentialError',
      status: 403,
      deal: { tag: tag(bits) },
      breaks: () => ({}),
    }),
  ),
  {
    clause: "the lease is signed by the pool's owner",
    error: 'LeaseRefusedError',
    status: 403,
    breaks: () => ({ leaseSigner: new Wallet(Wallet.createRandom().privateKey) }),
  },
  {
    clause: 'the lease is for this task',
    error: 'LeaseRefusedError',
    status: 403,
    breaks: () => ({ signedLease: { task: randomHash() } }),
  },
  {
    clause: 'the lease is for this worker',
    error: 'LeaseRefusedError',
    status: 403,
    breaks: () => ({ signedLease: { worker: randomAddress() } }),
  },
  {
    clause: 'the lease is for this attempt',
    error: 'LeaseRefusedError',
    status: 403,
    breaks: () => ({ signedLease: { attempt: 2n } }),
  },
  {
    clause: 'the lease is until then',
    error: 'LeaseRefusedError',
    status: 403,
    breaks: () => ({ signedLease: { expiry: 1n } }),
  },
  {
    clause: 'the lease runs',
    error: 'LeaseExpiredError',
    status: 403,
    breaks: (world) => ({ expiry: BigInt(Math.floor(world.now().getTime() / 1000)) - 1n }),
  },
  {
    clause: 'the quote is whole',
    error: 'QuoteRefusedError',
    status: 403,
    breaks: () => ({ damage: (quote) => quote.map((byte, at) => (at === 200 ? byte ^ 1 : byte)) }),
  },
  {
    clause: 'the quote is from a root of the policy',
    error: 'QuoteRefusedError',
    status: 403,
    breaks: (world) => ({ platform: world.foreignPlatform }),
  },
  {
    clause: 'the collateral is of today',
    error: 'QuoteRefusedError',
    status: 403,
    breaks: (world) => {
      world.letCollateralAge(true)
      return {}
    },
  },
  {
    clause: 'the runtime is in the policy',
    error: 'RuntimeNotAllowedError',
    status: 403,
    breaks: () => ({ mrTd: `0x${'22'.repeat(48)}` }),
  },
  ...Object.entries({
    chain: { chainId: 1n },
    hub: { hub: randomAddress() },
    task: { taskId: randomHash() },
    attempt: { attempt: 2n },
    worker: { worker: randomAddress() },
    'encryption key': { enclaveKey: randomHash() },
    'signing key': { enclaveAddress: randomAddress() },
    nonce: { nonce: randomHash() },
  }).map(
    ([what, bound]): Clause => ({
      clause: `the quote is bound to this ${what}`,
      error: 'ReportDataMismatchError',
      status: 403,
      breaks: () => ({ bound }),
    }),
  ),
  {
    clause: 'the event log replays to RTMR3',
    error: 'EventLogMismatchError',
    status: 403,
    breaks: () => ({ extended: [appEvent(randomHash())] }),
  },
  {
    clause: "the app is the deal's",
    error: 'AppMeasurementMismatchError',
    status: 403,
    breaks: () => ({ events: [appEvent(randomHash())] }),
  },
  {
    clause: 'the app is what was measured last',
    error: 'AppMeasurementMismatchError',
    status: 403,
    breaks: (_world, { checksum }) => ({ events: [appEvent(checksum), appEvent(randomHash())] }),
  },
  {
    clause: 'the app is measured as an app',
    error: 'AppMeasurementMismatchError',
    status: 403,
    breaks: (_world, { checksum }) => ({ events: [{ event: 'other', payload: checksum }] }),
  },
  {
    clause: 'something was measured',
    error: 'AppMeasurementMismatchError',
    status: 403,
    breaks: () => ({ events: [] }),
  },
  {
    clause: "the dataset's key is stored",
    error: 'DatasetKeyNotFoundError',
    status: 403,
    breaks: (world) => ({ meanwhile: () => forget(world, 'dataset') }),
  },
  {
    clause: 'one of the attached datasets has its key',
    error: 'NoDatasetLeftError',
    status: 403,
    deal: { withDataset: false },
    breaks: async (world, standing) => {
      await world.attachDataset(standing)
      return { meanwhile: () => forget(world, 'dataset') }
    },
  },
  {
    clause: 'the list that the request names can be had',
    error: 'BulkListUnavailableError',
    status: 503,
    deal: { withDataset: false, params: '{"bulk_cid":"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"}' },
    breaks: () => ({}),
  },
  ...Object.entries<(world: World) => Promise<unknown> | unknown>({
    'is named by a content address': () => undefined,
    'is JSON': () => '[',
    'is a list of slices': () => ({}),
    'has a slice for the task': () => [],
    'has a slice that is a list of orders': async (world) => Array(5).fill(await world.store('["order"]')),
    'has a slice with an order': async (world) => Array(5).fill(await world.store([])),
    'has orders with every field': async (world) => {
      const { volume: _, ...order } = Order.toJson('dataset', await world.grant())
      return Array(5).fill(await world.store([order]))
    },
    'has a hundred orders for a task at most': async (world) => {
      const order = Order.toJson('dataset', await world.grant())
      return Array(5).fill(await world.store(Array(101).fill(order)))
    },
  }).map(
    ([what, list]): Clause => ({
      clause: `the list that the request names ${what}`,
      error: 'BulkListMalformedError',
      status: 403,
      deal: { withDataset: false },
      request: async (world) => {
        const stored = await list(world)
        return `{"bulk_cid":"${stored === undefined ? '../files' : await world.store(stored)}"}`
      },
      breaks: () => ({}),
    }),
  ),
  {
    clause: "the dataset's key was not deleted by its owner",
    error: 'SecretDeletedError',
    status: 403,
    breaks: (world, { deal }) => ({ meanwhile: () => markDeleted(world, 'dataset', deal.dataset.pointer) }),
  },
  {
    clause: "the app's secret was not deleted by its owner",
    error: 'SecretDeletedError',
    status: 403,
    breaks: (world, { deal }) => ({ meanwhile: () => markDeleted(world, 'app', deal.app.pointer) }),
  },
  {
    clause: 'the secrets that the requester names are stored',
    error: 'RequesterSecretNotFoundError',
    status: 403,
    breaks: (world) => ({ meanwhile: () => forget(world, 'requester') }),
  },
  {
    clause: 'the key for the result is stored',
    error: 'ResultKeyNotFoundError',
    status: 403,
    breaks: (world) => ({ meanwhile: () => forget(world, 'account') }),
  },
  {
    clause: 'the request can be read',
    error: 'RequestUnreadableError',
    status: 403,
    deal: { params: '{"iexec_result_encryption":"perhaps"}' },
    breaks: () => ({}),
  },
  {
    clause: 'the attempt has no session yet',
    error: 'SessionExistsError',
    status: 403,
    breaks: async (world, standing) => {
      await attempt(world, standing)
      return {}
    },
  },
]

export async function forget(world: World, kind: string): Promise<void> {
  await world.database.query('delete from secret where kind = $1', [kind])
}

/** As its owner deletes it. */
async function markDeleted(world: World, kind: 'app' | 'dataset', owner: Address): Promise<void> {
  if (!(await world.secrets.remove({ kind, owner }))) throw new Error(`no secret of ${kind} ${owner} was there`)
}

/** A row for every clause, both ways: the honest one is served, and the one that breaks only this clause is not. */
export function describeClauses(getWorld: () => World): void {
  for (const { clause, error, status, deal, request, breaks } of clauses) {
    it(`releases only when ${clause}: ${error}`, async () => {
      const world = getWorld()
      world.ahead(0)
      const honest = await world.matchDeal({ params: fullParams })
      await pushEverything(world, honest)
      expect((await attempt(world, honest)).status, 'the honest one').to.equal(200)

      const params = request ? await request(world) : fullParams
      const standing = await world.matchDeal({ params, ...deal })
      const outcome = await attempt(world, standing, await breaks(world, standing))
      world.ahead(0)
      world.letCollateralAge(false)
      // What an owner deleted stays deleted: the next row begins without it.
      await world.database.query('delete from secret where deleted_at is not null')
      expect(outcome.body).to.include({ ok: false, name: error })
      expect(outcome.status).to.equal(status)
      expect(outcome.body).to.not.have.any.keys('sealed', 'authorization')
    })
  }
}
