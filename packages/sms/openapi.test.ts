import { Secret, SignedRequest, Task } from '@sealdeal/protocol'
import { expect } from 'chai'
import { storm, stormSize } from '../server/testing/requests.ts'
import { memoryChain } from './testing/chain.ts'
import { askNonce, openWorld, pushEverything, type World } from './testing/world.ts'

describe('the description of the secret management service', function () {
  this.timeout(Math.max(120_000, stormSize * 100))
  let world: World
  before(async () => {
    world = await openWorld(async (wall) => memoryChain(wall))
  })
  after(() => world.close())

  it('is kept: whatever is asked by it, or beside it, is answered, and never by a failure of ours', async () => {
    const { chain, owners, url } = world
    const standing = await world.matchDeal()
    await pushEverything(world, standing)
    const { dealId, deal } = standing
    const nonce = await askNonce(world, { dealId, index: deal.botFirst, attempt: 1n })
    const { requester, dataset, app } = owners
    const ownerOf = (path: string) =>
      path.includes(deal.dataset.pointer) ? dataset : path.includes(deal.app.pointer) ? app : requester
    const { statuses, succeeded } = await storm({
      url,
      known: [
        ...[dealId, Task.id(dealId, deal.botFirst), nonce, `0x${'0'.repeat(64)}`],
        ...[requester.address, deal.app.pointer, deal.dataset.pointer],
        ...['token', 'other', Secret.reserved.resultKey, String(deal.botFirst), '0', '1'],
      ],
      authorize: (request) =>
        SignedRequest.sign({
          signer: ownerOf(request.path),
          domain: { chainId: chain.chainId, hub: chain.hub, service: 'sms' },
          ...request,
        }),
    })
    for (const status of [204, 400, 401]) expect(statuses.get(status), String(status)).to.be.greaterThan(0)
    expect(succeeded.get('POST'), 'of the generated secrets some are stored').to.be.greaterThan(0)
  })
})
