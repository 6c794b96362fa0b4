import { signRequest } from '@sealdeal/server'
import { expect } from 'chai'
import { type Described, storm, stormSize } from '../server/testing/requests.ts'
import { openWorld, until, type World } from './testing/world.ts'

describe('the description of the scheduler', function () {
  this.timeout(Math.max(120_000, stormSize * 100))
  let world: World
  before(async () => {
    world = await openWorld()
  })
  after(() => world?.close())

  it('is kept: whatever is asked by it, or beside it, is answered, and never by a failure of ours', async () => {
    const { url } = await world.startScheduler()
    const { worker, poolOwner } = world.wallets
    const { dealId, taskIds } = await world.matchDeal({ size: 3n })
    await until('the tasks', async () => (await fetch(`${url}/tasks/${taskIds[2]}`)).ok)
    const { statuses, succeeded } = await storm({
      url,
      known: [dealId, ...taskIds, '1', '2', `0x${'0'.repeat(64)}`, worker.address, poolOwner.address, 'APP_FAILED'],
      authorize: (request) =>
        signRequest({
          signer: worker,
          domain: { chainId: 31337n, hub: world.deployment.hub, service: 'scheduler' },
          ...request,
        }),
      prepare: impatient,
    })
    expect(statuses.get(200)).to.be.greaterThan(stormSize / 50)
    expect(statuses.get(400)).to.be.greaterThan(stormSize / 50)
    for (const method of ['GET', 'POST']) expect(succeeded.get(method), method).to.be.greaterThan(0)
  })
})

/** Whoever asks for work may wait for it, which is not slow: nobody waits here. */
async function impatient({ path, body }: Described): Promise<unknown> {
  const isReadable = typeof body === 'object' && body !== null && !Array.isArray(body)
  return path.startsWith('/leases?') && isReadable ? { ...body, wait: 0 } : body
}
