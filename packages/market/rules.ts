import { type Address, type Hex, type Order, Tag, zeroAddress } from '@sealdeal/protocol'
import type { Transaction } from '@sealdeal/server'
import { stakePerTask } from './book.ts'
import { type Failure, spelled } from './errors.ts'
import type { Groups } from './groups.ts'
import { listEntries } from './list.ts'
import type { Asked, Facts } from './publishFacts.ts'

// What an order must fulfil to be published. The texts are those that published clients know; what they do not know
// (that one stake stands behind all orders of an owner, categories, tags) comes after what they do.

/** Every rule that an order breaks, judged by the book's rows. */
export async function failuresOf(transaction: Transaction, asked: Asked, facts: Facts): Promise<Failure[]> {
  const { kind, order } = asked
  if (facts.known && facts.known !== 'dead') {
    const remedy = 'It is on the book: nothing is to be done.'
    return [{ rule: 'unpublished', reason: 'order already published', remedy }]
  }
  // The rest is about whose order it is and what stands behind it: without an owner there is nothing to look at.
  if (!asked.isRegistered || facts.signer === zeroAddress) {
    return [{ rule: 'registered', reason: 'Resource not deployed', remedy: 'Check the address and the chain.' }]
  }
  return [
    ...signerFailures(asked, facts),
    ...stakeFailures(asked, facts),
    ...(kind === 'request' ? await offerFailures(transaction, order as Order.Signed<'request'>, asked.groups) : []),
    ...categoryFailures(order, facts),
    ...tagFailures(kind, order),
  ]
}

/** Is it the owner who asks, did it approve, is there something left of the order, and room for it? */
function signerFailures({ kind, account, approver, maxOpenOrders }: Asked, facts: Facts): Failure[] {
  const { signer, remaining, open } = facts
  const failures: (Failure | false)[] = [
    signer !== account && {
      rule: 'owner',
      reason: `only order signer ${signer} can publish an order`,
      remedy: 'Log in with the wallet that owns it now.',
    },
    approver !== signer && {
      rule: 'signature',
      reason: 'invalid sign',
      remedy: 'Sign the order for this chain and this Hub with the key of its owner, or presign it on chain.',
    },
    remaining <= 0n && {
      rule: 'remaining',
      reason: 'order already consumed',
      remedy: 'Sign a new one: another salt makes another order.',
    },
    open >= maxOpenOrders && {
      rule: 'limit',
      reason: `maximum of ${maxOpenOrders} published open ${spelled(kind)} has been reached for wallet ${signer}`,
      remedy: 'Unpublish some of them first.',
    },
  ]
  return failures.filter((failure) => failure !== false)
}

function stakeFailures({ kind, order }: Asked, { remaining, stake, taken }: Facts): Failure[] {
  const share = stakePerTask(kind, order)
  if (share === 0n || remaining <= 0n) return []
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
async function offerFailures(
  transaction: Transaction,
  request: Order.Signed<'request'>,
  groups: Groups = { app: [], dataset: [], requester: [] },
): Promise<Failure[]> {
  const { app, dataset, workerpool, requester } = request
  const isTee = Tag.isTee(request.tag)
  const anyPool = workerpool === zeroAddress ? 'any' : workerpool
  const cheapest = async (kind: 'app' | 'dataset', filter: object) => {
    const terms = { workerpool: anyPool, requester: [requester, ...groups.requester], ...filter }
    const tag = kind === 'app' && isTee ? { minTag: Tag.encode(['tee']) } : {}
    return (await listEntries(transaction, { kind, filter: terms, ...tag, limit: 1 }))[0]
  }
  const wanted = dataset === zeroAddress ? undefined : dataset
  const apps = await cheapest('app', { app, dataset: wanted && [wanted, ...groups.dataset] })
  const datasets = wanted ? await cheapest('dataset', { dataset, app: [app, ...groups.app] }) : undefined
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

function categoryFailures(order: object, { hasCategory }: Facts): Failure[] {
  if (hasCategory) return []
  const { category } = order as { category: bigint }
  const remedy = 'Choose one that `GET /categories` lists.'
  return [{ rule: 'category', reason: `category ${category} does not exist`, remedy }]
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
