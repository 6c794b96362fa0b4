import { type Hex, Task } from '@sealdeal/protocol'
import type { App } from '@sealdeal/server'
import { z } from 'zod'
import { dealJson, findDeal, listDeals, listPrices } from './deals.ts'
import { BadRequestError, NotFoundError } from './errors.ts'
import { checkChain, type RoutesParameters } from './parameters.ts'
import { address, chainQuery, hash, nextPage, pageOf, pageQuery, readDealCursor, whole } from './wire.ts'

/** What the chain said, as published clients read it: deals, tasks, categories, prices. */
export function addChain(app: App, parameters: RoutesParameters): void {
  addDeals(app, parameters)
  addTasks(app, parameters)
  addCategories(app, parameters)
  addPrices(app, parameters)
}

const dealFilters = {
  requester: address.optional(),
  app: address.optional(),
  dataset: address.optional(),
  workerpool: address.optional(),
  apporderHash: hash.optional(),
  datasetorderHash: hash.optional(),
  workerpoolorderHash: hash.optional(),
  requestorderHash: hash.optional(),
}

function addDeals(app: App, parameters: RoutesParameters): void {
  const { database, domain } = parameters
  const querystring = z.object({ ...chainQuery, ...pageQuery, ...dealFilters })
  app.get('/deals', { schema: { querystring } }, async ({ query }) => {
    const { chainId, pageIndex, pageSize, page, cursor, ...given } = query
    checkChain(parameters, chainId)
    const filter = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    if (!Object.keys(filter).some((name) => name === 'requester' || name.endsWith('Hash'))) {
      throw new BadRequestError({
        reason: 'requester, apporderHash, datasetorderHash, workerpoolorderHash or requestorderHash is required',
      })
    }
    const part = pageOf({ pageIndex, pageSize, page, cursor })
    const { deals, count } = await listDeals(database, { filter, ...part, ...readDealCursor(cursor) })
    const next = nextPage(part, deals, ({ block_number, log_index }) => [String(block_number), String(log_index)])
    return { ok: true, count, ...next, deals: deals.map((deal) => dealJson(deal, domain.chainId)) }
  })
  const params = z.object({ dealid: hash })
  app.get('/deals/:dealid', { schema: { querystring: z.object(chainQuery), params } }, async ({ query, params }) => {
    checkChain(parameters, query.chainId)
    const deal = await findDeal(database, params.dealid)
    if (!deal) throw new NotFoundError({ what: 'deal' })
    return { ok: true, ...dealJson(deal, domain.chainId) }
  })
}

type CategoryRow = { id: bigint; name: string; description: string; work_clock_time_ref: bigint }

function addCategories(app: App, parameters: RoutesParameters): void {
  const { database } = parameters
  const json = ({ id, name, description, work_clock_time_ref }: CategoryRow) => ({
    catid: Number(id),
    name,
    description,
    workClockTimeRef: Number(work_clock_time_ref),
  })
  app.get('/categories', { schema: { querystring: z.object(chainQuery) } }, async ({ query }) => {
    checkChain(parameters, query.chainId)
    const rows = await database.query<CategoryRow>('select * from category order by id')
    return { ok: true, count: rows.length, categories: rows.map(json) }
  })
  const params = z.object({ catid: z.string().regex(/^\d{1,78}$/) })
  app.get(
    '/categories/:catid',
    { schema: { querystring: z.object(chainQuery), params } },
    async ({ query, params }) => {
      checkChain(parameters, query.chainId)
      const [row] = await database.query<CategoryRow>('select * from category where id = $1', [params.catid])
      if (!row) throw new NotFoundError({ what: 'category' })
      return { ok: true, ...json(row) }
    },
  )
}

/** A task changes with every block, so the Hub is asked: nothing is kept that could be late. */
function addTasks(app: App, parameters: RoutesParameters): void {
  const { database, marketplace } = parameters
  async function read(taskId: Hex) {
    const task = await marketplace.hub.viewTask(taskId)
    const status = Task.status(task.status)
    if (status === 'UNSET') return undefined
    return {
      taskid: taskId,
      dealid: task.dealid,
      idx: Number(task.idx),
      status,
      contributionDeadline: Number(task.contributionDeadline),
      revealDeadline: Number(task.revealDeadline),
      finalDeadline: Number(task.finalDeadline),
      consensusValue: task.consensusValue,
      resultDigest: task.resultDigest,
      results: task.results,
      resultsCallback: task.resultsCallback,
    }
  }
  const one = { querystring: z.object(chainQuery), params: z.object({ taskid: hash }) }
  app.get('/tasks/:taskid', { schema: one }, async ({ query, params }) => {
    checkChain(parameters, query.chainId)
    const task = await read(params.taskid)
    if (!task) throw new NotFoundError({ what: 'task' })
    return { ok: true, ...task }
  })
  const { cursor: _, ...numbered } = pageQuery
  const querystring = z.object({ ...chainQuery, ...numbered, dealid: hash })
  app.get('/tasks', { schema: { querystring } }, async ({ query }) => {
    checkChain(parameters, query.chainId)
    const row = await findDeal(database, query.dealid)
    if (!row) throw new NotFoundError({ what: 'deal' })
    const { dealid, botFirst, botSize } = dealJson(row, parameters.domain.chainId) as TaskRange
    const part = pageOf(query)
    const length = Math.max(0, Math.min(part.limit, botSize - part.offset))
    const ids = Array.from({ length }, (_, n) => Task.id(dealid, BigInt(botFirst + part.offset + n)))
    const tasks = await Promise.all(
      ids.map(async (taskid, n) => (await read(taskid)) ?? unset({ taskid, dealid, idx: botFirst + part.offset + n })),
    )
    return { ok: true, count: botSize, ...nextPage(part, tasks), tasks }
  })
}

type TaskRange = { dealid: Hex; botFirst: number; botSize: number }

/** A task of a deal that nobody has initialized yet: the Hub knows nothing of it. */
function unset(task: { taskid: Hex; dealid: Hex; idx: number }) {
  return { ...task, status: 'UNSET' as const }
}

/** What tasks of a category cost in its latest deals: `[time, price, volume]`, the oldest first. */
function addPrices(app: App, parameters: RoutesParameters): void {
  const querystring = z.object({ ...chainQuery, category: whole })
  app.get('/ohlc', { schema: { querystring } }, async ({ query }) => {
    checkChain(parameters, query.chainId)
    const prices = await listPrices(parameters.database, { category: query.category, limit: 100 })
    const ohlc = prices.map(({ time, price, volume }) => [time.getTime(), Number(price), Number(volume)])
    return { ok: true, count: ohlc.length, ohlc }
  })
}
