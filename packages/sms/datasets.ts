/** Which data the enclave of one task may read: that of its deal, or many, each judged by itself. */
import { type Address, type Deal, type Hex, Order, type Params, type Session, zeroAddress } from '@sealdeal/protocol'
import type { BulkList } from './bulkList.ts'
import type { Chain } from './chain.ts'
import { DatasetKeyNotFoundError, NoDatasetLeftError, SecretDeletedError } from './errors.ts'
import type { Secrets } from './secrets.ts'

/** How many datasets are judged at once. */
const together = 10

type Task = { taskId: Hex; dealId: Hex; index: bigint; deal: Deal.Deal; params: Params.Params }
type Sources = { chain: Chain; secrets: Secrets; bulkList: BulkList }

/**
 * The data of a task. A deal with a dataset has that one: the match was the grant, and without its key there is no run. Without,
 * it is what was attached on chain, or what the request lists: of those, what may not be read is left out with its reason.
 *
 * @throws DatasetKeyNotFoundError BulkListUnavailableError BulkListMalformedError NoDatasetLeftError
 */
export async function collectDatasets(
  sources: Sources,
  task: Task,
): Promise<Pick<Session.Content, 'dataset' | 'datasets' | 'leftOut'>> {
  const { pointer } = task.deal.dataset
  if (pointer !== zeroAddress) return { dataset: await readDataset(sources, pointer) }
  const attached = await sources.chain.viewAttached(task.taskId)
  if (attached.length > 0) {
    return judgeAll(
      task,
      attached.map((address) => ({ address, read: () => readDataset(sources, address) })),
    )
  }
  const cid = task.params.bulkCid
  if (cid === undefined) return {}
  const orders = await sources.bulkList({ cid, index: task.index })
  return judgeAll(
    task,
    orders.map((order) => ({ address: order.dataset, read: () => readGranted(sources, { order, ...task }) })),
  )
}

type Candidate = { address: Address; read: () => Promise<Session.Dataset> }

/** A dataset that is named twice is read once, by the first that holds of the ways in which it was named. */
async function judgeAll(
  { taskId }: Task,
  named: Candidate[],
): Promise<Required<Pick<Session.Content, 'datasets' | 'leftOut'>>> {
  const candidates = [...Map.groupBy(named, ({ address }) => address).values()]
  const datasets: Session.Dataset[] = []
  const leftOut: Session.LeftOut[] = []
  for (let start = 0; start < candidates.length; start += together) {
    const judged = await Promise.all(candidates.slice(start, start + together).map(judge))
    for (const each of judged) {
      if ('key' in each) datasets.push(each)
      else leftOut.push(each)
    }
  }
  if (datasets.length === 0) throw new NoDatasetLeftError({ taskId, leftOut })
  return { datasets, leftOut }
}

async function judge(candidates: Candidate[]): Promise<Session.Dataset | Session.LeftOut> {
  let first: Session.LeftOut | undefined
  for (const { address, read } of candidates) {
    try {
      return await read()
    } catch (error) {
      first ??= { address, reason: ownFault(error) }
    }
  }
  if (first === undefined) throw new Error('a dataset without a way to read it')
  return first
}

/** Only what is this dataset's own fault: a chain or a database that is away is not. */
function ownFault(error: unknown): string {
  if (error instanceof NotGranted) return error.message
  if (error instanceof DatasetKeyNotFoundError || error instanceof SecretDeletedError) return error.shortMessage
  throw error
}

/** Why an order of a list gives nothing. */
class NotGranted extends Error {}

async function readGranted(
  sources: Sources,
  { order, dealId }: { order: Order.Signed<'dataset'>; dealId: Hex },
): Promise<Session.Dataset> {
  const { dataset, datasetprice: price, volume } = order
  if (!Order.isForBulk(order)) {
    throw new NotGranted(`Its grant is for ${volume} accesses at ${price} each, and not for bulks.`)
  }
  const reason = await sources.chain.whyIncompatible(order, dealId)
  if (reason !== undefined) throw new NotGranted(`Its grant does not hold: ${reason}.`)
  return readDataset(sources, dataset)
}

/** @throws DatasetKeyNotFoundError SecretDeletedError */
async function readDataset({ chain, secrets }: Sources, dataset: Address): Promise<Session.Dataset> {
  const key = await secrets.read({ kind: 'dataset', owner: dataset })
  if (key === undefined) throw new DatasetKeyNotFoundError({ dataset })
  const { multiaddr, checksum } = await chain.viewDataset(dataset)
  return { address: dataset, multiaddr, checksum, key }
}
