import { expect } from 'chai'
import { loadFixture, signedOrders } from '../../fixtures.ts'

describe('broadcast an order', () => {
  it('of each kind: emits it whole, whoever calls', async () => {
    const { hub, orders, anyone } = await loadFixture(signedOrders)
    const [app, dataset, workerpool, request] = orders
    const connected = hub.connect(anyone)
    await expect(connected.broadcastAppOrder(app)).to.emit(hub, 'BroadcastAppOrder').withArgs(Object.values(app))
    await expect(connected.broadcastDatasetOrder(dataset))
      .to.emit(hub, 'BroadcastDatasetOrder')
      .withArgs(Object.values(dataset))
    await expect(connected.broadcastWorkerpoolOrder(workerpool))
      .to.emit(hub, 'BroadcastWorkerpoolOrder')
      .withArgs(Object.values(workerpool))
    await expect(connected.broadcastRequestOrder(request))
      .to.emit(hub, 'BroadcastRequestOrder')
      .withArgs(Object.values(request))
  })
})
