// For tests only: what the graphs must say, found without them: by asking the contracts, and by reading every log.
import { Contracts, Task } from '@sealdeal/protocol'
import { formatUnits, type Log, toBeHex } from 'ethers'
import { ask, type World } from './world.ts'

type Found = Record<string, Record<string, unknown>[]>

const tokens = (amount: bigint) => formatUnits(amount, 9).replace(/\.0$/, '')
const low = (text: string) => text.toLowerCase()
const ref = (address: string) => ({ id: low(address) })
const zero = '0x0000000000000000000000000000000000000000'

/** Everything, by brute force: each log of each block, and the contracts' own answers as of now. */
export async function scanChain(world: World): Promise<Found> {
  const { provider, contracts, hubAddress } = world
  const { hub } = contracts
  const logs: Log[] = []
  const head = await provider.getBlockNumber()
  for (let number = 0; number <= head; number++)
    logs.push(...(await provider.getLogs({ fromBlock: number, toBlock: number })))
  const events = logs.flatMap((log) => {
    const parsed = Contracts.parseLog(log)
    return parsed ? [{ log, name: parsed.name, args: parsed.args }] : []
  })
  const said = (by: string, name: string) =>
    events.filter((event) => event.name === name && low(event.log.address) === low(by))
  const ofHub = (name: string) => said(hubAddress, name)
  const place = (log: Log) => `${log.blockNumber}-${log.index}`

  async function assets(kind: 'app' | 'dataset' | 'workerpool') {
    const registry = contracts[`${kind}Registry`]
    const size = Number(await registry.totalSupply())
    return Promise.all(
      Array.from({ length: size }, async (_, index) => {
        const token = await registry.tokenByIndex(index)
        const address = toBeHex(token, 20)
        const common = { id: address, owner: ref(await registry.ownerOf(token)) }
        if (kind === 'app') {
          const info = await hub.viewApp(address)
          return {
            ...common,
            name: info.m_appName,
            type: info.m_appType,
            multiaddr: info.m_appMultiaddr,
            checksum: info.m_appChecksum,
          }
        }
        if (kind === 'dataset') {
          const info = await hub.viewDataset(address)
          return {
            ...common,
            name: info.m_datasetName,
            multiaddr: info.m_datasetMultiaddr,
            checksum: info.m_datasetChecksum,
          }
        }
        const info = await hub.viewWorkerpool(address)
        return {
          ...common,
          description: info.m_workerpoolDescription,
          workerStakeRatio: String(info.m_workerStakeRatioPolicy),
          schedulerRewardRatio: String(info.m_schedulerRewardRatioPolicy),
        }
      }),
    )
  }
  async function deals() {
    return Promise.all(
      ofHub('OrdersMatched').map(async ({ args }) => {
        const deal = await hub.viewDeal(args.dealid)
        return {
          id: args.dealid,
          app: ref(deal.app.pointer),
          appOwner: ref(deal.app.owner),
          appPrice: tokens(deal.app.price),
          dataset: deal.dataset.pointer === zero ? null : ref(deal.dataset.pointer),
          workerpool: ref(deal.workerpool.pointer),
          workerpoolPrice: tokens(deal.workerpool.price),
          requester: ref(deal.requester),
          sponsor: ref(deal.sponsor),
          params: deal.params,
          startTime: String(deal.startTime),
          botFirst: String(deal.botFirst),
          botSize: String(deal.botSize),
          trust: String(deal.trust),
          category: { id: String(deal.category) },
          requestorder: { id: args.requestHash },
        }
      }),
    )
  }
  async function tasks() {
    return Promise.all(
      ofHub('TaskInitialize').map(async ({ args }) => {
        const task = await hub.viewTask(args.taskid)
        const agreed = task.consensusValue !== world.zeroHash && task.status !== 1n
        return {
          id: args.taskid,
          deal: { id: task.dealid },
          index: String(task.idx),
          status: Task.status(task.status).replace('FAILED', 'FAILLED'),
          results: task.status === 3n ? task.results : null,
          consensus: agreed ? task.consensusValue : null,
          resultsCallback: task.status === 3n ? task.resultsCallback : null,
          contributionDeadline: String(task.contributionDeadline),
          finalDeadline: String(task.finalDeadline),
          revealDeadline: agreed ? String(task.revealDeadline) : null,
        }
      }),
    )
  }
  async function contributions() {
    return Promise.all(
      ofHub('TaskContribute').map(async ({ args }) => {
        const found = await hub.viewContribution(args.taskid, args.worker)
        return {
          task: { id: args.taskid },
          worker: ref(args.worker),
          hash: found.resultHash,
          seal: found.resultSeal,
          status: ['UNSET', 'CONTRIBUTED', 'PROVED', 'REJECTED'][Number(found.status)],
        }
      }),
    )
  }
  async function accounts() {
    const named = new Set([...ofHub('Transfer').flatMap(({ args }) => [args.from, args.to])].map(low))
    return Promise.all(
      [...named]
        .filter((address) => address !== zero)
        .map(async (address) => {
          const { stake, locked } = await hub.viewAccount(address)
          const score = String(await hub.viewScore(address))
          return { id: address, balance: tokens(stake), frozen: tokens(locked), score }
        }),
    )
  }
  async function categories() {
    const size = Number(await hub.countCategory())
    return Promise.all(
      Array.from({ length: size }, async (_, index) => {
        const { name, description, workClockTimeRef } = await hub.viewCategory(index)
        return { id: String(index), name, description, workClockTimeRef: String(workClockTimeRef) }
      }),
    )
  }
  async function protectedDatas() {
    return Promise.all(
      said(String(world.deployed.dataProtector), 'DatasetSchema').map(async ({ args, log }) => {
        const { owner, m_datasetName, m_datasetMultiaddr } = await hub.viewDataset(args.dataset)
        const block = await provider.getBlock(log.blockNumber)
        return {
          id: low(args.dataset),
          name: m_datasetName,
          owner: ref(owner),
          jsonSchema: args.schema,
          multiaddr: m_datasetMultiaddr,
          creationTimestamp: String(block?.timestamp),
          blockNumber: String(log.blockNumber),
        }
      }),
    )
  }
  const money = (name: string) =>
    ofHub(name).map(({ log, args }) => ({ id: place(log), account: ref(args.owner), value: tokens(args.amount) }))
  const taskEvents = (name: string) =>
    ofHub(name).map(({ log, args }) => ({ id: place(log), task: { id: args.taskid } }))
  const found: Found = {
    apps: await assets('app'),
    datasets: await assets('dataset'),
    workerpools: await assets('workerpool'),
    deals: await deals(),
    tasks: await tasks(),
    contributions: await contributions(),
    accounts: await accounts(),
    categories: await categories(),
    protectedDatas: await protectedDatas(),
    transfers: ofHub('Transfer').map(({ log, args }) => ({
      id: place(log),
      from: ref(args.from),
      to: ref(args.to),
      value: tokens(args.value),
    })),
    locks: money('Lock'),
    unlocks: money('Unlock'),
    seizes: money('Seize'),
    rewards: money('Reward'),
    accurateContributions: ofHub('AccurateContribution').map(({ log, args }) => ({
      id: place(log),
      account: ref(args.worker),
    })),
    faultyContributions: ofHub('FaultyContribution').map(({ log, args }) => ({
      id: place(log),
      account: ref(args.worker),
    })),
    schedulerNotices: ofHub('SchedulerNotice').map(({ log, args }) => ({ id: place(log), deal: { id: args.dealid } })),
    ordersMatcheds: ofHub('OrdersMatched').map(({ log, args }) => ({ id: place(log), deal: { id: args.dealid } })),
    policyUpdates: events
      .filter(({ name }) => name === 'PolicyUpdate')
      .map(({ log, args }) => ({
        id: place(log),
        workerpool: ref(log.address),
        newWorkerStakeRatio: String(args.newWorkerStakeRatioPolicy),
      })),
    appTransfers: said(String(contracts.appRegistry.target), 'Transfer').map(({ log, args }) => ({
      id: place(log),
      from: ref(args.from),
      to: ref(args.to),
    })),
    ...Object.fromEntries(
      ['Initialize', 'Contribute', 'Consensus', 'Reveal', 'Reopen', 'Finalize', 'Claimed', 'Failed'].map((kind) => [
        `task${kind}${kind.endsWith('s') ? 'es' : 's'}`,
        taskEvents(`Task${kind}`),
      ]),
    ),
  }
  return sorted(found)
}

const selections: Record<string, string> = {
  apps: 'id owner { id } name type multiaddr checksum',
  datasets: 'id owner { id } name multiaddr checksum',
  workerpools: 'id owner { id } description workerStakeRatio schedulerRewardRatio',
  deals: `id app { id } appOwner { id } appPrice dataset { id } workerpool { id } workerpoolPrice requester { id } sponsor { id }
    params startTime botFirst botSize trust category { id } requestorder { id }`,
  tasks: `id deal { id } index status results consensus resultsCallback contributionDeadline finalDeadline revealDeadline`,
  contributions: 'task { id } worker { id } hash seal status',
  accounts: 'id balance frozen score',
  categories: 'id name description workClockTimeRef',
  transfers: 'id from { id } to { id } value',
  locks: 'id account { id } value',
  unlocks: 'id account { id } value',
  seizes: 'id account { id } value',
  rewards: 'id account { id } value',
  accurateContributions: 'id account { id }',
  faultyContributions: 'id account { id }',
  schedulerNotices: 'id deal { id }',
  ordersMatcheds: 'id deal { id }',
  policyUpdates: 'id workerpool { id } newWorkerStakeRatio',
  appTransfers: 'id from { id } to { id }',
  taskInitializes: 'id task { id }',
  taskContributes: 'id task { id }',
  taskConsensuses: 'id task { id }',
  taskReveals: 'id task { id }',
  taskReopens: 'id task { id }',
  taskFinalizes: 'id task { id }',
  taskClaimeds: 'id task { id }',
  taskFaileds: 'id task { id }',
}

/** The same, as the graphs tell it. */
export async function readGraphs(url: string): Promise<Found> {
  const query = Object.entries(selections).map(([name, fields]) => `${name}(first: 1000) { ${fields} }`)
  const found: Found = await ask(url, 'protocol', `{ ${query.join('\n')} }`)
  const { protectedDatas } = await ask(
    url,
    'dataprotector',
    '{ protectedDatas(first: 1000) { id name owner { id } jsonSchema multiaddr creationTimestamp blockNumber } }',
  )
  // Who was only named, and never had anything, is left out: the chain has no list of them.
  const holders = new Set(
    (found.transfers ?? []).flatMap(({ from, to }) => [from, to].map((each) => (each as { id: string }).id)),
  )
  const accounts = (found.accounts ?? []).filter(({ id }) => holders.has(String(id)) && id !== zero)
  return sorted({ ...found, accounts, protectedDatas })
}

function sorted(found: Found): Found {
  const order = (rows: Record<string, unknown>[]) =>
    rows
      .map((row) => Object.fromEntries(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1))))
      .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
  return Object.fromEntries(
    Object.keys(found)
      .sort()
      .map((name) => [name, order(found[name] ?? [])]),
  )
}

/** How many rows there are of each. */
export function sizes(found: Found): Record<string, number> {
  return Object.fromEntries(Object.entries(found).map(([name, rows]) => [name, rows.length]))
}
