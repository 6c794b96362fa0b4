import {
  type Address,
  Bytes,
  Deal,
  type Hex,
  Order,
  Params,
  Tag,
  Task,
  zeroAddress,
  zeroHash,
} from '@sealdeal/protocol'
import { recoverAddress, Wallet } from 'ethers'
import type { Chain } from '../chain.ts'

/** What a test may ask of a deal; the rest is ordinary. */
export type DealOptions = { tag?: Hex; params?: string; withDataset?: boolean; size?: bigint }

/** A deal that stands on the chain of the test, and what its app measures. */
export type StandingDeal = { dealId: Hex; deal: Deal.Deal; checksum: Hex }

/** A chain that a test can bring into each state: one in memory, one real. */
export type TestChain = {
  chain: Chain
  owners: { app: Wallet; dataset: Wallet; pool: Wallet; requester: Wallet }
  matchDeal(options?: DealOptions): Promise<StandingDeal>
  /** Lets the chain's time run ahead, past the deal's contribution deadline. */
  passDeadline(deal: StandingDeal): Promise<void>
  completeTask(deal: StandingDeal): Promise<void>
  /** Attaches the dataset of other deals to the first task of a deal that has none. */
  attachDataset(deal: StandingDeal): Promise<void>
  /** A grant for bulks of the dataset of other deals, or of another one; `changes` make it another grant. */
  grant(changes?: Partial<Order.Input<'dataset'>>, signer?: Wallet): Promise<Order.Signed<'dataset'>>
  close(): Promise<void>
}

export const tdxTag = Tag.tdx
export const clock = 300n

export type MemoryChain = TestChain & { setStatus(deal: StandingDeal, status: Task.Status): void }

/** Deals in memory, for tests of everything that lies above the chain. */
export function memoryChain({ clock: wall }: { clock: () => Date }): MemoryChain {
  const owners = {
    app: randomWallet(),
    dataset: randomWallet(),
    pool: randomWallet(),
    requester: randomWallet(),
  }
  const app = randomAddress()
  const dataset = randomAddress()
  const checksum = randomHash()
  const deals = new Map<Hex, Deal.Deal>()
  const tasks = new Map<Hex, Task.Status>()
  const attached = new Map<Hex, Address[]>()
  const clocks = new Map<bigint, bigint>([[0n, clock]])
  const holders = new Map<Address, Address>([
    [app, owners.app.address as Address],
    [dataset, owners.dataset.address as Address],
  ])
  let shift = 0n
  const now = () => BigInt(Math.floor(wall().getTime() / 1000)) + shift

  const chain: Chain = {
    chainId: 31_337n,
    hub: randomAddress(),
    viewDeal: async (dealId) => deals.get(dealId),
    viewTask: async (taskId) => ({ status: tasks.get(taskId) ?? 'UNSET' }),
    viewAttached: async (taskId) => attached.get(taskId) ?? [],
    // A grant in memory holds as it is asked for: whether it does is the chain's to say.
    whyIncompatible: async () => undefined,
    workClock: async (category) => clocks.get(category) ?? 0n,
    viewApp: async () => ({ type: 'BUNDLE', multiaddr: '0xa503', checksum }),
    viewDataset: async () => ({ multiaddr: '0xa50301', checksum: zeroHash }),
    ownerOf: async (entry) => holders.get(entry),
    async isSignedBy({ account, digest, signature }) {
      try {
        return recoverAddress(digest, signature) === account
      } catch {
        return false
      }
    },
    now: async () => now(),
    teeBroker: async () => zeroAddress,
  }

  async function matchDeal({ tag = tdxTag, params = '', withDataset = true, size = 3n }: DealOptions = {}) {
    const dealId = Deal.id(randomHash(), 0n)
    const resource = (pointer: Address, owner: Address) => ({ pointer, owner, price: 0n })
    const requester = owners.requester.address as Address
    const deal: Deal.Deal = {
      app: resource(app, owners.app.address as Address),
      dataset: withDataset ? resource(dataset, owners.dataset.address as Address) : resource(zeroAddress, zeroAddress),
      workerpool: resource(randomAddress(), owners.pool.address as Address),
      trust: 1n,
      category: 0n,
      tag,
      requester,
      beneficiary: requester,
      callback: zeroAddress,
      params,
      startTime: now(),
      botFirst: 2n,
      botSize: size,
      workerStake: 0n,
      schedulerRewardRatio: 1n,
      sponsor: requester,
    }
    deals.set(dealId, deal)
    return { dealId, deal, checksum }
  }

  function setStatus({ dealId, deal }: StandingDeal, status: Task.Status): void {
    tasks.set(Task.id(dealId, deal.botFirst), status)
  }

  return {
    chain,
    owners,
    matchDeal,
    async passDeadline() {
      shift += 7n * clock
    },
    async completeTask(deal) {
      setStatus(deal, 'COMPLETED')
    },
    async attachDataset({ dealId, deal }) {
      attached.set(Task.id(dealId, deal.botFirst), [dataset])
    },
    async grant(changes = {}, signer = owners.dataset) {
      return Order.sign('dataset', bulkGrant({ dataset, ...changes }), signer, Order.domain(chain))
    },
    setStatus,
    async close() {},
  }
}

/** A grant as published clients make it for bulks: free, and practically without end. */
export function bulkGrant(changes: Order.Input<'dataset'>): Order.Dataset {
  return Order.create('dataset', { volume: 2n ** 53n - 1n, tag: Tag.none, salt: randomHash(), ...changes })
}

/** The `params` of a request that asks for everything. */
export const fullParams = Params.build({ args: 'train', secrets: { 1: 'token' }, encryptResult: true })

function randomWallet(): Wallet {
  return new Wallet(Wallet.createRandom().privateKey)
}

export function randomAddress(): Address {
  return randomWallet().address as Address
}

export function randomHash(): Hex {
  return Bytes.toHex(Bytes.random(32))
}
