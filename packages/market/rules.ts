import { type Address, type Contracts, type Hex, type Order, Tag, zeroAddress } from '@sealdeal/protocol'
import type { Transaction } from '@sealdeal/server'
import { reserved, stakePerTask } from './book.ts'
import { type Failure, spelled } from './errors.ts'
import { listEntries } from './list.ts'

// What an order must fulfil to be published. The texts are those that published clients know; what they do not know
// (that one stake stands behind all orders of an owner, categories, tags) comes after what they do.

/** What only the chain knows of an order; `signer` is the zero address where the asset does not exist. */
export async function chainFailures<kind extends Order.Kind>(
  marketplace: Contracts.Marketplace,
  { kind, hash, order, account }: { kind: kind; hash: Hex; order: Order.Signed<kind>; account: Address },
): Promise<{ failures: Failure[]; signer: Address; stake: bigint; remaining: bigint }> {
  const { hub } = marketplace
  const signer = await ownerOf(marketplace, kind, order)
  if (signer === zeroAddress) {
    const remedy = 'Check the address and the chain.'
    const failures: Failure[] = [{ rule: 'registered', reason: 'Resource not deployed', remedy }]
    return { failures, signer, stake: 0n, remaining: 0n }
  }
  const [isSigned, consumed, { stake }] = await Promise.all([
    hub.verifyPresignatureOrSignature(signer, hash, order.sign),
    hub.viewConsumed(hash),
    hub.viewAccount(signer),
  ])
  const remaining = numberOf(order, 'volume') - consumed
  const failures: (Failure | false)[] = [
    signer !== account && {
      rule: 'owner',
      reason: `only order signer ${signer} can publish an order`,
      remedy: 'Log in with the wallet that owns it now.',
    },
    !isSigned && {
      rule: 'signature',
      reason: 'invalid sign',
      remedy: 'Sign the order for this chain and this Hub with the key of its owner, or presign it on chain.',
    },
    remaining <= 0n && {
      rule: 'remaining',
      reason: 'order already consumed',
      remedy: 'Sign a new one: another salt makes another order.',
    },
  ]
  return { failures: failures.filter((failure) => failure !== false), signer, stake, remaining }
}

type Asked<kind extends Order.Kind> = {
  kind: kind
  hash: Hex
  order: Order.Signed<kind>
  signer: Address
  /** What the signer has free in the escrow. */
  stake: bigint
  remaining: bigint
  maxOpenOrders: number
}

/** What the book knows of an order: how many its signer has, what they take of its stake, what is on offer. */
export async function bookFailures<kind extends Order.Kind>(
  transaction: Transaction,
  asked: Asked<kind>,
): Promise<Failure[]> {
  return [
    ...(await countFailures(transaction, asked)),
    ...(await stakeFailures(transaction, asked)),
    ...(asked.kind === 'request' ? await offerFailures(transaction, asked.order as Order.Signed<'request'>) : []),
    ...(await categoryFailures(transaction, asked.order)),
    ...tagFailures(asked.kind, asked.order),
  ]
}

function numberOf(order: object, name: string): bigint {
  return (order as Record<string, bigint>)[name] ?? 0n
}

async function ownerOf(
  { appRegistry, datasetRegistry, workerpoolRegistry }: Contracts.Marketplace,
  kind: Order.Kind,
  order: object,
): Promise<Address> {
  const named = order as Record<Order.Kind | 'requester', Address>
  if (kind === 'request') return named.requester
  const registry = { app: appRegistry, dataset: datasetRegistry, workerpool: workerpoolRegistry }[kind]
  return (await registry.registrantOf(named[kind])) as Address
}

async function countFailures(
  transaction: Transaction,
  { kind, signer, maxOpenOrders }: { kind: Order.Kind; signer: Address; maxOpenOrders: number },
): Promise<Failure[]> {
  const [row] = await transaction.query<{ count: bigint }>(
    `select count(*) from book where kind = $1 and signer = $2 and status = 'open'`,
    [kind, signer],
  )
  if ((row?.count ?? 0n) < maxOpenOrders) return []
  const reason = `maximum of ${maxOpenOrders} published open ${spelled(kind)} has been reached for wallet ${signer}`
  return [{ rule: 'limit', reason, remedy: 'Unpublish some of them first.' }]
}

async function stakeFailures<kind extends Order.Kind>(
  transaction: Transaction,
  { kind, hash, order, signer, stake, remaining }: Asked<kind>,
): Promise<Failure[]> {
  const share = stakePerTask(kind, order)
  if (share === 0n || remaining <= 0n) return []
  const taken = await reserved(transaction, { signer, except: hash })
  const needed = taken + share * remaining
  if (stake >= needed) return []
  const others = taken > 0n ? `${taken} nRLC stand behind other open orders. ` : ''
  const reason =
    kind === 'workerpool'
      ? "workerpool owner's stake is too low to cover required workerpool lock"
      : `requester stake is too low to cover requestorder payment, minimum stake required is ${needed} nRLC`
  return [{ rule: 'stake', reason, remedy: `${others}Deposit ${needed - stake} nRLC more, or ask for less volume.` }]
}

/** Is there an app order, and a dataset order, that the request could be matched with, at a price it pays? */
async function offerFailures(transaction: Transaction, request: Order.Signed<'request'>): Promise<Failure[]> {
  const { app, dataset, workerpool, requester } = request
  const isTee = Tag.isTee(request.tag)
  const anyPool = workerpool === zeroAddress ? 'any' : workerpool
  const cheapest = async (kind: 'app' | 'dataset', filter: object) => {
    const terms = { workerpool: anyPool, requester, ...filter }
    const tag = kind === 'app' && isTee ? { minTag: Tag.encode(['tee']) } : {}
    return (await listEntries(transaction, { kind, filter: terms, ...tag, limit: 1 }))[0]
  }
  const wanted = dataset === zeroAddress ? undefined : dataset
  const apps = await cheapest('app', { app, dataset: wanted })
  const datasets = wanted ? await cheapest('dataset', { dataset, app }) : undefined
  return [
    ...(apps
      ? priceFailures({ kind: 'app', asset: app, highest: request.appmaxprice, best: apps.price })
      : missing(
          `No ${isTee ? 'tee enabled apporder' : 'apporder'} published for app ${app}`,
          'Ask its developer to publish an order that admits you.',
        )),
    ...(datasets
      ? priceFailures({ kind: 'dataset', asset: dataset, highest: request.datasetmaxprice, best: datasets.price })
      : wanted
        ? missing(`No datasetorder published for dataset ${dataset}`, 'Ask its owner to grant you access.')
        : []),
  ]
}

function missing(reason: string, remedy: string): Failure[] {
  return [{ rule: 'offers', reason, remedy }]
}

type Price = { kind: 'app' | 'dataset'; asset: Address; highest: bigint; best: bigint }

function priceFailures({ kind, asset, highest, best }: Price): Failure[] {
  if (best <= highest) return []
  const reason = `${kind}maxprice for ${kind} ${asset} is too low, actual best price is ${best} nRLC`
  return [{ rule: 'price', reason, remedy: `Set ${kind}maxprice to ${best} or more.` }]
}

async function categoryFailures(transaction: Transaction, order: object): Promise<Failure[]> {
  if (!('category' in order)) return []
  const [known] = await transaction.query('select 1 from category where id = $1', [order.category])
  if (known) return []
  const remedy = 'Choose one that `GET /categories` lists.'
  return [{ rule: 'category', reason: `category ${order.category} does not exist`, remedy }]
}

/** Names of the bits that say which kind of enclave: they mean something beside the TEE bit only, one at a time. */
const frameworks = ['scone', 'gramine', 'tdx']

/**
 * Whether a tag can be fulfilled at all. A dataset order's bits for the kind of enclave are ignored by the Hub; a
 * workerpool may offer several kinds.
 */
function tagFailures(kind: Order.Kind, order: object): Failure[] {
  const { tag } = order as { tag: Hex }
  const names = Tag.decode(tag)
  const unknown = names.filter((name) => !(name in Tag.bits))
  const chosen = kind === 'dataset' ? [] : names.filter((name) => frameworks.includes(name))
  const failure = (reason: string, remedy: string): Failure => ({ rule: 'tag', reason, remedy })
  return [
    ...unknown.map((bit) =>
      failure(`tag has the unknown ${bit}`, `Leave it out: known are ${Object.keys(Tag.bits).join(', ')}.`),
    ),
    ...(chosen.length > 0 && !Tag.isTee(tag)
      ? [
          failure(
            `tag names ${chosen.join(' and ')} without tee`,
            'Set bit 0 as well, or leave the kind of enclave out.',
          ),
        ]
      : []),
    ...(chosen.length > 1 && kind !== 'workerpool'
      ? [failure(`tag names ${chosen.join(' and ')} together`, 'Nobody runs two kinds of enclave at once: choose one.')]
      : []),
  ]
}
