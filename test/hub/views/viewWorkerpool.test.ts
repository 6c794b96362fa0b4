import { expect } from 'chai'
import { createdAssets, loadFixture } from '../../fixtures.ts'

describe('viewWorkerpool', () => {
  it('gives the owner, the description and the policy of a workerpool', async () => {
    const { hub, workerpool, scheduler, workerpoolFields } = await loadFixture(createdAssets)
    await workerpool.connect(scheduler).changePolicy(35n, 5n)
    expect(await hub.viewWorkerpool(workerpool)).to.deep.equal([scheduler.address, workerpoolFields[1], 35n, 5n])
  })
})
