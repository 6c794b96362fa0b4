import { expect } from 'chai'
import { createdAssets, loadFixture, signOrders } from '../../fixtures.ts'

describe('computeDealVolume', () => {
  it('is what a match would make, and zero once something is used up', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub } = assets
    const orders = await signOrders(assets, {
      app: { volume: 9n },
      dataset: { volume: 8n },
      workerpool: { volume: 5n },
      request: { volume: 6n },
    })
    expect(await hub.computeDealVolume(...orders)).to.equal(5n)
    await hub.matchOrders(...orders)
    expect(await hub.computeDealVolume(...orders)).to.equal(0n)
    const [, , fresh] = await signOrders(assets, { workerpool: { volume: 5n } })
    expect(await hub.computeDealVolume(orders[0], orders[1], fresh, orders[3])).to.equal(1n)
  })

  it('looks at the dataset order only if there is a dataset', async () => {
    const assets = await loadFixture(createdAssets)
    const volume = 3n
    const wishes = { app: { volume }, workerpool: { volume }, request: { volume } }
    const withDataset = await signOrders(assets, { ...wishes, dataset: { volume: 2n } })
    expect(await assets.hub.computeDealVolume(...withDataset)).to.equal(2n)
    const without = await signOrders(assets, { ...wishes, dataset: null })
    expect(await assets.hub.computeDealVolume(...without)).to.equal(3n)
  })
})
