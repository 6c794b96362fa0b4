import { type Address, connectGroup, type Hex, InvalidValueError, Order, zeroAddress } from '@sealdeal/protocol'
import { getAddress, isAddress, zeroPadValue } from 'ethers'
import type { Client } from './client.ts'
import { AccessAlreadyGrantedError, InvalidAppError, NotTheOwnerError } from './errors.ts'
import { allGrants } from './getGrantedAccess.ts'
import { publishOrder, signOrder } from './publishOrder.ts'
import { type OnStatus, step } from './status.ts'

export type GrantAccessParameters = {
  protectedData: Address
  /** An app, or a group contract of apps. Whoever runs the group chooses the apps. Never anybody's app. */
  authorizedApp: Address
  /** Who may run it; the zero address (default) means anyone. */
  authorizedUser?: Address
  /** Per task, in units of the token. */
  pricePerAccess?: bigint
  /** How many tasks. */
  numberOfAccess?: bigint
  /** For free, without end, and also together with other data in one task ({@link prepareBulk}); price and number are left out. */
  allowBulk?: boolean
  onStatus?: OnStatus
}

/** A grant: the owner's signed dataset order. */
export type GrantedAccess = { order: Order.Signed<'dataset'>; orderHash: Hex }

/**
 * Lets one app, run by one user or by anyone, read protected data inside an enclave.
 *
 * @throws InvalidAppError for the zero address and for what is neither an app nor a group; AccessAlreadyGrantedError
 * naming the grant that exists; NotTheOwnerError.
 */
export async function grantAccess(
  client: Client,
  {
    protectedData,
    authorizedApp,
    authorizedUser = zeroAddress,
    allowBulk = false,
    pricePerAccess = 0n,
    numberOfAccess = allowBulk ? BigInt(Number.MAX_SAFE_INTEGER) : 1n,
    onStatus,
  }: GrantAccessParameters,
): Promise<GrantedAccess> {
  const [dataset, app, user] = [
    expectAddress('protectedData', protectedData),
    expectAddress('authorizedApp', authorizedApp),
    expectAddress('authorizedUser', authorizedUser),
  ]
  if (app === zeroAddress) throw new InvalidAppError({ app, reason: 'a grant for any app would be a grant for theft' })
  expectAmount('pricePerAccess', pricePerAccess, 0n)
  expectAmount('numberOfAccess', numberOfAccess, 1n)
  if (allowBulk) expectForBulk({ datasetprice: pricePerAccess, volume: numberOfAccess })
  await expectOwner(client, dataset)
  await expectApp(client, app)
  await expectNew(client, { dataset, app, user })

  const order = await step(onStatus, 'CREATE_DATASET_ORDER', () =>
    signOrder(client, {
      kind: 'dataset',
      order: {
        dataset,
        datasetprice: pricePerAccess,
        volume: numberOfAccess,
        apprestrict: app,
        requesterrestrict: user,
      },
    }),
  )
  return step(onStatus, 'PUBLISH_DATASET_ORDER', () => publishOrder(client, { kind: 'dataset', order }))
}

async function expectOwner({ contracts, account }: Client, dataset: Address): Promise<void> {
  const owner = await contracts.datasetRegistry.registrantOf(dataset)
  if (owner === account) return
  if (owner === zeroAddress) {
    throw new InvalidValueError({ path: 'protectedData', expected: 'registered protected data', value: dataset })
  }
  throw new NotTheOwnerError({ asset: dataset, owner: owner as Address, account })
}

/** A registered app, or a contract that answers ERC-734: anything else could never match, or means a mistyped address. */
async function expectApp({ contracts, provider }: Client, app: Address): Promise<void> {
  if (await contracts.appRegistry.isRegistered(app)) return
  if ((await provider.getCode(app)) === '0x')
    throw new InvalidAppError({ app, reason: 'no contract is deployed there' })
  const group = connectGroup(app, provider)
  const answers = await group.keyHasPurpose(zeroPadValue(app, 32), 4n).then(
    () => true,
    () => false,
  )
  if (!answers) throw new InvalidAppError({ app, reason: 'it is neither a registered app nor a group of apps' })
}

async function expectNew(client: Client, { dataset, app, user }: { dataset: Address; app: Address; user: Address }) {
  for await (const { order, orderHash } of allGrants(client, { protectedData: dataset })) {
    const isSame = order.apprestrict === app && order.requesterrestrict === user
    if (isSame && order.workerpoolrestrict === zeroAddress && (await isOpen(client, order, orderHash))) {
      throw new AccessAlreadyGrantedError({ app, user, orderHash })
    }
  }
}

/** The chain decides: the market may not have noticed a revocation yet. */
async function isOpen({ contracts }: Client, order: Order.Signed<'dataset'>, orderHash: Hex): Promise<boolean> {
  return (await contracts.hub.viewConsumed(orderHash)) < order.volume
}

function expectForBulk({ datasetprice, volume }: Pick<Order.Dataset, 'datasetprice' | 'volume'>): void {
  if (Order.isForBulk({ datasetprice, volume })) return
  const [path, value] = datasetprice > 0n ? ['pricePerAccess', datasetprice] : ['numberOfAccess', volume]
  throw new InvalidValueError({ path: String(path), expected: 'nothing beside `allowBulk`', value })
}

function expectAddress(path: string, value: unknown): Address {
  if (typeof value === 'string' && isAddress(value)) return getAddress(value) as Address
  throw new InvalidValueError({ path, expected: 'an address', value })
}

function expectAmount(path: string, value: unknown, least: bigint): void {
  if (typeof value === 'bigint' && value >= least && value < 1n << 256n) return
  throw new InvalidValueError({ path, expected: `a bigint from ${least} on`, value })
}
