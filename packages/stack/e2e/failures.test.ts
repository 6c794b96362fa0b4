import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  type Address,
  Bytes,
  Failure,
  type Hex,
  Locator,
  type Order,
  Params,
  ProtectedData,
  Tag,
  Task,
} from '@sealdeal/protocol'
import {
  type Client,
  claimTask,
  deployApp,
  events,
  getPayouts,
  KeyNotPushedError,
  matchOrders,
  protectData,
  pushDatasetKey,
  pushResultKey,
  readTask,
  send,
  signOrder,
  upload,
  waitForTask,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { appFolder, bundleApp } from '../../../iapps/bundle.ts'
import type { Stack } from '../stack.ts'
import { flipStoredBit, untilGivenUp } from '../testing/attacks.ts'
import { escrow, newcomer, prices, RLC, refusal, resultKey } from '../testing/scene.ts'
import { actAs, temporaryStack } from '../testing/shared.ts'

const cost = prices.app + prices.data + prices.pool
/** What the pool puts up for a task: 30 % of its own price. */
const stake = (prices.pool * 30n) / 100n
const funds = 1_000n * RLC

type Matched = { dealId: Hex; taskId: Hex }
type Wish = Partial<Order.Request>

// One stack and one move of its clock for all of it, so the tests below follow each other.
describe('tasks that end without a result', () => {
  let stack: Stack
  let people: Record<'requester' | 'owner' | 'developer' | 'pool' | 'operator', Client>
  let apps: Record<'hello' | 'breaker', Address>
  let data: Address
  let kitty: Address
  let matched = 0n

  before(async function () {
    this.timeout(120_000)
    stack = await temporaryStack()
    const requester = await newcomer(stack, { staked: funds })
    const [owner, developer, pool, operator] = await Promise.all([
      newcomer(stack),
      newcomer(stack),
      actAs(stack, 'poolOwner'),
      actAs(stack, 'operator'),
    ])
    people = { requester, owner, developer, pool, operator }
    await stack.restart('worker', { CONCURRENCY: '2' })
    kitty = (await requester.contracts.hub.kitty_address()) as Address
    await pushResultKey(requester, await resultKey())
    const hello = await bundleApp(appFolder('hello-world'))
    const breaker = {
      'iapp.json': Bytes.fromUtf8('{ "entrypoint": ["node", "breaker.mjs"] }'),
      'breaker.mjs': await readFile(new URL('../testing/breaker.mjs', import.meta.url)),
    }
    apps = {
      hello: (await deployApp(developer, { name: 'hello', bundle: hello })).app,
      breaker: (await deployApp(developer, { name: 'breaker', bundle: breaker })).app,
    }
    data = (await protectData(owner, { data: { note: 'healthy' } })).address
  })
  after(() => stack?.stop())

  /** Matches a deal of one task of the local pool, on orders that are published nowhere. */
  async function match(wish: Wish = {}): Promise<Matched> {
    const { requester, owner, developer, pool } = people
    const { app = apps.hello, dataset = data, category = 0n, trust = 1n } = wish
    const { workerpool } = stack.deployment
    const terms = { tag: Tag.tdx, volume: 1n }
    const orders = {
      app: await signOrder(developer, { kind: 'app', order: { app, appprice: prices.app, ...terms } }),
      dataset: await signOrder(owner, { kind: 'dataset', order: { dataset, datasetprice: prices.data, ...terms } }),
      workerpool: await signOrder(pool, {
        kind: 'workerpool',
        order: { workerpool, workerpoolprice: prices.pool, category, trust, ...terms },
      }),
      request: await signOrder(requester, {
        kind: 'request',
        order: {
          ...{ app, dataset, workerpool, requester: requester.account, category, trust, ...terms },
          ...{ appmaxprice: prices.app, datasetmaxprice: prices.data, workerpoolmaxprice: prices.pool },
          ...wish,
        },
      }),
    }
    const { dealId } = await matchOrders(requester, orders)
    matched += 1n
    return { dealId, taskId: Task.id(dealId, 0n) }
  }

  const params = (args: string) => ({ params: Params.build({ args, encryptResult: true }) })

  /** Data that exists on chain, but whose key did not reach the secret service; `key` is pushed in its place. */
  async function dataWithKey(key?: (dataset: Address) => string | Promise<string>): Promise<Wish> {
    const { owner } = people
    const cutOff = { ...owner, endpoints: { ...owner.endpoints, sms: 'http://127.0.0.1:1' } }
    const error = await refusal(protectData(cutOff, { data: { note: 'healthy' } }))
    expect(error).to.be.instanceOf(KeyNotPushedError)
    const dataset = error.protectedData as Address
    if (key) await pushDatasetKey(owner, { dataset, key: await key(dataset) })
    return { dataset, ...params('') }
  }

  async function storedBytes(dataset: Address): Promise<Uint8Array> {
    const { m_datasetMultiaddr } = await people.owner.contracts.hub.viewDataset(dataset)
    const url = Locator.toUrl(m_datasetMultiaddr as Hex, { gateway: stack.endpoints.storage })
    return new Uint8Array(await (await fetch(url)).arrayBuffer())
  }

  /** A key that does not open the data: one in 256 wrong ones seems to, until what it gives is looked at. */
  async function wrongKey(dataset: Address): Promise<string> {
    for (;;) {
      const key = ProtectedData.generateKey()
      const opened = new Response(Bytes.owned(await storedBytes(dataset))).body?.pipeThrough(
        ProtectedData.decryption({ key }),
      )
      const opens = await new Response(opened ?? null).arrayBuffer().then(
        () => true,
        () => false,
      )
      if (!opens) return key
    }
  }

  async function damagedData(): Promise<Wish> {
    const { address: dataset } = await protectData(people.owner, { data: { note: 'soon damaged' } })
    await flipStoredBit(stack, await storedBytes(dataset))
    return { dataset, ...params('') }
  }

  async function dataAtNoAddress(): Promise<Wish> {
    const { owner } = people
    const registry = owner.contracts.datasetRegistry
    const sent = await send(owner, registry.createDataset(owner.account, 'nowhere', '0x', randomBytes(32)))
    const dataset = createdIn(sent)
    await pushDatasetKey(owner, { dataset, key: ProtectedData.generateKey() })
    return { dataset, ...params('') }
  }

  /** An app whose stored bytes are `content`, registered under `checksum`. */
  async function appOf(content: string, checksum?: Hex): Promise<Wish> {
    const { developer } = people
    const cid = await upload(developer, new Blob([content]))
    const sum = checksum ?? Bytes.toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', Bytes.fromUtf8(content))))
    const registry = developer.contracts.appRegistry
    const place = Locator.toBytes({ cid })
    const sent = await send(developer, registry.createApp(developer.account, content, 'BUNDLE', place, sum, '0x'))
    return { app: createdIn(sent), ...params('') }
  }

  /** An asset's address is the id of the token that was minted for it. */
  function createdIn(receipt: Parameters<typeof events>[0]): Address {
    const transfer = events(receipt).find(({ name }) => name === 'Transfer')
    const id = transfer?.args.tokenId as bigint
    return `0x${id.toString(16).padStart(40, '0')}`
  }

  async function imageApp(): Promise<Wish> {
    const image = { name: 'image', image: 'docker.io/library/hello:1', checksum: Bytes.toHex(randomBytes(32)) }
    return { app: (await deployApp(people.developer, image)).app, ...params('') }
  }

  /** A category whose tasks may run for five seconds. */
  async function shortTask(): Promise<Wish> {
    const { operator } = people
    const { hub } = operator.contracts
    const category = await hub.countCategory()
    await send(operator, hub.createCategory('short', 'five seconds', 5n))
    return { category, ...params('--sleep 60') }
  }

  async function beneficiaryWithKey(publicKey?: string): Promise<Wish> {
    const beneficiary = await newcomer(stack)
    if (publicKey) await pushResultKey(beneficiary, { publicKey })
    return { beneficiary: beneficiary.account, ...params('') }
  }

  const breaking = (rule: string) => ({ app: apps.breaker, ...params(rule) })
  const asking = (wanted: Record<string, unknown>) => ({
    params: JSON.stringify({ iexec_result_encryption: true, ...wanted }),
  })

  /**
   * Each class of failure, with what brings it about. The one that is tried several times first: it waits while the others
   * run. The one with little time last: each block of a local chain takes a second of its clock, and matching makes many.
   */
  const classes: { cause: string; when: string; force: () => Wish | Promise<Wish> }[] = [
    {
      cause: 'PRE_COMPUTE_INPUT_FILE_DOWNLOAD_FAILED',
      when: 'an input file is not there, at any of the attempts',
      force: () => asking({ iexec_input_files: ['http://127.0.0.1:1/file'] }),
    },
    { cause: 'APP_COMPUTE_FAILED', when: 'the app ends with an error', force: () => params('--exit 3') },
    { cause: 'APP_IMAGE_MALFORMED', when: 'the stored app is no bundle', force: () => appOf('no bundle') },
    {
      cause: 'APP_IMAGE_CHECKSUM_INVALID',
      when: 'the stored app is not the registered one',
      force: () => appOf('another app', Bytes.toHex(randomBytes(32))),
    },
    { cause: 'APP_TYPE_UNSUPPORTED', when: 'the app is a container image', force: imageApp },
    {
      cause: 'PRE_COMPUTE_TASK_DESCRIPTION_INVALID',
      when: 'the arguments have an open quote',
      force: () => asking({ iexec_args: "'open" }),
    },
    {
      cause: 'PRE_COMPUTE_GET_REQUESTER_SECRET_FAILED',
      when: 'the request names a secret that nobody stored',
      force: () => asking({ iexec_secrets: { 1: 'nothing' } }),
    },
    { cause: 'PRE_COMPUTE_GET_DATASET_SECRET_FAILED', when: 'the data has no key', force: () => dataWithKey() },
    { cause: 'PRE_COMPUTE_DATASET_KEY_MISSING', when: 'its key is none', force: () => dataWithKey(() => 'no key') },
    { cause: 'PRE_COMPUTE_DATASET_DECRYPTION_FAILED', when: 'its key is another', force: () => dataWithKey(wrongKey) },
    { cause: 'PRE_COMPUTE_DATASET_URL_MISSING', when: 'the data is at no address', force: dataAtNoAddress },
    { cause: 'PRE_COMPUTE_INVALID_DATASET_CHECKSUM', when: 'one bit of the data was changed', force: damagedData },
    {
      cause: 'POST_COMPUTE_COMPUTED_FILE_NOT_FOUND',
      when: 'the app writes no computed.json',
      force: () => params('--no-computed'),
    },
    {
      cause: 'POST_COMPUTE_COMPUTED_FILE_MALFORMED',
      when: 'computed.json is no JSON',
      force: () => breaking('malformed'),
    },
    {
      cause: 'POST_COMPUTE_CALLBACK_DATA_MISSING',
      when: 'the deal has a callback and the app no data for it',
      force: () => ({ callback: apps.hello, ...params('') }),
    },
    {
      cause: 'POST_COMPUTE_RESULT_FILE_NOT_FOUND',
      when: 'the output that it names is missing',
      force: () => params('--missing-output'),
    },
    {
      cause: 'POST_COMPUTE_RESULT_PATH_OUTSIDE_OUTPUT',
      when: 'the output that it names lies elsewhere',
      force: () => breaking('outside'),
    },
    {
      cause: 'POST_COMPUTE_RESULT_FILE_NOT_REGULAR',
      when: 'an output is a link',
      force: () => breaking('link'),
    },
    {
      cause: 'POST_COMPUTE_TOO_LONG_RESULT_FILE_NAME',
      when: 'the name of an output is too long',
      force: () => params('--long-name'),
    },
    {
      cause: 'POST_COMPUTE_RESULT_FILE_NAME_INVALID',
      when: 'the name of an output has two lines',
      force: () => breaking('name'),
    },
    {
      cause: 'POST_COMPUTE_RESULT_TOO_LARGE',
      when: 'there are more than ten thousand outputs',
      force: () => breaking('many'),
    },
    {
      cause: 'POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY',
      when: 'the beneficiary has no key for results',
      force: () => beneficiaryWithKey(),
    },
    {
      cause: 'POST_COMPUTE_MALFORMED_ENCRYPTION_PUBLIC_KEY',
      when: 'the beneficiary’s key for results is none',
      force: () => beneficiaryWithKey('no key'),
    },
    {
      cause: 'POST_COMPUTE_STORAGE_PROVIDER_UNSUPPORTED',
      when: 'the result shall go to another storage',
      force: () => asking({ iexec_result_storage_provider: 'dropbox' }),
    },
    {
      cause: 'TRUST_NOT_SUPPORTED',
      when: 'the request wants several workers',
      force: () => ({ trust: 5n, ...params('') }),
    },
    { cause: 'APP_COMPUTE_TIMEOUT', when: 'the app takes longer than its category grants', force: shortTask },
  ]

  const tasks = new Map<string, Matched>()
  /** Its category gives little time: on a busy machine the deadline passes before the enclave's word comes to the chain. */
  const hurried = 'APP_COMPUTE_TIMEOUT'
  /** What no app can be measured of is found before the enclave is let in, and so without anybody who could sign it. */
  const unmeasured = 'APP_IMAGE_MALFORMED'
  /** What the enclave was let in for, and found impossible: it signs the cause, and the chain ends the task with it. */
  const attested = classes.filter(({ cause }) => Failure.isFinal(cause) && cause !== hurried && cause !== unmeasured)

  describe('C49 a failed task names its cause, and nobody is paid', () => {
    const remedies = new Map<string, string>()
    let poolBefore: { free: bigint; locked: bigint; total: bigint }
    before(async function () {
      this.timeout(180_000)
      poolBefore = await escrow(people.pool, people.pool.account)
      for (const { cause, force } of classes) tasks.set(cause, await match(await force()))
    })

    for (const { cause, when } of classes) {
      it(`${cause}: ${when}`, async () => {
        const { taskId } = tasks.get(cause) ?? expect.fail('it was not matched')
        const view = await untilGivenUp(stack, taskId, { timeout: 55_000 })
        expect(view).to.include({ cause, currentStatus: 'FAILED' })
        expect([...remedies.keys()], 'remedies of other causes').to.not.include(view.remedy)
        remedies.set(view.remedy ?? '', cause)
        expect(view.remedy).to.match(/^\S.{20,}\.$/)
        if (cause !== 'TRUST_NOT_SUPPORTED') expect(view.message).to.match(/^\S.{20,}\.\n/)
        expect((await readTask(people.requester, { taskId })).status).to.be.oneOf(['UNSET', 'ACTIVE', 'FAILED'])
      })
    }

    it('what the enclave attests ends the task on chain at once: the payer is refunded, nobody is punished', async () => {
      const { requester, pool } = people
      for (const { cause } of attested) {
        const { taskId } = tasks.get(cause) ?? expect.fail('it was not matched')
        const error = await refusal(waitForTask(requester, { taskId }))
        expect(error).to.include({ name: 'TaskFailedError', failure: cause })
        expect((await getPayouts(requester, { taskId })).outcome, cause).to.equal('failed')
      }
      const open = BigInt(classes.length - attested.length)
      const { locked } = await escrow(requester, requester.account)
      // The hurried one may have ended either way, or not yet.
      expect(locked).to.be.oneOf([open * cost, (open - 1n) * cost])
      expect((await escrow(pool, kitty)).total).to.be.oneOf([0n, stake])
    })

    it('nobody earned anything, and the requester has lost nothing', async () => {
      const { requester, owner, developer, pool } = people
      const of = async (account: string) => (await escrow(requester, account)).total
      const earners = [owner.account, developer.account, stack.wallets.worker.address]
      expect(await Promise.all(earners.map(of))).to.deep.equal([0n, 0n, 0n])
      expect(await of(requester.account)).to.equal(funds)
      const { total } = await escrow(pool, pool.account)
      // The short category's task may be past its deadline by now.
      expect(poolBefore.total - total).to.be.oneOf([0n, stake])
    })

    after('the overdue tasks are tried next', async () => stack.process('worker').stop())
  })

  describe('C37 a task past its deadline is claimed', () => {
    let untouched: Matched
    let opened: Matched
    before(async () => {
      untouched = await match(params(''))
      opened = await match(params(''))
      const { requester } = people
      await send(requester, requester.contracts.hub.initialize(opened.dealId, 0n))
    })

    async function holdings() {
      const { requester, pool } = people
      const [payer, scheduler, saved] = await Promise.all(
        [requester.account, pool.account, kitty].map((account) => escrow(requester, account)),
      )
      return { payer, scheduler, kitty: saved?.total }
    }

    it('not before: the payer’s money stays locked while a worker may still come', async () => {
      const { requester } = people
      const before = await holdings()
      const early = await refusal(claimTask(requester, { taskId: opened.taskId }))
      expect(early).to.have.property('errorName', 'DeadlineNotReached')
      const unopened = await refusal(claimTask(requester, { dealId: untouched.dealId, index: 0n }))
      expect(unopened).to.have.property('errorName', 'DeadlineNotReached')
      expect(await holdings()).to.deep.equal(before)
    })

    it('is reported as overdue, with what to do', async () => {
      await stack.process('scheduler').stop()
      await stack.provider.send('evm_increaseTime', [10 * 300 + 1])
      await stack.provider.send('evm_mine', [])
      const error = await refusal(waitForTask(people.requester, { taskId: opened.taskId }))
      expect(error.name).to.equal('TaskOverdueError')
      expect(error.message).to.include('claimTask(client, { taskId })')
    })

    const claims: [string, () => Parameters<typeof claimTask>, () => Matched][] = [
      ['by its payer', () => [people.requester, { taskId: opened.taskId }], () => opened],
      [
        'by anybody, where it was never opened on chain',
        () => [people.owner, { dealId: untouched.dealId, index: 0n }],
        () => untouched,
      ],
    ]
    for (const [title, claim, which] of claims) {
      it(`${title}: the payer has all of it back, and the scheduler’s stake goes to the kitty`, async () => {
        const before = await holdings()
        await claimTask(...claim())
        const after = await holdings()
        expect(after.payer?.free).to.equal((before.payer?.free ?? 0n) + cost)
        expect(after.payer?.locked).to.equal((before.payer?.locked ?? 0n) - cost)
        expect(after.scheduler?.free).to.equal(before.scheduler?.free)
        expect(after.scheduler?.locked).to.equal((before.scheduler?.locked ?? 0n) - stake)
        expect(after.kitty).to.equal((before.kitty ?? 0n) + stake)
        const { taskId } = which()
        expect((await readTask(people.requester, { taskId })).status).to.equal('FAILED')
        expect((await refusal(waitForTask(people.requester, { taskId }))).name).to.equal('TaskFailedError')
        const twice = await refusal(claimTask(people.requester, { taskId }))
        expect(twice).to.have.property('errorName', 'WrongStatus')
        expect(await holdings()).to.deep.equal(after)
      })
    }
  })

  describe('C49 after the deadline the requester of failed tasks is refunded, without asking', () => {
    before(() => stack.restart('scheduler'))

    it('the pool claims them all: every payment is back, and each stake in the kitty', async () => {
      const { requester, pool } = people
      const end = performance.now() + 40_000
      while ((await escrow(requester, requester.account)).locked > 0n && performance.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 100))
      expect(await escrow(requester, requester.account)).to.deep.equal({ free: funds, locked: 0n, total: funds })
      expect(matched).to.equal(BigInt(classes.length) + 2n)
      const claimed = matched - BigInt(attested.length)
      const hurriedTask = tasks.get(hurried)?.taskId ?? expect.fail('it was not matched')
      const { outcome } = await getPayouts(requester, { taskId: hurriedTask })
      expect((await escrow(pool, kitty)).total).to.equal((outcome === 'failed' ? claimed - 1n : claimed) * stake)
      expect((await escrow(pool, pool.account)).locked).to.equal(0n)
    })

    it('the cause stays visible', async () => {
      for (const [cause, { taskId }] of tasks) {
        const url = new URL(`/tasks/${taskId}`, stack.endpoints.scheduler)
        const view = async () => (await (await fetch(url)).json()) as Record<string, unknown>
        const end = performance.now() + 10_000
        // The scheduler hears of its own claim by the chain, a moment later.
        while ((await view()).settlement === undefined && performance.now() < end)
          await new Promise((resolve) => setTimeout(resolve, 50))
        expect(await view()).to.include({ cause, currentStatus: 'FAILED' })
        if (cause === hurried) continue
        const settlement = attested.some((each) => each.cause === cause) ? 'failed' : 'claimed'
        expect(await view(), cause).to.include({ settlement })
      }
    })
  })
})
