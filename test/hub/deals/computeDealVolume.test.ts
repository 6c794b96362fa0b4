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

  it('counts what is left of each order, not what it once had', async () => {
    const assets = await loadFixture(createdAssets)
    const { hub } = assets
    const volume = 9n
    const whole = { app: { volume }, dataset: { volume }, workerpool: { volume }, request: { volume } }
    for (const [index, kind] of (['app', 'dataset', 'workerpool', 'request'] as const).entries()) {
      const orders = await signOrders(assets, { ...whole, [kind]: { volume: 3n } })
      // Two deals use it up to one, each with three other orders.
      for (let used = 0; used < 2; ++used) {
        const others = await signOrders(assets)
        await hub.matchOrders(...(others.map((order, i) => (i === index ? orders[i] : order)) as typeof orders))
      }
      expect(await hub.computeDealVolume(...orders), kind).to.equal(1n)
    }
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
