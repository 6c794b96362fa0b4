import { randomBytes } from 'node:crypto'
import { type Address, Bytes, ContractRevertError, type Hex, Params, type Session, Tag, Task } from '@sealdeal/protocol'
import {
  type Client,
  createWorkerpool,
  matchOrders,
  protectData,
  pushResultKey,
  readTask,
  send,
  signOrder,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { getBytes, Wallet } from 'ethers'
import pg from 'pg'
import type { Stack } from '../stack.ts'
import { askNonce, type PrepareSessionParameters, prepareSession, requestSession } from '../testing/impostor.ts'
import { escrow, newcomer, offerApp, prices, RLC, refusal, resultKey } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

/** Everybody is new, and the pool has no scheduler: what is matched there waits for whoever takes it. */
type Scene = {
  stack: Stack
  people: Record<'owner' | 'developer' | 'pool' | 'requester' | 'worker', Client>
  checksum: Hex
  /** Matches a deal of one task. */
  match: () => Promise<{ dealId: Hex; taskId: Hex }>
}

async function setScene(): Promise<Scene> {
  const stack = await sharedStack()
  const requester = await newcomer(stack, { staked: 100n * RLC })
  const pool = await newcomer(stack, { staked: 100n * RLC })
  const [owner, developer, worker] = await Promise.all([newcomer(stack), newcomer(stack), newcomer(stack)])
  const { app, checksum, order: appOrder } = await offerApp(developer)
  const { address: dataset } = await protectData(owner, { data: { note: 'what the key opens' } })
  const { workerpool } = await createWorkerpool(pool, { description: 'no scheduler' })
  await pushResultKey(requester, await resultKey())

  const terms = { tag: Tag.tdx, volume: 1n }
  async function match() {
    // Published nowhere: nobody else shall choose a pool that never works.
    const orders = {
      app: appOrder,
      dataset: await signOrder(owner, {
        kind: 'dataset',
        order: { dataset, datasetprice: prices.data, apprestrict: app, ...terms },
      }),
      workerpool: await signOrder(pool, {
        kind: 'workerpool',
        order: { workerpool, workerpoolprice: prices.pool, trust: 1n, ...terms },
      }),
      request: await signOrder(requester, {
        kind: 'request',
        order: {
          ...{ app, dataset, workerpool, requester: requester.account, ...terms },
          appmaxprice: prices.app,
          datasetmaxprice: prices.data,
          workerpoolmaxprice: prices.pool,
          params: Params.build({ encryptResult: true }),
        },
      }),
    }
    const { dealId } = await matchOrders(requester, orders)
    return { dealId, taskId: Task.id(dealId, 0n) }
  }
  return { stack, people: { owner, developer, pool, requester, worker }, checksum, match }
}

/** What an honest enclave says; a test changes one thing. */
function honest({ people, checksum }: Scene, dealId: Hex): PrepareSessionParameters {
  return { dealId, checksum, lessor: people.pool.signer, worker: people.worker.account }
}

async function ask(scene: Scene, parameters: PrepareSessionParameters): Promise<Session.Answer> {
  const { request } = await prepareSession(scene.stack, parameters)
  return requestSession(scene.stack, request)
}

async function query<Row extends pg.QueryResultRow>(stack: Stack, text: string, values: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: stack.databaseUrl('sms') })
  await client.connect()
  try {
    return (await client.query<Row>(text, values)).rows
  } finally {
    await client.end()
  }
}

const randomHash = () => Bytes.toHex(randomBytes(32))

describe('C40 the secret service releases secrets only after checking the deal on chain', () => {
  let scene: Scene
  let dealId: Hex
  let taskId: Hex
  before(async () => {
    scene = await setScene()
    const matched = await scene.match()
    dealId = matched.dealId
    taskId = matched.taskId
  })

  type Lie = Partial<PrepareSessionParameters>
  const lies: { title: string; name: string; lie: (scene: Scene) => Lie | Promise<Lie> }[] = [
    {
      title: 'a task that was never matched',
      name: 'DealNotFoundError',
      lie: () => ({ dealId: randomHash() }),
    },
    {
      title: 'a task behind the last one of its deal',
      name: 'TaskOutOfRangeError',
      lie: () => ({ index: 1n }),
    },
    {
      title: 'a worker with the lease of somebody else',
      name: 'LeaseRefusedError',
      lie: ({ people }) => ({ leasedTo: people.requester.account }),
    },
    {
      title: 'a worker with a lease that it signed itself',
      name: 'LeaseRefusedError',
      lie: ({ people }) => ({ lessor: people.worker.signer }),
    },
    {
      title: 'a worker with a lease of another pool',
      name: 'LeaseRefusedError',
      lie: ({ stack }) => ({ lessor: stack.wallets.poolOwner }),
    },
    {
      title: 'a worker whose lease is over',
      name: 'LeaseExpiredError',
      lie: () => ({ expiry: BigInt(Math.floor(Date.now() / 1000)) - 1n }),
    },
    {
      title: 'another app',
      name: 'AppMeasurementMismatchError',
      lie: () => ({ checksum: randomHash() }),
    },
    {
      title: 'a nonce that nobody gave',
      name: 'NonceUnknownError',
      lie: () => ({ nonce: randomHash() }),
    },
    {
      title: 'the nonce of another attempt',
      name: 'NonceUnknownError',
      lie: async ({ stack }) => ({ nonce: await askNonce(stack, { dealId, attempt: 2n }) }),
    },
    {
      title: 'a stale nonce',
      name: 'NonceExpiredError',
      lie: async ({ stack }) => {
        const nonce = await askNonce(stack, { dealId })
        await query(stack, 'update session_nonce set expires_at = now() where nonce = $1', [nonce])
        return { nonce }
      },
    },
    {
      title: 'a quote over an earlier nonce',
      name: 'ReportDataMismatchError',
      lie: async ({ stack }) => ({ bound: { nonce: await askNonce(stack, { dealId }) } }),
    },
    {
      title: 'a quote made for another worker',
      name: 'ReportDataMismatchError',
      lie: ({ people }) => ({ bound: { worker: people.requester.account } }),
    },
    {
      title: 'a quote made for another task',
      name: 'ReportDataMismatchError',
      lie: () => ({ bound: { taskId: randomHash() } }),
    },
  ]
  for (const { title, name, lie } of lies) {
    it(`refuses ${title}: ${name}`, async () => {
      const error = await refusal(ask(scene, { ...honest(scene, dealId), ...(await lie(scene)) }))
      expect(error.name).to.equal(name)
      expect(error.status).to.equal(/^Nonce/.test(name) ? 401 : 403)
      const sessions = await query(scene.stack, 'select 1 from session where task_id = $1', [taskId])
      expect(sessions).to.deep.equal([])
    })
  }

  it('answers an honest enclave once, and no replay of it', async () => {
    const { stack } = scene
    const { request } = await prepareSession(stack, honest(scene, dealId))
    const answer = await requestSession(stack, request)
    expect(Bytes.fromBase64(answer.sealed.ciphertext).length).to.be.greaterThan(500)
    expect((await refusal(requestSession(stack, request))).name).to.equal('NonceUsedError')
    expect((await refusal(ask(scene, honest(scene, dealId)))).name).to.equal('SessionExistsError')
    expect(await ask(scene, { ...honest(scene, dealId), attempt: 2n })).to.have.property('authorization')
  })
})

describe('C42 the enclave signs the result, and the chain rejects forged ones', () => {
  let scene: Scene
  let taskId: Hex
  let genuine: Contribution
  let enclave: Wallet
  before(async () => {
    scene = await setScene()
    const matched = await scene.match()
    taskId = matched.taskId
    const { worker } = scene.people
    await send(worker, worker.contracts.hub.initialize(matched.dealId, 0n))
    const prepared = await prepareSession(scene.stack, honest(scene, matched.dealId))
    const { authorization } = await requestSession(scene.stack, prepared.request)
    enclave = new Wallet(prepared.enclave.privateKey)
    const digest = randomHash()
    genuine = {
      digest,
      results: '0x1234',
      enclave: enclave.address as Address,
      signature: await signResult(enclave, digest),
      authorization,
    }
  })

  type Contribution = { digest: Hex; results: Hex; enclave: Address; signature: Hex; authorization: Hex }

  async function signResult(key: Wallet, digest: Hex, worker = scene.people.worker.account): Promise<Hex> {
    return (await key.signMessage(getBytes(Task.enclaveHash(worker, taskId, digest)))) as Hex
  }

  async function authorize(key: { signMessage: (message: Uint8Array) => Promise<string> }, of = enclave) {
    const hash = Task.authorizationHash(scene.people.worker.account, taskId, of.address as Address)
    return (await key.signMessage(getBytes(hash))) as Hex
  }

  async function contribute(forged: Partial<Contribution> = {}, sender = scene.people.worker) {
    const { digest, results, enclave, signature, authorization } = { ...genuine, ...forged }
    return send(
      sender,
      sender.contracts.hub.contributeAndFinalize(
        taskId,
        digest,
        results,
        '0x',
        enclave,
        signature,
        authorization,
        // Enough to be mined whatever an estimate says.
        { gasLimit: 2_000_000 },
      ),
    )
  }

  const other = new Wallet(Wallet.createRandom().privateKey)
  const forgeries: { title: string; name: string; forge: () => Promise<Partial<Contribution>> }[] = [
    {
      title: 'a result signed by another key',
      name: 'NotSignedByEnclave',
      forge: async () => ({ signature: await signResult(other, genuine.digest) }),
    },
    {
      title: 'a result without a signature',
      name: 'NotSignedByEnclave',
      forge: async () => ({ signature: '0x' }),
    },
    {
      title: 'another digest under the true signature',
      name: 'NotSignedByEnclave',
      forge: async () => ({ digest: randomHash() }),
    },
    {
      title: 'the signature of a result of another worker',
      name: 'NotSignedByEnclave',
      forge: async () => ({
        signature: await signResult(enclave, genuine.digest, scene.people.requester.account),
      }),
    },
    {
      title: 'a key of its own that nobody authorized',
      name: 'NotAuthorized',
      forge: async () => ({
        enclave: other.address as Address,
        signature: await signResult(other, genuine.digest),
      }),
    },
    {
      title: 'a key of its own that the pool authorized',
      name: 'NotAuthorized',
      forge: async () => ({
        enclave: other.address as Address,
        signature: await signResult(other, genuine.digest),
        authorization: await authorize(scene.people.pool.signer, other),
      }),
    },
    {
      title: 'an authorization that the worker wrote',
      name: 'NotAuthorized',
      forge: async () => ({ authorization: await authorize(scene.people.worker.signer) }),
    },
    {
      title: 'the authorization of another task',
      name: 'NotAuthorized',
      forge: async () => {
        const { dealId } = await scene.match()
        return { authorization: (await ask(scene, honest(scene, dealId))).authorization }
      },
    },
    {
      title: 'no enclave at all, although the deal asks for one',
      name: 'EnclaveRequired',
      forge: async () => ({
        enclave: '0x0000000000000000000000000000000000000000',
        signature: '0x',
        authorization: await authorize(scene.people.pool.signer),
      }),
    },
  ]
  for (const { title, name, forge } of forgeries) {
    it(`rejects ${title}: ${name}`, async () => {
      const error = await refusal(contribute(await forge()))
      expect(error).to.be.instanceOf(ContractRevertError).with.property('errorName', name)
      expect((await readTask(scene.people.worker, { taskId })).status).to.equal('ACTIVE')
    })
  }

  it('rejects the true result from anybody but its worker, so that nobody earns by being faster', async () => {
    const { pool, worker } = scene.people
    expect(await refusal(contribute({}, pool))).to.have.property('errorName', 'NotAuthorized')
    expect((await escrow(worker, worker.account)).total).to.equal(0n)
  })

  it('accepts the true result after all of that, and pays for it once', async () => {
    const { owner, developer, worker } = scene.people
    await contribute()
    const task = await readTask(worker, { taskId })
    expect(task).to.include({ status: 'COMPLETED', resultDigest: genuine.digest })
    const reward = (prices.pool * 99n) / 100n
    expect((await escrow(worker, worker.account)).free).to.equal(reward)
    expect((await escrow(worker, owner.account)).free).to.equal(prices.data)
    expect((await escrow(worker, developer.account)).free).to.equal(prices.app)
    expect(await refusal(contribute())).to.have.property('errorName', 'WrongStatus')
    const again = { ...honest(scene, task.dealId), attempt: 2n }
    expect(await refusal(ask(scene, again))).to.have.property('name', 'TaskOverError')
    expect((await escrow(worker, worker.account)).free).to.equal(reward)
  })
})
