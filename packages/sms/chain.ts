import { type Address, connectHub, Deal, decodeRevert, type Hex, type Order, Task } from '@sealdeal/protocol'
import { isSignedBy } from '@sealdeal/server'
import { Contract, isError, type JsonRpcApiProvider } from 'ethers'
import { ChainUnavailableError } from './errors.ts'

export type AppEntry = { type: string; multiaddr: Hex; checksum: Hex }
export type DatasetEntry = { multiaddr: Hex; checksum: Hex }

/** What this service asks the chain; it believes no other server. Each throws ChainUnavailableError on no answer. */
export type Chain = {
  chainId: bigint
  hub: Address
  /** The deal as matched, or undefined. */
  viewDeal(dealId: Hex): Promise<Deal.Deal | undefined>
  viewTask(taskId: Hex): Promise<{ status: Task.Status }>
  /** The datasets that were attached to the task beside its deal. */
  viewAttached(taskId: Hex): Promise<Address[]>
  /** Why this dataset may not be used by the tasks of a deal that was made without one; undefined when it may. */
  whyIncompatible(order: Order.Signed<'dataset'>, dealId: Hex): Promise<string | undefined>
  /** Length of the category's clock, in seconds. */
  workClock(category: bigint): Promise<bigint>
  viewApp(app: Address): Promise<AppEntry>
  viewDataset(dataset: Address): Promise<DatasetEntry>
  /** Owner of an app or dataset; undefined where nothing that has an owner lives. */
  ownerOf(entry: Address): Promise<Address | undefined>
  /** Whether the key of `account`, or the contract that lives there (ERC-1271), signed the digest. */
  isSignedBy(parameters: { account: Address; digest: Hex; signature: Hex }): Promise<boolean>
  /** Time of the latest block, in unix seconds. */
  now(): Promise<bigint>
  /** Who signs authorizations; zero: the pool's owner. */
  teeBroker(): Promise<Address>
}

const owned = ['function owner() view returns (address)']

/** Reads through the provider's node, always the latest block. */
export function openChain({
  provider,
  chainId,
  hub,
}: {
  provider: JsonRpcApiProvider
  chainId: bigint
  hub: Address
}): Chain {
  const contract = connectHub(hub, provider)

  return {
    chainId,
    hub,
    async viewDeal(dealId) {
      // The ABI's types know no hex strings and no addresses, only strings.
      const deal = Deal.fromChain((await asked(contract.viewDeal(dealId))) as unknown as Deal.Deal)
      return deal.botSize === 0n ? undefined : deal
    },
    async viewTask(taskId) {
      const { status } = await asked(contract.viewTask(taskId))
      return { status: Task.status(status) }
    },
    async viewAttached(taskId) {
      return (await asked(contract.viewDatasets(taskId))).map(({ pointer }) => pointer as Address)
    },
    async whyIncompatible(order, dealId) {
      try {
        await contract.assertDatasetDealCompatibility(order, dealId)
        return undefined
      } catch (error) {
        const refusal = decodeRevert(error)
        if (refusal) return String(refusal.values.reason ?? refusal.shortMessage)
        // A contract in an owner's or a group's place that reverts has said no as well.
        if (isError(error, 'CALL_EXCEPTION')) return 'The Hub does not take its order'
        throw new ChainUnavailableError({ cause: error })
      }
    },
    async workClock(category) {
      return (await asked(contract.viewCategory(category))).workClockTimeRef
    },
    async viewApp(app) {
      const { m_appType, m_appMultiaddr, m_appChecksum } = await asked(contract.viewApp(app))
      return { type: m_appType, multiaddr: m_appMultiaddr as Hex, checksum: m_appChecksum as Hex }
    },
    async viewDataset(dataset) {
      const { m_datasetMultiaddr, m_datasetChecksum } = await asked(contract.viewDataset(dataset))
      return { multiaddr: m_datasetMultiaddr as Hex, checksum: m_datasetChecksum as Hex }
    },
    async ownerOf(entry) {
      const owner: unknown = await asked(answered(() => new Contract(entry, owned, provider).getFunction('owner')()))
      return typeof owner === 'string' ? (owner as Address) : undefined
    },
    async isSignedBy(parameters) {
      return asked(isSignedBy({ ...parameters, chain: provider }))
    },
    async now() {
      const block = await asked(provider.getBlock('latest'))
      if (!block) throw new ChainUnavailableError({ cause: new Error('no latest block') })
      return BigInt(block.timestamp)
    },
    async teeBroker() {
      return (await asked(contract.teebroker())) as Address
    },
  }
}

/** A contract that reverts, or is none, has answered: with nothing. */
async function answered(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    if (isError(error, 'CALL_EXCEPTION') || isError(error, 'BAD_DATA')) return undefined
    throw error
  }
}

async function asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (cause) {
    throw new ChainUnavailableError({ cause })
  }
}
