// Kill -9 of every agent at each named moment of its work, and of every server in the middle of a run: the task still
// ends, once, and everyone is paid once.
import type { Hex } from '@sealdeal/protocol'
import {
  type Client,
  deployApp,
  fetchResult,
  grantAccess,
  protectData,
  publishOrder,
  type RunParameters,
  run,
  TaskFailedError,
  waitForTask,
} from '@sealdeal/sdk'
import { expect } from 'chai'
import { appFolder, bundleApp } from '../../../iapps/bundle.ts'
import type { Stack } from '../index.ts'
import type { ServiceName } from '../programs.ts'
import { resultKey } from '../testing/scene.ts'
import { actAs, temporaryStack } from '../testing/shared.ts'

type Agent = 'matcher' | 'scheduler' | 'worker'

type Kill = [Agent, moment: string]

/**
 * Where each agent may be killed, in the order in which a run comes past, and the attempts that the task then needs. One
 * of each kind dies in a run: the second has to go on from what the first, started again, made of it.
 */
const moments: { kills: Kill[]; attempts: number }[] = [
  {
    kills: [
      ['matcher', 'request seen'],
      ['scheduler', 'deal seen'],
    ],
    attempts: 1,
  },
  {
    kills: [
      ['matcher', 'orders chosen'],
      ['scheduler', 'task stored'],
    ],
    attempts: 1,
  },
  {
    kills: [
      ['matcher', 'match recorded'],
      ['scheduler', 'lease signed'],
    ],
    attempts: 2,
  },
  {
    kills: [
      ['matcher', 'match sent'],
      ['scheduler', 'outcome received'],
    ],
    attempts: 1,
  },
  {
    kills: [
      ['matcher', 'match mined'],
      ['scheduler', 'completion seen'],
    ],
    attempts: 1,
  },
  { kills: [['worker', 'lease taken']], attempts: 2 },
  { kills: [['worker', 'enclave launched']], attempts: 2 },
  { kills: [['worker', 'initialized']], attempts: 2 },
  { kills: [['worker', 'outcome received']], attempts: 1 },
  { kills: [['worker', 'sent contributeAndFinalize']], attempts: 1 },
]

/** The servers, each killed when an agent in the middle of a run has just come to a moment after which it is needed. */
const servers: { server: ServiceName; at: Kill }[][] = [
  [
    { server: 'market', at: ['matcher', 'request seen'] },
    { server: 'sms', at: ['worker', 'enclave launched'] },
    { server: 'indexer', at: ['worker', 'initialized'] },
  ],
  [
    { server: 'storage', at: ['worker', 'lease taken'] },
    { server: 'storage', at: ['worker', 'initialized'] },
  ],
]

const enclaveSteps = ['measured', 'attested', 'fetched', 'computed', 'delivered']

const prices = { data: 5_000_000_000n, app: 2_000_000_000n, pool: 1_000_000_000n }
const people = ['researcher', 'hospital', 'company', 'poolOwner', 'worker', 'matcher', 'operator', 'stranger'] as const
type Balances = Record<(typeof people)[number], { free: bigint; locked: bigint }>

describe('C80 kill -9', function () {
  this.timeout(60_000)
  let stack: Stack
  let researcher: Client
  let request: RunParameters
  /** Deals made on this chain so far. */
  let deals = 0

  before(async () => {
    stack = await temporaryStack()
    const [hospital, company] = await Promise.all([actAs(stack, 'hospital'), actAs(stack, 'company')])
    researcher = await actAs(stack, 'researcher')
    const [data, { app }] = await Promise.all([
      protectData(hospital, { name: 'records', data: { records: 'one, two, three' } }),
      bundleApp(appFolder('hello-world')).then((bundle) => deployApp(company, { name: 'hello-world', bundle })),
    ])
    await publishOrder(company, { kind: 'app', order: { app, appprice: prices.app, volume: 1_000n } })
    await grantAccess(hospital, {
      protectedData: data.address,
      authorizedApp: app,
      authorizedUser: researcher.account,
      pricePerAccess: prices.data,
      numberOfAccess: 1_000n,
    })
    request = {
      app,
      dataset: data.address,
      args: 'survivor',
      appMaxPrice: prices.app,
      datasetMaxPrice: prices.data,
      workerpoolMaxPrice: prices.pool,
      resultKey: await resultKey(),
    }
  })
  after(() => stack?.stop())

  async function readBalances(): Promise<Balances> {
    const entries = await Promise.all(
      people.map(async (role) => {
        const { stake, locked } = await researcher.contracts.hub.viewAccount(stack.wallets[role].address)
        return [role, { free: stake, locked }] as const
      }),
    )
    return Object.fromEntries(entries) as Balances
  }
  /** What a run changed in the escrow, free and locked together. */
  function changes(before: Balances, after: Balances) {
    const total = ({ free, locked }: { free: bigint; locked: bigint }) => free + locked
    return Object.fromEntries(people.map((role) => [role, total(after[role]) - total(before[role])]))
  }
  async function untilKilled(name: Agent, moment: string): Promise<void> {
    const program = stack.process(name)
    const { signal } = await program.ended
    expect(signal, `the end of ${name}`).to.equal('SIGKILL')
    expect((await program.lines()).at(-1)?.moment, 'the last it said').to.equal(moment)
  }
  type TaskView = { settlement?: string; replicates: { attempt: number; currentStatus: string }[] }
  async function untilSettled(taskId: Hex): Promise<TaskView> {
    for (const end = Date.now() + 20_000; ; await pause(50)) {
      const answer = await fetch(new URL(`/tasks/${taskId}`, stack.endpoints.scheduler))
      const view = (await answer.json()) as TaskView
      if (view.settlement) return view
      if (Date.now() > end) throw new Error(`the pool does not know how task ${taskId} ended: ${JSON.stringify(view)}`)
    }
  }
  /** The run came to its end: one deal, one result that opens, each party paid once, nothing left locked. */
  async function expectDoneOnce(running: ReturnType<typeof run>, before: Balances): Promise<TaskView> {
    const deal = await running
    deals++
    await waitForTask(researcher, { taskId: deal.taskId, timeout: 30_000 })
    const { files, verified } = await fetchResult(researcher, { ...deal, privateKey: deal.resultKey.privateKey })
    expect(Buffer.from(files.get('result.txt') ?? []).toString()).to.match(/^Hello, survivor!/)
    expect(verified).to.equal(true)
    const view = await untilSettled(deal.taskId)
    expect(view.settlement).to.equal('finalized')

    const { hub } = researcher.contracts
    const matched = await hub.queryFilter(hub.filters.OrdersMatched())
    expect(matched.filter(({ args }) => args.requestHash === deal.requestHash).map(({ args }) => args.dealid)).to.eql([
      deal.dealId,
    ])
    expect(matched.length, 'deals in all').to.equal(deals)
    expect(await hub.queryFilter(hub.filters.TaskFinalize(deal.taskId))).to.have.length(1)
    const after = await readBalances()
    const { poolOwner = 0n, worker = 0n, ...others } = changes(before, after)
    expect(others).to.eql({
      researcher: -prices.data - prices.app - prices.pool,
      hospital: prices.data,
      company: prices.app,
      matcher: 0n,
      operator: 0n,
      stranger: 0n,
    })
    expect(poolOwner + worker, 'the pool and its worker').to.equal(prices.pool)
    expect(worker > 0n, 'the worker is paid').to.equal(true)
    for (const role of people) expect(after[role].locked, `locked for ${role}`).to.equal(0n)
    return view
  }

  it('changes nothing of a run in which nobody is killed', async () => {
    const before = await readBalances()
    const view = await expectDoneOnce(run(researcher, request), before)
    expect(view.replicates).to.have.length(1)
  })

  const spoken = ([name, moment]: Kill) => `the ${name} at "${moment}"`

  for (const { kills, attempts } of moments) {
    it(`of ${kills.map(spoken).join(' and ')}: the task completes, once`, async () => {
      const before = await readBalances()
      await Promise.all(kills.map(([name, moment]) => stack.restart(name, { KILL_AT: moment })))
      const running = run(researcher, request)
      running.catch(() => {})
      await Promise.all(
        kills.map(async ([name, moment]) => {
          await untilKilled(name, moment)
          await stack.restart(name)
        }),
      )
      const view = await expectDoneOnce(running, before)
      expect(view.replicates.map(({ attempt }) => attempt)).to.eql(attempts === 1 ? [1] : [1, 2])
    })
  }

  for (const kills of servers) {
    const all = kills.map(({ server, at }) => `the ${server} when ${spoken(at).replace(' at ', ' is at ')}`)
    it(`of ${all.join(', of ')}: the task completes, once`, async () => {
      const before = await readBalances()
      const said = async ([agent, moment]: Kill) =>
        (await stack.process(agent).lines()).filter((line) => line.moment === moment).length
      const earlier = await Promise.all(kills.map(({ at }) => said(at)))
      const running = run(researcher, request)
      running.catch(() => {})
      for (const [index, { server, at }] of kills.entries()) {
        for (const end = Date.now() + 20_000; (await said(at)) === earlier[index]; await pause(10)) {
          if (Date.now() > end) throw new Error(`the ${at[0]} did not come to "${at[1]}"`)
        }
        const program = stack.process(server)
        program.kill('SIGKILL')
        expect((await program.ended).signal).to.equal('SIGKILL')
        await stack.restart(server)
      }
      // A try that met a dead server may have failed, and then the task was leased again.
      const { replicates } = await expectDoneOnce(running, before)
      expect(replicates.at(-1)?.currentStatus).to.equal('COMPLETED')
    })
  }

  for (const step of enclaveSteps) {
    it(`of the enclave at "${step}": the task is leased again and completes, once`, async () => {
      const before = await readBalances()
      const worker = await stack.restart('worker', { KILL_ENCLAVE_AT: step })
      const view = await expectDoneOnce(run(researcher, request), before)
      const said = await worker.lines()
      expect(said.filter((line) => line.moment === 'enclave launched')).to.have.length(2)
      const hit = said.findIndex((line) => line.moment === step)
      // Nothing of the first enclave came after the step at which it was killed.
      const next = said.slice(hit + 1).find((line) => line.moment !== undefined && line.moment !== 'initialized')
      expect(next?.moment).to.equal('lease taken')
      const errors = said.map(({ error }) => error as { name: string; message: string } | undefined)
      expect(errors.find((error) => error?.name === 'EnclaveFailureError')?.message).to.match(/killed/i)
      expect(view.replicates.map(({ attempt, currentStatus }) => [attempt, currentStatus])).to.eql([
        [1, 'FAILED'],
        [2, 'COMPLETED'],
      ])
    })
  }

  it('of the worker, for longer than the deadline: the payer is refunded, once, and the late result buys nothing', async () => {
    const before = await readBalances()
    await stack.restart('worker', { KILL_AT: 'outcome received' })
    const deal = await run(researcher, request)
    await untilKilled('worker', 'outcome received')
    await stack.provider.send('evm_increaseTime', [10 * 300 + 1])
    await stack.provider.send('evm_mine', [])
    const overdue = waitForTask(researcher, { taskId: deal.taskId, timeout: 30_000 })
    expect(await overdue.catch((error: unknown) => error)).to.be.instanceOf(Error)
    expect((await untilSettled(deal.taskId)).settlement).to.equal('claimed')
    const worker = await stack.restart('worker')
    for (const end = Date.now() + 10_000; ; await pause(50)) {
      if ((await worker.lines()).some((line) => line.msg === 'settled' && line.settlement === 'claimed')) break
      if (Date.now() > end) throw new Error('the worker did not give up its late result')
    }
    const ended = waitForTask(researcher, { taskId: deal.taskId, timeout: 10_000 })
    expect(await ended.catch((error: unknown) => error)).to.be.instanceOf(TaskFailedError)
    const after = await readBalances()
    const { poolOwner = 0n, ...others } = changes(before, after)
    expect(Object.values(others)).to.eql(Object.values(others).map(() => 0n))
    // Who promised and did not deliver loses the task's stake, three tenths of the price, to the kitty.
    expect(poolOwner).to.equal((-prices.pool * 3n) / 10n)
    expect(after.researcher.locked).to.equal(0n)
  })
})

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
