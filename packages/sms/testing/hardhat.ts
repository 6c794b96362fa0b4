import {
  type Address,
  Bytes,
  connectMarketplace,
  Deal,
  type Hex,
  type Marketplace,
  Order,
  Tag,
  Task,
  zeroAddress,
} from '@sealdeal/protocol'
import { BrowserProvider, type ContractTransactionResponse, getBytes, toBeHex, Wallet } from 'ethers'
import { network } from 'hardhat'
import { deployMarketplace } from '../../../deploy/marketplace.ts'
import { openChain } from '../chain.ts'
import { bulkGrant, clock, type DealOptions, randomHash, type StandingDeal, type TestChain, tdxTag } from './chain.ts'

/** A real chain in this process, with the contracts as they are deployed anywhere. */
export type HardhatChain = TestChain & {
  market: Marketplace
  provider: BrowserProvider
  /** Registers one more dataset of the same owner. */
  createDataset(): Promise<Address>
  /** A contract account whose holder's key signs for it. */
  deployContractWallet(holder: Address): Promise<Address>
  setTeeBroker(broker: Address): Promise<void>
}

/** Deploys everything, registers an app, a dataset and a workerpool, and matches deals on request. */
export async function hardhatChain(): Promise<HardhatChain> {
  const connection = await network.create()
  const { hub } = await deployMarketplace({ connection })
  const provider = new BrowserProvider(connection.provider, undefined, { cacheTimeout: -1, pollingInterval: 20 })
  const { chainId } = await provider.getNetwork()
  const operator = await provider.getSigner(0)
  const market = await connectMarketplace(hub as Address, operator)
  const owners = {
    app: await funded(provider),
    dataset: await funded(provider),
    pool: await funded(provider),
    requester: await funded(provider),
  }
  const chain = openChain({ provider, chainId, hub: hub as Address })
  const domain = Order.domain(chain)
  const checksum = randomHash()
  const locator: Hex = '0xa503'
  const app = await create(market.appRegistry, 'App', [owners.app.address, 'app', 'BUNDLE', locator, checksum, '0x'])
  const dataset = await create(market.datasetRegistry, 'Dataset', [owners.dataset.address, 'data', locator, checksum])
  const workerpool = await create(market.workerpoolRegistry, 'Workerpool', [owners.pool.address, 'pool'])

  async function matchDeal({ tag = tdxTag, params = '', withDataset = true, size = 3n }: DealOptions = {}) {
    const requester = owners.requester.address as Address
    const data = withDataset ? dataset : zeroAddress
    const teeBit = toBeHex(BigInt(tag) & 1n, 32) as Hex
    const volume = size
    const request = Order.create('request', { app, dataset: data, requester, volume, tag, params })
    const orders = Order.quadruple({
      app: await Order.sign('app', Order.create('app', { app, volume, tag: teeBit }), owners.app, domain),
      dataset: withDataset
        ? await Order.sign(
            'dataset',
            Order.create('dataset', { dataset, volume, tag: Tag.none }),
            owners.dataset,
            domain,
          )
        : undefined,
      workerpool: await Order.sign(
        'workerpool',
        Order.create('workerpool', { workerpool, volume, tag: tdxTag }),
        owners.pool,
        domain,
      ),
      request: await Order.sign('request', request, owners.requester, domain),
    })
    await mined(market.hub.matchOrders(...orders))
    const dealId = Deal.id(Order.hash('request', request, domain), 0n)
    const deal = await chain.viewDeal(dealId)
    if (!deal) throw new Error('the deal was not recorded')
    return { dealId, deal, checksum }
  }

  async function completeTask({ dealId, deal }: StandingDeal): Promise<void> {
    const worker = await funded(provider)
    const taskId = Task.id(dealId, deal.botFirst)
    const enclave = Wallet.createRandom()
    const digest = randomHash()
    const sign = async (by: { signMessage(message: Uint8Array): Promise<string> }, hash: Hex) =>
      by.signMessage(getBytes(hash))
    const hub = market.hub.connect(worker)
    await mined(hub.initialize(dealId, deal.botFirst))
    await mined(
      hub.contributeAndFinalize(
        taskId,
        digest,
        '0x',
        '0x',
        enclave.address,
        await sign(enclave, Task.enclaveHash(worker.address as Address, taskId, digest)),
        await sign(owners.pool, Task.authorizationHash(worker.address as Address, taskId, enclave.address as Address)),
      ),
    )
  }

  async function attachDataset({ dealId, deal }: StandingDeal): Promise<void> {
    const order = Order.create('dataset', { dataset, volume: 1n, tag: Tag.none, salt: randomHash() })
    const signed = await Order.sign('dataset', order, owners.dataset, domain)
    await mined(market.hub.connect(owners.requester).attachDatasets(dealId, deal.botFirst, [signed], 0n))
  }

  async function createDataset(): Promise<Address> {
    const fields = [owners.dataset.address, `data ${randomHash()}`, locator, checksum]
    return create(market.datasetRegistry, 'Dataset', fields)
  }

  return {
    chain,
    owners,
    market,
    createDataset,
    async grant(changes = {}, signer = owners.dataset) {
      return Order.sign('dataset', bulkGrant({ dataset, ...changes }), signer, domain)
    },
    provider,
    matchDeal,
    completeTask,
    attachDataset,
    async passDeadline() {
      await provider.send('evm_increaseTime', [Number(7n * clock)])
      await provider.send('evm_mine', [])
    },
    async deployContractWallet(holder) {
      const contract = await connection.ethers.deployContract('ContractWallet', [holder])
      return (await contract.getAddress()) as Address
    },
    async setTeeBroker(broker) {
      await mined(market.hub.setTeeBroker(broker))
    },
    async close() {
      provider.destroy()
      await connection.close()
    },
  }
}

async function create<Name extends string>(registry: object, name: Name, values: unknown[]): Promise<Address> {
  const calls = registry as Record<string, (...values: unknown[]) => Promise<unknown>>
  const address = await calls[`predict${name}`]?.(...values)
  await mined(calls[`create${name}`]?.(...values) as Promise<ContractTransactionResponse>)
  return address as Address
}

async function mined(sent: Promise<ContractTransactionResponse>): Promise<void> {
  await (await sent).wait()
}

async function funded(provider: BrowserProvider): Promise<Wallet> {
  const wallet = new Wallet(Bytes.toHex(Bytes.random(32)), provider)
  await provider.send('hardhat_setBalance', [wallet.address, '0x56bc75e2d63100000'])
  return wallet
}
