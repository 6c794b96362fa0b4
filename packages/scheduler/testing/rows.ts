/** What the tests of this package share: deals as the chain would tell them, in a real database. */
import { type Address, type Deal, type Hex, Lease, zeroAddress } from '@sealdeal/protocol'
import type { Database } from '@sealdeal/server'
import { hexlify, randomBytes, Wallet } from 'ethers'
import { defaultPolicy, type Granted, grantLease, type Policy, registerWorker } from '../leases.ts'
import { storeDeal } from '../tasks.ts'

export const hub: Address = '0x00000000000000000000000000000000000000AA'
export const domain = Lease.domain({ chainId: 31337n, hub })
export const owner = Wallet.createRandom()

/** Chain time of the tests, in unix seconds. */
export const start = 1_800_000_000n

export function randomHex(length: number): Hex {
  return hexlify(randomBytes(length)) as Hex
}

export const app = {
  address: '0x00000000000000000000000000000000000000A1' as Address,
  type: 'BUNDLE',
  multiaddr: '0xa503' as Hex,
  checksum: randomHex(32),
}

/** Stores a deal of category clock 300 s, whose tasks may be contributed until `start` + 2100. */
export async function matchedDeal(
  database: Database,
  { size = 1n, first = 0n, trust = 1n, blockNumber = 10n }: Partial<Record<string, bigint>> = {},
): Promise<{ dealId: Hex; taskIds: Hex[] }> {
  const dealId = randomHex(32)
  const resource = { pointer: zeroAddress, owner: zeroAddress, price: 0n }
  const deal: Deal.Deal = {
    app: { ...resource, pointer: app.address },
    dataset: resource,
    workerpool: resource,
    trust,
    category: 0n,
    tag: `0x${'00'.repeat(31)}09`,
    requester: owner.address as Address,
    beneficiary: owner.address as Address,
    callback: zeroAddress,
    params: '{}',
    startTime: start,
    botFirst: first,
    botSize: size,
    workerStake: 0n,
    schedulerRewardRatio: 1n,
    sponsor: owner.address as Address,
  }
  const taskIds = await database.transaction((transaction) =>
    storeDeal(transaction, { dealId, deal, app, workClock: 300n, blockNumber }),
  )
  return { dealId, taskIds }
}

export async function registeredWorker(database: Database): Promise<Address> {
  const worker = Wallet.createRandom().address as Address
  await registerWorker(database, { worker, name: 'test' })
  return worker
}

export function grant(
  database: Database,
  worker: Address,
  { now = start, holding = [], policy = defaultPolicy }: { now?: bigint; holding?: Hex[]; policy?: Policy } = {},
): Promise<Granted | undefined> {
  return grantLease(database, { worker, holding, now, policy, signer: owner, domain })
}
