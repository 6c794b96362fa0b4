import { Task } from '@sealdeal/protocol'
import { type Client, grantAccess, protectData, type RunReturnType, run } from '@sealdeal/sdk'
import { expect } from 'chai'
import { formatUnits } from 'ethers'
import type { Stack } from '../stack.ts'
import { finished, limits, newcomer, offerApp, prices, RLC, resultKey } from '../testing/scene.ts'
import { sharedStack } from '../testing/shared.ts'

type Row = Record<string, unknown>
// biome-ignore lint/suspicious/noExplicitAny: the answer's shape is the query's.
type Answer = Record<string, any>

describe('C62, C64 everything that the chain knows of a run, over GraphQL', function () {
  this.timeout(90_000)
  let stack: Stack
  let user: Client
  let owner: Client
  let made: RunReturnType
  let app: string
  let dataset: string
  let finalized: string
  let grant: string

  async function ask(query: string, variables: Row = {}): Promise<Answer> {
    const response = await fetch(new URL('/protocol', stack.endpoints.indexer), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as { data: Answer; errors?: unknown }
    expect(errors, query).to.equal(undefined)
    return data
  }

  before(async () => {
    stack = await sharedStack()
    owner = await newcomer(stack)
    user = await newcomer(stack, { staked: 10n * RLC })
    const offer = await offerApp(await newcomer(stack))
    app = offer.app
    const records = await protectData(owner, { name: 'C64', data: { a: 1 } })
    dataset = records.address
    const granted = await grantAccess(owner, {
      protectedData: records.address,
      authorizedApp: offer.app,
      authorizedUser: user.account,
      pricePerAccess: prices.data,
    })
    grant = granted.orderHash
    made = await run(user, {
      app: offer.app,
      dataset: records.address,
      args: 'C64',
      ...limits,
      resultKey: await resultKey(),
    })
    await finished(user, made)
    const { hub } = user.contracts
    const [event] = await hub.queryFilter(hub.filters.TaskFinalize(made.taskId))
    finalized = event?.transactionHash ?? ''
    const reached = async () => Number((await ask('{ _meta { block { number } } }'))._meta.block.number)
    for (const end = Date.now() + 20_000; (await reached()) < (event?.blockNumber ?? 0) && Date.now() < end; );
  })

  it('tells of the deal what the Hub tells', async () => {
    const { deal } = await ask(
      `query ($id: ID!) { deal(id: $id) {
        app { id } appOwner { id } appPrice dataset { id } datasetOwner { id } datasetPrice
        workerpool { id } workerpoolOwner { id } workerpoolPrice trust tag params startTime botFirst botSize
        category { id } requester { id } beneficiary { id } callback { id } sponsor { id } requestorder { id }
        workerStake schedulerRewardRatio tasks { id }
      } }`,
      { id: made.dealId },
    )
    const chain = await user.contracts.hub.viewDeal(made.dealId)
    const side = (name: 'app' | 'dataset' | 'workerpool') => ({
      [name]: { id: chain[name].pointer.toLowerCase() },
      [`${name}Owner`]: { id: chain[name].owner.toLowerCase() },
      [`${name}Price`]: tokens(chain[name].price),
    })
    expect(chain.app.pointer).to.equal(app)
    const told = { ...deal, ...Object.fromEntries(money.map((name) => [name, tokens(deal[name])])) }
    expect(told).to.deep.equal({
      ...side('app'),
      ...side('dataset'),
      ...side('workerpool'),
      ...numbers(chain, ['trust', 'startTime', 'botFirst', 'botSize', 'schedulerRewardRatio']),
      ...ids(chain, ['requester', 'beneficiary', 'callback', 'sponsor']),
      category: { id: String(chain.category) },
      tag: chain.tag,
      params: chain.params,
      workerStake: tokens(chain.workerStake),
      requestorder: { id: made.requestHash },
      tasks: [{ id: made.taskId }],
    })
  })

  it('tells of the task what the Hub tells', async () => {
    const { task } = await ask(
      `query ($id: ID!) { task(id: $id) {
        status index deal { id } consensus resultDigest results contributionDeadline finalDeadline contributions { worker { id } }
      } }`,
      { id: made.taskId },
    )
    const chain = await user.contracts.hub.viewTask(made.taskId)
    expect(task).to.deep.equal({
      status: 'COMPLETED',
      index: String(chain.idx),
      deal: { id: chain.dealid },
      consensus: chain.consensusValue,
      resultDigest: chain.resultDigest,
      results: chain.results,
      contributionDeadline: String(chain.contributionDeadline),
      finalDeadline: String(chain.finalDeadline),
      contributions: chain.contributors.map((worker) => ({ worker: { id: worker.toLowerCase() } })),
    })
  })

  it('finds anything by its id, and nothing under an id that nothing has', async () => {
    // The search of an explorer: one query, seven kinds of things.
    const search = `query ($id: ID!) {
      app(id: $id) { id } dataset(id: $id) { id } workerpool(id: $id) { id } deal(id: $id) { id } task(id: $id) { id }
      account(id: $id) { id } transaction(id: $id) { id }
    }`
    const found = async (id: string) =>
      Object.entries(await ask(search, { id: id.toLowerCase() })).flatMap(([kind, row]) => (row ? [kind] : []))
    const pool = (await user.contracts.hub.viewDeal(made.dealId)).workerpool.pointer
    const things: [string, string][] = [
      ['app', app],
      ['dataset', dataset],
      ['workerpool', pool],
      ['deal', made.dealId],
      ['task', made.taskId],
      ['account', user.account],
      ['transaction', finalized],
    ]
    for (const [kind, id] of things) expect(await found(id), id).to.deep.equal([kind])
    expect(await found(Task.id(made.dealId, 7n))).to.deep.equal([])
  })

  it('leads from the first page to all of it', async () => {
    const { deals, protocols, _meta } = await ask(`{
      _meta { block { number } }
      protocols { dealsCount tasksCount completedTasksCount appsCount datasetsCount workerpoolsCount categoriesCount }
      deals(first: 1000, orderBy: timestamp, orderDirection: desc) { id app { id } dataset { id } tasks { id events { transaction { id } } } }
    }`)
    const [totals] = protocols
    const deal = deals.find(({ id }: Row) => id === made.dealId)
    expect(deal).to.deep.include({ app: { id: app.toLowerCase() }, dataset: { id: dataset.toLowerCase() } })
    expect(deal.tasks[0].events.map(({ transaction }: Answer) => transaction.id)).to.contain(finalized)

    const { hub, appRegistry, datasetRegistry, workerpoolRegistry } = user.contracts
    // As of the block that the answer tells: others may be at work.
    const blockTag: number = _meta.block.number
    expect(deals).to.have.length(totals.dealsCount)
    const counts = [appRegistry, datasetRegistry, workerpoolRegistry].map((registry) =>
      registry.totalSupply({ blockTag }),
    )
    const told = [totals.appsCount, totals.datasetsCount, totals.workerpoolsCount, totals.categoriesCount]
    expect(told).to.deep.equal((await Promise.all([...counts, hub.countCategory({ blockTag })])).map(Number))
    const matched = await hub.queryFilter(hub.filters.OrdersMatched(), 0, blockTag)
    expect(new Set(deals.map(({ id }: Row) => id))).to.deep.equal(new Set(matched.map(({ args }) => args.dealid)))
    const completed = await hub.queryFilter(hub.filters.TaskFinalize(), 0, blockTag)
    expect(totals.completedTasksCount).to.equal(completed.length)
  })

  it('shows who was paid for the task: to the unit what the chain says', async () => {
    const { task } = await ask('query ($id: ID!) { task(id: $id) { rewards { account { id } value } } }', {
      id: made.taskId,
    })
    const { hub } = user.contracts
    const rewards = (await hub.queryFilter(hub.filters.Reward())).filter(({ args }) => args.ref === made.taskId)
    const sorted = (rows: { id: string; value: string }[]) => rows.sort((a, b) => a.id.localeCompare(b.id))
    expect(sorted(task.rewards.map(({ account, value }: Answer) => ({ id: account.id, value: tokens(value) })))).to.eql(
      sorted(rewards.map(({ args }) => ({ id: args.owner.toLowerCase(), value: tokens(args.amount) }))),
    )
    const owners = rewards.filter(({ args }) => args.owner === owner.account).map(({ args }) => args.amount)
    expect(owners).to.deep.equal([prices.data])
  })

  it('lists the open orders of the market beside it', async () => {
    const url = new URL('/datasetorders', stack.endpoints.market)
    url.search = new URLSearchParams({ chainId: '31337', dataset, requester: 'any', app: 'any' }).toString()
    // The only use of the grant is used up: the chain knows of it, the book does not offer it any more.
    const response = await fetch(url)
    expect(await response.json()).to.deep.include({ count: 0, orders: [] })
    const { datasetOrders } = await ask(
      'query ($where: DatasetOrder_filter) { datasetOrders(where: $where) { id dataset { id } datasetprice } }',
      { where: { dataset: dataset.toLowerCase() } },
    )
    expect(
      datasetOrders.map(({ datasetprice, ...row }: Row) => ({ ...row, price: tokens(String(datasetprice)) })),
    ).to.eql([{ id: grant, dataset: { id: dataset.toLowerCase() }, price: tokens(prices.data) }])
    expect(await user.contracts.hub.viewConsumed(grant)).to.equal(1n)
  })
})

const money = ['appPrice', 'datasetPrice', 'workerpoolPrice', 'workerStake']

/** Amounts are told in whole tokens; both spellings (`1`, `1.0`) are one. */
function tokens(amount: bigint | string): string {
  return typeof amount === 'bigint' ? formatUnits(amount, 9).replace(/\.0$/, '') : amount.replace(/\.0$/, '')
}

function numbers<name extends string>(chain: Record<name, bigint>, names: name[]) {
  return Object.fromEntries(names.map((name) => [name, String(chain[name])]))
}

function ids<name extends string>(chain: Record<name, string>, names: name[]) {
  return Object.fromEntries(names.map((name) => [name, { id: chain[name].toLowerCase() }]))
}
