// Deals without dataset, and orders of many owners to attach to their tasks.
import { dealOf, ofVolume } from '../../deals.ts'
import {
  type Assets,
  type DatasetOrder,
  datasetOrder,
  datasetPrice,
  ethers,
  loadFixture,
  RLC,
  type Signer,
  signOrder,
  teeTag,
  type Wishes,
} from '../../fixtures.ts'

/** A dataset and its owner, who has a key and nothing else. */
export type Owned = { dataset: string; owner: Signer & { address: string } }

/** So many datasets, each of another owner. */
export async function createDatasets({ datasetRegistry }: Assets, count: number): Promise<Owned[]> {
  const owned: Owned[] = []
  for (let i = 0; i < count; ++i) {
    const owner = new ethers.Wallet(ethers.id(`the key of data owner ${i}`))
    const fields = [owner.address, `records ${i}`, '0x', ethers.ZeroHash] as const
    const dataset = await datasetRegistry.predictDataset(...fields)
    await datasetRegistry.createDataset(...fields)
    owned.push({ dataset, owner })
  }
  return owned
}

/** The usual order for a dataset, but for the wishes, signed by its owner. */
export function grantOf({ domain }: Assets, { dataset, owner }: Owned, wishes: Partial<DatasetOrder> = {}) {
  const order = datasetOrder({ dataset, datasetprice: datasetPrice, tag: teeTag, ...wishes })
  return signOrder('dataset', order, { signer: owner, domain })
}

/** A deal of two tasks without dataset, and three datasets of three owners. */
export async function bulkDeal() {
  return bulkDealOf({})
}

/** The same but for the wishes. */
export async function bulkDealOf(wishes: Wishes, count = 3) {
  const deal = await dealOf(ofVolume(2n, { ...wishes, dataset: null }))
  const owned = await createDatasets(deal, count)
  return { ...deal, owned, owners: owned.map(({ owner }) => owner.address) }
}

/** Prices of three datasets, all different, and what they cost together. */
export const prices = [datasetPrice, 3n, RLC] as const
export const bulkPrice = prices.reduce((sum, each) => sum + each, 0n)

/** Orders at those prices, attached to the first task of the deal. */
export async function attachedTask() {
  const deal = await loadFixture(bulkDeal)
  return { ...deal, orders: await attach(deal) }
}

/** Attaches an order for each dataset to a task, at those prices, paid by the requester. */
export async function attach(deal: Assets & { dealId: string; owned: Owned[] }, index = 0n): Promise<DatasetOrder[]> {
  const { hub, requester, dealId, owned } = deal
  const orders = await Promise.all(
    owned.map((each, i) => grantOf(deal, each, { datasetprice: prices[i % prices.length] ?? 0n })),
  )
  const total = orders.reduce((sum, { datasetprice }) => sum + datasetprice, 0n)
  await hub.connect(requester).attachDatasets(dealId, index, orders, total)
  return orders
}
